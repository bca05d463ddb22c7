"""A server that lies: the simulator's true answers, changed on their way and sent as bytes through the real transport.

Only the socket is not real: what requests, urllib3 and http.client make of the bytes is what they make of a network's.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import json
import socket
import threading
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from tests.simulator.exchange import Request, Response
from tests.unit.plugins.company import PASSWORD, Company

#: One request after another fails, is asked for four times, and 429 is waited out a second at a time.
MOST_REQUESTS = 2_000

#: Stand for what JSON can hold and Python cannot write.
LITERALS = {
    '"@1e400"': "1e400",
    '"@nan"': "NaN",
    '"@infinity"': "-Infinity",
    '"@deep"': "[" * 10_000 + "]" * 10_000,
    '"@objects"': '{"a":' * 10_000 + "1" + "}" * 10_000,
    '"@digits"': "9" * 5_000,
}
#: Replaced by the id of a token that the owner really has.
SOMEBODYS = "@somebodys"

TEXTS = ["", " ", " ci ", "../x", "..", ".", "a/b", "x" * 5_000, "two\nlines", "\x1b[31mred\x07", "\u202eltr", "\x00"]
TEXTS += ["\ud800", "%00%0a", "~pat", "012345670123 ", "٣", "ci", "old-1", "PAY", "admin", "000000000000", SOMEBODYS]
TEXTS += [f"echo {PASSWORD}"]
NUMBERS = [True, False, 0, -1, 1, 1.5, -1e308, 2**31, 2**63, 10**30, 253402300799001, 1_768_467_600_000]

odd_values = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(NUMBERS),
    st.sampled_from([literal.strip('"') for literal in LITERALS]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
        max_leaves=5,
    ),
)

DATES = ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:01 GMT", "Thu, 15 Jan 26 09:00:00 GMT"]
DATES += ["Thursday, 15-Jan-26 09:00:00 GMT", "Thu Jan 15 09:00:00 2026", "Thu, 15 Jan 2026 09:00:00 -0000", "0", "-1"]
DATES += ["Thu, 15 Jan 2026 09:00:00 +9999", "Thu, 99 Foo 99999999999 99:99:99 GMT", "²", " ", "\x1b[2J", "1" * 5_000]
WAITS = [
    "-1",
    "0",
    "1",
    "1e9",
    "NaN",
    "Infinity",
    "999999999",
    "9" * 400,
    "Thu, 01 Jan 2004 00:00:00 GMT",
    "²",
    "1.5",
    "",
]
TYPES = ["text/html", "text/html; charset=utf-16", "image/png", "\x1b[31m", "", "x" * 5_000, f"application/{PASSWORD}"]
NAMES = ["%1b%5b31m", "a%0ab", "nobody", "", "%ff", f"{PASSWORD}", "x" * 5_000, "..", "Joe+Doe", "ad\x1bmin"]
TARGETS = ["", "http://[", "//", "\xff\xfe", f"https://elsewhere.test/{PASSWORD}", "/x\x1b[31m", "http://x:99999999/"]
HEADERS = {
    "Date": DATES,
    "Retry-After": WAITS,
    "Content-Type": TYPES,
    "X-AUSERNAME": NAMES,
    "Location": TARGETS,
    "Content-Length": ["0", "-1", "1", "999999", "1, 2", "x", "9" * 30],
    "Content-Encoding": ["gzip", "br", "deflate", "identity", "gzip, gzip", "\x1b"],
    "Transfer-Encoding": ["chunked", "gzip", "identity"],
    "Connection": ["close", "upgrade", "keep-alive"],
    "Set-Cookie": ["a=b; Expires=Thu, 99 Foo 9999", "\x1b=;;;=", "x" * 5_000],
    "X Y": ["no header at all"],
}
STATUSES = [100, 101, 103, 200, 201, 202, 204, 206, 226, 299, 300, 301, 302, 304, 307, 399, 400, 401, 403, 404, 409]
STATUSES += [418, 429, 451, 499, 500, 501, 502, 503, 504, 511, 599, 600, 999]


FIELDS = ["id", "id", "name", "slug", "key", "createdDate", "expiryDate", "lastAuthenticated", "permissions", "token"]
FIELDS += ["values", "isLastPage", "nextPageStart", "message", "exceptionName"]


@dataclass(frozen=True)
class Lie:
    """One change to the answers of some requests: the ``nth``, or every one where that is negative."""

    nth: int
    kind: str
    where: int = 0
    value: t.Any = None

    def meets(self, number: int) -> bool:
        return self.nth < 0 or self.nth == number


def _lies_of(kind: str, values: st.SearchStrategy[t.Any]) -> st.SearchStrategy[Lie]:
    numbers = st.sampled_from([-1, *range(4), *range(4), *range(12)])
    return st.builds(Lie, numbers, st.just(kind), st.integers(0, 200), values)


lies = st.lists(
    st.one_of(
        _lies_of("replace", odd_values),
        _lies_of("field", st.tuples(st.sampled_from(FIELDS), odd_values)),
        _lies_of("field", st.tuples(st.sampled_from(FIELDS), odd_values)),
        _lies_of("refuse", st.tuples(st.sampled_from(STATUSES), odd_values)),
        _lies_of("redirect", st.sampled_from([(f, target) for f in (301, 302, 307) for target in HEADERS["Location"]])),
        _lies_of("limit", st.sampled_from(HEADERS["Retry-After"])),
        _lies_of("delete", st.none()),
        _lies_of("duplicate", st.none()),
        _lies_of("wrap", st.none()),
        _lies_of("body", odd_values),
        _lies_of("error", odd_values),
        _lies_of(
            "bytes", st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"\xff\xfe{", b"\xef\xbb\xbf{}", b" "]))
        ),
        _lies_of("status", st.one_of(st.sampled_from(STATUSES), st.integers(100, 599))),
        _lies_of("header", st.sampled_from([(name, value) for name, values in HEADERS.items() for value in values])),
        _lies_of("twice", st.sampled_from([(name, value) for name, values in HEADERS.items() for value in values])),
        _lies_of("drop", st.sampled_from([*HEADERS, "Content-Length", "Date"])),
        _lies_of("pack", st.none()),
        # Not a lie, but what others do meanwhile: what is listed shifts between two pages.
        _lies_of("shift", st.sampled_from(["gone", "new"])),
        _lies_of("wire", st.sampled_from(["cut", "more", "interim", "garbage", "chunks", "nothing", "many", "reason"])),
    ),
    min_size=1,
    max_size=3,
)


@dataclass
class Liar:
    """Answers requests as the simulator does, but for the lies; keeps what it was asked and what it said."""

    company: Company
    lies: t.Sequence[Lie] = ()
    #: Tokens that nobody else revokes meanwhile.
    kept: t.Collection[str] = ()
    asked: list[Request] = field(default_factory=list)
    said: list[Response] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> bytes:
        with self.lock:
            number = len(self.asked)
            assert number < MOST_REQUESTS, "the requests do not come to an end"
            self.asked.append(request)
            for lie in self.lies:
                if lie.kind == "shift" and lie.meets(number):
                    self._shift(request, lie)
            response = self.company.sim.handle(request)
            extra: list[tuple[str, str]] = []
            wire = ""
            for lie in self.lies:
                if lie.meets(number):
                    _change(response, lie, self._somebodys(request), extra)
                    wire = lie.value if lie.kind == "wire" else wire
            self.said.append(response)
            return _sent(response, extra, wire)

    def _shift(self, request: Request, lie: Lie) -> None:
        """Somebody makes or revokes a token of the owner that is asked about."""
        sim, path = self.company.sim, request.path.partition("/latest/")[2]
        tokens = [token for token in sim.model.all_tokens() if token.owner == path and token.id not in self.kept]
        if lie.value == "new" and sim.model.owner(path):
            sim.add_token(path, "ci")
        elif lie.value == "gone" and tokens:
            sim.model.revoke(tokens[lie.where % len(tokens)], sim.clock.now_ms())

    def _somebodys(self, request: Request) -> str:
        owner = request.path.partition("/latest/")[2]
        ids = [token.id for token in self.company.sim.model.all_tokens() if owner.startswith(token.owner)]
        return ids[0] if ids else "000000000001"

    @property
    def deleted(self) -> list[tuple[str, str]]:
        """Owner and id of every token that was to be revoked."""
        paths = [request.path.partition("/latest/")[2] for request in self.asked if request.method == "DELETE"]
        return [(path.rpartition("/")[0], path.rpartition("/")[2]) for path in paths]

    def adapter(self) -> Wire:
        return Wire(self.answer)


def _change(response: Response, lie: Lie, somebodys: str, extra: list[tuple[str, str]]) -> None:
    if lie.kind == "status":
        response.status = lie.value
    elif lie.kind == "limit":
        response.status = 429
        response.headers["Retry-After"] = lie.value
    elif lie.kind == "redirect":
        response.status, response.headers["Location"] = lie.value
    elif lie.kind == "header":
        response.headers.update([lie.value])
    elif lie.kind == "twice":
        extra.append(lie.value)
    elif lie.kind == "drop":
        response.headers.pop(lie.value, None)
    elif lie.kind in ("wire", "shift"):
        return
    else:
        if lie.kind == "refuse":
            response.status, said = lie.value
            lie = Lie(lie.nth, "error", lie.where, said)
        response.body = _BODIES[lie.kind](response.body, lie).replace(SOMEBODYS.encode(), somebodys.encode())
        if lie.kind == "pack":
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Content-Length"] = str(len(response.body))


def _parsed(body: bytes) -> t.Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _written(data: t.Any) -> bytes:
    text = json.dumps(data, separators=(",", ":"))
    for marker, literal in LITERALS.items():
        text = text.replace(marker, literal)
    return text.encode()


def _places(data: t.Any) -> t.Iterator[tuple[t.Any, t.Any]]:
    """Every place in ``data``: what holds it, and the key or index there."""
    for key in list(data) if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ():
        yield data, key
        yield from _places(data[key])


def _field(body: bytes, lie: Lie) -> bytes:
    data = _parsed(body)
    places = [(holder, key) for holder, key in _places(data) if key == lie.value[0]]
    if places:
        holder, key = places[lie.where % len(places)]
        holder[key] = lie.value[1]
        return _written(data)
    return body


def _at_a_place(change: t.Callable[[t.Any, t.Any, Lie], None]) -> t.Callable[[bytes, Lie], bytes]:
    def changed(body: bytes, lie: Lie) -> bytes:
        data = _parsed(body)
        places = list(_places(data))
        if not places:
            return body
        change(*places[lie.where % len(places)], lie)
        return _written(data)

    return changed


def _replace(holder: t.Any, key: t.Any, lie: Lie) -> None:
    holder[key] = lie.value


def _delete(holder: t.Any, key: t.Any, _lie: Lie) -> None:
    del holder[key]


def _duplicate(holder: t.Any, key: t.Any, _lie: Lie) -> None:
    if isinstance(holder, list):
        holder.insert(key, json.loads(json.dumps(holder[key])))
    else:
        holder[f"{key}2"] = holder[key]


def _wrap(holder: t.Any, key: t.Any, _lie: Lie) -> None:
    holder[key] = [holder[key]]


def _error(_body: bytes, lie: Lie) -> bytes:
    """The shape of an error, filled with anything; with a status of its own it is the server's words."""
    name = ["NoSuchTokenException", "com.atlassian.bitbucket.AuthorisationException", lie.value][lie.where % 3]
    entry = {"context": None, "message": lie.value, "exceptionName": name}
    return _written(
        {"errors": [entry] * (lie.where or 1), "message": lie.value} if lie.where % 2 else {"message": lie.value}
    )


_BODIES: dict[str, t.Callable[[bytes, Lie], bytes]] = {
    "field": _field,
    "replace": _at_a_place(_replace),
    "delete": _at_a_place(_delete),
    "duplicate": _at_a_place(_duplicate),
    "wrap": _at_a_place(_wrap),
    "body": lambda _body, lie: _written(lie.value),
    "error": _error,
    "bytes": lambda _body, lie: lie.value,
    "pack": lambda body, _lie: gzip.compress(body),
}


def _sent(response: Response, extra: list[tuple[str, str]], wire: str) -> bytes:
    headers = [*response.headers.items(), *extra]
    lines = [f"HTTP/1.1 {response.status} {http.client.responses.get(response.status, '')}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if wire == "many":
        lines += [f"X-{number}: 1" for number in range(200)]
    if wire == "reason":
        lines[0] = f"HTTP/1.1 {response.status} \x1b[31m{PASSWORD}"
    head = "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")
    return _WIRES.get(wire, lambda head, body: head + body)(head, response.body)


_WIRES: dict[str, t.Callable[[bytes, bytes], bytes]] = {
    "cut": lambda head, body: head + body[: len(body) // 2],
    "more": lambda head, body: head + body + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "interim": lambda head, body: b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head + body,
    "garbage": lambda _head, body: b"\x16\x03\x01" + body,
    "chunks": lambda head, body: (
        head.replace(b"Content-Length", b"X-Length")[:-2]
        + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n-5\r\n" % (len(body), body)
    ),
    "nothing": lambda _head, _body: b"",
}


class Wire(HTTPAdapter):
    """requests' own adapter over urllib3's own connections, whose other end of the socket is ``answer``.

    Each connection answers once and closes, so that no lie about a length is ever waited for.
    """

    def __init__(self, answer: t.Callable[[Request], bytes]) -> None:
        self._answer = answer
        super().__init__()

    def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
        super().init_poolmanager(*arguments, **options)
        answer = self._answer

        class Connection(HTTPConnection):
            def connect(self) -> None:
                self.sock, self._other_end = socket.socketpair()
                self.sock.settimeout(2)

            def request(self, method: str, url: str, body: t.Any = None, headers: t.Any = None, **more: t.Any) -> None:
                self.close()
                super().request(method, url, body=body, headers=headers, **more)
                parts = urlsplit(url)
                lowered = {"host": self.host} | {
                    str(name).lower(): _text(value) for name, value in (headers or {}).items()
                }
                said = answer(Request(method, parts.path, parts.query, lowered, body or b""))
                # Beside the reader, since what is between two sockets is less than the longest answers.
                threading.Thread(target=_say, args=(self._other_end, said), daemon=True).start()

            def close(self) -> None:
                super().close()
                if hasattr(self, "_other_end"):
                    self._other_end.close()

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        t.cast("t.Any", self.poolmanager).pool_classes_by_scheme = {"http": Pool}


def _say(end: socket.socket, said: bytes) -> None:
    with contextlib.suppress(OSError):
        end.sendall(said)
        end.shutdown(socket.SHUT_WR)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
