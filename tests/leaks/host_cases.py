"""The cases that are hosts: the role and the playbooks, each run once on all of its hosts."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.leaks.cases import Data, Table, echoes, elsewhere
from tests.leaks.sandbox import CREDENTIALS, WORKSPACE, Scenario
from tests.leaks.task_cases import DECLARED, awx_options, awx_variables, refuses_writes, seals
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


def declared(scenario: Scenario, **more: object) -> Data:
    """The role's variables, with the password from a variable."""
    variables = {
        "username": "admin",
        "password": "{{ password }}",
        "projects": [scenario.key],
        "set": [DECLARED],
        **more,
    }
    return {f"project_tokens_{name}": value for name, value in variables.items()}


def migrated(scenario: Scenario, **more: object) -> Data:
    return {
        **declared(scenario, store=scenario.file),
        **{f"migrate_store_{name}": value for name, value in more.items()},
    }


def audited(scenario: Scenario, **more: object) -> Data:
    only = {"projects": [scenario.key], "repositories": [], "users": [], "output_dir": scenario.reports}
    variables = {"username": "admin", "password": "{{ password }}", **only, **more}
    return {f"token_audit_{name}": value for name, value in variables.items()}


def retired(scenario: Scenario, **more: object) -> Data:
    home = scenario.home()
    variables = {"homes": [home], "search_paths": [f"{home}/src"], **more}
    return {f"retire_app_passwords_{name}": value for name, value in variables.items()}


def tried(scenario: Scenario, token: str, **more: object) -> Data:
    """With a git that reaches a repository of the simulated cloud."""
    url = f"https://bitbucket.org/{WORKSPACE}/{scenario.key.lower()}.git"
    return retired(scenario, api_tokens={"jdoe": token}, verify_url=url, **more)


# The role, by the playbook that runs it


@HOSTS.works(ROLE, PROVISION)
def a_file_for_each(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return declared(scenario, store=scenario.file)


@HOSTS.works(ROLE, PROVISION)
def a_vaulted_file(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.vaulted, username="", password="", token="{{ bearer }}")


@HOSTS.works(ROLE, PROVISION)
def vault(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@HOSTS.works(ROLE, PROVISION)
def the_controller(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.controller, store_options=scenario.controller_options)


@HOSTS.works(ROLE, PROVISION, environment=True)
def a_helper(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.helper(), username="", password="")


@HOSTS.fails(ROLE, PROVISION, says="The role needs owners")
def nothing_is_declared(scenario: Scenario) -> Data:
    return declared(scenario, set=[])


@HOSTS.fails(ROLE, PROVISION, says="token is wrong")
def a_wrong_token(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file, username="", password="", token="{{ nobodys_token }}")


@HOSTS.fails(ROLE, PROVISION, says="Received")
def a_server_that_quotes(scenario: Scenario) -> Data:
    scenario.arm("status", method="PUT", status=400, message=echoes(CREDENTIALS["password"]))
    return declared(scenario, store=scenario.file)


@HOSTS.fails(ROLE, PROVISION, says="redirects")
def a_redirect(scenario: Scenario) -> Data:
    scenario.arm("redirect", location=elsewhere(CREDENTIALS["password"]))
    return declared(scenario, store=scenario.file)


@HOSTS.fails(ROLE, PROVISION)
def connections_that_are_cut(scenario: Scenario) -> Data:
    scenario.arm("drop_before")
    return declared(scenario, store=scenario.file)


@HOSTS.fails(ROLE, PROVISION, says="No connection to ")
def a_port_that_nobody_listens_on(scenario: Scenario) -> Data:
    return declared(scenario, url="http://127.0.0.1:1", store=scenario.file)


@HOSTS.fails(ROLE, PROVISION, says="certificate")
def a_certificate_that_nobody_trusts(scenario: Scenario) -> Data:
    return declared(scenario, url=scenario.sandbox.tls_url, store=scenario.file)


@HOSTS.fails(ROLE, PROVISION)
def a_cut_answer(scenario: Scenario) -> Data:
    scenario.arm("cut_json", method="PUT", at="in_secret")
    return declared(scenario, store=scenario.file)


@HOSTS.fails(ROLE, PROVISION, says="cannot be")
def a_directory_that_vanishes(scenario: Scenario) -> Data:
    place = Path(scenario.file.partition(":")[2])
    scenario.arm("call", method="PUT", when="after", times=1, run=lambda: shutil.rmtree(place))
    return declared(scenario, store=scenario.file)


@HOSTS.fails(ROLE, PROVISION, says="cannot be decrypted")
def a_wrong_vault_password(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.encrypted_by_another())


@HOSTS.fails(ROLE, PROVISION, says="is sealed")
def a_vault_that_is_sealed(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"/data/{scenario.key}/"] = seals
    return declared(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@HOSTS.fails(ROLE, PROVISION, says="is not known")
def a_vault_that_quotes(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"/{scenario.key}/"] = refuses_writes
    return declared(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@HOSTS.fails(ROLE, PROVISION, says="is not known")
def a_controller_that_quotes(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"{scenario.owner}/tokens/ci"] = refuses_writes
    return declared(scenario, store=scenario.controller, store_options=scenario.controller_options)


@HOSTS.fails(ROLE, PROVISION, says="is not known")
def a_helper_that_shouts(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.helper("shouts"))


@HOSTS.fails(ROLE, PROVISION)
def options_of_the_store_that_are_a_secret(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.hashi, store_options="{{ vault_token }}")


@HOSTS.fails(ROLE, PROVISION)
def a_mapping_for_a_password(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file, password={"value": "{{ wrong_password }}"})


@HOSTS.fails(ROLE, PROVISION)
def a_list_for_a_token(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file, token=["{{ nobodys_token }}"], username="", password="")


@HOSTS.fails(ROLE, PROVISION)
def a_secret_beside_the_options_of_an_entry(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file, set=[{**DECLARED, "pasword": "{{ password }}"}])


@HOSTS.fails(ROLE, PROVISION)
def a_template_that_fails_in_the_password(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file, password="{{ (password | from_json).value }}")


@HOSTS.fails(ROLE, PROVISION)
def a_template_that_fails_in_an_override(scenario: Scenario) -> Data:
    overrides = {scenario.key: [{"name": "ci", "permissions": "{{ password | int / 0 }}"}]}
    return declared(scenario, store=scenario.file, overrides=overrides)


@HOSTS.fails(ROLE, PROVISION)
def a_notification_that_fails(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file, notify="/no/such/tasks.yml")


@HOSTS.works(ROLE, PROVISION)
def a_host_that_is_gone_and_is_not_needed_for_a_store(scenario: Scenario) -> Data:
    return {**declared(scenario, store=scenario.file), "ansible_host": "gone"}


# The other playbooks


@HOSTS.works(ROTATE)
def what_is_older_is_replaced(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return declared(scenario, store=scenario.file, rotate_created_before=RECENTLY)


@HOSTS.fails(ROTATE, says="Name the moment")
def no_moment(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file)


@HOSTS.fails(ROTATE, says="Received")
def a_server_that_quotes_what_rotates(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    scenario.arm("status", method="PUT", status=400, message=echoes(CREDENTIALS["password"]))
    return declared(scenario, store=scenario.file, rotate_created_before=RECENTLY)


@HOSTS.fails(ROTATE)
def answers_that_are_lost_to_what_rotates(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    scenario.arm("drop_after", method="PUT")
    return declared(scenario, store=scenario.file, rotate_created_before=RECENTLY)


@HOSTS.works(MIGRATE)
def to_vault(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return migrated(scenario, to=scenario.hashi, to_options=scenario.hashi_options)


@HOSTS.works(MIGRATE)
def to_the_controller_without_asking_bitbucket(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    references = [f"{scenario.owner}/tokens/ci"]
    return migrated(scenario, to=scenario.controller, to_options=scenario.controller_options, references=references)


@HOSTS.fails(MIGRATE, says="Name the new store")
def to_nowhere(scenario: Scenario) -> Data:
    return migrated(scenario)


@HOSTS.fails(MIGRATE, says="is not known")
def to_a_vault_that_quotes(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    scenario.sandbox.spoilt[f"/{scenario.key}/"] = refuses_writes
    return migrated(scenario, to=scenario.hashi, to_options=scenario.hashi_options)


@HOSTS.fails(MIGRATE, says="Received")
def from_a_server_that_quotes(scenario: Scenario) -> Data:
    scenario.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return migrated(scenario, to=scenario.vaulted)


@HOSTS.fails(MIGRATE)
def to_a_helper_that_echoes(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return migrated(scenario, to=scenario.helper("echoes"))


@HOSTS.works(REVOKE)
def what_leaked_is_revoked_and_reissued(scenario: Scenario) -> Data:
    token = scenario.plant()
    scenario.keep(token)
    named = {"revoke_leaked_files": [scenario.leaked(token.secret)], "revoke_leaked_projects": [scenario.key]}
    return {**declared(scenario, store=scenario.file), **named}


@HOSTS.works(REVOKE)
def what_leaked_into_a_text_is_revoked(scenario: Scenario) -> Data:
    text = scenario.variable("text", f"{scenario.plant().secret} {CREDENTIALS['nobodys_token']}")
    return {**declared(scenario, set=[]), "revoke_leaked_text": text, "revoke_leaked_projects": [scenario.key]}


@HOSTS.fails(REVOKE, says="Say what leaked")
def nothing_leaked(scenario: Scenario) -> Data:
    return declared(scenario, store=scenario.file)


@HOSTS.fails(REVOKE, says="Left to do")
def what_leaked_belongs_to_nobody_known(scenario: Scenario) -> Data:
    named = {"revoke_leaked_text": "{{ cloud_token }}", "revoke_leaked_projects": [scenario.key]}
    return {**declared(scenario, store=scenario.file), **named}


@HOSTS.fails(REVOKE, says="Received")
def a_server_that_quotes_what_it_does_not_revoke(scenario: Scenario) -> Data:
    token = scenario.plant()
    scenario.arm("status", method="DELETE", status=400, message=f"{echoes(CREDENTIALS['password'])} {token.secret}")
    named = {"revoke_leaked_files": [scenario.leaked(token.secret)], "revoke_leaked_projects": [scenario.key]}
    return {**declared(scenario, store=scenario.file), **named}


@HOSTS.fails(REVOKE, says="Not revoked: ")
def connections_that_are_cut_before_the_revocation(scenario: Scenario) -> Data:
    token = scenario.plant()
    scenario.arm("drop_before", method="DELETE")
    named = {"revoke_leaked_files": [scenario.leaked(token.secret)], "revoke_leaked_projects": [scenario.key]}
    return {**declared(scenario, store=scenario.file), **named}


@HOSTS.fails(REVOKE, says="is sealed")
def a_store_that_fails_after_the_revocation(scenario: Scenario) -> Data:
    token = scenario.plant()
    scenario.sandbox.spoilt[f"/data/{scenario.key}/"] = seals
    scenario.sandbox.vault.put(f"{scenario.key}/{scenario.owner}/tokens/ci", {"id": token.id, "secret": token.secret})
    named = {"revoke_leaked_files": [scenario.leaked(token.secret)], "revoke_leaked_projects": [scenario.key]}
    return {**declared(scenario, store=scenario.hashi, store_options=scenario.hashi_options), **named}


# Audits


@HOSTS.works(AUDIT_ROLE, AUDIT)
def an_audit(scenario: Scenario) -> Data:
    scenario.plant()
    return audited(scenario)


@HOSTS.works(AUDIT_ROLE, AUDIT)
def an_audit_with_a_token_against_what_is_declared(scenario: Scenario) -> Data:
    scenario.plant()
    return {**declared(scenario), **audited(scenario, username="", password="", token="{{ bearer }}")}


@HOSTS.fails(AUDIT_ROLE, AUDIT, says="Findings of severity")
def an_audit_that_finds_something(scenario: Scenario) -> Data:
    scenario.plant()
    return audited(scenario, fail_on="medium")


@HOSTS.fails(AUDIT_ROLE, AUDIT, says="Received")
def an_audit_of_a_server_that_quotes(scenario: Scenario) -> Data:
    scenario.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return audited(scenario)


@HOSTS.fails(AUDIT_ROLE, AUDIT)
def an_audit_whose_connections_are_cut(scenario: Scenario) -> Data:
    scenario.arm("drop_before")
    return audited(scenario)


@HOSTS.fails(AUDIT_ROLE, AUDIT, says="token is wrong")
def an_audit_with_a_wrong_token(scenario: Scenario) -> Data:
    return audited(scenario, username="", password="", token="{{ nobodys_token }}")


# App passwords, and the tokens that replace them


@HOSTS.works(RETIRE)
def app_passwords_that_are_reported(scenario: Scenario) -> Data:
    return retired(scenario)


@HOSTS.works(RETIRE)
def app_passwords_that_are_removed(scenario: Scenario) -> Data:
    return retired(scenario, remove=True, backup=True)


@HOSTS.works(RETIRE)
def app_passwords_that_are_replaced(scenario: Scenario) -> Data:
    return retired(scenario, api_tokens={"jdoe": scenario.api_token(), "nobody": "{{ cloud_token }}"})


@HOSTS.works(RETIRE)
def app_passwords_that_are_replaced_by_tokens_that_git_tries(scenario: Scenario) -> Data:
    return tried(scenario, scenario.api_token())


@HOSTS.fails(RETIRE, says="is an app password")
def an_app_password_for_a_token(scenario: Scenario) -> Data:
    return retired(scenario, api_tokens={"jdoe": scenario.variable("dead", scenario.dead())})


@HOSTS.fails(RETIRE, says="does not look like an API token")
def something_else_for_a_token(scenario: Scenario) -> Data:
    return retired(scenario, api_tokens={"jdoe": "{{ nobodys_token }}"}, remove=True)


@HOSTS.fails(RETIRE)
def a_mapping_for_a_token(scenario: Scenario) -> Data:
    return retired(scenario, api_tokens={"jdoe": {"value": scenario.api_token()}})


@HOSTS.fails(RETIRE, says="from_json")
def a_template_that_fails_in_a_token(scenario: Scenario) -> Data:
    return retired(scenario, api_tokens={"jdoe": "{{ (api_token | from_json).value }}"})


@HOSTS.fails(RETIRE, says="`git_username`")
def a_token_that_is_a_user_name_too(scenario: Scenario) -> Data:
    token = scenario.api_token()
    return retired(scenario, api_tokens={"jdoe": token}, git_usernames={"jdoe": token}, emails={"jdoe": token})


@HOSTS.fails(RETIRE, says="manually")
def what_only_a_hand_can_remove(scenario: Scenario) -> Data:
    return retired(scenario, paths=[scenario.leaked(scenario.dead())], remove=True)


@HOSTS.fails(RETIRE, says="must be absolute paths")
def homes_that_lead_nowhere(scenario: Scenario) -> Data:
    return retired(scenario, homes=["somewhere"])


@HOSTS.fails(RETIRE)
def a_host_of_app_passwords_that_is_gone(scenario: Scenario) -> Data:
    return {**retired(scenario), "ansible_host": "gone"}


if git.available():

    @HOSTS.fails(RETIRE, says="git can not list a repository with it")
    def a_token_that_git_refuses(scenario: Scenario) -> Data:
        return tried(scenario, scenario.api_token("read:jira-work"))

    @HOSTS.fails(RETIRE, says="git can not list a repository with it")
    def a_dead_token_that_git_refuses(scenario: Scenario) -> Data:
        return tried(scenario, "{{ cloud_token }}")


# Setting up AWX


def set_up(scenario: Scenario, **more: object) -> Data:
    options = {**awx_options(scenario), **more}
    return {**awx_variables(scenario), **{f"awx_setup_{name}": value for name, value in options.items()}}


@HOSTS.works(SETUP)
def awx_is_set_up(scenario: Scenario) -> Data:
    return set_up(scenario)


@HOSTS.fails(SETUP, says="with status 400")
def an_awx_that_quotes_what_it_is_given(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"{scenario.key}: Vault"] = refuses_writes
    return set_up(scenario)


@HOSTS.fails(SETUP, says="refuses this login")
def an_awx_that_refuses_the_login(scenario: Scenario) -> Data:
    return set_up(scenario, token="{{ nobodys_token }}")


@HOSTS.fails(SETUP, says="are deleted when the job ends")
def a_store_that_a_job_takes_away(scenario: Scenario) -> Data:
    return {**set_up(scenario), "project_tokens_store": scenario.file}
