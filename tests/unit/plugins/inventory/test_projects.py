"""The inventory plugin, with Ansible's own inventory, loader and cache, against a simulator that listens."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.tokensmith.bitbucket.plugins.inventory import projects as plugin
from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _client, _connection
from tests.simulator.server import running
from tests.unit.plugins.company import PASSWORD, Company, new_company
from tests.unit.plugins.inventory_options import define, options

NAME = plugin.InventoryModule.NAME


@dataclass
class Place:
    """A directory with an inventory file, and the simulator that it names."""

    company: Company
    url: str
    directory: Path
    monkeypatch: pytest.MonkeyPatch

    def parse(self, use_cache: bool = True, **given: t.Any) -> InventoryData:
        login = {"url": self.url, "username": "admin", "password": PASSWORD}
        config = {"plugin": NAME, **login, **given}
        config = {name: value for name, value in config.items() if value is not ...}
        path = self.directory / "bitbucket.yml"
        path.write_text(yaml.safe_dump(config), encoding="utf-8")
        self.inventory = InventoryData()
        module = plugin.InventoryModule()
        module._load_name = NAME
        module._redirected_names = [NAME]
        self.warnings: list[str] = []
        self.monkeypatch.setattr(module.display, "warning", lambda text, *_more, **_options: self.warnings.append(text))
        module.parse(self.inventory, DataLoader(), str(path), use_cache)
        if module.get_option("cache"):
            module.update_cache_if_changed()
        return self.inventory


@pytest.fixture
def place(tmp_path, monkeypatch):
    for variable in ("URL", "USERNAME", "PASSWORD", "TOKEN", "CA_PATH"):
        monkeypatch.delenv(f"BITBUCKET_{variable}", raising=False)
    define()
    company = new_company()
    with running(company.sim) as url:
        yield Place(company, url, tmp_path, monkeypatch)


def variables(inventory: InventoryData, host: str = "PAY") -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", inventory.get_host(host).get_vars())


def groups(inventory: InventoryData) -> dict[str, list[str]]:
    found = {name: sorted(host.name for host in group.get_hosts()) for name, group in inventory.groups.items()}
    return {name: hosts for name, hosts in found.items() if name not in ("all", "ungrouped")}


# Files.


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("bitbucket.yml", True),
        ("bitbucket.yaml", True),
        ("tokensmith_bitbucket.yml", True),
        ("team.bitbucket.yaml", True),
        ("bitbucket.yml.orig", False),
        ("bitbucket.json", False),
        ("inventory.yml", False),
        ("missing_bitbucket.yml", False),
    ],
)
def test_a_file_is_known_by_the_end_of_its_name(tmp_path, name, meant):
    if not name.startswith("missing"):
        (tmp_path / name).write_text("plugin: x\n", encoding="utf-8")
    assert plugin.InventoryModule().verify_file(str(tmp_path / name)) is meant


def test_a_file_for_another_plugin_is_refused(place):
    with pytest.raises(AnsibleParserError, match="Incorrect plugin name"):
        place.parse(plugin="another.one.here")


# Hosts.


def test_each_project_is_a_host_with_what_bitbucket_says_of_it(place):
    place.company.sim.add_project("MONEY", "Money", description="All of it", public=True)
    found = place.parse()
    assert sorted(found.hosts) == ["MONEY", "PAY", "SHOP"]
    pay = variables(found)
    assert [entry["slug"] for entry in pay["bitbucket_repositories"]] == ["ledger"]
    money = variables(found, "MONEY")
    assert (money["bitbucket_kind"], money["bitbucket_key"]) == ("project", "MONEY")
    told = ("bitbucket_name", "bitbucket_description", "bitbucket_public", "bitbucket_archived")
    assert [money[name] for name in told] == ["Money", "All of it", True, None]
    assert place.warnings == []


def test_each_repository_is_a_host_on_request(place):
    found = place.parse(host_for_each="repository", archived=True, repositories=False)
    assert sorted(found.hosts) == ["PAY.ledger", "PAY.old"]
    old = variables(found, "PAY.old")
    assert (old["bitbucket_repository"], old["bitbucket_archived"]) == ("old", True)


def test_a_host_is_this_machine_with_the_interpreter_that_runs_ansible(place):
    pay = variables(place.parse())
    assert pay["ansible_connection"] == "local"
    templar = Templar(loader=DataLoader(), variables={"ansible_playbook_python": "/here/python"})
    assert templar.template(pay["ansible_python_interpreter"]) == "/here/python"


@pytest.mark.parametrize(
    "text",
    [
        "{{ 6 * 7 }}",
        "{% raw %}",
        "{# no comment #}",
        "#jinja2:variable_start_string:'[[',variable_end_string:']]'\n[[6 * 7]]",
        "plain",
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_what_others_wrote_into_bitbucket_is_never_a_template(place, text, cached):
    place.company.sim.add_project("EVIL", text, description=text)
    place.company.sim.add_repository("EVIL", "r", description=text)
    cache = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(place.directory / "cache")}
    for _time in range(2 if cached else 1):
        evil = variables(place.parse(**(cache if cached else {})), "EVIL")
    templar = Templar(loader=DataLoader(), variables=evil)
    for wanted in (evil["bitbucket_name"], evil["bitbucket_description"], evil["bitbucket_repositories"][0]):
        assert templar.template(wanted) == wanted
    assert evil["bitbucket_name"] == text


def test_filters_choose_projects_and_repositories(place):
    place.company.sim.add_repository("PAY", "fraud")
    found = place.parse(include=["P*", "~*"], exclude=["~p*"], exclude_repositories=["PAY/l*"])
    assert list(found.hosts) == ["PAY"]
    assert [entry["slug"] for entry in variables(found)["bitbucket_repositories"]] == ["fraud"]


# Groups and composed variables.


def test_groups_and_variables_are_constructed(place):
    found = place.parse(
        groups={"paying": "bitbucket_key == 'PAY'", "stocked": "bitbucket_repositories | length > 0"},
        keyed_groups=[{"key": "bitbucket_key[0]", "prefix": "letter"}],
        compose={"project_tokens_concurrency": "2 * 2", "label": "bitbucket_key ~ '!'"},
    )
    expected = {"paying": ["PAY"], "stocked": ["PAY"], "letter_P": ["PAY"], "letter_S": ["SHOP"]}
    assert groups(found) == expected
    pay = variables(found)
    assert (pay["project_tokens_concurrency"], pay["label"]) == (4, "PAY!")


WRONG = [{"compose": {"x": "nosuch.thing"}}, {"groups": {"g": "nosuch.thing"}}, {"keyed_groups": [{"key": "nosuch.x"}]}]


@pytest.mark.parametrize("constructed", WRONG)
def test_what_cannot_be_constructed_is_left_out(place, constructed):
    found = place.parse(**constructed)
    assert sorted(found.hosts) == ["PAY", "SHOP"]
    assert groups(found) == {}


@pytest.mark.parametrize("constructed", WRONG)
def test_with_strict_it_fails_and_no_host_is_left(place, constructed):
    with pytest.raises(AnsibleError, match="PAY"):
        place.parse(strict=True, **constructed)
    assert not place.inventory.hosts


# The credential.


def test_the_options_and_their_environment_are_those_of_the_modules():
    told = options()
    for name, spec in _argspec.CONNECTION.items():
        assert told[name]["type"] == spec["type"], name
        assert told[name].get("default") == spec.get("default"), name
        fallback = list(spec["fallback"][1]) if "fallback" in spec else []
        read = fallback or list(filter(None, [_connection._ENVIRONMENT.get(name)]))
        assert [entry["name"] for entry in told[name].get("env", [])] == read, name


@pytest.mark.parametrize("from_file", ["file", "environment"])
def test_the_connection_comes_from_the_file_or_the_environment(place, monkeypatch, from_file):
    given: dict[str, t.Any] = {}
    if from_file == "environment":
        given = {"url": ..., "username": ..., "password": ...}
        monkeypatch.setenv("BITBUCKET_URL", place.url)
        monkeypatch.setenv("BITBUCKET_USERNAME", "admin")
        monkeypatch.setenv("BITBUCKET_PASSWORD", PASSWORD)
    assert sorted(place.parse(**given).hosts) == ["PAY", "SHOP"]


def test_a_credential_of_the_file_is_not_mixed_with_the_environments(place, monkeypatch):
    monkeypatch.setenv("BITBUCKET_TOKEN", "a-token-of-somebody-else")
    monkeypatch.setenv("BITBUCKET_USERNAME", "pat")
    assert sorted(place.parse().hosts) == ["PAY", "SHOP"]
    assert sorted(place.parse(username=...).hosts) == ["PAY"], "what pat administers"
    monkeypatch.delenv("BITBUCKET_USERNAME")
    with pytest.raises(AnsibleParserError, match="`username` is missing: set it or BITBUCKET_USERNAME"):
        place.parse(username=...)


def test_a_token_signs_in_too(place):
    token = place.company.sim.add_token("users/admin", "inventory", ["PROJECT_ADMIN"]).secret
    assert sorted(place.parse(username=..., password=..., token=token).hosts) == ["PAY", "SHOP"]


def test_options_are_templates(place, monkeypatch):
    monkeypatch.setenv("SOMEWHERE", PASSWORD)
    monkeypatch.setenv("PLACE", place.url)
    lookup = "{{ lookup('env', '%s') }}"
    found = place.parse(url=lookup % "PLACE", username="{{ 'ad' ~ 'min' }}", password=lookup % "SOMEWHERE")
    assert sorted(found.hosts) == ["PAY", "SHOP"]


def test_a_password_of_the_environment_is_no_template(place, monkeypatch):
    place.company.sim.add_user("brace", "{{ 1 }}-and-more-4711", roles=("SYS_ADMIN",))
    monkeypatch.setenv("BITBUCKET_USERNAME", "brace")
    monkeypatch.setenv("BITBUCKET_PASSWORD", "{{ 1 }}-and-more-4711")
    assert sorted(place.parse(username=..., password=...).hosts) == ["PAY", "SHOP"]


def test_a_template_that_cannot_be_is_named_and_not_quoted(place):
    with pytest.raises(AnsibleParserError, match="`password` can be neither decrypted nor templated") as caught:
        place.parse(password="{{ 'half-of-the-secret' ~ nosuch }}")
    assert "half-of" not in str(caught.value)


@pytest.mark.parametrize("raised", [ValueError, KeyError, TypeError, ZeroDivisionError])
def test_a_filter_that_fails_is_not_quoted_either(place, monkeypatch, raised):
    """As it comes out of a template before ansible-core 2.19."""

    def fail(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise raised("half-of-the-secret")

    monkeypatch.setattr(Templar, "template", fail)
    with pytest.raises(AnsibleParserError, match="can be neither decrypted nor templated") as caught:
        place.parse()
    assert "half-of" not in str(caught.value)


@pytest.mark.parametrize("name", ["password", "token"])
@pytest.mark.parametrize("wrapped", [{"value": "half-of-the-secret"}, ["half-of-the-secret"], [{"half-of": "it"}]])
def test_a_list_or_mapping_in_place_of_a_secret_is_named_and_not_quoted(place, name, wrapped):
    with pytest.raises(AnsibleParserError, match=f"`{name}` must be a string") as caught:
        place.parse(**{name: wrapped})
    assert "half-of" not in str(caught.value)
    assert place.company.requests == []


def test_a_password_of_digits_is_a_password_too(place):
    place.company.sim.add_user("digits", "12345678", roles=("SYS_ADMIN",))
    assert "PAY" in place.parse(username="digits", password=12345678).hosts


# What goes wrong. Nothing of it is only half there.


@pytest.mark.parametrize(
    ("given", "say"),
    [
        ({"url": ...}, "`url` is missing: set it or BITBUCKET_URL"),
        ({"url": "ftp://nowhere"}, "must be Bitbucket's base URL"),
        ({"url": "http://bitbucket.example.com"}, "nothing was sent"),
        ({"url": "http://127.0.0.1:9"}, "No connection to 127.0.0.1:9"),
        ({"username": ..., "password": ...}, "No credential"),
        ({"password": "certainly-not-the-password"}, "password is wrong"),
        ({"timeout": 0}, "`timeout` must be at least 1"),
    ],
)
def test_what_cannot_work_is_told_in_a_sentence(place, given, say, monkeypatch):
    monkeypatch.setattr(_client, "MAX_ATTEMPTS", 1)
    with pytest.raises(AnsibleParserError, match=say) as caught:
        place.parse(**given)
    assert not place.inventory.hosts
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert "certainly-not" not in str(caught.value)


def test_a_failure_in_the_middle_leaves_no_host(place):
    place.company.sim.faults.arm("status", status=500, query="=SHOP")
    with pytest.raises(AnsibleParserError, match="failed with status 500"):
        place.parse()
    assert not place.inventory.hosts


def test_a_project_that_refuses_is_warned_of_by_name(place):
    refused = {"status": 401, "exception_name": "com.atlassian.bitbucket.AuthorisationException"}
    place.company.sim.faults.arm("status", query="=SHOP", **refused)
    found = place.parse()
    assert variables(found, "SHOP")["bitbucket_repositories"] is None
    (warning,) = place.warnings
    assert "The repositories of project SHOP are not known" in warning
    assert "bitbucket.yml" in warning


# The cache.


@pytest.fixture
def cached(place):
    directory = place.directory / "cache"
    return {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(directory), "cache_timeout": 3600}


def test_a_cached_inventory_asks_bitbucket_nothing(place, cached):
    first = place.parse(**cached)
    assert place.company.requests
    again = place.parse(**cached)
    assert place.company.requests == []
    assert [variables(again, name) for name in again.hosts] == [variables(first, name) for name in first.hosts]


def test_what_is_chosen_of_a_cached_inventory_may_change(place, cached):
    place.parse(**cached)
    place.company.requests.clear()
    found = place.parse(**cached, exclude_repositories=["*"], groups={"all_of_them": "true"})
    assert variables(found)["bitbucket_repositories"] == []
    assert groups(found) == {"all_of_them": ["PAY", "SHOP"]}


def test_a_refreshed_inventory_asks_again_and_is_cached_again(place, cached):
    place.parse(**cached)
    place.company.sim.add_project("NEW")
    assert "NEW" not in place.parse(**cached).hosts
    assert "NEW" in place.parse(use_cache=False, **cached).hosts
    place.company.requests.clear()
    assert "NEW" in place.parse(**cached).hosts


def test_the_cache_holds_no_credential_neither_in_its_names_nor_in_its_files(place, cached):
    token = place.company.sim.add_token("users/admin", "inventory", ["PROJECT_ADMIN"]).secret
    place.parse(**cached)
    place.parse(**cached, username=..., password=..., token=token)
    files = list((place.directory / "cache").iterdir())
    assert len(files) == 2
    for file in files:
        text = file.name + file.read_text(encoding="utf-8")
        assert PASSWORD not in text
        assert token not in text
        assert "admin" not in text


def test_the_names_of_cached_files_do_not_depend_on_the_secret(place, cached):
    place.parse(**cached)
    before = sorted((place.directory / "cache").iterdir())
    place.company.sim.model.users["admin"].password = "another-password-altogether"
    place.parse(**cached, password="another-password-altogether")
    assert sorted((place.directory / "cache").iterdir()) == before


def test_another_caller_does_not_get_what_was_cached_for_the_first(place, cached):
    assert sorted(place.parse(**cached).hosts) == ["PAY", "SHOP"]
    assert sorted(place.parse(**cached, username="pat").hosts) == ["PAY"]


def test_warnings_come_from_the_cache_as_well(place, cached):
    for _time in range(2):
        place.parse(**cached, include=["PAY", "NOSUCH*"])
        (warning,) = place.warnings
        assert "NOSUCH* matches no project" in warning


def test_a_failure_is_not_cached(place, cached):
    place.company.sim.faults.arm("status", status=500, query="=SHOP")
    with pytest.raises(AnsibleParserError):
        place.parse(**cached)
    assert sorted(place.parse(**cached).hosts) == ["PAY", "SHOP"]


@pytest.mark.parametrize("option", ["include", "exclude", "include_repositories", "exclude_repositories"])
@pytest.mark.parametrize("value", [[False], ["PAY", 7], [None]], ids=str)
def test_a_name_that_yaml_read_as_something_else_is_refused(place, option, value):
    with pytest.raises(AnsibleParserError, match=rf"`{option}`: entry \d is .*Put it in quotes"):
        place.parse(**{option: value})


@pytest.mark.parametrize(
    ("key", "say"),
    [
        (
            "projects",
            r"^`projects` is not an option of this inventory\. Did you mean `include`\? The options are .*include",
        ),
        ("includes", r"^`includes` is not an option of this inventory\. Did you mean `include`\? The options are "),
        ("BBDC-x y", "^A key is not an option of this inventory"),
    ],
)
def test_an_unknown_key_is_refused_before_anything_is_asked(place, key, say):
    place.company.sim.requests.clear()
    with pytest.raises(AnsibleParserError, match=say):
        place.parse(**{key: ["PAY"]})
    assert len(place.company.sim.requests) == 0
