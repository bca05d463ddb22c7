"""The cases that are inventories: what a configuration file says. Each is read by a process of its own."""

from __future__ import annotations

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.leaks.cases import Data, Table, echoes, elsewhere, with_userinfo
from tests.leaks.stage import CREDENTIALS, Scene

INVENTORIES = Table()
PROJECTS = "inventory/projects"


class Vaulted(str):
    """A value that is encrypted in the file."""

    __slots__ = ()


def _tagged(dumper: yaml.SafeDumper, value: Vaulted) -> yaml.Node:
    return dumper.represent_scalar("!vault", str(value), style="|")


yaml.SafeDumper.add_representer(Vaulted, _tagged)


def configured(scene: Scene, **more: object) -> Data:
    login = {"username": "admin", "password": CREDENTIALS["password"]}
    return {"plugin": "tokensmith.bitbucket.projects", "include": [scene.key], **login, **more}


def vaulted(secret: str, key: str = CREDENTIALS["vault_password"]) -> Vaulted:
    return Vaulted(VaultLib([("default", VaultSecret(key.encode()))]).encrypt(secret).decode())


def looked_up(scene: Scene, secret: str) -> str:
    """A template for a secret that another file holds."""
    return f"{{{{ lookup('ansible.builtin.file', '{scene.leave('secret', secret)}') }}}}"


def everywhere(scene: Scene, kind: str, **fault: object) -> None:
    """A fault of every request: a listing of projects names none."""
    scene.stage.sim.faults.arm(kind, times=None, **fault)


# What works


@INVENTORIES.works(PROJECTS)
def a_password_in_the_file(scene: Scene) -> Data:
    return configured(scene)


@INVENTORIES.works(PROJECTS)
def a_vaulted_password(scene: Scene) -> Data:
    return configured(scene, password=vaulted(CREDENTIALS["password"]))


@INVENTORIES.works(PROJECTS)
def a_bearer_from_a_template(scene: Scene) -> Data:
    return configured(scene, username=None, password=None, token=looked_up(scene, CREDENTIALS["bearer"]))


@INVENTORIES.works(PROJECTS)
def the_environments_password_and_a_cache(scene: Scene) -> Data:
    place = str(scene.stage.written / "facts" / "inventory")
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": place}
    return configured(scene, username=None, password=None, **cached)


@INVENTORIES.works(PROJECTS)
def a_bearer_in_the_file_and_a_cache_of_repositories(scene: Scene) -> Data:
    scene.stage.sim.add_repository(scene.key, "ledger")
    place = str(scene.stage.written / "facts" / "repositories")
    cached = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": place}
    login = {"username": None, "password": None, "token": CREDENTIALS["bearer"]}
    return configured(scene, host_for_each="repository", **login, **cached)


# What does not


@INVENTORIES.fails(PROJECTS, says="password is wrong")
def a_wrong_password(scene: Scene) -> Data:
    scene.stage.sim.add_user("inventory")
    return configured(scene, username="inventory", password=CREDENTIALS["wrong_password"])


@INVENTORIES.fails(PROJECTS, says="token is wrong")
def a_wrong_token(scene: Scene) -> Data:
    return configured(scene, username=None, password=None, token=CREDENTIALS["nobodys_token"])


@INVENTORIES.fails(PROJECTS, says="Received")
def a_server_that_quotes(scene: Scene) -> Data:
    everywhere(scene, "status", status=400, message=echoes(CREDENTIALS["password"]))
    return configured(scene)


@INVENTORIES.fails(PROJECTS, says="Received")
def a_page_that_quotes_a_bearer(scene: Scene) -> Data:
    everywhere(scene, "status", status=400, body="html", message=echoes(CREDENTIALS["bearer"]))
    return configured(scene, username=None, password=None, token=CREDENTIALS["bearer"])


@INVENTORIES.fails(PROJECTS, says="redirects")
def a_redirect(scene: Scene) -> Data:
    everywhere(scene, "redirect", location=elsewhere(CREDENTIALS["password"]))
    return configured(scene)


@INVENTORIES.fails(PROJECTS)
def a_login_page(scene: Scene) -> Data:
    everywhere(scene, "html")
    return configured(scene)


@INVENTORIES.fails(PROJECTS, says="Received")
def a_server_that_quotes_and_a_cache(scene: Scene) -> Data:
    everywhere(scene, "status", status=400, message=echoes(CREDENTIALS["password"]))
    place = str(scene.stage.written / "facts" / "quoted")
    return configured(scene, cache=True, cache_plugin="ansible.builtin.jsonfile", cache_connection=place)


@INVENTORIES.fails(PROJECTS)
def the_password_also_in_the_url(scene: Scene) -> Data:
    return configured(scene, url=with_userinfo(scene.stage.url))


@INVENTORIES.fails(PROJECTS, says="ecrypt")
def a_password_of_another_vault(scene: Scene) -> Data:
    return configured(scene, password=vaulted(CREDENTIALS["password"], CREDENTIALS["other_vault_password"]))


@INVENTORIES.fails(PROJECTS, says="can be neither decrypted nor templated")
def a_template_that_fails_on_the_password(scene: Scene) -> Data:
    inner = looked_up(scene, CREDENTIALS["password"]).strip("{ }")
    return configured(scene, password=f"{{{{ ({inner} | from_json).value }}}}")


@INVENTORIES.fails(PROJECTS, says="`password` must be a string")
def a_mapping_in_place_of_the_password(scene: Scene) -> Data:
    return configured(scene, password={"value": CREDENTIALS["wrong_password"]})


@INVENTORIES.fails(PROJECTS, says="`token` must be a string")
def a_list_in_place_of_the_token(scene: Scene) -> Data:
    return configured(scene, username=None, password=None, token=[CREDENTIALS["nobodys_token"]])


@INVENTORIES.fails(PROJECTS)
def a_group_that_cannot_be_made(scene: Scene) -> Data:
    return configured(scene, strict=True, groups={"all_of_them": "no_such_variable"})
