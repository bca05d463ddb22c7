"""Files that git's configuration names are found where git itself looks for them."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import _git_config, _places
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files._references import (
    CONFIG,
    HOME,
    UNKNOWN,
    WORK_TREE,
    Reference,
    of_helper,
    of_include,
)

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

SECRET = "correct-horse"
HOST = "bitbucket.org"
# What `credential.helper` may be, and the file that it has git read: below the home, or below the work tree.
HELPERS = [
    ("store --file ~/kept", "home/kept"),
    ("store --file=$HOME/kept", "home/kept"),
    ("store --file $HOME/kept", "home/kept"),
    ("store --file ${HOME}/kept", "home/kept"),
    ('store --file "$HOME/with blank"', "home/with blank"),
    ('store --file="${HOME}/with blank"', "home/with blank"),
    ('store --file "$HOME"/"with blank"', "home/with blank"),
    ("store --file $HOME'/with blank'", "home/with blank"),
    ("store --file ~/'with blank'", "home/with blank"),
    ("store --file ~/with\\ blank", "home/with blank"),
    ("store   --file   ~/kept", "home/kept"),
    ("store\t--file\t~/kept", "home/kept"),
    ("store --file ~/first --file ~/kept", "home/kept"),
    ("store --fil ~/kept", "home/kept"),
    ("store --f=$HOME/kept", "home/kept"),
    ("store '--file' ~/kept", "home/kept"),
    ("store --file {home}/kept", "home/kept"),
    ("store --file '{home}/kept'", "home/kept"),
    ("{core}/git-credential-store --file ~/kept", "home/kept"),
    ("{core}/git-credential-store --file='{home}/kept'", "home/kept"),
    ("!git credential-store --file ~/kept", "home/kept"),
    ("! git credential-store --file ~/kept", "home/kept"),
    ("!git-credential-store --file ~/kept", "home/kept"),
    ("!{core}/git-credential-store --file ~/kept", "home/kept"),
    ("!'{core}/git' credential-store --file ~/kept", "home/kept"),
    ('!"{core}/git-credential-store" --file "$HOME/kept"', "home/kept"),
    ("!LC_ALL=C git credential-store --file ~/kept", "home/kept"),
    ("!env LC_ALL=C git credential-store --file ~/kept", "home/kept"),
    ('!f() { git credential-store --file ~/kept "$@"; }; f', "home/kept"),
    ("!test -d / && git credential-store --file ~/kept", "home/kept"),
    ("!HOME=$HOME/other git credential-store", "home/other/.git-credentials"),
    ("!HOME=~/other git credential-store", "home/other/.git-credentials"),
    ("!HOME='{home}/other' git credential-store", "home/other/.git-credentials"),
    ('!XDG_CONFIG_HOME="$HOME/other" git credential-store', "home/other/git/credentials"),
    ("!env HOME=$HOME/other git credential-store", "home/other/.git-credentials"),
    ("!HOME=/nowhere git credential-store --file $HOME/kept", "home/kept"),
    # A tilde is one character of a name unless it begins a word and is not in quotes.
    ("store --file=~/kept", "work/~/kept"),
    ("store --file '~/kept'", "work/~/kept"),
    ('store --file "~/kept"', "work/~/kept"),
    ("store --file kept", "work/kept"),
    ("store --file ./sub/kept", "work/sub/kept"),
    ("store --file '$HOME/kept'", "work/$HOME/kept"),
    ('store --file "\\$HOME/kept"', "work/$HOME/kept"),
]


def git(tmp_path: Path, *command: str, stdin: str = "") -> str:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        **{"HOME": str(tmp_path / "home"), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"},
    }
    for name in ("XDG_CONFIG_HOME", "HOMER", "SSH_ASKPASS"):
        environment.pop(name, None)
    run = subprocess.run(
        ["git", *command],
        input=stdin,
        env=environment,
        cwd=tmp_path / "work",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return run.stdout


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A home, and a repository in which git runs."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    git(tmp_path, "init", "--quiet")
    return tmp_path


def told(place: Path, helper: str) -> str:
    return helper.replace("{home}", str(place / "home")).replace("{core}", git(place, "--exec-path").strip())


def kept(place: Path, name: str) -> Path:
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"https://jdoe:{SECRET}@{HOST}\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("written", ["home", "work"])
@pytest.mark.parametrize(("helper", "name"), HELPERS)
def test_the_file_of_a_helper_is_found_where_git_finds_it(place, helper, name, written):
    file = kept(place, name)
    git(place, "config", "--global" if written == "home" else "--local", "credential.helper", told(place, helper))
    assert f"password={SECRET}" in git(place, "credential", "fill", stdin=f"protocol=https\nhost={HOST}\n\n")
    search = _places.Search()
    search.home(str(place / "home"))
    search.below(str(place), 3)
    found = [item for item in search.files if item.snapshot.path == file]
    unknown = written == "home" and name.startswith("work")
    assert [item.kind for item in found] == ([] if unknown else ["git_credentials"])
    assert [entry.reason for entry in search.skipped] == ["outside"] * unknown, "the configuration does not tell"


def test_an_include_is_next_to_a_link_as_for_git(place):
    home = place / "home"
    (home / "dotfiles").mkdir()
    (home / "dotfiles" / "gitconfig").write_text("[include]\n\tpath = more\n", encoding="utf-8")
    (home / ".gitconfig").symlink_to("dotfiles/gitconfig")
    for name in ("more", "dotfiles/more"):
        (home / name).write_text(f"[user]\n\tname = {name}\n", encoding="utf-8")
    assert git(place, "config", "user.name") == "more\n"
    search = _places.Search()
    search.home(str(home))
    assert [item.path for item in search.files] == [str(home / ".gitconfig"), str(home / "more")]


def test_a_helper_of_one_server_is_read_too(place):
    file = kept(place, "home/kept")
    git(place, "config", "--global", f"credential.https://{HOST}.helper", 'store --file "$HOME/kept"')
    assert SECRET in git(place, "credential", "fill", stdin=f"protocol=https\nhost={HOST}\n\n")
    search = _places.Search()
    search.home(str(place / "home"))
    assert file in [item.snapshot.path for item in search.files]


@pytest.mark.parametrize(
    ("helper", "expected"),
    [
        ("store --file ~/kept", [Reference("~/kept", "kept", HOME)]),
        ("store --file /kept", [Reference("/kept", "/kept", WORK_TREE)]),
        ("store --file ~other/kept", [Reference("$other/kept", "", UNKNOWN)]),
        ("store --file $USER/kept", [Reference("$USER/kept", "", UNKNOWN)]),
        ("store --file /homes/$USER/kept", [Reference("/homes/$USER/kept", "", UNKNOWN)]),
        ("store --file $(pwd)/kept", [Reference("$", "", UNKNOWN)]),
        ("store --file `pwd`/kept", [Reference("$pwd$/kept", "", UNKNOWN)]),
        ("store --file /a/$HOME", [Reference("/a/~", "", UNKNOWN)]),
        ("store --file ''", [Reference("", "", UNKNOWN)]),
        ("store --file ~/a --file=/b", [Reference("~/a", "a", HOME), Reference("/b", "/b", WORK_TREE)]),
        ("store --file", []),
        ("!HOME=/other git credential-cache", []),
        ("store", []),
        ("cache --file ~/kept", []),
        ("!cat ~/kept", []),
        ("!git credential-cache --file ~/kept; true", []),
        ("!git credential-store; cat --file ~/kept", []),
        ("", []),
    ],
)
def test_what_the_command_of_a_helper_names(helper, expected):
    assert of_helper(helper) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("~/a", ("a", HOME)),
        ("a", ("a", CONFIG)),
        ("/a", ("/a", CONFIG)),
        ("~b/a", ("~b/a", UNKNOWN)),
        ("%(prefix)/a", ("%(prefix)/a", UNKNOWN)),
        ("$HOME/a", ("$HOME/a", CONFIG)),
    ],
)
def test_an_include_is_no_command(path, expected):
    assert of_include(path)[1:] == expected


def test_below_a_path_the_home_is_that_of_the_files_owner(place):
    """A directory of repositories is nobody's home."""
    put = place / "work" / ".git" / "config"
    put.write_text("[credential]\n\thelper = store --file ~/kept\n", encoding="utf-8")
    kept(place, "work/kept")
    search = _places.Search()
    search.below(str(place), 3)
    assert [item.snapshot.path for item in search.files] == [put]
    assert [(entry.path, entry.reason) for entry in search.skipped] == [("~/kept", "outside")]
    assert not Path(pwd.getpwuid(os.geteuid()).pw_dir).is_relative_to(place)


def test_a_path_that_only_the_shell_knows_is_listed(place):
    git(place, "config", "--global", "credential.helper", "store --file /srv/$USER/kept")
    search = _places.Search()
    search.home(str(place / "home"))
    ((path, reason, msg),) = search.skipped
    assert (path, reason) == ("/srv/$USER/kept", "outside")
    assert "add it to `paths`" in msg


def test_quotes_of_the_configuration_itself_are_read_first():
    (found,) = _git_config.stores('[credential]\n\thelper = "store --file \\"$HOME/with blank\\""\n')
    assert found == Reference("~/with blank", "with blank", HOME)
