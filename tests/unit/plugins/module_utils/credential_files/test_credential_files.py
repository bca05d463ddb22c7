"""Secrets in files of credentials: what is found in which format, and what is left of the file without them."""

from __future__ import annotations

import base64
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files import (
    _credential_files,
    _entries,
    _git_config,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files._credential_files import (
    GIT_CONFIG,
    GIT_CREDENTIALS,
    NETRC,
    OTHER,
)

DEAD = "ATBBwh4t3v3rY0uL1k3H3r30badcafe"
TOKEN = "ATATT3xFfGF0nothing-real_in-here=0BADCAFE"
TOKEN_IN_URL = TOKEN.replace("=", "%3D")
USER = "x-bitbucket-api-token-auth"
HTTP_ACCESS_TOKEN = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"


def basic(user: str, secret: str) -> str:
    return base64.b64encode(f"{user}:{secret}".encode()).decode()


def entries(text: str, kind: str) -> list[_entries.CredentialEntry]:
    """Those for Bitbucket Cloud, and what has its shape."""
    return [
        entry
        for entry in _credential_files.entries(text, kind)
        if entry.host == "bitbucket.org" or _entries.is_shaped(entry.secret)
    ]


def removed(text: str, kind: str) -> str:
    return _entries.apply(text, _entries.removals(entries(text, kind)))


def replaced(text: str, kind: str) -> str:
    edits = [edit for entry in entries(text, kind) if entry.replacement for edit in entry.replacement(USER, TOKEN)]
    return _entries.apply(text, edits)


class Case(t.NamedTuple):
    """A file, who and what is found in it, and the file without it and with a token instead."""

    before: str
    found: list[tuple[int, str | None, str | None, str]]
    absent: str
    replaced: str


ONE = f"https://jdoe:{DEAD}@bitbucket.org"
NEW = f"https://{USER}:{TOKEN_IN_URL}@bitbucket.org"

CREDENTIALS = {
    "alone": Case(f"{ONE}\n", [(1, "bitbucket.org", "jdoe", DEAD)], "", f"{NEW}\n"),
    "without an end of line": Case(ONE, [(1, "bitbucket.org", "jdoe", DEAD)], "", NEW),
    "between others": Case(
        f"https://a:b@github.com\n{ONE}\nhttps://c:d@gitlab.com",
        [(2, "bitbucket.org", "jdoe", DEAD)],
        "https://a:b@github.com\nhttps://c:d@gitlab.com",
        f"https://a:b@github.com\n{NEW}\nhttps://c:d@gitlab.com",
    ),
    "the last of others": Case(
        f"https://a:b@github.com\n{ONE}",
        [(2, "bitbucket.org", "jdoe", DEAD)],
        "https://a:b@github.com\n",
        f"https://a:b@github.com\n{NEW}",
    ),
    "carriage returns": Case(
        f"https://a:b@github.com\r\n{ONE}\r\n\r\n",
        [(2, "bitbucket.org", "jdoe", DEAD)],
        "https://a:b@github.com\r\n\r\n",
        f"https://a:b@github.com\r\n{NEW}\r\n\r\n",
    ),
    "with a path, a port and capitals": Case(
        f"HTTPS://jdoe:{DEAD}@BitBucket.org:443/pay/ledger.git\n",
        [(1, "bitbucket.org", "jdoe", DEAD)],
        "",
        f"HTTPS://{USER}:{TOKEN_IN_URL}@BitBucket.org:443/pay/ledger.git\n",
    ),
    "percent-encoded": Case(
        "https://j%40doe:p%40ss%2Fw%3Ard%C3%A9@bitbucket.org\n",
        [(1, "bitbucket.org", "j@doe", "p@ss/w:rdé")],
        "",
        f"{NEW}\n",
    ),
    "a raw @ in the password": Case(
        "https://jdoe:p@ss@bitbucket.org\n", [(1, "bitbucket.org", "jdoe", "p@ss")], "", f"{NEW}\n"
    ),
    "a percent sign that encodes nothing": Case(
        "https://jdoe:100%@bitbucket.org\n", [(1, "bitbucket.org", "jdoe", "100%")], "", f"{NEW}\n"
    ),
    "the same user twice": Case(
        f"{ONE}\n{ONE}\n",
        [(1, "bitbucket.org", "jdoe", DEAD), (2, "bitbucket.org", "jdoe", DEAD)],
        "",
        f"{NEW}\n{NEW}\n",
    ),
    "disabled by hand": Case(
        f"# {ONE}\n https://a:b@c\n",
        [(1, "bitbucket.org", "jdoe", DEAD)],
        " https://a:b@c\n",
        f"# {NEW}\n https://a:b@c\n",
    ),
    "a token in place of the user": Case(
        f"https://{DEAD}@bitbucket.org\nhttps://{DEAD}:x@bitbucket.org\n",
        [(1, "bitbucket.org", None, DEAD), (2, "bitbucket.org", None, DEAD)],
        "",
        f"{NEW}\n{NEW}\n",
    ),
    "no secret": Case(
        "https://jdoe@bitbucket.org\nhttps://jdoe:@bitbucket.org\n\nbitbucket.org\nssh://git:x@bitbucket.org\n",
        [],
        "https://jdoe@bitbucket.org\nhttps://jdoe:@bitbucket.org\n\nbitbucket.org\nssh://git:x@bitbucket.org\n",
        "https://jdoe@bitbucket.org\nhttps://jdoe:@bitbucket.org\n\nbitbucket.org\nssh://git:x@bitbucket.org\n",
    ),
    "a host that only looks like it": Case(
        "https://jdoe:p@bitbucket.org.evil.example\nhttps://jdoe:p@notbitbucket.org\n",
        [],
        "https://jdoe:p@bitbucket.org.evil.example\nhttps://jdoe:p@notbitbucket.org\n",
        "https://jdoe:p@bitbucket.org.evil.example\nhttps://jdoe:p@notbitbucket.org\n",
    ),
    "bytes that are no text": Case(
        f"\udcff\udcfe\x00\n{ONE}\n\udc80",
        [(2, "bitbucket.org", "jdoe", DEAD)],
        "\udcff\udcfe\x00\n\udc80",
        f"\udcff\udcfe\x00\n{NEW}\n\udc80",
    ),
    "a Data Center token elsewhere": Case(
        f"https://x-token-auth:{HTTP_ACCESS_TOKEN}@bitbucket.example.com\n",
        [(1, "bitbucket.example.com", "x-token-auth", HTTP_ACCESS_TOKEN)],
        "",
        f"https://{USER}:{TOKEN_IN_URL}@bitbucket.example.com\n",
    ),
}

NETRCS = {
    "on one line": Case(
        f"machine bitbucket.org login jdoe password {DEAD}\n",
        [(1, "bitbucket.org", "jdoe", DEAD)],
        "",
        f"machine bitbucket.org login {USER} password {TOKEN}\n",
    ),
    "over several lines": Case(
        "machine a login b password c\nmachine bitbucket.org\n"
        f"\tlogin jdoe\n\tpassword {DEAD}\nmachine d login e password f",
        [(4, "bitbucket.org", "jdoe", DEAD)],
        "machine a login b password c\nmachine d login e password f",
        "machine a login b password c\nmachine bitbucket.org\n"
        f"\tlogin {USER}\n\tpassword {TOKEN}\nmachine d login e password f",
    ),
    "several on one line": Case(
        f"machine a login b password c machine bitbucket.org login j password {DEAD} machine d login e password f\n",
        [(1, "bitbucket.org", "j", DEAD)],
        "machine a login b password c machine d login e password f\n",
        f"machine a login b password c machine bitbucket.org login {USER} password {TOKEN} "
        "machine d login e password f\n",
    ),
    "all of a line's machines": Case(
        f"machine bitbucket.org login a password {DEAD} machine bitbucket.org login b password hunter2\n# end\n",
        [(1, "bitbucket.org", "a", DEAD), (1, "bitbucket.org", "b", "hunter2")],
        "\n# end\n",
        f"machine bitbucket.org login {USER} password {TOKEN} "
        f"machine bitbucket.org login {USER} password {TOKEN}\n# end\n",
    ),
    "carriage returns": Case(
        f"machine bitbucket.org\r\nlogin jdoe\r\npassword {DEAD}\r\nmachine x\r\nlogin y password z\r\n",
        [(3, "bitbucket.org", "jdoe", DEAD)],
        "machine x\r\nlogin y password z\r\n",
        f"machine bitbucket.org\r\nlogin {USER}\r\npassword {TOKEN}\r\nmachine x\r\nlogin y password z\r\n",
    ),
    "password first, an account, capitals": Case(
        f"Machine BITBUCKET.org Password {DEAD} Account x Login jdoe",
        [(1, "bitbucket.org", "jdoe", DEAD)],
        "",
        f"Machine BITBUCKET.org Password {TOKEN} Account x Login {USER}",
    ),
    "no login": Case(
        f"machine bitbucket.org password {DEAD}\n",
        [(1, "bitbucket.org", None, DEAD)],
        "",
        f"machine bitbucket.org login {USER} password {TOKEN}\n",
    ),
    "quotes": Case(
        'machine bitbucket.org login "j doe" password "a \\"b\\\\ c#"\n',
        [(1, "bitbucket.org", "j doe", 'a "b\\ c#')],
        "",
        f"machine bitbucket.org login {USER} password {TOKEN}\n",
    ),
    "a quote that is never closed": Case(
        'machine bitbucket.org login j password "abc\nmachine x login y password z\n',
        [(1, "bitbucket.org", "j", '"abc')],
        "machine x login y password z\n",
        f"machine bitbucket.org login {USER} password {TOKEN}\nmachine x login y password z\n",
    ),
    "comments between and behind": Case(
        f"# mine\nmachine bitbucket.org # the old one\n  # of 2019\n  login j\n  password {DEAD} # dead\n# end\n",
        [(5, "bitbucket.org", "j", DEAD)],
        "# mine\n# the old one\n  # of 2019\n  # dead\n# end\n",
        f"# mine\nmachine bitbucket.org # the old one\n  # of 2019\n  login {USER}\n  password {TOKEN} # dead\n# end\n",
    ),
    "a hash in a password": Case(
        "machine bitbucket.org login j password #abc\nmachine x login y password z",
        [(1, "bitbucket.org", "j", "#abc")],
        "machine x login y password z",
        f"machine bitbucket.org login {USER} password {TOKEN}\nmachine x login y password z",
    ),
    "keywords as values": Case(
        "machine bitbucket.org login machine password default\n",
        [(1, "bitbucket.org", "machine", "default")],
        "",
        f"machine bitbucket.org login {USER} password {TOKEN}\n",
    ),
    "a macro that talks of machines": Case(
        f"macdef init\ncd machine bitbucket.org login a password b\n\nmachine bitbucket.org login j password {DEAD}\n",
        [(4, "bitbucket.org", "j", DEAD)],
        "macdef init\ncd machine bitbucket.org login a password b\n\n",
        "macdef init\ncd machine bitbucket.org login a password b\n\n"
        f"machine bitbucket.org login {USER} password {TOKEN}\n",
    ),
    "a macro after the machine, and the end of the file in it": Case(
        f"machine bitbucket.org login j password {DEAD}\nmacdef init\ncd x",
        [(1, "bitbucket.org", "j", DEAD)],
        "machine bitbucket.org\nmacdef init\ncd x",
        f"machine bitbucket.org login {USER} password {TOKEN}\nmacdef init\ncd x",
    ),
    "default": Case(
        f"default login j password {DEAD}\n", [(1, None, "j", DEAD)], "", f"default login {USER} password {TOKEN}\n"
    ),
    "words that mean nothing": Case(
        f"hello machine bitbucket.org port 443 login j password {DEAD} world\nmachine x login y password z\n",
        [(1, "bitbucket.org", "j", DEAD)],
        "hello\nmachine x login y password z\n",
        f"hello machine bitbucket.org port 443 login {USER} password {TOKEN} world\nmachine x login y password z\n",
    ),
    "two passwords": Case(
        f"machine bitbucket.org login j password {DEAD} password hunter2\n",
        [(1, "bitbucket.org", "j", DEAD), (1, "bitbucket.org", "j", "hunter2")],
        "",
        f"machine bitbucket.org login j password {DEAD} password hunter2\n",
    ),
    "two logins, one of them behind its password": Case(
        f"machine bitbucket.org\n  login a\n  password {DEAD}\n  password hunter2\n  login b\n",
        [(3, "bitbucket.org", "a", DEAD), (4, "bitbucket.org", "b", "hunter2")],
        "",
        f"machine bitbucket.org\n  login {USER}\n  password {TOKEN}\n  password {TOKEN}\n  login {USER}\n",
    ),
    "cut short": Case(
        "machine bitbucket.org login j password\n",
        [],
        "machine bitbucket.org login j password\n",
        "machine bitbucket.org login j password\n",
    ),
    "another host": Case(
        "machine github.com login bitbucket.org password x\n",
        [],
        "machine github.com login bitbucket.org password x\n",
        "machine github.com login bitbucket.org password x\n",
    ),
    "in a comment, where only a hand can remove it": Case(
        f"# machine bitbucket.org login j password {DEAD}\n",
        [(1, None, None, DEAD)],
        f"# machine bitbucket.org login j password {DEAD}\n",
        f"# machine bitbucket.org login j password {DEAD}\n",
    ),
}

HEADER = f"Authorization: Basic {basic('jdoe', DEAD)}"
NEW_HEADER = f"Authorization: Basic {basic(USER, TOKEN)}"

CONFIGS = {
    "a remote": Case(
        f'[remote "origin"]\n\turl = {ONE}/pay/ledger.git\n\tfetch = +refs/heads/*:refs/o/*\n',
        [(2, "bitbucket.org", "jdoe", DEAD)],
        '[remote "origin"]\n\turl = https://bitbucket.org/pay/ledger.git\n\tfetch = +refs/heads/*:refs/o/*\n',
        f'[remote "origin"]\n\turl = {NEW}/pay/ledger.git\n\tfetch = +refs/heads/*:refs/o/*\n',
    ),
    "quotes, a comment, no blanks, on the line of the section": Case(
        f'[remote "a]b"]pushurl="{ONE}/x#y" ; {DEAD[:4]}\n',
        [(1, "bitbucket.org", "jdoe", DEAD)],
        f'[remote "a]b"]pushurl="https://bitbucket.org/x#y" ; {DEAD[:4]}\n',
        f'[remote "a]b"]pushurl="{NEW}/x#y" ; {DEAD[:4]}\n',
    ),
    "a value over two lines": Case(
        '[remote "o"]\n\turl = https://jdoe:hunt\\\n    er2@bitbucket.org/x\n',
        [(2, "bitbucket.org", "jdoe", "hunt    er2")],
        '[remote "o"]\n\turl = https://\\\nbitbucket.org/x\n',
        f'[remote "o"]\n\turl = https://{USER}:{TOKEN_IN_URL}\\\n@bitbucket.org/x\n',
    ),
    "quotes that begin and end within": Case(
        '[remote "o"]\n\turl = https://jdoe:"hunter; 2"@bitbucket.org/x\n',
        [(2, "bitbucket.org", "jdoe", "hunter; 2")],
        '[remote "o"]\n\turl = https://""bitbucket.org/x\n',
        f'[remote "o"]\n\turl = https://{USER}:{TOKEN_IN_URL}""@bitbucket.org/x\n',
    ),
    "instead of": Case(
        f'[url "{ONE}/"]\n\tinsteadOf = https://bitbucket.org/\n\tpushInsteadOf = bb:\n',
        [(1, "bitbucket.org", "jdoe", DEAD)],
        '[url "https://bitbucket.org/"]\n\tinsteadOf = https://bitbucket.org/\n\tpushInsteadOf = bb:\n',
        f'[url "{NEW}/"]\n\tinsteadOf = https://bitbucket.org/\n\tpushInsteadOf = bb:\n',
    ),
    "escapes in the name of a section": Case(
        '[url "https://j\\doe:a\\"b\\\\c@bitbucket.org/"]\n\tinsteadOf = x\n',
        [(1, "bitbucket.org", "jdoe", 'a"b\\c')],
        '[url "https://bitbucket.org/"]\n\tinsteadOf = x\n',
        f'[url "{NEW}/"]\n\tinsteadOf = x\n',
    ),
    "a header": Case(
        f'[http "https://bitbucket.org/"]\n\textraHeader = {HEADER}\n\textraheader = X-Y: z\n',
        [(2, "bitbucket.org", "jdoe", DEAD)],
        '[http "https://bitbucket.org/"]\n\textraheader = X-Y: z\n',
        f'[http "https://bitbucket.org/"]\n\textraHeader = {NEW_HEADER}\n\textraheader = X-Y: z\n',
    ),
    "a header over two lines, with a comment": Case(
        '[HTTP "https://bitbucket.org/"]\n'
        f'  EXTRAHEADER = "authorization: \\\nbasic {basic("jdoe", "hunter2")}" # old\n[a]\n',
        [(3, "bitbucket.org", "jdoe", "hunter2")],
        '[HTTP "https://bitbucket.org/"]\n  # old\n[a]\n',
        '[HTTP "https://bitbucket.org/"]\n'
        f'  EXTRAHEADER = "authorization: \\\nBasic {basic(USER, TOKEN)}" # old\n[a]\n',
    ),
    "a header on the line of the section": Case(
        f'[http "https://bitbucket.org"] extraHeader = {HEADER}\n[a]\n',
        [(1, "bitbucket.org", "jdoe", DEAD)],
        '[http "https://bitbucket.org"]\n[a]\n',
        f'[http "https://bitbucket.org"] extraHeader = {NEW_HEADER}\n[a]\n',
    ),
    "a bearer header": Case(
        f'[http "https://bitbucket.org/pay"]\n\textraHeader = "Authorization: Bearer {DEAD}"\n',
        [(2, "bitbucket.org", None, DEAD)],
        '[http "https://bitbucket.org/pay"]\n',
        f'[http "https://bitbucket.org/pay"]\n\textraHeader = "{NEW_HEADER}"\n',
    ),
    "a header for every host": Case(
        f"[http]\n\textraHeader = {HEADER}",
        [(2, None, "jdoe", DEAD)],
        "[http]\n",
        f"[http]\n\textraHeader = {NEW_HEADER}",
    ),
    "headers without a login": Case(
        "[http]\n\textraHeader = Authorization: Basic ####\n\textraHeader = Authorization: Basic amRvZTo=\n"
        "\textraHeader =\n\textraHeader\n",
        [],
        "[http]\n\textraHeader = Authorization: Basic ####\n\textraHeader = Authorization: Basic amRvZTo=\n"
        "\textraHeader =\n\textraHeader\n",
        "[http]\n\textraHeader = Authorization: Basic ####\n\textraHeader = Authorization: Basic amRvZTo=\n"
        "\textraHeader =\n\textraHeader\n",
    ),
    "carriage returns and a byte order mark": Case(
        f'\ufeff[remote "o"]\r\n\turl = {ONE}\r\n\r\n',
        [(2, "bitbucket.org", "jdoe", DEAD)],
        '\ufeff[remote "o"]\r\n\turl = https://bitbucket.org\r\n\r\n',
        f'\ufeff[remote "o"]\r\n\turl = {NEW}\r\n\r\n',
    ),
    "lines that git refuses": Case(
        f'[remote "o\nurl = "{ONE}\n[x\n= y\na \\ b\nc = \\q\n[remote "p"]\nurl = {ONE}\n',
        [(2, "bitbucket.org", "jdoe", DEAD), (8, "bitbucket.org", "jdoe", DEAD)],
        '[remote "o\nurl = "https://bitbucket.org\n[x\n= y\na \\ b\nc = \\q\n[remote "p"]\nurl = https://bitbucket.org\n',
        f'[remote "o\nurl = "{NEW}\n[x\n= y\na \\ b\nc = \\q\n[remote "p"]\nurl = {NEW}\n',
    ),
    "disabled by hand": Case(
        f"# url = {ONE}/x\n; {DEAD}\n[core]\n",
        [(1, "bitbucket.org", "jdoe", DEAD), (2, None, None, DEAD)],
        f"# url = https://bitbucket.org/x\n; {DEAD}\n[core]\n",
        f"# url = {NEW}/x\n; {DEAD}\n[core]\n",
    ),
    "an alias": Case(
        f'[alias]\n\tget = "!git clone {ONE}/x && echo"\n',
        [(2, "bitbucket.org", "jdoe", DEAD)],
        '[alias]\n\tget = "!git clone https://bitbucket.org/x && echo"\n',
        f'[alias]\n\tget = "!git clone {NEW}/x && echo"\n',
    ),
}

OTHERS = {
    "a script": Case(
        f"git clone '{ONE}/x' && curl -u jdoe:{DEAD} https://api.bitbucket.org\n",
        [(1, "bitbucket.org", "jdoe", DEAD), (1, None, None, DEAD)],
        f"git clone 'https://bitbucket.org/x' && curl -u jdoe:{DEAD} https://api.bitbucket.org\n",
        f"git clone '{NEW}/x' && curl -u jdoe:{DEAD} https://api.bitbucket.org\n",
    ),
    "JSON": Case(
        f'{{"a":"https://x","b":"jdoe:{DEAD}@bitbucket.org"}}',
        [(1, None, None, DEAD)],
        f'{{"a":"https://x","b":"jdoe:{DEAD}@bitbucket.org"}}',
        f'{{"a":"https://x","b":"jdoe:{DEAD}@bitbucket.org"}}',
    ),
    "a header": Case(f"-H '{HEADER}'", [(1, None, "jdoe", DEAD)], f"-H '{HEADER}'", f"-H '{HEADER}'"),
    "a variable in place of a password": Case(
        "git clone https://jdoe:$BB_PASSWORD@bitbucket.org/x",
        [],
        "git clone https://jdoe:$BB_PASSWORD@bitbucket.org/x",
        "git clone https://jdoe:$BB_PASSWORD@bitbucket.org/x",
    ),
}

ALL = [
    pytest.param(kind, case, id=f"{kind}: {name}")
    for kind, cases in ((GIT_CREDENTIALS, CREDENTIALS), (NETRC, NETRCS), (GIT_CONFIG, CONFIGS), (OTHER, OTHERS))
    for name, case in cases.items()
]


@pytest.mark.parametrize(("kind", "case"), ALL)
def test_what_is_found_and_where(kind, case):
    found = entries(case.before, kind)
    lines = list(map(_entries.line_numbers(case.before), (entry.start for entry in found)))
    assert [(line, e.host, e.user, e.secret) for line, e in zip(lines, found, strict=True)] == case.found


@pytest.mark.parametrize(("kind", "case"), ALL)
def test_what_is_left_of_the_file(kind, case):
    assert removed(case.before, kind) == case.absent
    assert removed(case.absent, kind) == case.absent


@pytest.mark.parametrize(("kind", "case"), ALL)
def test_what_is_there_instead(kind, case):
    assert replaced(case.before, kind) == case.replaced
    assert replaced(case.replaced, kind) == case.replaced


@pytest.mark.parametrize("secret", [DEAD, TOKEN])
def test_a_token_that_nobody_encoded_is_found_behind_basic_too(secret):
    (entry,) = entries(f"curl -H 'Authorization: Basic {secret}'\n", OTHER)
    assert (entry.secret, entry.user, entry.host) == (secret, None, None)


def test_an_entry_does_not_show_its_secret():
    (entry,) = entries(ONE, GIT_CREDENTIALS)
    assert DEAD not in repr(entry)


def test_of_several_entries_each_goes_alone():
    text = f"machine bitbucket.org login a password {DEAD} machine bitbucket.org login b password hunter2\n"
    first, second = entries(text, NETRC)
    assert _entries.apply(text, first.removal) == "machine bitbucket.org login b password hunter2\n"
    assert _entries.apply(text, second.removal) == f"machine bitbucket.org login a password {DEAD}\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/a/.git-credentials", GIT_CREDENTIALS),
        ("/home/a/.config/git/credentials", GIT_CREDENTIALS),
        ("/home/a/.aws/credentials", OTHER),
        ("/home/a/.netrc", NETRC),
        ("/home/a/.gitconfig", GIT_CONFIG),
        ("/home/a/.config/git/config", GIT_CONFIG),
        ("/etc/gitconfig", GIT_CONFIG),
        ("/srv/x/.git/config", GIT_CONFIG),
        ("/srv/x/.gitmodules", GIT_CONFIG),
        ("/home/a/.kube/config", OTHER),
        ("/srv/x/.env", OTHER),
        ("/", OTHER),
    ],
)
def test_the_name_tells_the_format(path, kind):
    assert _credential_files.format_of(path) == kind


def test_what_a_configuration_refers_to():
    text = (
        '[include]\n\tpath = ~/a\n[includeIf "gitdir:~/work/"]\n\tpath = "b c"\n\tother = d\n[core]\n\tpath = e\n'
        "[include]\n"
        "\tpath\n[credential]\n\thelper = store --file ~/f\n\thelper = store --timeout 3 --file=/g\n\thelper = cache\n"
        "\thelper = store\n\thelper =\n"
    )
    assert [found.written for found in _git_config.includes(text)] == ["~/a", "b c"]
    assert [found.written for found in _git_config.stores(text)] == ["~/f", "/g"]


@pytest.mark.parametrize(
    ("kind", "text", "left"),
    [
        (
            NETRC,
            f"machine bitbucket.org login a password {DEAD}\nlogin b password hunter2\n",
            "machine bitbucket.org\nlogin b password hunter2\n",
        ),
        (
            NETRC,
            f"machine bitbucket.org\n  password {DEAD}\n  # of a\n  login a\n  password hunter2 login b\n",
            "machine bitbucket.org\n  # of a\n  password hunter2 login b\n",
        ),
        (
            NETRC,
            f"machine bitbucket.org login a password {DEAD} password hunter2\n",
            "machine bitbucket.org login a password hunter2\n",
        ),
        (
            NETRC,
            f"machine x login y password z\nmachine bitbucket.org login a password {DEAD}\nmacdef init\nput\n\n",
            "machine x login y password z\nmachine bitbucket.org\nmacdef init\nput\n\n",
        ),
        (
            GIT_CREDENTIALS,
            f"# https://a:{DEAD}@bitbucket.org old; now https://b:hunter2@github.com\n",
            "# https://bitbucket.org old; now https://b:hunter2@github.com\n",
        ),
        (
            GIT_CREDENTIALS,
            f"https://a:{DEAD}@bitbucket.org {TOKEN}\n",
            f"https://bitbucket.org {TOKEN}\n",
        ),
        (GIT_CREDENTIALS, f"# https://a:{DEAD}@bitbucket.org old\n", ""),
    ],
)
def test_what_goes_takes_nothing_with_it_that_somebody_needs(kind, text, left):
    (meant,) = [entry for entry in entries(text, kind) if entry.secret == DEAD]
    assert _entries.apply(text, _entries.removals([meant])) == left
