"""Which files are searched, and what is said of those that are not."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import _places

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
SOMEBODY = 4711
REMOTE = '[remote "origin"]\n\turl = https://jdoe:x@bitbucket.org/a\n'


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def found(search: _places.Search, below: Path) -> list[str]:
    return [str(Path(file.path).relative_to(below)) for file in search.files]


def reasons(search: _places.Search) -> list[tuple[str, str]]:
    return [(Path(entry.path).name, entry.reason) for entry in search.skipped]


def repository(path: Path) -> Path:
    """What git makes of a directory, as far as it matters here."""
    put(path / ".git" / "HEAD")
    put(path / ".git" / "config", REMOTE)
    (path / ".git" / "objects").mkdir()
    return path


def test_a_home_is_searched_for_what_is_known_and_nothing_else(tmp_path):
    names = [".git-credentials", ".config/git/credentials", ".netrc", ".gitconfig", ".config/git/config"]
    for name in [*names, ".bashrc", "project/.netrc"]:
        put(tmp_path / name)
    search = _places.Search()
    search.home(str(tmp_path))
    assert (found(search, tmp_path), search.skipped) == (names, [])
    assert [file.kind for file in search.files] == [
        *("git_credentials", "git_credentials", "netrc", "git_config", "git_config")
    ]


def test_an_empty_home_is_no_trouble(tmp_path):
    search = _places.Search()
    search.home(str(tmp_path))
    assert (search.files, search.skipped) == ([], [])


def test_a_pattern_is_every_home_that_matches(tmp_path):
    for name in ("b", "a"):
        put(tmp_path / name / ".netrc")
    put(tmp_path / "file")
    search = _places.Search()
    search.home(f"{tmp_path}/*")
    assert found(search, tmp_path) == ["a/.netrc", "b/.netrc"]
    search.home(f"{tmp_path}/x*")
    assert [entry.reason for entry in search.skipped] == ["missing"]


@pytest.mark.parametrize("home", ["~no-such-user-here", "/no/such/home"])
def test_a_home_that_is_not_there_is_listed(home):
    search = _places.Search()
    search.home(home)
    assert [(entry.path, entry.reason) for entry in search.skipped] == [(home, "missing")]


def test_a_home_that_may_not_be_entered_is_listed_once(tmp_path, monkeypatch):
    put(tmp_path / ".netrc")
    monkeypatch.setattr(os, "access", lambda *_arguments, **_options: False)
    search = _places.Search()
    search.home(str(tmp_path))
    assert (search.files, len(search.skipped)) == ([], 1)
    assert "may not enter it" in search.skipped[0].msg


def test_a_file_that_cannot_be_read_is_listed_and_the_others_are_read(tmp_path):
    (tmp_path / ".netrc").mkdir()
    put(tmp_path / ".gitconfig")
    search = _places.Search()
    search.home(str(tmp_path))
    assert (found(search, tmp_path), reasons(search)) == ([".gitconfig"], [(".netrc", "file")])


def test_a_file_with_several_names_is_read_once(tmp_path):
    put(tmp_path / "dotfiles" / "netrc", "machine x")
    (tmp_path / ".netrc").symlink_to("dotfiles/netrc")
    search = _places.Search()
    search.home(str(tmp_path))
    search.home(f"{tmp_path}/")
    search.file(str(tmp_path / "dotfiles" / "netrc"))
    assert found(search, tmp_path) == [".netrc"]


def test_what_a_configuration_refers_to_is_searched_within_the_home(tmp_path):
    home = tmp_path / "home"
    put(
        home / ".gitconfig",
        '[include]\n\tpath = ~/work/gitconfig\n\tpath = more\n\tpath = absent\n[includeIf "gitdir:~/x/"]\n'
        f"\tpath = {home}/third\n[credential]\n\thelper = store --file ~/secrets\n",
    )
    put(home / "work" / "gitconfig", "[include]\n\tpath = ../.gitconfig\n\tpath = other\n")
    for name in ("more", "third", "secrets", "work/other"):
        put(home / name)
    search = _places.Search()
    search.home(str(home))
    assert found(search, home) == [".gitconfig", "work/gitconfig", "work/other", "more", "third", "secrets"]
    assert [file.kind for file in search.files] == [*["git_config"] * 5, "git_credentials"]
    assert search.skipped == []


@pytest.mark.parametrize("target", ["/etc/gitconfig-of-all", "../sibling", "~other/x", "%(prefix)/x"])
def test_what_it_refers_to_elsewhere_is_listed_and_not_followed(tmp_path, target):
    home = tmp_path / "home"
    put(tmp_path / "sibling", REMOTE)
    put(home / ".gitconfig", f"[include]\n\tpath = {target}\n")
    search = _places.Search()
    search.home(str(home))
    assert found(search, home) == [".gitconfig"]
    assert [(entry.path, entry.reason) for entry in search.skipped] == [(target, "outside")]


@as_root
@pytest.mark.parametrize("how", ["include", "store", "gitdir", "commondir"])
@pytest.mark.parametrize("owner", [SOMEBODY, 0])
def test_root_follows_no_reference_of_a_user_to_another_s_file(tmp_path, how, owner):
    """Such a file may be below a path that is searched, and for root alone."""
    target = put(tmp_path / "private" / "config", REMOTE)
    os.chown(target, owner, owner)
    if how in ("include", "store"):
        lines = {"include": "[include]\n\tpath = ", "store": "[credential]\n\thelper = store --file "}
        mine = put(repository(tmp_path / "evil") / ".git" / "config", f"{lines[how]}{target}\n")
    elif how == "gitdir":
        mine = put(tmp_path / "evil" / ".git", "gitdir: ../private\n")
    else:
        put(tmp_path / "evil" / ".git", "gitdir: gits\n")
        mine = put(tmp_path / "evil" / "gits" / "commondir", str(target.parent))
    os.chown(mine, SOMEBODY, SOMEBODY)
    search = _places.Search()
    search.below(str(tmp_path), 6)
    followed = [file.path for file in search.files if file.snapshot.path == target]
    assert bool(followed) == (owner == SOMEBODY)
    assert [entry.reason for entry in search.skipped] == ([] if owner == SOMEBODY else ["link"])


@as_root
@pytest.mark.parametrize("option", ["home", "below", "file"])
def test_root_enters_no_directory_by_another_user_s_link(tmp_path, option):
    repository(tmp_path / "private")
    put(tmp_path / "private" / ".netrc")
    (tmp_path / "evil").symlink_to("private")
    os.lchown(tmp_path / "evil", SOMEBODY, SOMEBODY)
    search = _places.Search()
    if option == "file":
        search.file(str(tmp_path / "evil" / ".netrc"))
    else:
        getattr(search, option)(str(tmp_path / "evil"), *([6] if option == "below" else []))
    assert (search.files, [entry.reason for entry in search.skipped]) == ([], ["link"])


def test_a_file_of_any_name_can_be_named_and_is_missed_when_it_is_not_there(tmp_path):
    put(tmp_path / "deploy.env")
    search = _places.Search()
    search.file(str(tmp_path / "deploy.env"))
    search.file(str(tmp_path / "absent"))
    search.file(str(tmp_path / "no" / "folder"))
    assert [(file.kind, Path(file.path).name) for file in search.files] == [("other", "deploy.env")]
    assert reasons(search) == [("absent", "missing"), ("no", "missing")]


def test_repositories_are_found_below_a_path(tmp_path):
    for name in ("one", "two/three", "one/nested"):
        repository(tmp_path / name)
    put(tmp_path / "one" / ".git" / "config.worktree")
    put(tmp_path / "one" / ".git" / "worktrees" / "w" / "config.worktree")
    put(tmp_path / "two" / "config")
    search = _places.Search()
    search.below(str(tmp_path), 6)
    assert found(search, tmp_path) == [
        *("one/.git/config", "one/.git/config.worktree", "one/.git/worktrees/w/config.worktree"),
        *("one/nested/.git/config", "two/three/.git/config"),
    ]
    assert {file.kind for file in search.files} == {"git_config"}


@pytest.mark.parametrize(("depth", "count"), [(0, 0), (1, 0), (2, 1), (3, 2), (6, 2)])
def test_no_deeper_than_asked(tmp_path, depth, count):
    repository(tmp_path / "one")
    repository(tmp_path / "two" / "three")
    search = _places.Search()
    search.below(str(tmp_path), depth)
    assert len(search.files) == count


def test_links_to_directories_are_not_followed(tmp_path):
    repository(tmp_path / "in" / "one")
    repository(tmp_path / "out")
    (tmp_path / "in" / "loop").symlink_to(tmp_path / "in")
    (tmp_path / "in" / "away").symlink_to(tmp_path / "out")
    search = _places.Search()
    search.below(str(tmp_path / "in"), 6)
    assert found(search, tmp_path) == ["in/one/.git/config"]


@pytest.mark.parametrize("path", ["/proc", "/sys", "/dev"])
def test_file_systems_without_files_are_not_entered(path):
    search = _places.Search()
    search.below(path, 2)
    assert search.files == []


def test_a_directory_that_cannot_be_listed_is_told_of(tmp_path, monkeypatch):
    repository(tmp_path / "one")
    (tmp_path / "shut").mkdir()
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "shut":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    search = _places.Search()
    search.below(str(tmp_path), 6)
    assert (found(search, tmp_path), reasons(search)) == (["one/.git/config"], [("shut", "file")])


def git(*command: str, cwd: Path) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=x", "-c", "user.email=x@y", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *identity, *command], cwd=cwd, env=environment, check=True, capture_output=True)


@needs_git
def test_what_git_itself_makes_is_found(tmp_path):
    """A bare repository, a submodule and a worktree."""
    git("init", "--bare", "bare.git", cwd=tmp_path)
    git("init", "library", cwd=tmp_path)
    git("commit", "--allow-empty", "--message", "first", cwd=tmp_path / "library")
    git("init", "work", cwd=tmp_path)
    git("submodule", "add", str(tmp_path / "library"), "deep/library", cwd=tmp_path / "work")
    git("commit", "--all", "--message", "second", cwd=tmp_path / "work")
    git("worktree", "add", str(tmp_path / "linked"), cwd=tmp_path / "work")
    search = _places.Search()
    search.below(str(tmp_path), 6)
    assert sorted(found(search, tmp_path)) == [
        *("bare.git/config", "library/.git/config", "work/.git/config", "work/.git/modules/deep/library/config")
    ]
    assert search.skipped == []


@needs_git
def test_a_worktree_alone_says_where_its_configuration_is(tmp_path):
    git("init", "work", cwd=tmp_path)
    git("commit", "--allow-empty", "--message", "first", cwd=tmp_path / "work")
    (tmp_path / "searched").mkdir()
    git("worktree", "add", str(tmp_path / "searched" / "linked"), cwd=tmp_path / "work")
    search = _places.Search()
    search.below(str(tmp_path / "searched"), 6)
    assert [(entry.path, entry.reason) for entry in search.skipped] == [
        (str(tmp_path / "work" / ".git" / "config"), "outside")
    ]
    assert search.files == []


@pytest.mark.parametrize("method", ["home", "file"])
def test_a_path_is_absolute(method):
    with pytest.raises(InputError, match="must be absolute paths"):
        getattr(_places.Search(), method)("relative/path")
    with pytest.raises(InputError, match="`search_paths` must be absolute paths"):
        _places.Search().below("relative", 3)


@pytest.mark.parametrize("option", ["home", "below", "file"])
def test_a_secret_in_the_wrong_place_is_not_repeated(option):
    secret, search = "ATBBw0rthl3ssw0rthl3ss0badcafe", _places.Search()
    depth = [3] if option == "below" else []
    with pytest.raises(InputError) as caught:
        getattr(search, option)(secret, *depth)
    getattr(search, option)(f"/{secret}/x", *depth)
    assert secret not in str(caught.value)
    assert secret not in str([entry.describe() for entry in search.skipped])
    assert search.skipped


def test_names_that_are_no_text_can_be_shown():
    told = _places.Skipped("/a\udcff", "file", "/a\udcff cannot be read.").describe()
    assert told["path"].encode() == "/a\ufffd".encode()
    assert "\udcff" not in told["msg"]
