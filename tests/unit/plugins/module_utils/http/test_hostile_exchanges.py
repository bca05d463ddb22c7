"""Single lies, each of which once did harm: what the wire, the headers and the words of an answer may not do."""

from __future__ import annotations

import gzip
import html
import json
import time
import typing as t
import zlib
from urllib.parse import quote, unquote

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    BitbucketError,
    InputError,
    LostAnswerError,
    StatusError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import declared
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._api import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._answers import Answer, http_date
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._body import MAX_BODY
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from tests.unit.plugins.company import URL
from tests.unit.plugins.hostile_server import Wire

NINE = 1_768_467_600
PASSWORD = "a&b <c> 'correct' %41 horse"


def client(*answers: bytes, sleeps: list[float] | None = None) -> Client:
    """One that gets these answers in turn, the last for ever."""
    left = list(answers)
    adapter = Wire(lambda _request: left.pop(0) if len(left) > 1 else left[0])
    transport = Transport(Settings(use_proxy=False), {"http://": adapter})
    return Client(URL, Credential("admin", PASSWORD), transport, (sleeps if sleeps is not None else []).append)


def answer(body: bytes = b"{}", status: int = 200, *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body


@pytest.mark.parametrize("location", ["http://[", "\xff\xfe", "//", "http://x:99999999/", ""])
def test_a_redirect_to_no_address_is_refused_like_any_other(location):
    with pytest.raises(StatusError, match="the server redirects to"):
        client(answer(b"", 302, f"Location: {location}")).get("/x")


def test_a_redirects_body_is_not_read_without_measure():
    long = answer(b" " * (MAX_BODY + 1), 302, "Location: /y")
    with pytest.raises(AnswerError, match="more than 8 MiB"):
        client(long).get("/x")


@pytest.mark.parametrize("header", ["Content-Length: 1, 2", "Content-Length: 2\r\nContent-Length: 3"])
def test_a_create_answered_with_contradicting_headers_is_ambiguous(header):
    with pytest.raises(LostAnswerError, match="contradict"):
        client(b"HTTP/1.1 200 OK\r\n%s\r\n\r\n{}" % header.encode()).create("/x", {})


@pytest.mark.parametrize("status", [101, 103, 199])
def test_an_interim_answer_is_not_the_answer_and_what_follows_is_not_the_next_ones(status):
    interim = f"HTTP/1.1 {status} Wait\r\n\r\n".encode() + answer(b'{"of": "the first"}')
    with pytest.raises(LostAnswerError, match=f"interim {status}"):
        client(interim).create("/x", {})
    assert client(interim, answer(b'{"of": "the second"}')).get("/x").data == {"of": "the second"}


def packed(body: bytes, wbits: int) -> bytes:
    packer = zlib.compressobj(wbits=wbits)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b'{"a": 1}')),
        ("X-GZIP ", gzip.compress(b'{"a": 1}')),
        ("deflate", packed(b'{"a": 1}', 15)),
        ("identity", b'{"a": 1}'),
    ],
    ids=["gzip", "x-gzip", "deflate", "identity"],
)
def test_a_proxy_that_compresses_although_nobody_asked_is_understood(encoding, body):
    assert client(answer(body, 200, f"Content-Encoding: {encoding}")).get("/x").data == {"a": 1}


def test_a_small_body_that_unpacks_to_a_large_one_is_refused():
    bomb = gzip.compress(b"[" + b" " * (4 * MAX_BODY) + b"]")
    assert len(bomb) < 64 * 1024
    with pytest.raises(AnswerError, match="more than 8 MiB"):
        client(answer(bomb, 200, "Content-Encoding: gzip")).get("/x")


@pytest.mark.parametrize(
    ("encoding", "body", "kind", "words"),
    [
        ("br", b"{}", AnswerError, "compressed in a way that was not asked for"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"{}")), AnswerError, "compressed in a way"),
        ("gzip", b"{}", LostAnswerError, "broke"),
        ("gzip", gzip.compress(b'{"a": 1}')[:-6], LostAnswerError, "broke"),
    ],
    ids=["unknown", "twice", "not packed", "cut"],
)
def test_what_cannot_be_unpacked_is_said_and_a_create_ambiguous(encoding, body, kind, words):
    server = client(answer(body, 200, f"Content-Encoding: {encoding}"))
    with pytest.raises(kind, match=words):
        server.get("/x")
    with pytest.raises(LostAnswerError, match=words):
        DataCenter(server).create(Owner(project="PAY"), "ci", declared(["REPO_READ"]), None)


@pytest.fixture
def _far_east(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_far_east")
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 15 Jan 2026 09:00:00 GMT", NINE),
        ("Thu, 15 Jan 2026 09:00:00 -0000", NINE),
        ("Thu, 15 Jan 2026 09:00:00", NINE),
        ("Thu Jan 15 09:00:00 2026", NINE),
        ("Thursday, 15-Jan-26 09:00:00 GMT", NINE),
        ("Thu, 15 Jan 2026 18:00:00 +0900", NINE),
        ("Thu, 15 Jan 2026 09:00:00 +9999", None),
        ("Thu, 15 Jan 2026 09:00:00 GMT, Thu, 15 Jan 2026 11:00:00 GMT", None),
        ("Thu, 15 Jan 99999999999 09:00:00 GMT", None),
        ("²", None),
        (" ", None),
        ("9" * 5_000, None),
    ],
)
def test_a_date_means_the_same_wherever_it_is_read(text, seconds):
    now = None if seconds is None else seconds * 1000
    assert (http_date(text), Answer(200, None, {"date": text}).now) == (now, now)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": f"error {number} of many"} for number in range(9_999)]},
        {"errors": [{"message": ["a"] * 9_999}, {"message": {"b": "c" * 9_999}}, {"message": 7}]},
        {"errors": [{"message": "a\x1b[2Jb\r\nc\u202ed\u0000e\ud800" * 99}]},
        {"message": {"password": PASSWORD}},
        {"errors": "x" * 9_999, "message": "y" * 9_999},
    ],
    ids=["many", "no words", "controls", "an object", "long"],
)
def test_a_servers_words_are_few_and_safe_to_print(status, body):
    with pytest.raises(BitbucketError) as caught:
        client(answer(json.dumps(body).encode(), status)).get("/x")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1_200


@pytest.mark.parametrize("write", [str, html.escape, quote, lambda text: quote(text, safe="")], ids=range(4))
@pytest.mark.parametrize("kind", ["text/html", "application/json"])
def test_an_echo_of_the_password_is_taken_out_however_it_is_written(write, kind):
    echo = f"You sent {write(PASSWORD)}."
    body = echo if kind == "text/html" else json.dumps({"message": html.unescape(echo)})
    with pytest.raises(BitbucketError) as caught:
        client(answer(body.encode(), 400, f"Content-Type: {kind}")).get("/x")
    assert "[credential]" in str(caught.value)
    assert "horse" not in str(caught.value)


def test_an_echo_of_the_password_in_the_content_type_is_taken_out():
    with pytest.raises(AnswerError) as caught:
        client(answer(b"no json", 200, f"Content-Type: text/{PASSWORD}")).get("/x")
    assert "horse" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (rb'{"a": "x\ud800y", "\uDC00": ["\ud83d\ude00"]}', {"a": "x?y", "?": ["\U0001f600"]}),
        (rb'{"a": "\\ud800"}', {"a": "\\ud800"}),
        (b'\xef\xbb\xbf{"a": "b"}', {"a": "b"}),
    ],
)
def test_text_of_an_answer_can_always_be_written(body, said):
    assert client(answer(body, 200)).get("/x").data == said


def test_half_a_surrogate_pair_in_bytes_is_no_json():
    with pytest.raises(AnswerError, match="not the JSON"):
        client(answer(b'{"a": "\xed\xa0\x80"}', 200)).get("/x")


@pytest.mark.parametrize("name", ["%1b%5b2Jnobody", "no%0abody", "no%e2%80%aebody", "%00"])
def test_a_callers_name_cannot_reach_the_terminal(name):
    page = answer(b'{"values": [], "isLastPage": true}', 200, f"X-AUSERNAME: {name}")
    assert DataCenter(client(page)).identity().name is None
    # A user may be called so in an option as well.
    assert str(InputError(f"There is no user called {unquote(name)}.")).isprintable()


def test_an_error_is_one_line_of_bounded_length():
    text = str(BitbucketError("a\n\tb\x07 " + "\x1b[31m" + "c" * 99_999))
    assert text.startswith("a b⟨U+0007⟩ ⟨U+001B⟩[31mccc")
    assert len(text) == 2_001


UNUSABLE = [
    "",
    ".",
    "..",
    "a/b",
    "../x",
    " PAY",
    "PAY\n",
    "\x1b[31m",
    "\u202eYAP",
    "x" * 256,
    7,
    None,
    True,
    [],
]


@pytest.mark.parametrize("name", UNUSABLE, ids=repr)
def test_what_cannot_be_a_key_or_slug_never_gets_into_a_path(name):
    page = {"values": [{"key": name, "slug": name, "name": "pat"}], "isLastPage": True}
    api = DataCenter(client(answer(json.dumps(page).encode())))
    with pytest.raises(AnswerError, match="has no usable key"):
        api.projects()
    with pytest.raises(AnswerError, match="has no usable slug"):
        api.repositories("PAY", archived=True)
    assert api.user_slug("pat") is None


def test_a_listing_that_tells_two_stories_of_one_token_is_not_believed():
    told = {"id": "000000000001", "name": "ci", "permissions": ["REPO_READ"], "createdDate": 5, "expiryDate": 9}
    for other, believed in (({"name": "new", "lastAuthenticated": 7}, True), ({"expiryDate": 8}, False)):
        page = {"values": [told, {**told, **other}], "isLastPage": True}
        api = DataCenter(client(answer(json.dumps(page).encode())))
        if believed:
            assert [token.name for token in api.tokens(Owner(project="PAY")).tokens] == ["new"]
            continue
        with pytest.raises(AnswerError, match="describes token 000000000001 in two ways"):
            api.tokens(Owner(project="PAY"))
