"""Texts that are templates, from every place from which text of others comes. Each case is a whole task.

A template leaves a file where Ansible evaluates it. Its name tells the case.
"""

from __future__ import annotations

import json

from tests.doubles.loopback import Answer, Request
from tests.leaks.cases import Data, Table
from tests.leaks.host_cases import audited as audited_host
from tests.leaks.host_cases import declared, migrated
from tests.leaks.stage import WORKSPACE, Scene
from tests.leaks.task_cases import (
    PREFIX,
    api_token,
    api_tokens,
    audit,
    credential,
    found,
    info,
    many,
    objects,
    one,
    variable,
)

#: The result of each holds its text, unless the case says that it is refused.
TEXTS = Table()
#: Each a host with its variables; the playbook that it names runs on all of its hosts at once.
HOSTS = Table()
#: What a case covers whose text is in no result.
NOT_SHOWN = "not shown"
#: How the names of files end that only an evaluated template makes.
EVALUATED = (".printed", ".run")


def template(name: str) -> str:
    """A text with each kind of block that Jinja has. It holds no slash, so that a file can have it for a name."""
    return (
        f"{{{{lookup('pipe','touch $LEAKS_ROOT.{name}.printed')}}}}"
        f"{{% if lookup('pipe','touch $LEAKS_ROOT.{name}.run') %}}{{% endif %}}{{# {name} #}}"
    )


def header(name: str) -> str:
    """A text without any brace whose first line tells Ansible how templates begin in it."""
    line = "#jinja2:variable_start_string:'[[',variable_end_string:']]'"
    return f"{line}\n[[lookup('pipe','touch $LEAKS_ROOT.{name}.run')]]"


def titled(scene: Scene, text: str) -> None:
    """A project whose name and description, and those of its repository, are ``text``."""
    scene.stage.sim.add_repository(scene.key, "ledger", name=text, description=text)
    project = scene.stage.sim.world.projects[scene.key.lower()]
    project.name = project.description = text


def refused(scene: Scene, **more: object) -> None:
    scene.arm("status", **{"status": 400, "message": template(scene.key), **more})


def refuses(scene: Scene) -> None:
    """Vault and AWX refuse what names the scene, and say why in a template."""
    text = template(scene.key)
    answer = Answer(400, {"errors": [text], "detail": text, "__all__": [text]})

    def spoil(request: Request) -> Answer | None:
        return answer if "capabilities" not in request.path else None

    scene.stage.spoilt[scene.key] = spoil


# Bitbucket Data Center


@TEXTS.works("names of tokens")
def listed(scene: Scene) -> Data:
    scene.stage.sim.add_token(scene.owner, template(scene.key))
    return info(scene)


@TEXTS.works(NOT_SHOWN)
def audited(scene: Scene) -> Data:
    titled(scene, template(scene.key))
    scene.stage.sim.add_token(scene.owner, template(scene.key), ["REPO_ADMIN"])
    return audit(scene, repositories=[f"{scene.key}/*"])


@TEXTS.works("names of tokens")
def renamed(scene: Scene) -> Data:
    token = scene.stage.sim.add_token(scene.owner, template(scene.key), ["REPO_ADMIN"])
    return one(scene, id=token.id)


@TEXTS.works("names of tokens")
def revoked(scene: Scene) -> Data:
    token = scene.stage.sim.add_token(scene.owner, template(scene.key))
    return {f"{PREFIX}.access_token": {**_login(scene), "project": scene.key, "id": token.id, "state": "absent"}}


@TEXTS.works("names of tokens")
def pruned(scene: Scene) -> Data:
    scene.stage.sim.add_token(scene.owner, template(scene.key))
    return many(scene, store=scene.file, prune=["*lookup*"])


@TEXTS.works("names of tokens")
def leaked(scene: Scene) -> Data:
    token = scene.stage.sim.add_token(scene.owner, template(scene.key))
    return found(scene, text=scene.variable("text", token.secret), verify=True)


@TEXTS.works("names of users")
def the_name_of_a_user(scene: Scene) -> Data:
    user = scene.stage.sim.add_user(f"u{scene.key}", display_name=template(scene.key))
    user.name = template(scene.key)
    token = scene.stage.sim.add_token(f"users/{user.slug}", "ci")
    return credential(scene.variable("secret", token.secret), verify=True)


@TEXTS.fails("messages", says="The server said")
def a_message_for_one_token(scene: Scene) -> Data:
    refused(scene)
    return one(scene, store=scene.file)


@TEXTS.fails("messages", says="The server said")
def a_message_for_a_set(scene: Scene) -> Data:
    refused(scene, method="PUT")
    return many(scene)


@TEXTS.fails("messages")
def a_message_that_nothing_is_there(scene: Scene) -> Data:
    refused(scene, status=404)
    return info(scene)


@TEXTS.fails("messages", says="The server said")
def a_message_for_an_audit(scene: Scene) -> Data:
    refused(scene)
    return audit(scene)


@TEXTS.works("messages")
def a_page_for_a_search(scene: Scene) -> Data:
    refused(scene, body="html")
    token = scene.stage.sim.add_token(scene.owner, "ci")
    return found(scene, text=scene.variable("text", token.secret))


@TEXTS.fails("headers", says="redirects")
def a_place_to_be_redirected_to(scene: Scene) -> Data:
    scene.arm("redirect", location=template(scene.key))
    return one(scene)


@TEXTS.fails("headers", says="is not the JSON")
def a_kind_of_content(scene: Scene) -> Data:
    scene.arm("status", status=200, body="html", headers={"Content-Type": template(scene.key)})
    return one(scene)


@TEXTS.works(NOT_SHOWN)
def a_time_to_wait(scene: Scene) -> Data:
    refused(scene, status=429, retry_after=template(scene.key), times=1)
    return info(scene)


# Stores


@TEXTS.fails(NOT_SHOWN)
def vault_refuses(scene: Scene) -> Data:
    refuses(scene)
    return many(scene, store=scene.hashi, store_options=scene.hashi_options)


@TEXTS.fails(NOT_SHOWN)
def awx_refuses(scene: Scene) -> Data:
    refuses(scene)
    return many(scene, store=scene.controller, store_options=scene.controller_options)


@TEXTS.fails(NOT_SHOWN)
def awx_refuses_an_object(scene: Scene) -> Data:
    refuses(scene)
    return objects(scene, token="{{ password }}")


@TEXTS.fails(NOT_SHOWN)
def a_helper_complains(scene: Scene) -> Data:
    return many(scene, store=scene.helper(f"reads {scene.leave('said', template(scene.key))}"))


@TEXTS.works(NOT_SHOWN)
def a_store_holds_a_template(scene: Scene) -> Data:
    token = scene.plant()
    token.secret = template(scene.key)
    scene.keep(token)
    query = f"query('{PREFIX}.secret', '{scene.owner}/tokens/ci', store='{scene.file}', errors='ignore')"
    return {"ansible.builtin.debug": {"msg": f"{{{{ {query} | string | length }}}}"}}


# Bitbucket Cloud


@TEXTS.works("names of API tokens")
def api_tokens_with_labels(scene: Scene) -> Data:
    account = scene.stage.cloud.world.accounts["ada"]
    scene.stage.cloud.add_api_token(account, template(scene.key), [template(scene.key)])
    return api_tokens(scene)


@TEXTS.fails("names of API tokens", says="cannot be renewed")
def an_api_token_that_expires(scene: Scene) -> Data:
    account = scene.stage.cloud.world.accounts["ada"]
    token = scene.stage.cloud.add_api_token(account, template(scene.key), expires_in_days=1)
    task = api_token(scene, id=token.id, min_days_left=9)
    task[f"{PREFIX}.api_token"].pop("label")
    return task


@TEXTS.fails("messages", says="The server said")
def a_message_for_a_variable(scene: Scene) -> Data:
    scene.arm_cloud("status", status=400, message=template(scene.key))
    return variable(scene)


@TEXTS.works(NOT_SHOWN)
def a_variable_with_another_value(scene: Scene) -> Data:
    scene.stage.cloud.add_variable(f"{WORKSPACE}/{scene.key.lower()}", "TOKEN", template(scene.key), secured=False)
    return {**variable(scene, secured=False, update_secret="always"), "diff": True}


@TEXTS.works("names of users")
def the_name_of_an_account(scene: Scene) -> Data:
    account = scene.stage.cloud.add_account(scene.key.lower(), display_name=template(scene.key))
    token = scene.stage.cloud.add_api_token(account, "ci")
    secret = scene.variable("secret", token.secret)
    return credential(secret, email=account.email, api_url=scene.stage.cloud_url, verify=True)


# Files on hosts


@TEXTS.works("files")
def a_path_and_a_user(scene: Scene) -> Data:
    return {f"{PREFIX}.app_password_info": {"homes": [_home(scene)]}}


@TEXTS.works("files")
def a_path_that_is_searched_for_leaks(scene: Scene) -> Data:
    path = scene.leave(f"logs/{template(scene.key)}", f"token={scene.plant().secret}\n")
    return found(scene, files=[path.partition("/logs/")[0] + "/logs"])


# Hosts of playbooks

PROVISION, AUDIT, REVOKE = "provision", "audit", "revoke_leaked"
MIGRATE, RETIRE = "migrate_store", "retire_app_passwords"
#: The same playbook, none of whose hosts answers: up to ansible-core 2.18 a play marks texts by what is near them.
GONE = "retire_app_passwords, alone"


@HOSTS.fails(PROVISION)
def a_message_for_the_role(scene: Scene) -> Data:
    refused(scene)
    return declared(scene, store=scene.file)


@HOSTS.works(PROVISION)
def a_name_for_the_role(scene: Scene) -> Data:
    scene.stage.sim.add_token(scene.owner, template(scene.key))
    return declared(scene, store=scene.file, prune=["*lookup*"])


@HOSTS.fails(AUDIT)
def a_message_for_the_audit(scene: Scene) -> Data:
    refused(scene)
    return audited_host(scene)


@HOSTS.works(AUDIT, NOT_SHOWN)
def names_for_the_audit(scene: Scene) -> Data:
    titled(scene, template(scene.key))
    for _namesake in range(2):
        scene.stage.sim.add_token(scene.owner, template(scene.key), ["REPO_ADMIN"])
    return audited_host(scene, repositories=[f"{scene.key}/*"])


@HOSTS.fails(REVOKE)
def a_message_for_a_revocation(scene: Scene) -> Data:
    refused(scene, method="DELETE")
    return _leaked(scene, "leaked.log")


@HOSTS.fails(REVOKE)
def a_message_for_a_reissue(scene: Scene) -> Data:
    refused(scene, method="PUT")
    return {**_leaked(scene, "leaked.log"), **declared(scene, store=scene.file)}


@HOSTS.works(REVOKE)
def a_path_for_a_revocation(scene: Scene) -> Data:
    return _leaked(scene, template(scene.key))


@HOSTS.fails(MIGRATE)
def a_message_for_a_migration(scene: Scene) -> Data:
    refused(scene)
    return migrated(scene, to=scene.vaulted)


@HOSTS.works(RETIRE)
def a_path_and_a_user_for_a_report(scene: Scene) -> Data:
    return {"retire_app_passwords_homes": [_home(scene)]}


@HOSTS.works(RETIRE)
def a_path_and_a_user_that_are_removed(scene: Scene) -> Data:
    return {"retire_app_passwords_homes": [_home(scene)], "retire_app_passwords_remove": True}


@HOSTS.fails(RETIRE, GONE)
def a_host_that_says_why_it_is_gone(scene: Scene) -> Data:
    return {"ansible_host": f"gone@{scene.leave('why', template(scene.key))}"}


def _leaked(scene: Scene, name: str) -> Data:
    path = scene.leave(f"logs/{name}", f"token={scene.plant().secret}\n")
    named = {"revoke_leaked_files": [path.partition("/logs/")[0] + "/logs"], "revoke_leaked_projects": [scene.key]}
    return {**declared(scene, set=[]), **named}


def _home(scene: Scene) -> str:
    """A pattern for home directories, of which one has a template for a name, with a dead secret."""
    text = template(scene.key)
    home = scene.leave(f"homes/{text}/.netrc", f'machine bitbucket.org login "{text}" password {scene.dead()}\n')
    return home.partition("/homes/")[0] + "/homes/*"


def _login(scene: Scene) -> Data:
    return {"username": "admin", "password": "{{ password }}", "url": scene.stage.url}


def holds(value: object, text: str) -> bool:
    """Whether ``text`` is part of any text in ``value``, as it is."""
    return json.dumps(text)[1:-1] in json.dumps(value)
