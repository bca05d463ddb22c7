"""The action plugins as Ansible runs them, against a simulated Bitbucket."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection

from ansible_collections.tokensmith.bitbucket.plugins.action import access_token, access_token_set
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token as one
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_set as many
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.simulator import Simulator
from tests.unit.plugins.plugin_utils.harness import PASSWORD, URL, assert_clean, transport

Result = dict[str, t.Any]
CI: Result = {"url": URL, "project": "PAY", "name": "ci", "permissions": ["REPO_READ"], "expires_in_days": 90}
SET: Result = {"url": URL, "projects": ["PAY"], "set": [{"name": "ci", "permissions": ["REPO_READ"]}]}


class Bench:
    """A simulated Bitbucket, and tasks that are run against it."""

    def __init__(self) -> None:
        self.sim = Simulator("9.4", seed=5)
        self.sim.add_user("admin", PASSWORD, roles=("SYS_ADMIN",))
        for key in ("PAY", "SHOP"):
            self.sim.add_project(key)
        #: The arguments of each module that ran as it is.
        self.calls: list[Result] = []

    def run(self, args: Result, check_mode: bool = False) -> Result:
        plugin, module = (access_token_set, many) if "set" in args else (access_token, one)
        task = Task()
        task.args, task.check_mode = dict(args), check_mode
        context, loader = PlayContext(), DataLoader()
        loader.set_vault_secrets([("default", VaultSecret(b"a-vault-password"))])
        action = plugin.ActionModule(task, Connection(context), context, loader, None, None)
        action._execute_module = lambda **call: self._module(module, call["module_args"], check_mode)
        result: Result = action.run(None, {})
        assert_clean(json.dumps(result), self.sim) if "store" in result else None
        return result

    def _module(self, module: t.Any, args: Result, check_mode: bool) -> Result:
        self.calls.append(args)
        checked = ArgumentSpecValidator(module.SPEC, **module.CONSTRAINTS).validate(args)
        if checked.error_messages:
            return {"failed": True, "msg": checked.error_messages[0]}
        try:
            result: Result = module.run(checked.validated_parameters, self.client(), check_mode)
            return {**result, "warnings": result.pop("warned", [])}
        except BitbucketError as error:
            return {"failed": True, "msg": str(error), "reason": error.reason}

    def client(self) -> Client:
        return Client(URL, Credential("admin", PASSWORD), transport(self.sim), sleep=lambda _seconds: None)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ci.token"


def test_without_a_store_the_module_runs_as_it_is(bench):
    result = bench.run(CI)
    assert bench.calls == [CI]
    assert bench.sim.authenticates(result["secret"])
    assert "store" not in result


def test_with_a_store_the_secret_is_there_and_not_in_the_result(bench, path):
    result = bench.run({**CI, "store": f"file:{path}"})
    assert bench.sim.authenticates(path.read_text(encoding="utf-8").strip())
    assert (result["changed"], result["reason"], result["revoked"]) == (True, "absent", [])
    assert result["store"] == f"file:{path}"
    assert not {"secret", "secrets", "issued", "counts"} & set(result)


@pytest.mark.parametrize("kind", ["ansible_vault", "file"])
def test_a_token_that_somebody_renamed_to_this_name_lives_where_the_store_holds_its_secret(bench, tmp_path, kind):
    (tmp_path / "store").mkdir(mode=0o700)
    store = f"file:{tmp_path}/store/" if kind == "file" else f"ansible_vault:{tmp_path}/store/tokens.yml"
    for name in ("deploy", "ci"):
        assert bench.run({**CI, "name": name, "store": store})["changed"]
    deploy, ci = sorted(bench.sim.tokens("projects/PAY"), key=lambda token: token.name, reverse=True)
    assert (deploy.name, ci.name) == ("deploy", "ci")
    deploy.name = "ci"
    bench.sim.clock.advance(days=9)
    result = bench.run({**CI, "store": store})
    assert "failed" not in result
    assert bench.sim.authenticates(deploy.secret)
    assert bench.sim.authenticates(ci.secret)


def test_with_a_store_no_module_runs_anywhere(bench, path):
    bench.run({**CI, "store": f"file:{path}", "store_options": {"mode": "0640"}})
    assert bench.calls == []


def test_an_option_spelt_wrongly_is_refused_before_the_module_shows_it(bench):
    result = bench.run({**CI, "pasword": PASSWORD})
    refused, _period, supported = result["msg"].partition(". ")
    assert refused == "Unsupported parameters for (tokensmith.bitbucket.access_token) module: pasword"
    assert supported.startswith("Supported parameters include: allow_insecure, ")
    assert "password" in supported
    assert bench.calls == []


@pytest.mark.parametrize("stored", [False, True], ids=["without a store", "with a store"])
@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({"colour": "red"}, "module: colour. Supported parameters include: allow_insecure, "),
        ({"handover": {"discard": {}}}, "module: handover. Supported parameters include: allow_insecure, "),
        (
            {"set": [{**SET["set"][0], "colour": "red"}]},
            "module: set.colour. Supported parameters include: expires_in_days",
        ),
        (
            {"overrides": {"PAY": [{"name": "ci", "colour": 1}]}},
            "unsupported parameters: PAY.colour. Supported parameters",
        ),
    ],
    ids=["an option", "an option of no release", "a key of the set", "a key of an override"],
)
def test_an_unknown_option_gets_the_list_of_those_that_exist(bench, path, more, refused, stored):
    result = bench.run({**SET, **more, **({"store": f"file:{path}"} if stored else {})})
    assert refused in result["msg"]
    assert bench.sim.tokens("projects/PAY") == []


@pytest.mark.parametrize("stored", [False, True], ids=["without a store", "with a store"])
@pytest.mark.parametrize(
    "more",
    [
        {"projects": [False]},
        {"projects": True},
        {"projects": ["PAY", 7]},
        {"set": [{"name": True, "permissions": ["REPO_READ"]}]},
        {"overrides": {False: [{"name": "ci"}]}},
        {"overrides": {"PAY": [{"name": False}]}},
        {"prune": [True]},
    ],
    ids=str,
)
def test_a_name_that_yaml_read_as_a_boolean_or_number_is_refused(bench, path, more, stored):
    result = bench.run({**SET, **more, **({"store": f"file:{path}"} if stored else {})})
    assert result["failed"]
    assert "Put it in quotes" in result["msg"]
    assert list(bench.sim.requests) == []


@pytest.mark.parametrize(
    "more",
    [
        {"missing_secret": PASSWORD},
        {"missing_secret": PASSWORD, "store": ""},
        {"set": [{"name": "ci", "permissions": ["REPO_READ"], "state": PASSWORD}]},
        {"set": [{"name": "ci", "permissions": ["REPO_READ"], "state": PASSWORD}], "store": ""},
        {"overrides": {"PAY": [{"name": "ci", "state": PASSWORD}]}},
        {"projects": [PASSWORD, f"{PASSWORD}/x"]},
    ],
    ids=["a choice", "without a store", "a choice in the set", "both", "a choice in an override", "an owner"],
)
def test_a_secret_in_the_wrong_option_is_not_in_the_message(bench, path, more):
    """As in a module, which masks what is secret in all that it says."""
    login = {"username": "admin", "password": PASSWORD, "store": f"file:{path}"}
    result = bench.run({**SET, **login, **more})
    assert bench.calls == []
    assert result["failed"]
    assert PASSWORD not in str(result["msg"])


@pytest.mark.parametrize("stored", [False, True], ids=["without a store", "with a store"])
def test_blanks_around_names_do_not_count(bench, path, stored):
    store = {"store": f"file:{path}"} if stored else {}
    path.mkdir()
    result = bench.run(
        {
            **SET,
            "projects": " PAY , SHOP",
            "overrides": {" SHOP ": [{"name": " ci ", "permissions": "REPO_WRITE"}]},
            **store,
        }
    )
    assert [change["reference"] for change in result["changes"]] == [
        "projects/PAY/tokens/ci",
        "projects/SHOP/tokens/ci",
    ]
    assert [token.permissions for token in bench.sim.tokens("projects/SHOP")] == [("REPO_WRITE",)]


def test_another_name_of_an_option_is_known(bench):
    wanted = {**CI, "permission": CI["permissions"]}
    del wanted["permissions"]
    assert bench.run(wanted)["secret"]


@pytest.mark.parametrize("option", ["password", "token", "secret"])
@pytest.mark.parametrize("value", [{"value": PASSWORD}, [PASSWORD]], ids=["mapping", "list"])
def test_a_collection_in_place_of_a_secret_is_refused_before_the_module_shows_it(bench, option, value):
    result = bench.run({**CI, option: value})
    assert (result["failed"], result["msg"]) == (True, f"`{option}` must be a string, not a list or mapping.")
    assert bench.calls == []


def test_the_environment_names_the_store_where_the_task_says_nothing(bench, path, monkeypatch):
    monkeypatch.setenv("BITBUCKET_TOKEN_STORE", f" file:{path} ")
    assert bench.run(CI)["store"] == f"file:{path}"


@pytest.mark.parametrize("own", [{"secret": ""}, {"secret": "something"}], ids=["none yet", "one"])
def test_the_environment_names_no_store_where_the_caller_keeps_the_secret(bench, path, monkeypatch, own):
    monkeypatch.setenv("BITBUCKET_TOKEN_STORE", f"file:{path}")
    bench.run({**CI, **own})
    assert not path.exists()
    assert len(bench.calls) == 1


def test_the_environment_names_no_store_where_the_caller_says_what_is_stored(bench, path, monkeypatch):
    monkeypatch.setenv("BITBUCKET_TOKEN_STORE", f"file:{path}")
    result = bench.run({**SET, "stored": {"projects/PAY/tokens/ci": None}})
    assert not path.exists()
    assert bench.sim.authenticates(result["secrets"]["projects/PAY/tokens/ci"])


def test_the_tasks_store_beats_the_environment(bench, path, monkeypatch):
    monkeypatch.setenv("BITBUCKET_TOKEN_STORE", "paper:desk")
    assert bench.run({**CI, "store": f"file:{path}"})["store"] == f"file:{path}"


@pytest.mark.parametrize(
    ("args", "say"),
    [
        ({**CI, "store": "paper:desk"}, "ansible_vault, file"),
        ({**CI, "store": "file:/nowhere/at/all"}, "/nowhere does not exist: create it first"),
        ({**CI, "store": "file:x", "secret": "y"}, "mutually exclusive"),
        ({**CI, "store": "file:x", "colour": "red"}, "Unsupported parameters"),
        ({**CI, "store": "file:x", "repository": "ledger", "project": None}, "`repository` needs `project`"),
        ({**CI, "store": "file:x", "expires_in_days": 2}, "`expires_in_days` is 2"),
        ({**CI, "store": "file:x", "permissions": ["REPO_REED"]}, "REPO_READ"),
        ({"url": URL, "project": "PAY", "state": "absent", "store": "file:x"}, "name"),
        ({**SET, "store": "file:x", "projects": []}, "No owner is declared"),
        ({**SET, "store": "file:x", "overrides": {"SHOP": [{"name": "ci"}]}}, "`overrides` names SHOP"),
        ({**SET, "store": "file:x", "set": SET["set"] * 2}, "the same name, ci"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_right_is_answered_before_the_module_runs(bench, args, say, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = bench.run(args)
    assert result["failed"]
    assert say in result["msg"]
    assert bench.calls == []


def test_globs_are_resolved_and_their_owners_observed(bench, tmp_path):
    result = bench.run({**SET, "projects": ["*"], "store": f"file:{tmp_path}"})
    assert result["counts"]["issued"] == 2
    assert bench.sim.requests.counts() == {"GET": 3, "PUT": 2}


@pytest.mark.parametrize("others", [[], ["PAY"]], ids=["alone", "with_others"])
def test_a_glob_that_matches_nothing_is_a_failure_and_the_others_are_delivered(bench, tmp_path, others):
    result = bench.run({**SET, "projects": ["NOSUCH*", *others], "store": f"file:{tmp_path}"})
    (failure,) = result["failures"]
    assert (failure["owner"], failure["reference"], failure["reason"]) == ("projects/NOSUCH*", None, "no_match")
    assert (result["failed"], result["reason"], result["msg"]) == (True, "no_match", failure["msg"])
    counts = {key: result["counts"][key] for key in ("owners", "owners_failed", "issued")}
    assert counts == {"owners": 1 + len(others), "owners_failed": 1, "issued": len(others)}
    assert len(list(tmp_path.rglob("ci.token"))) == len(others)


@pytest.mark.parametrize("ignores_case", [True, False])
@pytest.mark.parametrize(("first", "second"), [("~svc.ci", "~Svc.Ci"), ("~SVC.CI", "~svc.ci"), ("pay", "PAY")])
def test_an_owner_in_two_spellings_has_one_token(bench, tmp_path, first, second, ignores_case):
    """D1, open question 14."""
    bench.sim.switches.owner_paths_ignore_case = ignores_case
    bench.sim.add_project("~svc.ci")
    args = {**SET, "store": f"file:{tmp_path}"}
    (issued,) = bench.run({**args, "projects": [first]})["issued"]
    for projects in ([second], [first, second], [f"{second[:2]}*"]):
        result = bench.run({**args, "projects": projects})
        assert (result["changed"], result["counts"]["owners"], "failed" in result) == (False, 1, False)
    assert [token.id for token in bench.sim.tokens("projects/~svc.ci" if "~" in first else "projects/PAY")] == [
        issued["id"]
    ]
    assert issued["reference"] in ("projects/~svc.ci/tokens/ci", "projects/PAY/tokens/ci")


@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
@pytest.mark.parametrize("declared", ["~Svc.Ci", "~svc.ci"])
def test_an_entry_from_a_run_with_another_spelling_is_kept_and_rotated_there(bench, tmp_path, declared, kind):
    bench.sim.add_project("~svc.ci")
    old = bench.sim.add_token("projects/~svc.ci", "ci", created_days_ago=1, last_used_days_ago=0)
    store = f"{kind}:{tmp_path}" + ("" if kind == "file" else "/v.yml")
    loader = DataLoader()
    loader.set_vault_secrets([("default", VaultSecret(b"a-vault-password"))])
    held = "projects/~Svc.Ci/tokens/ci"
    opened = open_store(store, {}, loader._vault, single=False)
    opened.write([Entry(held, old.id, old.secret)])
    args = {**SET, "projects": [declared], "store": store}
    assert bench.run(args)["changed"] is False
    bench.sim.clock.advance(seconds=5)
    result = bench.run({**args, "set": [{**SET["set"][0], "expires_in_days": 90}]})
    assert [change["step"] for change in result["changes"]] == ["issue"]
    assert open_store(store, {}, loader._vault, single=False).read([held])[held] == result["issued"][0]["id"]
    assert (result["undeclared"], result["removed"]) == ([], [])
    gone = bench.run({**args, "set": [{"name": "ci", "state": "absent"}]})
    assert (gone["counts"]["revoked"], len(gone["removed"])) == (2, 1)
    assert open_store(store, {}, loader._vault, single=False).read([held])[held] is None


def test_a_file_of_one_token_belongs_to_its_owner_in_any_case(bench, path):
    bench.run({**CI, "store": f"file:{path}"})
    (path.parent / ".ci.token.lock").write_text("projects/pay/tokens/ci", encoding="utf-8")
    result = bench.run({**CI, "project": "Pay", "store": f"file:{path}"})
    assert (result["changed"], "failed" in result) == (False, False)


def test_overrides_are_for_their_owners_only(bench, tmp_path):
    overrides = {"SHOP": [{"name": "ci", "expires_in_days": 30}]}
    old = bench.sim.add_token("projects/PAY", "ci", created_days_ago=80, expires_in_days=1, last_used_days_ago=1)
    (tmp_path / "projects/PAY/tokens").mkdir(parents=True)
    (tmp_path / "projects/PAY/tokens/ci.token").write_text(old.secret, encoding="utf-8")
    entry = {"name": "ci", "permissions": ["REPO_READ"], "expires_in_days": 90, "grace_days": 0}
    args = {**SET, "projects": ["PAY", "SHOP"], "set": [entry], "overrides": overrides, "store": f"file:{tmp_path}"}
    result = bench.run(args)
    assert [change["reason"] for change in result["changes"]] == ["expiring", "absent", "superseded"]
    given = {item["reference"]: item["days_left"] for item in result["issued"]}
    assert given == {"projects/PAY/tokens/ci": 90, "projects/SHOP/tokens/ci": 30}


@pytest.mark.parametrize("check_mode", [False, True], ids=["for real", "check mode"])
def test_a_run_warns_once_of_tokens_that_are_newer_than_the_stored_ones(bench, tmp_path, check_mode):
    args = {**SET, "projects": ["PAY", "SHOP"], "store": f"file:{tmp_path}"}
    bench.run({**args, "projects": ["SHOP"]})
    old = bench.sim.add_token("projects/PAY", "old", created_days_ago=80, expires_in_days=1, last_used_days_ago=1)
    bench.run({**args, "projects": ["PAY"]})
    (tmp_path / "projects/PAY/tokens/old.token").write_text(old.secret, encoding="utf-8")
    bench.sim.clock.advance(hours=2)
    newer = {key: bench.sim.add_token(f"projects/{key}", "ci").id for key in ("PAY", "SHOP")}
    # Its predecessor is retired after the delivery, so PAY is observed twice.
    due = {**SET["set"][0], "name": "old", "expires_in_days": 90, "grace_days": 0}
    result = bench.run({**args, "set": SET["set"], "overrides": {"PAY": [due]}}, check_mode)
    assert [warning for warning in result["warnings"] if "were kept: 2." in warning] == result["warnings"]
    (warning,) = result["warnings"]
    assert all(f"project={key} id={token_id} state=absent'" in warning for key, token_id in newer.items())
    assert sorted(note["id"] for note in result["notes"]) == sorted(newer.values())


def test_the_callers_own_token_needs_no_owner(bench, path):
    result = bench.run({"url": URL, "name": "me", "permissions": ["REPO_READ"], "store": f"file:{path}"})
    assert result["access_token"]["reference"] == "users/admin/tokens/me"


def test_revoking_tells_that_there_is_no_token_any_more(bench, path):
    args = {**CI, "store": f"file:{path}"}
    bench.run(args)
    result = bench.run({**args, "state": "absent"})
    assert [item["reason"] for item in result["revoked"]] == ["absent"]
    assert result["access_token"] is None


@pytest.mark.parametrize("check_mode", [False, True])
def test_revoking_a_name_that_is_not_there_says_so_with_a_store_too(bench, path, check_mode):
    result = bench.run({**CI, "state": "absent", "store": f"file:{path}"}, check_mode)
    assert result["msg"] == "No such token: project PAY has no token called ci. Nothing is revoked."
    assert (result["changed"], "failed" in result) == (False, False)


INPUT: list[Result] = [
    {"expires_in_days": "soon"},
    {"expires_in_days": 1},
    {"rotate": "sometimes"},
    {"repository": "a/b"},
    {"permissions": ["REPO_EVERYTHING"]},
    {"nmae": "ci"},
]


@pytest.mark.parametrize("with_store", [True, False])
@pytest.mark.parametrize("wrong", INPUT, ids=str)
def test_wrong_input_has_its_reason_with_and_without_a_store(bench, path, wrong, with_store):
    result = bench.run({**CI, **wrong, **({"store": f"file:{path}"} if with_store else {})})
    assert (result["failed"], result["reason"]) == (True, "input")


@pytest.mark.parametrize("with_store", [True, False])
@pytest.mark.parametrize("args", [CI, SET], ids=["one", "set"])
def test_a_failure_has_the_servers_reason_with_and_without_a_store(bench, tmp_path, args, with_store):
    bench.sim.faults.arm("status", path="projects/PAY", status=401, exception_name="AuthorisationException", times=99)
    result = bench.run({**args, **({"store": f"file:{tmp_path}"} if with_store else {})})
    assert (result["failed"], result["reason"]) == (True, "forbidden")


def test_check_mode_predicts_with_the_same_keys(bench, path):
    args = {**CI, "store": f"file:{path}"}
    predicted = bench.run(args, check_mode=True)
    assert not path.exists()
    real = bench.run(args)
    assert set(predicted) == set(real)
    assert predicted["diff"] == real["diff"]


def test_a_vaulted_file_is_encrypted_with_the_plays_own_secret(bench, tmp_path):
    result = bench.run({**SET, "store": f"ansible_vault:{tmp_path}/v.yml"})
    assert result["changed"]
    assert (tmp_path / "v.yml").read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256")
    assert not bench.run({**SET, "store": f"ansible_vault:{tmp_path}/v.yml"})["changed"]


@pytest.mark.parametrize("check_mode", [True, False], ids=["check mode", "for real"])
def test_always_issues_once_a_run_and_retires_as_auto_does(bench, path, check_mode):
    args = {**CI, "rotate": "always", "store": f"file:{path}", "grace_days": 0}
    bench.run(args)
    bench.sim.clock.advance(days=1)
    old = bench.sim.tokens("projects/PAY")
    result = bench.run(args, check_mode)
    assert [(change["step"], change["reason"]) for change in result["changes"]] == [
        ("issue", "always"),
        ("revoke", "superseded"),
    ]
    assert (bench.sim.tokens("projects/PAY") == old) is check_mode
    assert len(bench.sim.tokens("projects/PAY")) == 1


def test_after_a_lost_race_the_result_names_the_winners_token(bench, path):
    other = {**CI, "store": f"file:{path}"}
    winners = []
    bench.sim.faults.arm("call", method="PUT", when="before", run=lambda: winners.append(bench.run(other)))
    result = bench.run({**CI, "store": f"file:{path}"})
    assert result["changed"] is False
    assert result["access_token"]["id"] == winners[0]["access_token"]["id"]
    assert result["access_token"]["id"] in [token.id for token in bench.sim.tokens("projects/PAY")]
