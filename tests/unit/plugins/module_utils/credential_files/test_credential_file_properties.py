"""What holds for any text, and where our reading must be git's own, or the standard library's."""

from __future__ import annotations

import functools
import netrc
import os
import shutil
import subprocess
import typing as t
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import (
    _credential_files,
    _entries,
    _git_config,
    _git_credentials,
    _netrc,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files._credential_files import (
    GIT_CONFIG,
    GIT_CREDENTIALS,
    NETRC,
    OTHER,
)

KINDS = [GIT_CREDENTIALS, NETRC, GIT_CONFIG, OTHER]
DEAD = "ATBBw0rthl3ssw0rthl3ss0badcafe"
USER, TOKEN = "x-bitbucket-api-token-auth", "ATATT3xFfGF0nothing-real=0BADCAFE"

# Bits of which files of credentials are made, and bits that have no business there.
BITS = [
    *(
        "https://",
        "http://",
        "@",
        ":",
        "/",
        "?",
        "bitbucket.org",
        "api.bitbucket.org",
        "github.com",
        "jdoe",
        DEAD,
        TOKEN,
    ),
    *("machine ", "default ", "login ", "password ", "account ", "macdef ", "#", '"', "\\", "'", "%", "%40", "%zz"),
    *("[remote", "[http", ' "', '"]', "]", "url = ", "extraHeader = ", "Authorization: ", "Basic ", "Bearer ", ";"),
    *(" ", "\t", "\n", "\r\n", "\r", "\n\n", "\\\n", "\ufeff", "\x00", "\udcff", "é", "𝄞"),
    "amRvZTpBVEJCdzBydGhsM3NzdzBydGhsM3NzMGJhZGNhZmU=",
]
texts = st.lists(st.one_of(st.sampled_from(BITS), st.text(max_size=3)), max_size=40).map("".join)
kinds = st.sampled_from(KINDS)
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def edits_of(entry: _entries.CredentialEntry, how: str) -> _entries.Edits:
    if how == "removal":
        return entry.removal or ()
    return entry.replacement(USER, TOKEN) if entry.replacement else ()


def pieces(text: str, edits: t.Iterable[_entries.Edit]) -> str:
    """What stands between the edits: each character that no edit covers, in order."""
    covered = {place for edit in edits for place in range(edit.start, edit.end)}
    return "".join(character for place, character in enumerate(text) if place not in covered)


@given(texts, kinds)
@settings(max_examples=400, deadline=None)
def test_any_text_is_read_and_its_secrets_are_where_they_are_said_to_be(text, kind):
    for entry in _credential_files.entries(text, kind):
        assert entry.secret
        assert 0 <= entry.start < entry.end <= len(text)
        for edit in (*edits_of(entry, "removal"), *edits_of(entry, "replacement")):
            assert 0 <= edit.start <= edit.end <= len(text)


@given(texts, kinds, st.sampled_from(["removal", "replacement"]), st.data())
@settings(max_examples=400, deadline=None)
def test_everything_but_the_entry_stays(text, kind, how, data):
    entries = _credential_files.entries(text, kind)
    chosen = [entry for entry in entries if data.draw(st.booleans())]
    edits = [edit for entry in chosen for edit in edits_of(entry, how)]
    after = _entries.apply(text, edits)
    kept = pieces(text, edits)
    if how == "removal":
        assert after == kept
    else:
        # What is left is there in order, with only new logins between.
        rest = iter(after)
        assert all(character in rest for character in kept)
    assert after.encode("utf-8", "surrogatepass").count(b"\n") <= text.count("\n")


@given(texts, kinds)
@settings(max_examples=400, deadline=None)
def test_an_entry_that_was_removed_is_gone(text, kind):
    """One after another, since what is left may be read in another way: a comment that was none, say."""
    for _round in range(20):
        known = [entry for entry in _credential_files.entries(text, kind) if entry.removal]
        if not known:
            return
        after = _entries.apply(text, known[0].removal or ())
        assert len(after) < len(text)
        text = after


simple = st.text("abcXYZ019-._", min_size=1, max_size=6)
# Machines with some logins each, written with the login first or the password first.
machines = st.lists(st.lists(st.tuples(simple, simple, st.booleans()), max_size=3), max_size=4)


def machine(number: int, logins: list[tuple[str, str, bool]], blank: str) -> str:
    # With two orders in one machine, whose login is whose is not for certain.
    first = logins[0][2] if logins else False
    pairs = [(f"login u{user}", f"password {secret}") for user, secret, _first in logins]
    return blank.join([f"machine host{number}.test", *(word for pair in pairs for word in pair[:: 1 if first else -1])])


@given(machines, st.sampled_from([" ", "\n", "\n  ", "\r\n"]), st.data())
def test_whoever_is_not_meant_keeps_user_and_secret(given_machines, blank, data):
    text = "\n".join(machine(number, logins, blank) for number, logins in enumerate(given_machines))
    expected = [
        (f"host{number}.test", f"u{user}", secret)
        for number, logins in enumerate(given_machines)
        for user, secret, _first in logins
    ]
    entries = list(_netrc.entries(text))
    assert [(entry.host, entry.user, entry.secret) for entry in entries] == expected
    meant = [entry for entry in entries if data.draw(st.booleans())]
    after = _entries.apply(text, _entries.removals(meant))
    left = [(entry.host, entry.user, entry.secret) for entry in entries if entry not in meant]
    assert [(entry.host, entry.user, entry.secret) for entry in _netrc.entries(after)] == left
    assert after.count("machine ") == sum(
        not logins or f"host{number}.test" in {host for host, _user, _secret in left}
        for number, logins in enumerate(given_machines)
    )


@given(st.binary(max_size=200))
def test_any_bytes_come_back(data):
    text = data.decode("utf-8", "surrogateescape")
    assert _entries.apply(text, []).encode("utf-8", "surrogateescape") == data


words = st.text("abcXYZ019-._~!$&'()*+,;=@:%/?#[] é", min_size=1, max_size=12)
hosts = st.sampled_from(["bitbucket.org", "github.com", "api.bitbucket.org", "bitbucket.example.com:7990"])
credentials = st.lists(st.tuples(words, words, hosts), min_size=1, max_size=6)


def git(*command: str, stdin: str = "") -> str:
    """Git itself, without anybody's configuration."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    run = subprocess.run(
        ["git", *command], input=stdin.encode(), env=environment, capture_output=True, check=False, timeout=60
    )
    return run.stdout.decode("utf-8", "surrogateescape") if run.returncode == 0 else ""


def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated") / "file"


@needs_git
@given(logins=credentials)
@settings(max_examples=25, deadline=None)
def test_what_git_stores_is_what_we_read(logins, tmp_path_factory):
    file = scratch(tmp_path_factory)
    for user, secret, host in logins:
        git("credential-store", "--file", str(file), "store", stdin=credential(user, secret, host))
    found = list(_git_credentials.entries(file.read_text(encoding="utf-8")))
    # Git puts the newest first, and keeps one for each user and host.
    assert {(e.user, e.secret, e.host) for e in found} <= {(user, secret, bare(host)) for user, secret, host in logins}
    assert {(e.user, e.host) for e in found} == {(user, bare(host)) for user, _secret, host in logins}


@needs_git
@given(logins=credentials, data=st.data())
@settings(max_examples=25, deadline=None)
def test_git_finds_what_we_left_and_what_we_put_there(logins, data, tmp_path_factory):
    logins = list({(user, host): (user, secret, host) for user, secret, host in logins}.values())
    text = "".join(f"https://{quote(user, safe='')}:{quote(secret, safe='')}@{host}\n" for user, secret, host in logins)
    entries = list(_git_credentials.entries(text))
    number = data.draw(st.integers(0, len(logins) - 1))
    file = scratch(tmp_path_factory)
    for how in ("removal", "replacement"):
        edits = edits_of(entries[number], how)
        file.write_text(_entries.apply(text, edits), encoding="utf-8")
        for place, (user, secret, host) in enumerate(logins):
            expected = "" if place == number else secret
            assert stored(file, user, host) == expected
        host = logins[number][2]
        assert stored(file, USER, host) == (TOKEN if how == "replacement" else "")


def credential(user: str, secret: str, host: str) -> str:
    return f"protocol=https\nhost={host}\nusername={user}\npassword={secret}\n\n"


def stored(file: Path, user: str, host: str) -> str:
    asked = f"protocol=https\nhost={host}\nusername={user}\n\n"
    answer = git("credential-store", "--file", str(file), "get", stdin=asked)
    fields = dict(line.partition("=")[::2] for line in answer.splitlines())
    return fields.get("password", "")


def bare(host: str) -> str:
    return host.partition(":")[0]


names = st.sampled_from(["url", "pushurl", "insteadOf", "extraHeader", "x-1", "A"])
subsections = st.one_of(st.none(), st.text('aB./:@ #;]\\"é', max_size=8))
fragments = st.sampled_from(
    [
        *(
            "https://",
            "jdoe",
            ":",
            "s3cret",
            "@",
            "bitbucket.org",
            "/x",
            " ",
            "\t",
            "  ",
            "\\\n",
            "\\\r\n",
            '\\"',
            "\\\\",
        ),
        *("\\t", "\\n", "\\b", '"', "#", ";", "é", "[", "=", "\r"),
    ]
)
anything = st.lists(fragments, max_size=10).map("".join)
inside = st.lists(st.sampled_from(["s3cret", " ", "\\\n", "\\\\", '"x"', '" "', "é"]), min_size=1, max_size=5).map(
    "".join
)
urls = inside.map(lambda secret: f"https://jdoe:{secret}@bitbucket.org/x")
values = st.one_of(anything, urls, urls.map(lambda url: f'"{url}"' if '"' not in url else url))
endings = st.sampled_from(["\n", "\r\n", " # a comment\n", "\t;\r\n", "\n\n  \n"])


@st.composite
def configs(draw: st.DrawFn) -> str:
    """Mostly such as git takes; what it refuses is left out where its opinion counts."""
    lines = [draw(st.sampled_from(["", "\ufeff", "# first\n", "\n"]))]
    for _section in range(draw(st.integers(1, 3))):
        name, sub = draw(st.sampled_from(["remote", "http", "URL", "core", "a-b"])), draw(subsections)
        escaped = None if sub is None else sub.replace("\\", "\\\\").replace('"', '\\"')
        header = f"[{name}]" if escaped is None else f'[{name} "{escaped}"]'
        lines.append(header + draw(st.sampled_from(["\n", "", "  ", "\r\n"])))
        for _key in range(draw(st.integers(1, 3))):
            equals = draw(st.sampled_from([" = ", "=", "\t=\t"]))
            lines.append(f"{draw(st.sampled_from(['', '  ']))}{draw(names)}{equals}{draw(values)}{draw(endings)}")
    return "".join(lines).removesuffix(draw(st.sampled_from(["", "\n"])))


def listed(file: Path, text: str) -> list[tuple[str, str]]:
    """As git reads it; some versions put a blank in place of other white space between words."""
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    answer = git("config", "--list", "--null", "--file", str(file))
    pairs = (item.partition("\n")[::2] for item in answer.split("\0") if item)
    return [(name, plain(value)) for name, value in pairs]


def ours(text: str) -> list[tuple[str, str]]:
    items = [part for part in _git_config.parse(text) if isinstance(part, _git_config.Item)]
    return [(item.name, plain(item.value.text if item.value else "")) for item in items]


def plain(value: str) -> str:
    return value.replace("\t", " ").replace("\r", " ")


@needs_git
@given(text=configs())
@settings(max_examples=60, deadline=None)
def test_git_reads_the_same_configuration(text, tmp_path_factory):
    theirs = listed(scratch(tmp_path_factory), text)
    assume(theirs)
    assert ours(text) == theirs


@needs_git
@given(text=configs(), how=st.sampled_from(["removal", "replacement"]))
@settings(max_examples=60, deadline=None)
def test_git_still_reads_what_was_changed(text, how, tmp_path_factory):
    file = scratch(tmp_path_factory)
    before = listed(file, text)
    entries = list(_git_config.entries(text))
    assume(before and entries)
    after = listed(file, _entries.apply(text, [edit for entry in entries for edit in edits_of(entry, how)]))
    secrets = {entry.secret for entry in entries}
    untouched = [pair for pair in before if not any(has_login(part) for part in pair)]
    assert [pair for pair in after if pair in untouched] == untouched
    if how == "replacement":
        assert len(after) == len(before)
    left = [value for _name, value in after for login in _entries.in_value(value) if login.secret in secrets - {TOKEN}]
    assert left == []


def has_login(text: str) -> bool:
    return "@" in text


tokens = st.text("abcXYZ019-._~!$&'()*+,;=@:%/?é[]{}", min_size=1, max_size=10)
quoted = st.text('abc #"\\', min_size=1, max_size=8)


@st.composite
def netrcs(draw: st.DrawFn) -> str:
    """Files that the standard library takes, in many layouts."""
    parts = []
    blank = functools.partial(draw, st.sampled_from([" ", "\n", "\t", "\n  ", "\r\n", "  "]))
    for _machine in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["machine", "machine", "machine", "comment", "macdef", "default"]))
        if kind == "comment":
            parts.append(f"\n# {draw(tokens)} machine x login y\n")
        elif kind == "macdef":
            parts.append(f"\nmacdef {draw(tokens)}\nmachine x login y password z\n\n")
        else:
            parts.append(f"machine{blank()}{draw(hosts)}" if kind == "machine" else "default")
            for key in draw(st.permutations(["login", "password", "account"])):
                value = draw(tokens) if draw(st.booleans()) else in_quotes(draw(quoted))
                parts.append(f"{blank()}{key}{blank()}{value}")
            parts.append(draw(st.sampled_from(["\n", " ", "\r\n", "\n\n"])))
    return "".join(parts)


def in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def parsed(file: Path, text: str) -> dict[str, tuple[str, str]] | None:
    file.write_text(text, encoding="utf-8", newline="")
    try:
        hosts = netrc.netrc(str(file)).hosts
    except netrc.NetrcParseError:
        return None
    return {host: (str(login), str(password)) for host, (login, _account, password) in hosts.items()}


@given(text=netrcs())
@settings(max_examples=150, deadline=None)
def test_the_standard_library_reads_the_same_netrc(text, tmp_path_factory):
    theirs = parsed(scratch(tmp_path_factory), text)
    assume(theirs is not None)
    found = {}
    for machine in _netrc.machines(text):
        secret = machine.secrets()[-1]
        found[machine.name or "default"] = (secret.login[1].value if secret.login else "", secret.password.value)
    assert found == theirs


@given(text=netrcs(), how=st.sampled_from(["removal", "replacement"]), data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_standard_library_still_reads_what_was_changed(text, how, data, tmp_path_factory):
    file = scratch(tmp_path_factory)
    before = parsed(file, text)
    assume(before)
    host = data.draw(st.sampled_from(sorted(before or {})))
    machines = _netrc.machines(text)
    entries = [e for e in _netrc.entries(text) if e.host == (None if host == "default" else bare(host))]
    after = parsed(file, _entries.apply(text, [edit for entry in entries for edit in edits_of(entry, how)]))
    assume(after is not None)
    others = {name: login for name, login in (before or {}).items() if bare(name) != bare(host)}
    assert {name: login for name, login in (after or {}).items() if bare(name) != bare(host)} == others
    # A machine with a macro stays, without its login.
    expected = ("", "") if how == "removal" else (USER, TOKEN)
    assert (after or {}).get(host, ("", "")) == expected
    assert len(machines) >= len(entries)
