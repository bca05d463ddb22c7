"""The list in a file: what is in it, when it changes, and what becomes of the file that was there."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _files
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_info
from tests.unit.plugins.company import LOGIN, PAY, SHOP, Company, checked


@pytest.fixture
def tokens(company: Company) -> Company:
    company.sim.add_token(PAY, "ci-read", ["PROJECT_READ", "REPO_WRITE"], created_days_ago=1, expires_in_days=89)
    company.sim.add_token(PAY, "ci-write", ["REPO_ADMIN"], created_days_ago=1)
    company.sim.add_token(SHOP, "ci-read", ["REPO_READ"], created_days_ago=1, expires_in_days=9, last_used_days_ago=0.5)
    return company


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.csv"


def run(company: Company, path: Path, check: bool = False, **given: t.Any) -> dict[str, t.Any]:
    asked = {**LOGIN, "projects": ["PAY", "SHOP"], "output_file": str(path), **given}
    params = checked(access_token_info.SPEC, access_token_info.CONSTRAINTS, asked)
    return access_token_info.run(params, company.client(), check)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_csv_has_a_row_for_each_token_and_the_columns_that_were_asked_for(tokens, path):
    result = run(tokens, path, columns=["name", "permissions", "expires"])
    assert path.read_bytes().decode() == (
        "name,permissions,expires\r\n"
        "ci-read,PROJECT_READ REPO_WRITE,2026-04-14T09:00:00Z\r\n"
        "ci-write,REPO_ADMIN,\r\n"
        "ci-read,REPO_READ,2026-01-24T09:00:00Z\r\n"
    )
    assert (result["changed"], result["output_file"]) == (True, str(path))


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_without_columns_the_file_has_all_that_the_result_has(tokens, path, kind):
    result = run(tokens, path, format=kind)
    text = path.read_bytes().decode()
    if kind == "json":
        assert json.loads(text) == result["access_tokens"]
        return
    written = list(csv.DictReader(io.StringIO(text)))
    told = [
        {
            key: " ".join(value) if isinstance(value, list) else "" if value is None else str(value)
            for key, value in token.items()
        }
        for token in result["access_tokens"]
    ]
    assert written == told


def test_json_has_the_columns_in_their_order(tokens, path):
    run(tokens, path, format="json", columns=["id", "name"], projects="SHOP")
    (token,) = tokens.ids(SHOP)
    assert path.read_text() == f'[\n  {{\n    "id": "{token}",\n    "name": "ci-read"\n  }}\n]\n'


def test_filters_and_limit_hold_for_the_file_too(tokens, path):
    result = run(tokens, path, name="ci-r*", limit=1, columns=["reference"])
    assert path.read_text().split() == ["reference", "projects/PAY/tokens/ci-read"]
    assert (len(result["access_tokens"]), result["total"]) == (1, 2)


@pytest.mark.parametrize(("limit", "shown"), [(None, 3), (1, 1), (3, 3), (99, 3)])
def test_a_limit_takes_the_first_and_counts_all(tokens, path, limit, shown):
    result = run(tokens, path, limit=limit)
    everything = run(tokens, path)["access_tokens"]
    assert (result["access_tokens"], result["total"]) == (everything[:shown], 3)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_nothing_changes_the_second_time_and_the_file_stays_the_same(tokens, path, kind):
    assert run(tokens, path, format=kind)["changed"] is True
    before = path.stat()
    again = run(tokens, path, format=kind)
    assert again["changed"] is False
    assert again["diff"]["before"] == again["diff"]["after"]
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_new_token_changes_the_file_and_the_diff_shows_both(tokens, path):
    run(tokens, path, columns=["name"])
    before = path.read_bytes().decode()
    tokens.sim.add_token(SHOP, "deploy", ["REPO_READ"])
    result = run(tokens, path, columns=["name"])
    assert result["changed"] is True
    assert (result["diff"]["before"], result["diff"]["after"]) == (before, path.read_bytes().decode())
    assert "deploy" in result["diff"]["after"]
    assert "deploy" not in before


@pytest.mark.parametrize("there", [False, True])
def test_check_mode_says_the_same_and_writes_nothing(tokens, path, there):
    if there:
        path.write_text("something else\n")
    before = path.read_bytes() if there else None
    said = run(tokens, path, True)
    assert (path.read_bytes() if path.exists() else None) == before
    assert list(path.parent.iterdir()) == ([path] if there else [])
    assert run(tokens, path) == said


def test_the_file_is_for_its_owner_only_unless_a_mode_is_set(tokens, path):
    old = os.umask(0)
    try:
        run(tokens, path)
        assert mode(path) == 0o600
        result = run(tokens, path, mode="0640")
    finally:
        os.umask(old)
    assert (result["changed"], mode(path)) == (True, 0o640)
    assert result["diff"]["before_header"] == f"{path} (0600)"
    assert result["diff"]["after_header"] == f"{path} (0640)"
    assert run(tokens, path, mode="0640")["changed"] is False


@pytest.mark.parametrize("written", ["600 ", "rw", "1777", "888", "", "-600", "0o600"])
def test_a_mode_is_octal_digits(tokens, path, written):
    with pytest.raises(InputError, match="`mode` must be three octal digits"):
        run(tokens, path, mode=written)
    assert list(tokens.sim.requests) == []


@pytest.mark.parametrize(
    "given", [{"limit": 0}, {"limit": -1}, {"columns": []}, {"columns": ["name", "secret"]}], ids=str
)
def test_what_cannot_be_meant_is_refused_before_any_request(tokens, path, given):
    with pytest.raises(InputError):
        run(tokens, path, **given)
    assert list(tokens.sim.requests) == []


def test_an_unknown_column_gets_the_list_of_those_that_exist(tokens, path):
    with pytest.raises(InputError, match=r"^`columns` has owner: use reference, id, name, permissions, created, "):
        run(tokens, path, columns="name, owner")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_names_run_nothing_and_hide_nothing(tokens, path, kind):
    """The same cells as in audit.csv."""
    for name in ("=cmd|' /C calc'!A0", "turn\u202eed", "bell\x07"):
        tokens.sim.add_token("projects/~pat", name, ["REPO_READ"])
    run(tokens, path, projects="~pat", format=kind, columns=["name"])
    text = path.read_bytes().decode()
    assert not {"\u202e", "\x07"} & set(text)
    if kind == "csv":
        cells = [row["name"] for row in csv.DictReader(io.StringIO(text))]
        assert sorted(cells) == ["'=cmd|' /C calc'!A0", "bell⟨U+0007⟩", "turn⟨U+202E⟩ed"]


def test_an_owner_that_fails_leaves_the_file_as_it_was(tokens, path):
    path.write_text("before\n")
    result = run(tokens, path, projects=["PAY", "NOSUCH"])
    assert result["failed"]
    assert result["msg"].endswith("`output_file` was left as it was.")
    assert path.read_text() == "before\n"
    assert "output_file" not in result


@pytest.mark.parametrize("what", ["directory", "link", "pipe", "no directory"])
def test_a_place_that_takes_no_file_is_refused_before_any_request(tokens, path, what):
    target = path
    if what == "directory":
        path.mkdir()
    elif what == "link":
        path.symlink_to(path.with_name("elsewhere"))
    elif what == "pipe":
        os.mkfifo(path)
    else:
        target = path / "deeper" / "tokens.csv"
    with pytest.raises(BitbucketError, match="cannot be written") as caught:
        run(tokens, target)
    assert caught.value.reason == "file"
    assert list(tokens.sim.requests) == []
    assert not path.with_name("elsewhere").exists()


def test_a_disk_that_fails_leaves_the_file_as_it_was(tokens, path, monkeypatch):
    path.write_text("before\n")

    def fails(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", fails)
    with pytest.raises(BitbucketError, match=r"cannot be written: No space left on device\.$"):
        run(tokens, path)
    assert path.read_text() == "before\n"
    assert list(path.parent.iterdir()) == [path]
