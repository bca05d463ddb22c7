"""Texts that are templates, from every place from which text of others comes. Each case is a whole task.

A template leaves a file where Ansible evaluates it. Its name tells the case.
"""

from __future__ import annotations

import json

from tests.doubles.loopback import Answer, Request
from tests.leaks.cases import Data, Table
from tests.leaks.host_cases import audited as audited_host
from tests.leaks.host_cases import declared, migrated
from tests.leaks.sandbox import WORKSPACE, Scenario
from tests.leaks.task_cases import (
    PREFIX,
    api_token,
    api_tokens,
    audit,
    awx,
    credential,
    found,
    info,
    many,
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


def titled(scenario: Scenario, text: str) -> None:
    """A project whose name and description, and those of its repository, are ``text``."""
    scenario.sandbox.sim.add_repository(scenario.key, "ledger", name=text, description=text)
    project = scenario.sandbox.sim.model.projects[scenario.key.lower()]
    project.name = project.description = text


def refused(scenario: Scenario, **more: object) -> None:
    scenario.arm("status", **{"status": 400, "message": template(scenario.key), **more})


def refuses(scenario: Scenario) -> None:
    """Vault and AWX refuse what names the scenario, and say why in a template."""
    text = template(scenario.key)
    answer = Answer(400, {"errors": [text], "detail": text, "__all__": [text]})

    def spoil(request: Request) -> Answer | None:
        return answer if "capabilities" not in request.path else None

    scenario.sandbox.spoilt[scenario.key] = spoil


# Bitbucket Data Center


@TEXTS.works("names of tokens")
def listed(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key))
    return info(scenario)


@TEXTS.works(NOT_SHOWN)
def audited(scenario: Scenario) -> Data:
    titled(scenario, template(scenario.key))
    scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key), ["REPO_ADMIN"])
    return audit(scenario, repositories=[f"{scenario.key}/*"])


@TEXTS.works("names of tokens")
def renamed(scenario: Scenario) -> Data:
    token = scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key), ["REPO_ADMIN"])
    return one(scenario, id=token.id)


@TEXTS.works("names of tokens")
def revoked(scenario: Scenario) -> Data:
    token = scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key))
    return {f"{PREFIX}.access_token": {**_login(scenario), "project": scenario.key, "id": token.id, "state": "absent"}}


@TEXTS.works("names of tokens")
def pruned(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key))
    return many(scenario, store=scenario.file, prune=["*lookup*"])


@TEXTS.works("names of tokens")
def leaked(scenario: Scenario) -> Data:
    token = scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key))
    return found(scenario, text=scenario.variable("text", token.secret), verify=True)


@TEXTS.works("names of users")
def the_name_of_a_user(scenario: Scenario) -> Data:
    user = scenario.sandbox.sim.add_user(f"u{scenario.key}", display_name=template(scenario.key))
    user.name = template(scenario.key)
    token = scenario.sandbox.sim.add_token(f"users/{user.slug}", "ci")
    return credential(scenario.variable("secret", token.secret), verify=True)


@TEXTS.fails("messages", says="The server said")
def a_message_for_one_token(scenario: Scenario) -> Data:
    refused(scenario)
    return one(scenario, store=scenario.file)


@TEXTS.fails("messages", says="The server said")
def a_message_for_a_set(scenario: Scenario) -> Data:
    refused(scenario, method="PUT")
    return many(scenario)


@TEXTS.fails("messages")
def a_message_that_nothing_is_there(scenario: Scenario) -> Data:
    refused(scenario, status=404)
    return info(scenario)


@TEXTS.fails("messages", says="The server said")
def a_message_for_an_audit(scenario: Scenario) -> Data:
    refused(scenario)
    return audit(scenario)


@TEXTS.works("messages")
def a_page_for_a_search(scenario: Scenario) -> Data:
    refused(scenario, body="html")
    token = scenario.sandbox.sim.add_token(scenario.owner, "ci")
    return found(scenario, text=scenario.variable("text", token.secret))


@TEXTS.fails("headers", says="redirects")
def a_place_to_be_redirected_to(scenario: Scenario) -> Data:
    scenario.arm("redirect", location=template(scenario.key))
    return one(scenario)


@TEXTS.fails("headers", says="is not the JSON")
def a_kind_of_content(scenario: Scenario) -> Data:
    scenario.arm("status", status=200, body="html", headers={"Content-Type": template(scenario.key)})
    return one(scenario)


@TEXTS.works(NOT_SHOWN)
def a_time_to_wait(scenario: Scenario) -> Data:
    refused(scenario, status=429, retry_after=template(scenario.key), times=1)
    return info(scenario)


# Stores


@TEXTS.fails(NOT_SHOWN)
def vault_refuses(scenario: Scenario) -> Data:
    refuses(scenario)
    return many(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@TEXTS.fails(NOT_SHOWN)
def awx_refuses(scenario: Scenario) -> Data:
    refuses(scenario)
    return many(scenario, store=scenario.controller, store_options=scenario.controller_options)


@TEXTS.fails(NOT_SHOWN)
def awx_refuses_an_object(scenario: Scenario) -> Data:
    refuses(scenario)
    return awx(scenario)


@TEXTS.fails(NOT_SHOWN)
def a_helper_complains(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.helper(f"reads {scenario.leave('said', template(scenario.key))}"))


@TEXTS.works(NOT_SHOWN)
def a_store_holds_a_template(scenario: Scenario) -> Data:
    token = scenario.plant()
    token.secret = template(scenario.key)
    scenario.keep(token)
    query = f"query('{PREFIX}.secret', '{scenario.owner}/tokens/ci', store='{scenario.file}', errors='ignore')"
    return {"ansible.builtin.debug": {"msg": f"{{{{ {query} | string | length }}}}"}}


# Bitbucket Cloud


@TEXTS.works("names of API tokens")
def api_tokens_with_labels(scenario: Scenario) -> Data:
    account = scenario.sandbox.cloud.model.accounts["ada"]
    scenario.sandbox.cloud.add_api_token(account, template(scenario.key), [template(scenario.key)])
    return api_tokens(scenario)


@TEXTS.fails("names of API tokens", says="cannot be renewed")
def an_api_token_that_expires(scenario: Scenario) -> Data:
    account = scenario.sandbox.cloud.model.accounts["ada"]
    token = scenario.sandbox.cloud.add_api_token(account, template(scenario.key), expires_in_days=1)
    task = api_token(scenario, id=token.id, min_days_left=9)
    task[f"{PREFIX}.api_token"].pop("label")
    return task


@TEXTS.fails("messages", says="The server said")
def a_message_for_a_variable(scenario: Scenario) -> Data:
    scenario.arm_cloud("status", status=400, message=template(scenario.key))
    return variable(scenario)


@TEXTS.works(NOT_SHOWN)
def a_variable_with_another_value(scenario: Scenario) -> Data:
    scenario.sandbox.cloud.add_variable(
        f"{WORKSPACE}/{scenario.key.lower()}", "TOKEN", template(scenario.key), secured=False
    )
    return {**variable(scenario, secured=False, update_secret="always"), "diff": True}


@TEXTS.works("names of users")
def the_name_of_an_account(scenario: Scenario) -> Data:
    account = scenario.sandbox.cloud.add_account(scenario.key.lower(), display_name=template(scenario.key))
    token = scenario.sandbox.cloud.add_api_token(account, "ci")
    secret = scenario.variable("secret", token.secret)
    return credential(secret, email=account.email, api_url=scenario.sandbox.cloud_url, verify=True)


# Files on hosts


@TEXTS.works("files")
def a_path_and_a_user(scenario: Scenario) -> Data:
    return {f"{PREFIX}.app_password_info": {"homes": [_home(scenario)]}}


@TEXTS.works("files")
def a_path_that_is_searched_for_leaks(scenario: Scenario) -> Data:
    path = scenario.leave(f"logs/{template(scenario.key)}", f"token={scenario.plant().secret}\n")
    return found(scenario, files=[path.partition("/logs/")[0] + "/logs"])


# Hosts of playbooks

PROVISION, AUDIT, REVOKE = "provision", "audit", "revoke_leaked"
MIGRATE, RETIRE = "migrate_store", "retire_app_passwords"
#: The same playbook, none of whose hosts answers: up to ansible-core 2.18 a play marks texts by what is near them.
GONE = "retire_app_passwords, alone"


@HOSTS.fails(PROVISION)
def a_message_for_the_role(scenario: Scenario) -> Data:
    refused(scenario)
    return declared(scenario, store=scenario.file)


@HOSTS.works(PROVISION)
def a_name_for_the_role(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key))
    return declared(scenario, store=scenario.file, prune=["*lookup*"])


@HOSTS.fails(AUDIT)
def a_message_for_the_audit(scenario: Scenario) -> Data:
    refused(scenario)
    return audited_host(scenario)


@HOSTS.works(AUDIT, NOT_SHOWN)
def names_for_the_audit(scenario: Scenario) -> Data:
    titled(scenario, template(scenario.key))
    for _namesake in range(2):
        scenario.sandbox.sim.add_token(scenario.owner, template(scenario.key), ["REPO_ADMIN"])
    return audited_host(scenario, repositories=[f"{scenario.key}/*"])


@HOSTS.fails(REVOKE)
def a_message_for_a_revocation(scenario: Scenario) -> Data:
    refused(scenario, method="DELETE")
    return _leaked(scenario, "leaked.log")


@HOSTS.fails(REVOKE)
def a_message_for_a_reissue(scenario: Scenario) -> Data:
    refused(scenario, method="PUT")
    return {**_leaked(scenario, "leaked.log"), **declared(scenario, store=scenario.file)}


@HOSTS.works(REVOKE)
def a_path_for_a_revocation(scenario: Scenario) -> Data:
    return _leaked(scenario, template(scenario.key))


@HOSTS.fails(MIGRATE)
def a_message_for_a_migration(scenario: Scenario) -> Data:
    refused(scenario)
    return migrated(scenario, to=scenario.vaulted)


@HOSTS.works(RETIRE)
def a_path_and_a_user_for_a_report(scenario: Scenario) -> Data:
    return {"retire_app_passwords_homes": [_home(scenario)]}


@HOSTS.works(RETIRE)
def a_path_and_a_user_that_are_removed(scenario: Scenario) -> Data:
    return {"retire_app_passwords_homes": [_home(scenario)], "retire_app_passwords_remove": True}


@HOSTS.fails(RETIRE, GONE)
def a_host_that_says_why_it_is_gone(scenario: Scenario) -> Data:
    return {"ansible_host": f"gone@{scenario.leave('why', template(scenario.key))}"}


def _leaked(scenario: Scenario, name: str) -> Data:
    path = scenario.leave(f"logs/{name}", f"token={scenario.plant().secret}\n")
    named = {"revoke_leaked_files": [path.partition("/logs/")[0] + "/logs"], "revoke_leaked_projects": [scenario.key]}
    return {**declared(scenario, set=[]), **named}


def _home(scenario: Scenario) -> str:
    """A pattern for home directories, of which one has a template for a name, with a dead secret."""
    text = template(scenario.key)
    home = scenario.leave(f"homes/{text}/.netrc", f'machine bitbucket.org login "{text}" password {scenario.dead()}\n')
    return home.partition("/homes/")[0] + "/homes/*"


def _login(scenario: Scenario) -> Data:
    return {"username": "admin", "password": "{{ password }}", "url": scenario.sandbox.url}


def holds(value: object, text: str) -> bool:
    """Whether ``text`` is part of any text in ``value``, as it is."""
    return json.dumps(text)[1:-1] in json.dumps(value)
