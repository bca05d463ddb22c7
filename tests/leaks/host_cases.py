"""The cases that are hosts: the role and the playbooks, each run once on all of its hosts."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.leaks.cases import Data, Table, echoes, elsewhere
from tests.leaks.stage import CREDENTIALS, WORKSPACE, Scene
from tests.leaks.task_cases import DECLARED, refuses_writes, seals
from tests.simulator import git

#: Each a host with its variables; a playbook runs on all of its hosts at once.
HOSTS = Table()
ROLE, PROVISION = "roles/project_tokens", "playbooks/provision"
REVOKE, SETUP = "playbooks/revoke_leaked", "playbooks/awx_setup"
AUDIT_ROLE, AUDIT = "roles/token_audit", "playbooks/audit"
RETIRE = "playbooks/retire_app_passwords"
ROTATE, MIGRATE = "playbooks/rotate", "playbooks/migrate_store"
#: By the simulator's clock, after what is planted.
RECENTLY = "2026-01-14"


def declared(scene: Scene, **more: object) -> Data:
    """The role's variables, with the password from a variable."""
    variables = {"username": "admin", "password": "{{ password }}", "projects": [scene.key], "set": [DECLARED], **more}
    return {f"project_tokens_{name}": value for name, value in variables.items()}


def migrated(scene: Scene, **more: object) -> Data:
    return {**declared(scene, store=scene.file), **{f"migrate_store_{name}": value for name, value in more.items()}}


def audited(scene: Scene, **more: object) -> Data:
    only = {"projects": [scene.key], "repositories": [], "users": [], "output_dir": scene.reports}
    variables = {"username": "admin", "password": "{{ password }}", **only, **more}
    return {f"token_audit_{name}": value for name, value in variables.items()}


def retired(scene: Scene, **more: object) -> Data:
    home = scene.home()
    variables = {"homes": [home], "search_paths": [f"{home}/src"], **more}
    return {f"retire_app_passwords_{name}": value for name, value in variables.items()}


def tried(scene: Scene, token: str, **more: object) -> Data:
    """With a git that reaches a repository of the simulated cloud."""
    url = f"https://bitbucket.org/{WORKSPACE}/{scene.key.lower()}.git"
    return retired(scene, api_tokens={"jdoe": token}, verify_url=url, **more)


# The role, by the playbook that runs it


@HOSTS.works(ROLE, PROVISION)
def a_file_for_each(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return declared(scene, store=scene.file)


@HOSTS.works(ROLE, PROVISION)
def a_vaulted_file(scene: Scene) -> Data:
    return declared(scene, store=scene.vaulted, username="", password="", token="{{ bearer }}")


@HOSTS.works(ROLE, PROVISION)
def vault(scene: Scene) -> Data:
    return declared(scene, store=scene.hashi, store_options=scene.hashi_options)


@HOSTS.works(ROLE, PROVISION)
def the_controller(scene: Scene) -> Data:
    return declared(scene, store=scene.controller, store_options=scene.controller_options)


@HOSTS.works(ROLE, PROVISION, environment=True)
def a_helper(scene: Scene) -> Data:
    return declared(scene, store=scene.helper(), username="", password="")


@HOSTS.fails(ROLE, PROVISION, says="The role needs owners")
def nothing_is_declared(scene: Scene) -> Data:
    return declared(scene, set=[])


@HOSTS.fails(ROLE, PROVISION, says="token is wrong")
def a_wrong_token(scene: Scene) -> Data:
    return declared(scene, store=scene.file, username="", password="", token="{{ nobodys_token }}")


@HOSTS.fails(ROLE, PROVISION, says="Received")
def a_server_that_quotes(scene: Scene) -> Data:
    scene.arm("status", method="PUT", status=400, message=echoes(CREDENTIALS["password"]))
    return declared(scene, store=scene.file)


@HOSTS.fails(ROLE, PROVISION, says="redirects")
def a_redirect(scene: Scene) -> Data:
    scene.arm("redirect", location=elsewhere(CREDENTIALS["password"]))
    return declared(scene, store=scene.file)


@HOSTS.fails(ROLE, PROVISION)
def connections_that_are_cut(scene: Scene) -> Data:
    scene.arm("drop_before")
    return declared(scene, store=scene.file)


@HOSTS.fails(ROLE, PROVISION, says="No connection to ")
def a_port_that_nobody_listens_on(scene: Scene) -> Data:
    return declared(scene, url="http://127.0.0.1:1", store=scene.file)


@HOSTS.fails(ROLE, PROVISION, says="certificate")
def a_certificate_that_nobody_trusts(scene: Scene) -> Data:
    return declared(scene, url=scene.stage.tls_url, store=scene.file)


@HOSTS.fails(ROLE, PROVISION)
def a_cut_answer(scene: Scene) -> Data:
    scene.arm("cut_json", method="PUT", at="in_secret")
    return declared(scene, store=scene.file)


@HOSTS.fails(ROLE, PROVISION, says="cannot be")
def a_directory_that_vanishes(scene: Scene) -> Data:
    place = Path(scene.file.partition(":")[2])
    scene.arm("call", method="PUT", when="after", times=1, run=lambda: shutil.rmtree(place))
    return declared(scene, store=scene.file)


@HOSTS.fails(ROLE, PROVISION, says="cannot be decrypted")
def a_wrong_vault_password(scene: Scene) -> Data:
    return declared(scene, store=scene.encrypted_by_another())


@HOSTS.fails(ROLE, PROVISION, says="is sealed")
def a_vault_that_is_sealed(scene: Scene) -> Data:
    scene.stage.spoilt[f"/data/{scene.key}/"] = seals
    return declared(scene, store=scene.hashi, store_options=scene.hashi_options)


@HOSTS.fails(ROLE, PROVISION, says="is not known")
def a_vault_that_quotes(scene: Scene) -> Data:
    scene.stage.spoilt[f"/{scene.key}/"] = refuses_writes
    return declared(scene, store=scene.hashi, store_options=scene.hashi_options)


@HOSTS.fails(ROLE, PROVISION, says="is not known")
def a_controller_that_quotes(scene: Scene) -> Data:
    scene.stage.spoilt[f"{scene.owner}/tokens/ci"] = refuses_writes
    return declared(scene, store=scene.controller, store_options=scene.controller_options)


@HOSTS.fails(ROLE, PROVISION, says="is not known")
def a_helper_that_shouts(scene: Scene) -> Data:
    return declared(scene, store=scene.helper("shouts"))


@HOSTS.fails(ROLE, PROVISION)
def options_of_the_store_that_are_a_secret(scene: Scene) -> Data:
    return declared(scene, store=scene.hashi, store_options="{{ vault_token }}")


@HOSTS.fails(ROLE, PROVISION)
def a_mapping_for_a_password(scene: Scene) -> Data:
    return declared(scene, store=scene.file, password={"value": "{{ wrong_password }}"})


@HOSTS.fails(ROLE, PROVISION)
def a_list_for_a_token(scene: Scene) -> Data:
    return declared(scene, store=scene.file, token=["{{ nobodys_token }}"], username="", password="")


@HOSTS.fails(ROLE, PROVISION)
def a_secret_beside_the_options_of_an_entry(scene: Scene) -> Data:
    return declared(scene, store=scene.file, set=[{**DECLARED, "pasword": "{{ password }}"}])


@HOSTS.fails(ROLE, PROVISION)
def a_template_that_fails_in_the_password(scene: Scene) -> Data:
    return declared(scene, store=scene.file, password="{{ (password | from_json).value }}")


@HOSTS.fails(ROLE, PROVISION)
def a_template_that_fails_in_an_override(scene: Scene) -> Data:
    overrides = {scene.key: [{"name": "ci", "permissions": "{{ password | int / 0 }}"}]}
    return declared(scene, store=scene.file, overrides=overrides)


@HOSTS.fails(ROLE, PROVISION)
def a_notification_that_fails(scene: Scene) -> Data:
    return declared(scene, store=scene.file, notify="/no/such/tasks.yml")


@HOSTS.fails(ROLE, PROVISION)
def a_host_that_is_gone(scene: Scene) -> Data:
    return {**declared(scene, store=scene.file), "ansible_host": "gone"}


# The other playbooks


@HOSTS.works(ROTATE)
def what_is_older_is_replaced(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return declared(scene, store=scene.file, rotate_created_before=RECENTLY)


@HOSTS.fails(ROTATE, says="Name the moment")
def no_moment(scene: Scene) -> Data:
    return declared(scene, store=scene.file)


@HOSTS.fails(ROTATE, says="Received")
def a_server_that_quotes_what_rotates(scene: Scene) -> Data:
    scene.keep(scene.plant())
    scene.arm("status", method="PUT", status=400, message=echoes(CREDENTIALS["password"]))
    return declared(scene, store=scene.file, rotate_created_before=RECENTLY)


@HOSTS.fails(ROTATE)
def answers_that_are_lost_to_what_rotates(scene: Scene) -> Data:
    scene.keep(scene.plant())
    scene.arm("drop_after", method="PUT")
    return declared(scene, store=scene.file, rotate_created_before=RECENTLY)


@HOSTS.works(MIGRATE)
def to_vault(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return migrated(scene, to=scene.hashi, to_options=scene.hashi_options)


@HOSTS.works(MIGRATE)
def to_the_controller_without_asking_bitbucket(scene: Scene) -> Data:
    scene.keep(scene.plant())
    references = [f"{scene.owner}/tokens/ci"]
    return migrated(scene, to=scene.controller, to_options=scene.controller_options, references=references)


@HOSTS.fails(MIGRATE, says="Name the new store")
def to_nowhere(scene: Scene) -> Data:
    return migrated(scene)


@HOSTS.fails(MIGRATE, says="is not known")
def to_a_vault_that_quotes(scene: Scene) -> Data:
    scene.keep(scene.plant())
    scene.stage.spoilt[f"/{scene.key}/"] = refuses_writes
    return migrated(scene, to=scene.hashi, to_options=scene.hashi_options)


@HOSTS.fails(MIGRATE, says="Received")
def from_a_server_that_quotes(scene: Scene) -> Data:
    scene.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return migrated(scene, to=scene.vaulted)


@HOSTS.fails(MIGRATE)
def to_a_helper_that_echoes(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return migrated(scene, to=scene.helper("echoes"))


@HOSTS.works(REVOKE)
def what_leaked_is_revoked_and_reissued(scene: Scene) -> Data:
    token = scene.plant()
    scene.keep(token)
    named = {"revoke_leaked_files": [scene.leaked(token.secret)], "revoke_leaked_projects": [scene.key]}
    return {**declared(scene, store=scene.file), **named}


@HOSTS.works(REVOKE)
def what_leaked_into_a_text_is_revoked(scene: Scene) -> Data:
    text = scene.variable("text", f"{scene.plant().secret} {CREDENTIALS['nobodys_token']}")
    return {**declared(scene, set=[]), "revoke_leaked_text": text, "revoke_leaked_projects": [scene.key]}


@HOSTS.fails(REVOKE, says="Say what leaked")
def nothing_leaked(scene: Scene) -> Data:
    return declared(scene, store=scene.file)


@HOSTS.fails(REVOKE, says="Left to do")
def what_leaked_belongs_to_nobody_known(scene: Scene) -> Data:
    named = {"revoke_leaked_text": "{{ cloud_token }}", "revoke_leaked_projects": [scene.key]}
    return {**declared(scene, store=scene.file), **named}


@HOSTS.fails(REVOKE, says="Received")
def a_server_that_quotes_what_it_does_not_revoke(scene: Scene) -> Data:
    token = scene.plant()
    scene.arm("status", method="DELETE", status=400, message=f"{echoes(CREDENTIALS['password'])} {token.secret}")
    named = {"revoke_leaked_files": [scene.leaked(token.secret)], "revoke_leaked_projects": [scene.key]}
    return {**declared(scene, store=scene.file), **named}


@HOSTS.fails(REVOKE, says="Not revoked: ")
def connections_that_are_cut_before_the_revocation(scene: Scene) -> Data:
    token = scene.plant()
    scene.arm("drop_before", method="DELETE")
    named = {"revoke_leaked_files": [scene.leaked(token.secret)], "revoke_leaked_projects": [scene.key]}
    return {**declared(scene, store=scene.file), **named}


@HOSTS.fails(REVOKE, says="is sealed")
def a_store_that_fails_after_the_revocation(scene: Scene) -> Data:
    token = scene.plant()
    scene.stage.spoilt[f"/data/{scene.key}/"] = seals
    scene.stage.vault.put(f"{scene.key}/{scene.owner}/tokens/ci", {"id": token.id, "secret": token.secret})
    named = {"revoke_leaked_files": [scene.leaked(token.secret)], "revoke_leaked_projects": [scene.key]}
    return {**declared(scene, store=scene.hashi, store_options=scene.hashi_options), **named}


# Audits


@HOSTS.works(AUDIT_ROLE, AUDIT)
def an_audit(scene: Scene) -> Data:
    scene.plant()
    return audited(scene)


@HOSTS.works(AUDIT_ROLE, AUDIT)
def an_audit_with_a_token_against_what_is_declared(scene: Scene) -> Data:
    scene.plant()
    return {**declared(scene), **audited(scene, username="", password="", token="{{ bearer }}")}


@HOSTS.fails(AUDIT_ROLE, AUDIT, says="Findings of severity")
def an_audit_that_finds_something(scene: Scene) -> Data:
    scene.plant()
    return audited(scene, fail_on="medium")


@HOSTS.fails(AUDIT_ROLE, AUDIT, says="Received")
def an_audit_of_a_server_that_quotes(scene: Scene) -> Data:
    scene.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return audited(scene)


@HOSTS.fails(AUDIT_ROLE, AUDIT)
def an_audit_whose_connections_are_cut(scene: Scene) -> Data:
    scene.arm("drop_before")
    return audited(scene)


@HOSTS.fails(AUDIT_ROLE, AUDIT, says="token is wrong")
def an_audit_with_a_wrong_token(scene: Scene) -> Data:
    return audited(scene, username="", password="", token="{{ nobodys_token }}")


# App passwords, and the tokens that replace them


@HOSTS.works(RETIRE)
def app_passwords_that_are_reported(scene: Scene) -> Data:
    return retired(scene)


@HOSTS.works(RETIRE)
def app_passwords_that_are_removed(scene: Scene) -> Data:
    return retired(scene, remove=True, backup=True)


@HOSTS.works(RETIRE)
def app_passwords_that_are_replaced(scene: Scene) -> Data:
    return retired(scene, api_tokens={"jdoe": scene.api_token(), "nobody": "{{ cloud_token }}"})


@HOSTS.works(RETIRE)
def app_passwords_that_are_replaced_by_tokens_that_git_tries(scene: Scene) -> Data:
    return tried(scene, scene.api_token())


@HOSTS.fails(RETIRE, says="is an app password")
def an_app_password_for_a_token(scene: Scene) -> Data:
    return retired(scene, api_tokens={"jdoe": scene.variable("dead", scene.dead())})


@HOSTS.fails(RETIRE, says="does not look like an API token")
def something_else_for_a_token(scene: Scene) -> Data:
    return retired(scene, api_tokens={"jdoe": "{{ nobodys_token }}"}, remove=True)


@HOSTS.fails(RETIRE)
def a_mapping_for_a_token(scene: Scene) -> Data:
    return retired(scene, api_tokens={"jdoe": {"value": scene.api_token()}})


@HOSTS.fails(RETIRE, says="Its failure is shown above")
def a_template_that_fails_in_a_token(scene: Scene) -> Data:
    return retired(scene, api_tokens={"jdoe": "{{ (api_token | from_json).value }}"})


@HOSTS.fails(RETIRE, says="`git_username`")
def a_token_that_is_a_user_name_too(scene: Scene) -> Data:
    token = scene.api_token()
    return retired(scene, api_tokens={"jdoe": token}, git_usernames={"jdoe": token}, emails={"jdoe": token})


@HOSTS.fails(RETIRE, says="by hand")
def what_only_a_hand_can_remove(scene: Scene) -> Data:
    return retired(scene, paths=[scene.leaked(scene.dead())], remove=True)


@HOSTS.fails(RETIRE, says="takes absolute paths")
def homes_that_lead_nowhere(scene: Scene) -> Data:
    return retired(scene, homes=["somewhere"])


@HOSTS.fails(RETIRE)
def a_host_of_app_passwords_that_is_gone(scene: Scene) -> Data:
    return {**retired(scene), "ansible_host": "gone"}


if git.available():

    @HOSTS.fails(RETIRE, says="git can not list a repository with it")
    def a_token_that_git_refuses(scene: Scene) -> Data:
        return tried(scene, scene.api_token("read:jira-work"))

    @HOSTS.fails(RETIRE, says="git can not list a repository with it")
    def a_dead_token_that_git_refuses(scene: Scene) -> Data:
        return tried(scene, "{{ cloud_token }}")


# Setting up AWX


def set_up(scene: Scene, **more: object) -> Data:
    """Everything under a name of its own, so that hosts do not meet."""
    variables = {
        "name": scene.key,
        "url": scene.stage.awx_url,
        "token": "{{ controller_token }}",
        "organization": "Payments",
        "project_url": "https://git.example.com/tokens.git",
        "image": "registry.example.com/tokens:1",
        "bitbucket_url": scene.stage.url,
        "bitbucket_username": "automation",
        "bitbucket_password": "{{ password }}",
        "vault": {"url": scene.stage.vault_url, "token": "{{ vault_token }}"},
        **more,
    }
    declared = {"project_tokens_set": [{"name": "ci", "permissions": "PROJECT_READ", "expires_in_days": 90}]}
    options = {"project_tokens_store": scene.hashi, "project_tokens_store_options": scene.hashi_options}
    # Neither is for a job template, where everybody could read it.
    kept_back = {"project_tokens_password": "{{ password }}", "notify_mail_password": "{{ password }}"}
    return {**declared, **options, **kept_back, **{f"awx_setup_{name}": value for name, value in variables.items()}}


@HOSTS.works(SETUP)
def awx_is_set_up(scene: Scene) -> Data:
    return set_up(scene)


@HOSTS.fails(SETUP, says="with status 400")
def an_awx_that_quotes_what_it_is_given(scene: Scene) -> Data:
    scene.stage.spoilt[f"{scene.key}: Vault"] = refuses_writes
    return set_up(scene)


@HOSTS.fails(SETUP, says="refuses this login")
def an_awx_that_refuses_the_login(scene: Scene) -> Data:
    return set_up(scene, token="{{ nobodys_token }}")


@HOSTS.fails(SETUP, says="forgets what is written to files")
def a_store_that_a_job_takes_away(scene: Scene) -> Data:
    return {**set_up(scene), "project_tokens_store": scene.file}
