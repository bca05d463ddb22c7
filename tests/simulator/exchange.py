"""What goes in and out of the simulator: one request, one response, and how the response travels."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

JSON_TYPE = "application/json;charset=UTF-8"
HTML_TYPE = "text/html;charset=UTF-8"


@dataclass(frozen=True)
class Request:
    """One HTTP request; ``path`` stays percent-encoded, header names are lower case."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    scheme: str = "http"

    @property
    def segments(self) -> list[str]:
        """The decoded parts of the path, so that ``%2F`` inside one does not split it."""
        return [unquote(part) for part in self.path.split("/") if part]

    @property
    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def base_url(self) -> str:
        return f"{self.scheme}://{self.headers.get('host', 'localhost')}"


@dataclass(frozen=True)
class Delivery:
    """How a front hands the response over: whole, or with one of the ways a network fails."""

    kind: t.Literal["whole", "drop", "cut", "slow", "refuse", "connect_timeout", "timeout"] = "whole"
    length: int = 0
    """``cut``: so many bytes of the body are sent, although Content-Length announces all of them."""
    seconds: float = 0.0
    """``slow``: the whole body takes so long. ``whole``: the answer starts that much later."""
    chunks: int = 2

    @property
    def gap(self) -> float:
        """``slow``: the pause between two parts of the body."""
        return self.seconds / max(1, self.chunks - 1)


WHOLE = Delivery()


@dataclass
class Response:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    delivery: Delivery = WHOLE

    def json(self) -> t.Any:
        return json.loads(self.body)


def json_response(status: int, payload: object) -> Response:
    body = json.dumps(payload, separators=(",", ":")).encode()
    return Response(status, {"Content-Type": JSON_TYPE}, body)


def html_response(status: int, text: str) -> Response:
    body = f"<!DOCTYPE html><html><head><title>{text}</title></head><body>{text}</body></html>".encode()
    return Response(status, {"Content-Type": HTML_TYPE}, body)


def empty_response(status: int) -> Response:
    return Response(status)
