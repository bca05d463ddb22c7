"""One audit, from the owners to the files and the task's result."""

from __future__ import annotations

import json
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    BitbucketError,
    Failure,
    InputError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, ListedOwner, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit import _document, _registry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._auditor import SHOWN, Auditor, audited
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Observed, ObservedOwner
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._output import NAMES
from tests.report.schema import violations

from .samples import NOW, URL

Result = dict[str, t.Any]
Row = tuple[str, str, list[str], int, int | None, int | None]
FINE: Row = ("100000000001", "fine", ["REPO_READ"], NOW - DAY, NOW + 300 * DAY, NOW)
ADMIN: Row = ("000000000002", "admin", ["REPO_ADMIN"], NOW - DAY, None, NOW)
REFUSED = {"owner": "users/pat", "reason": "forbidden", "msg": "not permitted"}
LOST = {"owner": "projects/LOST", "reason": "lost_answer", "msg": "no answer came."}


class Bench:
    """What the server has, and audits of it in a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tokens: list[Row] = [FINE, ADMIN]
        self.unread: list[Result] = []
        self.now: int | None = NOW
        self.observations = 0
        self.error: BitbucketError | None = None

    def observe(self) -> Observed:
        self.observations += 1
        if self.error:
            raise self.error
        tokens = tuple(Token(row[0], row[1], _permissions.listed(row[2]), *row[3:]) for row in self.tokens)
        owner = ObservedOwner(ListedOwner(Owner(project="PAY"), "Payments"), tokens, self.now)
        return Observed(URL, (owner,), tuple(Failure(**failure) for failure in self.unread), ())

    def run(self, check: bool = False, **given: t.Any) -> Result:
        params = {"fail_on": "none", "policy": {}, "declared": [], "output_dir": str(self.directory), **given}
        return audited(lambda: Auditor(params, self.observe, lambda: NOW / 1000), check)

    @property
    def document(self) -> Result:
        return t.cast("Result", json.loads((self.directory / "audit.json").read_text(encoding="utf-8")))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "reports" / "today")


def test_an_audit_writes_its_four_files_and_tells_the_figures(bench):
    result = bench.run()
    assert result["changed"]
    assert not result.get("failed")
    assert result["counts"] == {
        "owners": 1,
        "unread": 0,
        "tokens": 2,
        "tokens_with_findings": 1,
        "ignored": 0,
        "findings": {code: int(code in ("administrator", "never_expires")) for code in _registry.codes()},
        "severities": {"critical": 0, "high": 1, "medium": 0, "low": 0, "info": 0},
    }
    assert result["worst"] == "high"
    assert [finding["code"] for finding in result["findings"]] == ["administrator", "never_expires"]
    assert result["findings"][0]["reference"] == "projects/PAY/tokens/admin"
    assert result["server_time"] == "2026-12-05T09:00:00Z"
    assert sorted(path.name for path in bench.directory.iterdir()) == [".audit.lock", *sorted(NAMES.values())]
    assert result["files"] == {kind: str(bench.directory / name) for kind, name in NAMES.items()}


def test_files_are_for_their_owner_and_group_and_keep_a_mode_that_was_given_them(bench):
    bench.run()
    paths = [bench.directory / name for name in NAMES.values()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o640}
    assert stat.S_IMODE(bench.directory.stat().st_mode) & 0o007 == 0
    paths[0].chmod(0o600)
    bench.run()
    assert stat.S_IMODE(paths[0].stat().st_mode) == 0o600


def test_the_json_says_what_was_asked_and_what_could_not_be_read(bench):
    bench.unread = [REFUSED]
    bench.run()
    found = bench.document
    assert violations(found) == []
    assert found["version"] == _document.VERSION == 1
    assert found["server"] == {"url": URL, "time": "2026-12-05T09:00:00Z"}
    assert found["complete"]
    assert found["unread"] == [REFUSED]
    (owner,) = found["owners"]
    assert (owner["owner"], owner["kind"], owner["title"]) == ("projects/PAY", "project", "Payments")
    assert (owner["link"], owner["inactive"], owner["tokens"], owner["clock"]) == (None, None, 2, True)


def test_the_json_says_of_a_token_what_bitbucket_says_and_what_was_found(bench):
    ignore = [{"reference": "*/admin", "codes": ["never_expires"], "reason": "R", "until": "2027-01-01"}]
    bench.run(policy={"ignore": ignore})
    no_expiry = {"code": "never_expires", "severity": "medium", "detail": "it has no expiry"}
    assert bench.document["policy"]["ignore"] == ignore
    assert bench.document["tokens"][0] == {
        "reference": "projects/PAY/tokens/admin",
        "owner": "projects/PAY",
        "id": "000000000002",
        "name": "admin",
        "permissions": ["REPO_ADMIN"],
        "created": "2026-12-04T09:00:00Z",
        "expires": None,
        "last_used": "2026-12-05T09:00:00Z",
        "severity": "high",
        "findings": [{"code": "administrator", "severity": "high", "detail": "REPO_ADMIN"}],
        "ignored": [{**no_expiry, "reason": "R", "until": "2027-01-01"}],
    }


def test_every_file_can_be_printed_whatever_a_token_is_called(bench):
    name = "=1\x1b[2J\x9b\u202e\x00"
    bench.tokens = [(ADMIN[0], name, *ADMIN[2:])]
    assert bench.run()["changed"]
    assert bench.document["tokens"][0]["name"] == name
    for path in bench.directory.glob("audit.*"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert all(map(str.isprintable, lines)), path


def test_check_mode_looks_and_writes_nothing(bench):
    result = bench.run(check=True)
    assert result["changed"]
    assert result["files"]["html"] == str(bench.directory / "audit.html")
    assert result["counts"]["tokens"] == 2
    assert not bench.directory.parent.exists()
    written = bench.run()
    assert {key: result[key] for key in ("counts", "findings", "diff", "files")} == {
        key: written[key] for key in ("counts", "findings", "diff", "files")
    }
    assert not bench.run(check=True)["changed"]


def test_without_a_directory_nothing_is_written(bench):
    result = bench.run(output_dir=None)
    assert (result["changed"], result["files"], result["counts"]["tokens"]) == (False, {}, 2)
    assert not bench.directory.exists()


def test_a_second_audit_of_the_same_tokens_has_changed_nothing_whatever_the_time(bench):
    bench.run()
    before = bench.document
    bench.now = NOW + 1000
    bench.tokens = [(*FINE[:5], NOW + 999), ADMIN]
    result = bench.run()
    assert not result["changed"]
    assert result["since_last"] == {"new": 0, "gone": 0}
    assert (result["diff"]["before"], result["diff"]["after"]) == ("", "")
    assert bench.document["server"] != before["server"], "the files carry the time of the newest audit"


def test_the_difference_is_told_by_findings(bench):
    bench.run()
    bench.tokens = [(*FINE[:4], None, NOW)]
    result = bench.run(check=True)
    assert result["changed"]
    assert result["since_last"] == {"new": 1, "gone": 2}
    assert result["diff"]["before"] == (
        "high administrator projects/PAY/tokens/admin 000000000002\n"
        "medium never_expires projects/PAY/tokens/admin 000000000002\n"
    )
    assert result["diff"]["after"] == "medium never_expires projects/PAY/tokens/fine 100000000001\n"


@pytest.mark.parametrize("change", ["token", "unread", "file"])
def test_other_tokens_owners_or_files_are_a_change_too(bench, change):
    bench.run()
    if change == "token":
        bench.tokens.append(("100000000003", "another", *FINE[2:]))
    elif change == "unread":
        bench.unread = [REFUSED]
    else:
        (bench.directory / "audit.csv").unlink()
    assert bench.run()["changed"]
    assert not bench.run()["changed"]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "7", '{"version": 2}', '{"version": 1, "tokens": [7]}', "[" * 10**5]
)
def test_an_audit_before_that_cannot_be_read_is_none(bench, content):
    bench.run()
    (bench.directory / "audit.json").write_text(content, encoding="utf-8")
    result = bench.run()
    assert (result["changed"], result["since_last"]) == (True, {})
    assert bench.document["version"] == 1


@pytest.mark.parametrize(
    ("fail_on", "fails"), [("none", False), ("critical", False), ("high", True), ("medium", True), ("info", True)]
)
def test_fail_on_fails_after_the_files_are_written(bench, fail_on, fails):
    result = bench.run(fail_on=fail_on)
    assert bool(result.get("failed")) == fails
    assert (bench.directory / "audit.html").exists()
    if fails:
        assert result["reason"] == "findings"
        assert result["msg"].startswith(
            f"Findings of severity {fail_on} or worse (`fail_on`): 1 of 2 tokens, the first "
        )
        assert "projects/PAY/tokens/admin, token 000000000002 (" in result["msg"]
        assert result["msg"].endswith(str(bench.directory / "audit.html"))
        assert "The report is" not in bench.run(check=True, fail_on=fail_on)["msg"]


def test_owners_that_refuse_do_not_fail_and_owners_that_cannot_be_read_do(bench):
    bench.unread = [REFUSED]
    result = bench.run()
    assert (result.get("failed"), result["complete"], result["unread"]) == (None, True, [REFUSED])
    bench.unread = [REFUSED, LOST]
    result = bench.run()
    assert (result["failed"], result["complete"], result["reason"]) == (True, False, "incomplete")
    assert "projects/LOST: no answer came." in result["msg"]
    for name in NAMES.values():
        assert "LOST" in (bench.directory / name).read_text(encoding="utf-8")


def test_a_result_stays_small_however_much_is_found(bench):
    bench.tokens = [(f"{number:012d}", f"t{number}", *ADMIN[2:]) for number in range(500)]
    result = bench.run()
    assert len(result["findings"]) == SHOWN
    assert {finding["severity"] for finding in result["findings"]} == {"high"}
    assert len(bench.document["tokens"]) == 500


@pytest.mark.parametrize(
    "given",
    [
        {"policy": {"unused": 3}},
        {"declared": [{"overrides": {"PAY": 3}, "projects": [], "repositories": [], "users": [], "set": []}]},
    ],
    ids=str,
)
def test_options_that_cannot_be_right_are_told_before_any_request(bench, given):
    result = bench.run(**given)
    assert (result["failed"], result["reason"], bench.observations) == (True, InputError.reason, 0)


def test_a_directory_that_cannot_be_written_is_told_before_any_request(bench, tmp_path):
    (tmp_path / "reports").write_text("a file", encoding="utf-8")
    for check in (False, True):
        result = bench.run(check=check)
        if not check:
            assert (result["failed"], bench.observations) == (True, 0)
            assert "cannot be created" in result["msg"]


def test_a_file_that_cannot_be_replaced_fails_with_its_name(bench):
    bench.directory.mkdir(parents=True)
    (bench.directory / "audit.csv").mkdir()
    result = bench.run()
    assert result["failed"]
    assert "audit.csv cannot be written" in result["msg"]


def test_what_could_not_be_read_at_all_is_the_tasks_failure(bench):
    bench.error = BitbucketError("The password is wrong.", "credential")
    assert bench.run() == {"failed": True, "changed": False, "msg": "The password is wrong.", "reason": "credential"}


def test_without_a_clock_everything_says_so(bench):
    bench.now = None
    result = bench.run()
    assert result["server_time"] is None
    assert "no_clock" in result["notes"][0]
    assert bench.document["server"]["time"] is None
    assert bench.document["owners"][0]["clock"] is False
    assert "no_clock" in (bench.directory / "audit.html").read_text(encoding="utf-8")
