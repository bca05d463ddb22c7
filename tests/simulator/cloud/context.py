"""What a resource of ``/2.0`` is given to answer one request."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from ..exchange import Request
from .errors import CloudError, failure, not_found
from .model import Model, Repository, Token, Workspace
from .switches import CloudSwitches

DEFAULT_LENGTH = 10


@dataclass(frozen=True)
class Context:
    request: Request
    token: Token
    model: Model
    switches: CloudSwitches
    parts: list[str]
    """The decoded path below ``/2.0``."""

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def slashed(self) -> bool:
        return self.request.path.endswith("/")

    def body(self) -> dict[str, t.Any]:
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError:
            raise failure(400, "The request body is not JSON.") from None
        if not isinstance(body, dict):
            raise failure(400, "The request body is not an object.")
        return body

    # What the caller may see. Members see all of their workspace; who sees what is made up.

    def workspace(self) -> Workspace:
        found = self.model.workspace(self.parts[1])
        if found is None or not reaches(self.token, found, None):
            raise not_found(f"Workspace {self.parts[1]}")
        return found

    def repository(self) -> Repository:
        found = self.model.repository(self.parts[1], self.parts[2])
        home = self.model.workspace(self.parts[1])
        if found is None or home is None or not reaches(self.token, home, found):
            raise not_found(f"Repository {self.parts[1]}/{self.parts[2]}")
        return found


def reaches(token: Token, workspace: Workspace, repository: Repository | None) -> bool:
    if token.account is not None:
        return token.account in workspace.members
    places = [workspace.slug]
    if repository is not None:
        places += [repository.path, f"{workspace.slug}/{repository.project}"]
    return token.reach in places


def wrong_method(*allowed: str) -> CloudError:
    error = failure(405, "Method not allowed.")
    error.response.headers["Allow"] = ", ".join(allowed)
    return error


def page(context: Context, values: Sequence[object]) -> dict[str, object]:
    """C17 [spec]: ``{values, next?, pagelen, size?}``; ``next`` is a whole address."""
    switches, parameters = context.switches, context.request.parameters
    length = min(_number(parameters.get("pagelen"), DEFAULT_LENGTH), switches.page_cap)
    start = _start(parameters.get("page"), length)
    following = start + length
    answer: dict[str, object] = {"pagelen": length, "values": list(values[start:following])}
    if switches.page_size_shown:
        answer["size"] = len(values)
    if following < len(values) or switches.next_loop:
        position = 0 if switches.next_loop else max(start + 1, following - switches.page_overlap)
        answer["next"] = _next(context, position, length)
    return answer


def _next(context: Context, position: int, length: int) -> str:
    request, switches = context.request, context.switches
    whole = position % length == 0 and switches.page_style == "number"
    parameters = {**request.parameters, "page": str(position // length + 1) if whole else f"p{position:x}"}
    return f"{next_base(request, switches)}{request.path}?{urlencode(parameters)}"


def next_base(request: Request, switches: CloudSwitches) -> str:
    if not switches.next_host:
        return request.base_url
    return urlsplit(request.base_url)._replace(netloc=switches.next_host).geturl()


def _start(text: str | None, length: int) -> int:
    if text is not None and text.startswith("p"):
        try:
            return int(text[1:], 16)
        except ValueError:
            raise failure(400, "Invalid page.") from None
    return (_number(text, 1) - 1) * length


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not text.isdigit() or int(text) < 1:
        raise failure(400, "Invalid page.")
    return int(text)
