"""Answers word for word, for what a simulator should not say, and a note of what was asked."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._answers import Product
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Exchange

DATE = "Thu, 15 Jan 2026 09:00:00 GMT"
EMAIL = "jo@example.com"
# Made up. The last eight digits are the CRC-32 of what is before the equals sign, or of what is before them.
API_TOKEN = "ATATT3xFfGF0-this-is-no-real-token-4711=8E0C7A2B"
BASE = "https://api.example.test"


class Request(t.NamedTuple):
    method: str
    url: str
    headers: t.Mapping[str, str]
    body: bytes | None


def answer(status: int = 200, body: t.Any = None, **headers: str) -> Exchange:
    """One with a date, and headers by name with underscores for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return Exchange(status, {"content-type": "application/json", "date": DATE, **named}, text)


class FakeTransport:
    """Stands in for the transport. The last answer is given for ever; an error in place of one is raised."""

    def __init__(self, *answers: Exchange | BitbucketError) -> None:
        self.answers = list(answers)
        self.requests: list[Request] = []

    def exchange(self, method: str, url: str, headers: t.Mapping[str, str], body: bytes | None) -> Exchange:
        self.requests.append(Request(method, url, headers, body))
        given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(given, BitbucketError):
            raise given
        return given

    def client(self, product: Product = _cloud_answers.CLOUD, credential: Credential | None = None) -> Client:
        """A client that gets these answers and notes its waits in ``waits``."""
        self.waits: list[float] = []
        who = credential or Credential(EMAIL, API_TOKEN)
        return Client(BASE, who, t.cast("t.Any", self), self.waits.append, product)

    @property
    def asked(self) -> list[str]:
        """Such as ``GET /2.0/user``."""
        return [f"{request.method} {request.url.removeprefix(BASE)}" for request in self.requests]
