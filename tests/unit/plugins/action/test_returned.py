"""RETURN of the reconciling modules and their real results have the same keys, nested ones included."""

from __future__ import annotations

import typing as t

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token, access_token_set
from tests.unit.plugins.action.test_action import CI, SET, Bench

Result = dict[str, t.Any]

#: What every module of Ansible returns, and what `main` makes warnings of.
ANSIBLES = {"changed", "diff", "failed", "msg", "warnings", "warned"}
#: Mappings whose keys are references.
FREE = {"secrets"}


def keys(documented: Result, result: Result, path: str = "") -> tuple[set[str], set[str]]:
    """The documented and the real keys, as dotted paths."""
    known = {f"{path}{key}" for key in documented}
    real = {f"{path}{key}" for key in result if path or key not in ANSIBLES or key in documented}
    for key, field in documented.items():
        inner = result.get(key)
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict) and key not in FREE:
                assert "contains" in field, f"RETURN does not say what is in {path}{key}"
                more_known, more_real = keys(field["contains"], item, f"{path}{key}.")
                known, real = known | more_known, real | more_real
    return known, real


def runs(bench: Bench, args: Result) -> list[Result]:
    """Issuing, doing nothing, updating, failing and revoking; in check mode too."""
    results = [bench.run(args, check_mode=True), bench.run(args), bench.run(args)]
    bench.sim.clock.advance(seconds=5)
    bench.sim.add_token("projects/PAY", "ci", created_days_ago=0)
    token = min(bench.sim.tokens("projects/PAY"), key=lambda token: token.created)
    token.permissions = ("REPO_WRITE",)
    if "store" not in args:
        held = {"projects/PAY/tokens/ci": token.id}
        args = {**args, **({"stored": held} if "set" in args else {"id": token.id})}
    results += [bench.run(args, check_mode=True), bench.run(args)]
    results += [bench.run({**args, "missing_secret": "sometimes"}), bench.run({**args, "projct": 1})]
    absent = {**args, "state": "absent"} if "set" not in args else {**args, "set": [{"name": "ci", "state": "absent"}]}
    results += [bench.run(absent), bench.run(absent)]
    bench.sim.faults.arm("wrong_secret", method="PUT", secret="other_id")
    bench.sim.faults.arm("status", method="DELETE", status=500, times=99)
    results.append(bench.run({key: value for key, value in args.items() if key not in ("id", "stored")}))
    return results


@pytest.mark.parametrize("stored", [True, False], ids=["with_a_store", "without"])
@pytest.mark.parametrize(("module", "args"), [(access_token, CI), (access_token_set, SET)], ids=["one", "set"])
def test_return_documents_what_is_returned_and_nothing_else(bench, tmp_path, module, args, stored):
    documented = yaml.safe_load(module.RETURN)
    results = runs(bench, {**args, "store": f"file:{tmp_path}"} if stored else args)
    failed = [result for result in results if result.get("failed")]
    assert len(failed) == 3
    assert all(result["reason"] and isinstance(result["msg"], str) for result in failed)
    known, real = set(), set()
    for result in results:
        more_known, more_real = keys(documented, result)
        known, real = known | more_known, real | more_real
        always = {key for key, field in documented.items() if field["returned"] == "always"}
        assert result in failed or always <= set(result)
    elsewhere = {"secret", "secrets"} if stored else {"store", "removed", "undeclared"} & set(documented)
    assert real == known - elsewhere
