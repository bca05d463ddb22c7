"""Files are replaced at once, as they were but for the text, and nobody can misuse who does it."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._files import FileError, MissingError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import _safe_files
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files._safe_files import Root

SOMEBODY = 4711
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
as_user = pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "home"
    path.mkdir()
    return path


@pytest.fixture
def file(home: Path) -> Path:
    path = home / ".netrc"
    path.write_bytes(b"before\r\n\xff")
    path.chmod(0o640)
    return path


def root_of(path: Path) -> Root:
    return _safe_files.root(str(path))


def snapshot_of(path: Path) -> _safe_files.Snapshot:
    return _safe_files.read(str(path), root_of(path.parent))


def test_any_bytes_are_read_and_come_back(file):
    snapshot = snapshot_of(file)
    assert snapshot.data == b"before\r\n\xff"
    assert _safe_files.bytes_of(snapshot.text) == snapshot.data


def test_a_file_is_replaced_with_the_permissions_it_has(file):
    os.utime(file, (1, 1))
    assert _safe_files.replace(snapshot_of(file), b"after") is None
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"after", 0o640)
    assert [path.name for path in file.parent.iterdir()] == [".netrc"]


@as_root
def test_its_owner_and_group_stay(file):
    os.chown(file, SOMEBODY, SOMEBODY + 1)
    file.chmod(0o4640)
    _safe_files.replace(snapshot_of(file), b"after")
    status = file.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (SOMEBODY, SOMEBODY + 1, 0o4640)


def test_its_extended_attributes_stay(file):
    try:
        os.setxattr(file, "user.note", b"mine")
    except (OSError, AttributeError):
        pytest.skip("this file system has no extended attributes")
    _safe_files.replace(snapshot_of(file), b"after")
    assert os.getxattr(file, "user.note") == b"mine"


def test_nobody_else_can_read_the_new_text_before_it_is_in_place(file, monkeypatch):
    seen = []

    def look(_descriptor: int, mode: int) -> None:
        seen.append((stat.S_IMODE((file.parent / ".netrc.lock").stat().st_mode), mode))

    monkeypatch.setattr(os, "fchmod", look)
    _safe_files.replace(snapshot_of(file), b"after")
    assert seen == [(0o600, 0o640)]


@pytest.mark.parametrize("owner", [pytest.param(SOMEBODY, marks=as_root), None])
def test_the_backup_is_for_the_owner_alone(file, owner):
    if owner is not None:
        os.chown(file, owner, owner)
    backup = Path(_safe_files.replace(snapshot_of(file), b"after", backup=True) or "")
    assert backup.parent == file.parent
    assert backup.name.startswith(".netrc.")
    assert backup.read_bytes() == b"before\r\n\xff"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert backup.stat().st_uid == file.stat().st_uid


def test_a_link_stays_one_and_its_file_is_replaced(file):
    link = file.parent / "link"
    link.symlink_to(".netrc")
    snapshot = snapshot_of(link)
    _safe_files.replace(snapshot, b"after")
    assert link.is_symlink()
    assert (snapshot.path, file.read_bytes()) == (file, b"after")


@pytest.mark.parametrize("how", ["written", "replaced", "removed"])
def test_a_change_that_comes_in_between_is_not_lost(file, how):
    snapshot = snapshot_of(file)
    if how == "written":
        file.write_bytes(b"AFTER!\r\n\xff")
    elif how == "replaced":
        other = file.with_name("other")
        other.write_bytes(b"before\r\n\xff")
        other.replace(file)
    else:
        file.unlink()
    expected = file.read_bytes() if file.exists() else None
    with pytest.raises(FileError, match="was changed meanwhile, so it was not written") as caught:
        _safe_files.replace(snapshot, b"after", backup=True)
    assert caught.value.reason == "changed"
    assert (file.read_bytes() if file.exists() else None) == expected
    assert [path.name for path in file.parent.iterdir()] == ([".netrc"] if expected else [])


def test_git_s_lock_is_waited_for(file):
    lock = file.with_name(".netrc.lock")
    lock.touch()
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    _safe_files.replace(snapshot_of(file), b"after")
    timer.join()
    assert file.read_bytes() == b"after"


@pytest.mark.parametrize("lock", ["file", "dangling link"])
def test_a_lock_is_seen_before_it_is_tried(file, lock, monkeypatch):
    monkeypatch.setattr(_safe_files, "_PATIENCE", 0.1)
    path = file.with_name(".netrc.lock")
    path.touch() if lock == "file" else path.symlink_to("nowhere")
    with pytest.raises(FileError, match=r"\.netrc\.lock exists") as caught:
        _safe_files.require_replaceable(snapshot_of(file))
    assert caught.value.reason == "locked"


def test_a_lock_that_goes_is_no_obstacle(file):
    lock = file.with_name(".netrc.lock")
    lock.touch()
    timer = threading.Timer(0.3, lock.unlink)
    timer.start()
    _safe_files.require_replaceable(snapshot_of(file))
    timer.join()
    assert not lock.exists()


def test_a_backup_that_fails_leaves_nothing_behind(file, monkeypatch):
    """It would be a second place with the secret, that nobody knows of."""
    snapshot, sync, seen = snapshot_of(file), os.fsync, []

    def fail_second(descriptor: int) -> None:
        seen.append(descriptor)
        if len(seen) == 2:
            raise OSError(28, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_second)
    with pytest.raises(FileError, match="No space left on device"):
        _safe_files.replace(snapshot, b"after", backup=True)
    assert [(path.name, path.read_bytes()) for path in file.parent.iterdir()] == [(".netrc", b"before\r\n\xff")]


def test_another_backup_of_the_same_name_is_left_alone(file, monkeypatch):
    monkeypatch.setattr(_safe_files.time, "strftime", lambda _form: "now")
    first = Path(_safe_files.replace(snapshot_of(file), b"after", backup=True) or "")
    with pytest.raises(FileError, match="File exists"):
        _safe_files.replace(snapshot_of(file), b"later", backup=True)
    assert (first.read_bytes(), file.read_bytes()) == (b"before\r\n\xff", b"after")


def test_a_file_that_is_in_place_is_no_failure_whatever_its_directory_says(file, monkeypatch):
    sync = os.fsync

    def fail_on_directories(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(22, "Invalid argument")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_on_directories)
    assert _safe_files.replace(snapshot_of(file), b"after") is None
    assert file.read_bytes() == b"after"


def test_a_lock_that_stays_is_respected(file, monkeypatch):
    monkeypatch.setattr(_safe_files, "_PATIENCE", 0.1)
    lock = file.with_name(".netrc.lock")
    lock.write_text("git's")
    with pytest.raises(FileError, match=r"\.netrc\.lock exists: .* remove the lock, then run the task again"):
        _safe_files.replace(snapshot_of(file), b"after")
    assert (lock.read_text(), file.read_bytes()) == ("git's", b"before\r\n\xff")


@pytest.mark.parametrize("call", ["fsync", "replace", "fchmod"])
def test_when_writing_fails_everything_is_as_before(file, call, monkeypatch):
    def fail(*_arguments: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    snapshot = snapshot_of(file)
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(FileError, match=r"cannot be replaced: No space left on device\."):
        _safe_files.replace(snapshot, b"after", backup=call == "replace")
    assert [(path.name, path.read_bytes()) for path in file.parent.iterdir()] == [(".netrc", b"before\r\n\xff")]


def refuse_hard_link(file: Path) -> None:
    file.with_name("second").hardlink_to(file)


def refuse_read_only(file: Path) -> None:
    file.chmod(0o444)


@pytest.mark.parametrize(
    ("prepare", "reason", "sentence"),
    [
        (refuse_hard_link, "hard_link", "has 2 hard links"),
        (refuse_read_only, "read_only", r"is read-only\. Make it writable"),
    ],
)
def test_what_is_not_replaced_says_so_before_it_is_tried(file, prepare, reason, sentence):
    prepare(file)
    snapshot = snapshot_of(file)
    for attempt in (_safe_files.require_replaceable, lambda it: _safe_files.replace(it, b"after")):
        with pytest.raises(FileError, match=sentence) as caught:
            attempt(snapshot)
        assert caught.value.reason == reason
    assert file.read_bytes() == b"before\r\n\xff"


@pytest.mark.parametrize("writable", [True, False])
def test_a_directory_that_is_not_writable_is_seen_beforehand(file, writable, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_arguments, **_options: writable)
    snapshot = snapshot_of(file)
    if writable:
        _safe_files.require_replaceable(snapshot)
        return
    with pytest.raises(FileError, match="its directory is not writable for the user that runs the module"):
        _safe_files.require_replaceable(snapshot)


def test_a_file_of_another_user_takes_its_owner_or_root(file, monkeypatch):
    snapshot = snapshot_of(file)
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    with pytest.raises(FileError, match="belongs to another user"):
        _safe_files.require_replaceable(snapshot)


@pytest.mark.parametrize("name", ["missing", "missing/file", "dangling"])
def test_what_is_not_there_is_told_apart(home, name):
    (home / "dangling").symlink_to("nowhere")
    with pytest.raises(MissingError):
        _safe_files.read(str(home / name), root_of(home))


@pytest.mark.parametrize("what", ["directory", "pipe", "loop", "large"])
def test_what_is_no_file_of_credentials_is_not_read(home, what, monkeypatch):
    path = home / ".netrc"
    if what == "directory":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(".netrc")
    else:
        monkeypatch.setattr(_safe_files, "LARGEST", 10)
        path.write_text("x" * 11)
    with pytest.raises(FileError) as caught:
        _safe_files.read(str(path), root_of(home))
    assert not isinstance(caught.value, MissingError)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    path = tmp_path / "elsewhere"
    path.mkdir()
    (path / "target").write_text("a secret of somebody")
    return path / "target"


@as_root
@pytest.mark.parametrize("through", ["file", "directory"])
@pytest.mark.parametrize("theirs", [True, False])
def test_root_follows_a_link_out_of_a_home_only_to_a_file_of_its_owner(home, elsewhere, through, theirs):
    os.chown(home, SOMEBODY, SOMEBODY)
    if theirs:
        os.chown(elsewhere, SOMEBODY, SOMEBODY)
    if through == "file":
        (home / ".netrc").symlink_to(elsewhere)
    else:
        (home / ".config").symlink_to(elsewhere.parent)
    path = home / ".netrc" if through == "file" else home / ".config" / "target"
    if theirs:
        assert _safe_files.read(str(path), root_of(home)).path == elsewhere
        return
    with pytest.raises(FileError, match="to a file of another user, which root does not follow") as caught:
        _safe_files.read(str(path), root_of(home))
    assert caught.value.reason == "link"


ANOTHER = SOMEBODY + 1


@as_root
@pytest.mark.parametrize(
    ("maker", "owner", "followed"),
    [(0, SOMEBODY, True), (SOMEBODY, SOMEBODY, True), (SOMEBODY, 0, False), (SOMEBODY, ANOTHER, False)],
)
@pytest.mark.parametrize("what", ["file", "directory", "root", "above the root", "chain"])
def test_root_follows_a_link_of_root_or_of_the_owner_of_what_it_leads_to(tmp_path, what, maker, owner, followed):
    target = tmp_path / "target"
    (target / "below").mkdir(parents=True)
    (target / "below" / ".netrc").write_text("x")
    for path in (target, target / "below", target / "below" / ".netrc"):
        os.chown(path, owner, owner)
    os.chown(tmp_path, owner, owner)
    link, leads = tmp_path / "link", target / "below" / ".netrc" if what == "file" else target
    if what == "chain":
        (tmp_path / "second").symlink_to("target")
        leads = tmp_path / "second"
    link.symlink_to(leads)
    os.lchown(link, maker, maker)
    through = {"file": link, "above the root": link / "below"}.get(what, link / "below" / ".netrc")

    def follow() -> None:
        if what in ("root", "above the root"):
            assert _safe_files.root(str(link if what == "root" else through)).owner == owner
        else:
            assert _safe_files.read(str(through), root_of(tmp_path)).data == b"x"

    if followed:
        follow()
        return
    with pytest.raises(FileError, match=f"contains the link {link} to") as caught:
        follow()
    assert caught.value.reason == "link"


@as_root
@pytest.mark.parametrize(("referrer", "read"), [(0, True), (SOMEBODY, True), (ANOTHER, False)])
def test_what_a_file_refers_to_is_like_what_a_link_leads_to(file, referrer, read):
    os.chown(file, SOMEBODY, SOMEBODY)
    if read:
        assert _safe_files.read(str(file), root_of(file.parent), referrer).data == b"before\r\n\xff"
        return
    with pytest.raises(FileError, match="is named by a file of another user") as caught:
        _safe_files.read(str(file), root_of(file.parent), referrer)
    assert caught.value.reason == "link"


@pytest.mark.parametrize("text", ["target", "./target", "../home/target", "a/../target", "{home}/target"])
def test_a_link_leads_where_the_system_says(home, text):
    (home / "target").write_text("x")
    (home / "a").mkdir()
    (home / "deep").mkdir()
    (home / "link").symlink_to(text.format(home=home))
    (home / "deep" / "second").symlink_to("../link")
    for path in (home / "link", home / "deep" / "second", home / "deep" / ".." / "link"):
        assert _safe_files.resolved(str(path)) == path.resolve() == home / "target"


def test_links_in_circles_end(home):
    (home / "a").symlink_to("b/c")
    (home / "b").symlink_to("a/d")
    with pytest.raises(FileError, match="links are circular"):
        _safe_files.resolved(str(home / "a" / "x"))


def test_anybody_else_may_follow_it_with_the_rights_one_has(home, elsewhere, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: SOMEBODY)
    (home / ".netrc").symlink_to(elsewhere)
    assert _safe_files.read(str(home / ".netrc"), root_of(home)).path == elsewhere


@pytest.mark.parametrize("what", ["file", "directory"])
def test_a_link_that_is_swapped_in_after_looking_is_not_followed(file, elsewhere, what):
    """Between reading and writing, the owner of the home puts a link where the file or its directory was."""
    snapshot = snapshot_of(file)
    if what == "file":
        file.unlink()
        file.symlink_to(elsewhere)
    else:
        file.parent.rename(file.parent.with_name("away"))
        elsewhere.rename(elsewhere.with_name(".netrc"))
        file.parent.symlink_to(elsewhere.parent)
    with pytest.raises(FileError):
        _safe_files.replace(snapshot, b"after")
    left = elsewhere if what == "file" else elsewhere.with_name(".netrc")
    assert left.read_text() == "a secret of somebody"


def test_a_directory_through_which_one_may_only_pass_is_no_obstacle(home, tmp_path):
    assert (tmp_path / "home").is_dir()
    nested = home / "a" / "b"
    nested.mkdir(parents=True)
    (nested / ".netrc").write_text("x")
    assert _safe_files.read(str(nested / ".netrc"), root_of(home)).data == b"x"


@pytest.mark.parametrize(("make", "sentence"), [(False, "does not exist"), (True, "is not a directory")])
def test_what_is_searched_is_a_directory(tmp_path, make, sentence):
    path = tmp_path / "x"
    if make:
        path.touch()
    with pytest.raises(FileError, match=sentence):
        _safe_files.root(str(path))
