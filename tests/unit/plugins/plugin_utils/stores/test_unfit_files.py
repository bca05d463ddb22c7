"""The store ``file`` where something else lies than files of its own, or where it may not look."""

from __future__ import annotations

import os
import socket
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._output import Output
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores import _files
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.unit.plugins.plugin_utils.stores.places import CI, ONE, TWO, entry, play_vault, secret_of
from tests.unit.plugins.unsearchable import unsearchable

OTHER = "projects/PAY/tokens/other"


def opened(directory: Path) -> Store:
    return open_store(f"file:{directory}", {}, play_vault(), single=False)


def fifo(path: Path) -> None:
    os.mkfifo(path)


def bound(path: Path) -> None:
    # The name of a socket must be short.
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def huge(path: Path) -> None:
    """More than fits into memory, and nothing of it on the disk."""
    path.write_text(f"{secret_of(TWO)}\n")
    os.truncate(path, 1 << 40)


def long(path: Path) -> None:
    path.write_text(f"{secret_of(TWO)}{' ' * 5000}")


UNFIT: dict[str, t.Callable[[Path], object]] = {
    "FIFO": fifo,
    "socket": bound,
    "directory": Path.mkdir,
    "link to itself": lambda path: path.symlink_to(path.name),
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "huge": huge,
    "long": long,
}


@pytest.mark.parametrize("put", UNFIT.values(), ids=UNFIT)
def test_what_is_no_short_file_beside_declared_ones_is_passed_over(tmp_path, put):
    store = opened(tmp_path)
    store.write([entry(ONE)])
    put(tmp_path / f"{OTHER}.token")
    found: list[dict[str, str]] = []
    # A daemon, which a FIFO would hold for ever.
    looking = threading.Thread(target=lambda: found.append(store.others([CI])), daemon=True)
    looking.start()
    looking.join(30)
    assert found == [{}]


def test_a_link_to_a_file_beside_declared_ones_is_followed(tmp_path):
    store = opened(tmp_path)
    store.write([entry(ONE)])
    (tmp_path / "elsewhere").write_text(secret_of(TWO))
    (tmp_path / f"{OTHER}.token").symlink_to(tmp_path / "elsewhere")
    assert store.others([CI]) == {OTHER: TWO}


@pytest.mark.parametrize("length", [246, 250, 300])
def test_a_name_that_is_too_long_is_told_as_that(tmp_path, length):
    with pytest.raises(StoreError, match="too long for the name of a file"):
        _files.require_replaceable(tmp_path / f"{'x' * length}.token")


def test_a_store_that_may_not_be_looked_at_is_told_before_anything_is_created(tmp_path):
    (tmp_path / "tokens").mkdir()
    store = opened(tmp_path / "tokens")
    with unsearchable(tmp_path), pytest.raises(StoreError, match="cannot be looked at: Permission denied"):
        store.prepare([CI], check_mode=False)


@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_a_place_that_nobody_can_have_is_told_before_anything_is_created(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "round").symlink_to("round")
    for path in ("~nosuchuser-4711/tokens", f"{tmp_path}/round", f"{tmp_path}/round/tokens"):
        with pytest.raises(StoreError, match=r"has no user|cannot be|not a plain file"):
            open_store(f"{kind}:{path}", {}, play_vault(), single=False).prepare([CI], check_mode=False)


@pytest.mark.parametrize("check_mode", [False, True])
def test_reports_where_nobody_may_look_are_told_before_anything_is_asked(tmp_path, check_mode):
    (tmp_path / "reports").mkdir()
    output = Output(f"{tmp_path}/reports/audit")
    with unsearchable(tmp_path), pytest.raises(BitbucketError, match=r"cannot be .*: Permission denied"):
        output.prepare(check_mode)


def test_a_folder_of_somebody_else_in_the_store_is_told_before_anything_is_created(tmp_path, monkeypatch):
    projects = tmp_path / "projects"
    projects.mkdir()
    # By no absolute path: whoever root is meanwhile, pytest's own folders are closed to him.
    tmp_path.chmod(0o777)
    monkeypatch.chdir(tmp_path)
    with unsearchable(projects), pytest.raises(StoreError, match=r"projects.* (cannot be looked at|is not writable)"):
        _files.require_replaceable(Path(f"{CI}.token"))
