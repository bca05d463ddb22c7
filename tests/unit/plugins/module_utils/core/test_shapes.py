"""Secrets in any text: what is found, where, and what is not taken for one."""

from __future__ import annotations

import base64
import json
import random
import re
import string
import time
from urllib.parse import quote

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret, _shapes
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._shapes import SHORTEST, sightings, without

# Atlassian's own example, and one whose base64 has all that a URL encodes.
EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
AWKWARD = base64.b64encode(b"075905477751:" + b"\xfb\xff\xfe" * 6 + b"\xff\xfe").decode()
APP_PASSWORD = "ATBBwh4t3v3rY0uL1k3H3r3" + "0badcafe"
API_TOKEN = "ATATT3xFfGF0nothing-real_in-here" + "=0BADCAFE"
SECRETS = [EXAMPLE, f"BBDC-{EXAMPLE}", AWKWARD, APP_PASSWORD, API_TOKEN, "ATCTT3xFfGN0nothing-real=0BADCAFE"]

CARRIERS = {
    "alone": "{}",
    "quoted": 'token = "{}"',
    "in a path": "https://bitbucket.example.com/x/{}/y",
    "after an equals sign": "TOKEN={}\n",
    "in a URL": "https://x-token-auth:{}@bitbucket.example.com/scm/pay/ledger.git",
    "in a header": "Authorization: Bearer {}",
    "in a line of a log": "2026-11-23 10:00 fetching (pay/{}) failed",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_a_secret_is_found_wherever_it_stands(carrier, secret):
    text = carrier.format(secret)
    (found,) = sightings(text)
    assert (found.secret, text[found.start : found.end]) == (secret, secret)


@pytest.mark.parametrize("secret", SECRETS)
def test_percent_encoding_is_undone(secret):
    text = f"https://u:{quote(secret, safe='')}@bitbucket.org/a/b"
    (found,) = sightings(text)
    assert found.secret == secret
    assert text[found.start : found.end] == quote(secret, safe="")


ESCAPES = {
    "JSON with slashes": lambda secret: json.dumps(secret).replace("/", "\\/")[1:-1],
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret).replace("/", "\\/"))[3:-3],
    "JSON with numbers": lambda secret: re.sub("[^A-Za-z0-9_]", lambda sign: f"\\u{ord(sign[0]):04x}", secret),
    "in JSON twice": lambda secret: re.sub("[^A-Za-z0-9_]", lambda sign: f"\\\\u{ord(sign[0]):04X}", secret),
    "a URL in a URL": lambda secret: quote(quote(secret, safe=""), safe=""),
    "and once more": lambda secret: quote(quote(quote(secret, safe=""), safe=""), safe=""),
    "a program's string": lambda secret: re.sub("[+/=-]", lambda sign: f"\\x{ord(sign[0]):02X}", secret),
    "HTML": lambda secret: re.sub("[+/=]", lambda sign: f"&#x{ord(sign[0]):X};", secret),
    "HTML with zeros": lambda secret: re.sub("[+/=-]", lambda sign: f"&#X00{ord(sign[0]):x};", secret),
    "HTML in decimal": lambda secret: re.sub("[+/=]", lambda sign: f"&#0{ord(sign[0])};", secret),
    "HTML by name": lambda secret: re.sub(
        "[+/=]", lambda sign: {"+": "&plus;", "/": "&sol;"}.get(sign[0], "&equals;"), secret
    ),
    "HTML in HTML": lambda secret: re.sub("[+/=-]", lambda sign: f"&amp;#{ord(sign[0])};", secret),
}


@pytest.mark.parametrize("escape", ESCAPES.values(), ids=ESCAPES.keys())
@pytest.mark.parametrize("secret", [*SECRETS, f"BBDC-{AWKWARD}"])
def test_escapes_are_undone(secret, escape):
    written = escape(secret)
    (found,) = sightings(f'{{"x": "{written}"}}')
    assert (found.secret, f'{{"x": "{written}"}}'[found.start : found.end]) == (secret, written)


@pytest.mark.parametrize(
    "before",
    [
        *("\\n", "\\t", "\\b", "\\f", "\\u0022", "\\x22", "\\x0a", '\\"', "/", ":"),
        *("%3D", "%253A", "%25252F", "=3D"),
        *(
            "\x1b[32m",
            "\x1b[1;31m",
            "\x1b[0K",
            "\x1b[38;2;255;100;100m",
            "\x1b[2J",
            "\x1b(B",
            "\\012",
            "\\u001b[32m",
            "\\e[1m",
            "\\033[m",
        ),
    ],
)
@pytest.mark.parametrize("secret", SECRETS)
def test_the_end_of_an_escape_is_no_part_of_it(secret, before):
    assert [found.secret for found in sightings(f"a{before}{secret}")] == [secret]


@pytest.mark.parametrize("login", ["", "u:", "jd:", "jdoe:", "somebody@company.example:"])
@pytest.mark.parametrize("carrier", ["Authorization: Basic {}\n", '{{"auth": "{}"}}', "token: {}\n", "/a/b/{}/c", "{}"])
@pytest.mark.parametrize("secret", SECRETS)
def test_base64_is_opened_and_nothing_of_the_secret_is_outside_of_what_was_found(secret, carrier, login):
    encoded = base64.b64encode(f"{login}{secret}\n".encode()).decode()
    text = carrier.format(encoded)
    (found,) = sightings(text)
    assert found.secret == secret
    begin = text.index(encoded)
    assert found.start <= begin + len(login) * 4 // 3
    assert found.end >= begin + (len(login + secret) * 4 + 2) // 3
    assert text[found.start : found.end] in encoded


@pytest.mark.parametrize("secret", SECRETS)
def test_a_login_is_found_whole(secret):
    login = base64.b64encode(f"jürgen:{secret}".encode()).decode()
    (found,) = sightings(text := f"extraHeader = Authorization: Basic {login}\n")
    assert text[found.start : found.end] == login


def test_of_much_base64_only_the_part_with_the_secret_is_told():
    encoded = base64.b64encode(b"\xff" * 3000 + EXAMPLE.encode() + b"\xff" * 3000).decode()
    (found,) = sightings(encoded)
    assert encoded[found.start : found.end] == encoded[4000:4060]


@pytest.mark.parametrize("secret", [EXAMPLE, AWKWARD])
@pytest.mark.parametrize("shared", range(1, 26))
def test_what_looks_like_one_and_touches_another_does_not_hide_it(secret, shared):
    decoy = base64.b64encode(b"000000000000:" + b"x" * 20).decode()[: 44 - shared]
    assert secret in [found.secret for found in sightings(decoy + secret)]


def test_a_login_that_touches_another_does_not_hide_it():
    login = base64.b64encode(f"jdoe:{EXAMPLE}".encode()).decode()
    assert [found.secret for found in sightings(f"Basic AAAAAAAA/Basic {login}")] == [EXAMPLE]
    assert [found.secret for found in sightings(f"ATATaaaaaaaaaaaaaaaa-{APP_PASSWORD}")][-1] == APP_PASSWORD


def test_much_text_takes_no_long_time():
    chance = random.Random(3)
    lines = [
        f"/rest/api/latest/projects/PAY/{chance.getrandbits(256):064x} %252F \\\\/ {number}" for number in range(10_000)
    ]
    started = time.process_time()
    assert sightings("\n".join([*lines, "%25" * 100_000, "\\" * 100_000, "MDAw" * 100_000])) == []
    assert time.process_time() - started < 10


#: Characters. What takes the square of it takes far longer than the test waits.
SLOW_SIZE = 250_000
HOSTILE = [
    "ATAT_",
    "ATBB-",
    "ATAT",
    "ATAT%2D",
    "ATATaaaaaaaaaaaaaaaa-",
    "ATAT\\\\",
    "OjA0",
    "MDAw",
    "&amp;",
    "[0;0m",
    "%25",
]


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("wrap", [str, lambda text: base64.b64encode(text.encode()).decode()], ids=["plain", "base64"])
def test_text_made_to_be_slow_is_not(unit, wrap):
    started = time.process_time()
    found = sightings(wrap(unit * (SLOW_SIZE // len(unit))))
    assert time.process_time() - started < 10
    assert sum(len(sighting.secret) for sighting in found) < 2 * SLOW_SIZE


def test_every_id_and_every_byte_is_found():
    chance = random.Random(7)
    for number in range(500):
        noise = bytes(chance.randrange(256) for _byte in range(20))
        secret = base64.b64encode(f"{chance.randrange(10**12):012d}:".encode() + noise).decode()
        prefix = "BBDC-" * (number % 2)
        (found,) = sightings(f"/{chance.choice('aO+/=.')}{prefix}{secret}M")
        assert found.secret == prefix + secret


def test_of_those_that_overlap_each_is_told_and_nothing_else_goes():
    joined = f"/d/ATATT3xFfGF0nothing-real_{APP_PASSWORD}.log"
    assert without(joined, lambda secret: f"[{secret[:4]}]") == "/d/[ATAT]_[ATBB].log"
    twice = base64.b64encode(f"jdoe:{EXAMPLE}{EXAMPLE}".encode()).decode()
    assert without(f"a {twice} b", lambda _secret: "[x]") == "a [x][x] b"


def test_several_come_in_order_and_each_as_often_as_it_stands_there():
    text = f"{APP_PASSWORD} {EXAMPLE} {AWKWARD} {EXAMPLE}"
    assert [found.secret for found in sightings(text)] == [APP_PASSWORD, EXAMPLE, AWKWARD, EXAMPLE]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "M" * 200,
        EXAMPLE[:-1],
        "ATBB",
        "a sentence with ATATÜRK and BBDC- in it",
        "PATBBabcdefghijklmnopqrst12345678",
        "Basic " + base64.b64encode(b"jdoe:an ordinary password").decode(),
        "Basic ####",
        "Basic abcdefghi",
    ],
)
def test_what_is_not_one_is_left_alone(text):
    assert sightings(text) == []


def test_nothing_shorter_is_a_secret():
    assert sightings("ATBB" + "a1" * ((SHORTEST - 4) // 2))
    assert not sightings("ATBB" + "a1" * ((SHORTEST - 4) // 2 - 1))


@pytest.mark.parametrize(
    "word",
    [
        "ATATTRIBUTE_LIST_ENTRY_HEADER_SIZE",
        "ATATTRIBUTE_LIST_ENTRY_HEADER=00000010",
        "ATBBOXWIDTHHEIGHT",
        "ATATableViewControllerDelegate",
        "ATATTACHMENT_0x1F_maxSizeInBytes_v2",
        "ATATTestCaseForUtf8AndUtf16Handling",
        "ATCTGATTACAGATTACAGATTACAGATTACA",
        "ATBB" + "a" * 40,
    ],
)
def test_ordinary_words_are_no_secrets_but_are_redacted_all_the_same(word):
    assert sightings(f"x {word} y") == []
    assert without(f"x {word} y", lambda _secret: "-") == "x - y"


@pytest.mark.parametrize(
    ("prefix", "length", "checksum"), [("ATBB", 32, ""), ("ATATT3xFfGF0", 171, "=0BADCAFE"), ("ATCTT3xFfGN0", 40, "")]
)
def test_random_secrets_of_cloud_are_found(prefix, length, checksum):
    chosen = random.Random(length)
    for _secret_number in range(2000):
        body = "".join(chosen.choices(string.ascii_letters + string.digits, k=length))
        secret = f"{prefix}{body}{checksum}"
        assert [found.secret for found in sightings(f"git clone https://u:{secret}@host")] == [secret]


@pytest.mark.parametrize("length", [40, 44, 50])
def test_the_prefix_of_data_center_tells_a_secret_that_does_not_decode(length):
    secret = "BBDC-" + ("x1Y_" * 13)[:length]
    assert [found.secret for found in sightings(f"token={secret} ")] == [secret]
    assert sightings(f"token={secret[: 5 + 39]} ") == []


def test_a_secret_that_decodes_is_found_once_whatever_its_prefix():
    assert [found.secret for found in sightings(f"BBDC-{EXAMPLE}")] == [f"BBDC-{EXAMPLE}"]


def test_what_is_found_is_what_the_rest_of_the_collection_takes_it_for():
    kinds = [_secret.kind(found.secret) for found in sightings(" ".join(SECRETS))]
    assert kinds == ["http_access_token"] * 3 + ["app_password", "api_token", "cloud_access_token"]


def test_no_secret_inside_base64_is_passed_over_wherever_it_begins():
    chosen = random.Random(4)
    for number in range(600):
        token_id = "".join(chosen.choices(string.digits, k=12))
        raw = base64.b64encode(f"{token_id}:".encode() + chosen.randbytes(20)).decode()
        secret = chosen.choice([raw, f"BBDC-{raw}", "BBDC-" + "x1Y_" * 11, "ATATT3xFfGF0" + "aB3dE6" * 8])
        login = "".join(chosen.choices(string.ascii_lowercase, k=number % 7)) + ":" + secret
        header = base64.b64encode(login.encode()).decode()
        assert secret in [found.secret for found in sightings(f"Authorization: Basic {header}")], login


def test_ordinary_words_are_ruled_out_before_anything_slow(monkeypatch):
    slow: list[str] = []
    monkeypatch.setattr(_shapes, "_decoded", lambda encoded: slow.append(encoded) or "")
    monkeypatch.setattr(_shapes, "_read", lambda written: slow.append(written) or written)
    words = (
        "ATATTRIBUTE_LIST_ENTRY_HEADER_SIZE ATBBOXWIDTHHEIGHT ATATableViewControllerDelegate " + "ACGTGATTACAATCT" * 20
    )
    assert sightings(words * 50) == []
    assert slow == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("before", range(7))
def test_base64_of_wide_text_is_read(encoding, before):
    for secret in (EXAMPLE, f"BBDC-{EXAMPLE}", "ATATT3xFfGF0" + "aB3dE6" * 8):
        encoded = base64.b64encode(("x" * before + " " + secret).encode(encoding)).decode()
        assert secret in [found.secret for found in sightings(f"powershell -EncodedCommand {encoded}")]
