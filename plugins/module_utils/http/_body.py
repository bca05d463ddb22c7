# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The body of an answer: read until a deadline and up to a size, then unpacked."""

from __future__ import annotations

import io
import time
import typing as t
import zlib

from ..core._errors import AnswerError, LostAnswerError

try:
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError
except ImportError:  # pragma: no cover - modules report it with missing_required_lib before they get here
    HTTPAdapter = object  # type: ignore[misc, assignment]

if t.TYPE_CHECKING:
    import requests

#: How many timeouts a request may last. The libraries limit each wait for data, but not the number of waits.
FACTOR = 10
#: An answer larger than this is not one of Bitbucket's: a page of 1,000 tokens has about half a megabyte, and of
#: 1,000 repositories two. As objects in memory JSON may take twenty-five times as much.
MAX_BODY = 8 * 1024 * 1024
_CHUNK = 64 * 1024
#: Bytes that urllib3 1 reads at a time. It has no `read1`, and waits for all bytes that it is asked for.
_SMALL_CHUNK = 64
_GZIP_OR_ZLIB = zlib.MAX_WBITS + 32


def read(response: requests.Response, started: float, timeout: float) -> bytes:
    """The body of ``response``, without the compression that some proxies add unasked.

    The deadline is checked between two waits for data, so that a request may last one ``timeout`` longer.

    :param started: when the request was sent, by ``time.monotonic``.
    :raises LostAnswerError: if the body is incomplete, or not complete in ``FACTOR`` timeouts.
    :raises AnswerError: if it is larger than ``MAX_BODY`` or in an unknown compression.
    """
    raw = response.raw
    receive, most = (raw.read1, _CHUNK) if hasattr(raw, "read1") else (raw.read, _SMALL_CHUNK)
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := receive(most):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_BODY:
                raise _too_long()
            if time.monotonic() - started > FACTOR * timeout:
                raise _too_slow(timeout)
    except (HTTPError, ValueError):
        # A ValueError is raised for a chunk size that is not a valid number.
        raise broken() from None
    # urllib3 1 accepts a body that is shorter than its Content-Length.
    if raw.length_remaining:
        raise broken()
    return _unpacked(b"".join(chunks), response.headers.get("Content-Encoding", ""))


class BodyAdapter(HTTPAdapter):
    """Reads bodies with :func:`read`, for a library that would read them itself, without a deadline."""

    def send(
        self, request: t.Any, stream: bool = False, timeout: t.Any = None, *options: t.Any, **named: t.Any
    ) -> t.Any:
        started = time.monotonic()
        response = super().send(request, True, timeout, *options, **named)
        with response.raw:
            response.raw = io.BytesIO(read(response, started, timeout))
        return response


def broken() -> LostAnswerError:
    return LostAnswerError("The connection broke before the whole answer was here.")


def _unpacked(body: bytes, encoding: str) -> bytes:
    if encoding.strip().lower() in ("", "identity"):
        return body
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        raise AnswerError("The server's answer is compressed in a way that was not asked for: is a proxy doing that?")
    unpack = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    try:
        # A few kilobytes can unpack to gigabytes.
        plain = unpack.decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise broken() from None
    if len(plain) > MAX_BODY:
        raise _too_long()
    if body and not unpack.eof:
        raise broken()
    return plain


def _too_long() -> AnswerError:
    return AnswerError(f"The server's answer has more than {MAX_BODY // 1024 // 1024} MiB, which none has.")


def _too_slow(timeout: float) -> LostAnswerError:
    return LostAnswerError(
        f"The answer was not complete after {FACTOR * timeout:g} seconds, {FACTOR} times `timeout`: look for what "
        "slows the server or a proxy down, or raise `timeout`."
    )
