"""The cases that are inventories: what a configuration file says. Each is read by a process of its own."""

from __future__ import annotations

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.leaks.cases import Data, Table, echoes, elsewhere, with_userinfo
from tests.leaks.sandbox import CREDENTIALS, Scenario

INVENTORIES = Table()
PROJECTS = "inventory/projects"


class Vaulted(str):
    """A value that is encrypted in the file."""

    __slots__ = ()


def _tagged(dumper: yaml.SafeDumper, value: Vaulted) -> yaml.Node:
    return dumper.represent_scalar("!vault", str(value), style="|")


yaml.SafeDumper.add_representer(Vaulted, _tagged)


def configured(scenario: Scenario, **more: object) -> Data:
    login = {"username": "admin", "password": CREDENTIALS["password"]}
    return {"plugin": "tokensmith.bitbucket.projects", "include": [scenario.key], **login, **more}


def vaulted(secret: str, key: str = CREDENTIALS["vault_password"]) -> Vaulted:
    return Vaulted(VaultLib([("default", VaultSecret(key.encode()))]).encrypt(secret).decode())


def looked_up(scenario: Scenario, secret: str) -> str:
    """A template for a secret that another file holds."""
    return f"{{{{ lookup('ansible.builtin.file', '{scenario.leave('secret', secret)}') }}}}"


def everywhere(scenario: Scenario, kind: str, **fault: object) -> None:
    """A fault of every request: a listing of projects names none."""
    scenario.sandbox.sim.faults.arm(kind, times=None, **fault)


# What works


@INVENTORIES.works(PROJECTS)
def a_password_in_the_file(scenario: Scenario) -> Data:
    return configured(scenario)


@INVENTORIES.works(PROJECTS)
def a_vaulted_password(scenario: Scenario) -> Data:
    return configured(scenario, password=vaulted(CREDENTIALS["password"]))


@INVENTORIES.works(PROJECTS)
def a_bearer_from_a_template(scenario: Scenario) -> Data:
    return configured(scenario, username=None, password=None, token=looked_up(scenario, CREDENTIALS["bearer"]))


@INVENTORIES.works(PROJECTS)
def the_environments_password_and_a_cache(scenario: Scenario) -> Data:
    place = str(scenario.sandbox.written / "facts" / "inventory")
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": place}
    return configured(scenario, username=None, password=None, **cached)


@INVENTORIES.works(PROJECTS)
def a_bearer_in_the_file_and_a_cache_of_repositories(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_repository(scenario.key, "ledger")
    place = str(scenario.sandbox.written / "facts" / "repositories")
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": place}
    login = {"username": None, "password": None, "token": CREDENTIALS["bearer"]}
    return configured(scenario, host_for_each="repository", **login, **cached)


# What does not


@INVENTORIES.fails(PROJECTS, says="password is wrong")
def a_wrong_password(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_user("inventory")
    return configured(scenario, username="inventory", password=CREDENTIALS["wrong_password"])


@INVENTORIES.fails(PROJECTS, says="token is wrong")
def a_wrong_token(scenario: Scenario) -> Data:
    return configured(scenario, username=None, password=None, token=CREDENTIALS["nobodys_token"])


@INVENTORIES.fails(PROJECTS, says="Received")
def a_server_that_quotes(scenario: Scenario) -> Data:
    everywhere(scenario, "status", status=400, message=echoes(CREDENTIALS["password"]))
    return configured(scenario)


@INVENTORIES.fails(PROJECTS, says="Received")
def a_page_that_quotes_a_bearer(scenario: Scenario) -> Data:
    everywhere(scenario, "status", status=400, body="html", message=echoes(CREDENTIALS["bearer"]))
    return configured(scenario, username=None, password=None, token=CREDENTIALS["bearer"])


@INVENTORIES.fails(PROJECTS, says="redirects")
def a_redirect(scenario: Scenario) -> Data:
    everywhere(scenario, "redirect", location=elsewhere(CREDENTIALS["password"]))
    return configured(scenario)


@INVENTORIES.fails(PROJECTS)
def a_login_page(scenario: Scenario) -> Data:
    everywhere(scenario, "html")
    return configured(scenario)


@INVENTORIES.fails(PROJECTS, says="Received")
def a_server_that_quotes_and_a_cache(scenario: Scenario) -> Data:
    everywhere(scenario, "status", status=400, message=echoes(CREDENTIALS["password"]))
    place = str(scenario.sandbox.written / "facts" / "quoted")
    return configured(scenario, cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=place)


@INVENTORIES.fails(PROJECTS)
def the_password_also_in_the_url(scenario: Scenario) -> Data:
    return configured(scenario, url=with_userinfo(scenario.sandbox.url))


@INVENTORIES.fails(PROJECTS, says="ecrypt")
def a_password_of_another_vault(scenario: Scenario) -> Data:
    return configured(scenario, password=vaulted(CREDENTIALS["password"], CREDENTIALS["other_vault_password"]))


@INVENTORIES.fails(PROJECTS, says="can be neither decrypted nor templated")
def a_template_that_fails_on_the_password(scenario: Scenario) -> Data:
    inner = looked_up(scenario, CREDENTIALS["password"]).strip("{ }")
    return configured(scenario, password=f"{{{{ ({inner} | from_json).value }}}}")


@INVENTORIES.fails(PROJECTS, says="`password` must be a string")
def a_mapping_in_place_of_the_password(scenario: Scenario) -> Data:
    return configured(scenario, password={"value": CREDENTIALS["wrong_password"]})


@INVENTORIES.fails(PROJECTS, says="`token` must be a string")
def a_list_in_place_of_the_token(scenario: Scenario) -> Data:
    return configured(scenario, username=None, password=None, token=[CREDENTIALS["nobodys_token"]])


@INVENTORIES.fails(PROJECTS)
def a_group_that_cannot_be_made(scenario: Scenario) -> Data:
    return configured(scenario, strict=True, groups={"all_of_them": "no_such_variable"})
