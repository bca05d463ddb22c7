"""Whatever writes a file replaces it as a whole, or leaves it as it was."""

from __future__ import annotations

import os
import stat
import typing as t
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _export
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _files, _locks
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import _safe_files
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._output import Output

NEW = b"new text\n"


def of_a_store(path: Path) -> None:
    _files.replace(path, NEW)


def of_an_export(path: Path) -> None:
    options = {"output_file": str(path), "format": "csv", "columns": ["new text"], "mode": "0600"}
    _export.Export(options, ["new text"]).write([], check_mode=False)


def of_an_audit(path: Path) -> None:
    path.replace(path.with_name("audit.csv"))
    try:
        Output(str(path.parent)).write({"csv": NEW.decode()})
    finally:
        path.with_name("audit.csv").replace(path)
        path.with_name(".audit.lock").unlink()


def of_credentials(path: Path) -> None:
    snapshot = _safe_files.read(str(path), _safe_files.root(str(path.parent)))
    _safe_files.replace(snapshot, NEW, backup=False)


WRITERS = {"store": of_a_store, "export": of_an_export, "audit": of_an_audit, "credentials": of_credentials}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"old text\n")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_file_is_flushed_before_it_is_renamed_and_its_directory_after(file, write, monkeypatch):
    seen: list[str] = []
    sync, rename = os.fsync, os.replace

    def note_sync(descriptor: int) -> None:
        seen.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        sync(descriptor)

    def note_rename(source: t.Any, target: t.Any, **options: t.Any) -> None:
        if options:
            seen.append("rename")
        rename(source, target, **options)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(os, "replace", note_rename)
    write(file)
    assert seen == ["file", "rename", "directory"]
    assert file.read_bytes().split() == NEW.split()
    assert [path.name for path in file.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
@pytest.mark.parametrize("call", ["fsync", "fchmod", "replace"])
def test_a_file_that_cannot_be_written_is_as_before_and_nothing_is_left(file, write, call, monkeypatch):
    working = os.replace

    def fail(*arguments: t.Any, **options: t.Any) -> None:
        if call == "replace" and not options:
            working(*arguments)
        else:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(BitbucketError, match=r"cannot be (written|replaced): No space left on device\.$"):
        write(file)
    monkeypatch.undo()
    assert file.read_bytes() == b"old text\n"
    assert [path.name for path in file.parent.iterdir()] == ["file"]


def test_a_file_that_exists_is_not_overwritten_by_a_new_one(file):
    with pytest.raises(FileExistsError), _files.new_file(file, NEW, bool):
        pytest.fail("it was created")
    assert file.read_bytes() == b"old text\n"


def test_a_new_file_is_private_until_it_is_complete(tmp_path):
    before = os.umask(0)
    try:
        with _files.new_file(tmp_path / "new", NEW, bool):
            assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_a_new_file_is_removed_if_what_follows_fails(tmp_path):
    with pytest.raises(KeyboardInterrupt), _files.new_file(tmp_path / "new", NEW, bool):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_lock_says_what_it_is_for(tmp_path):
    lock = tmp_path / ".lock"
    assert _locks.label(lock) is None
    with _locks.locked(lock, 0):
        _locks.write_label(lock, "projects/PAY/tokens/ci")
        _locks.write_label(lock, "ci")
    assert _locks.label(lock) == "ci"
