"""What a resource is given to answer one request."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass

from .authentication import Caller
from .errors import RestError, anonymous, invalid
from .exchange import Request
from .model import Model, Project, User
from .switches import Switches


@dataclass(frozen=True)
class Context:
    request: Request
    caller: Caller
    model: Model
    switches: Switches
    now: int
    base_url: str
    parts: list[str]
    """The decoded path below the REST version."""

    @property
    def method(self) -> str:
        return self.request.method

    def body(self) -> dict[str, t.Any]:
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError:
            raise invalid(None, "The request body is not JSON") from None
        if not isinstance(body, dict):
            raise invalid(None, "The request body is not an object")
        return body

    def require_login(self) -> None:
        if self.caller.user is None:
            raise anonymous()  # D10 [doc]


def wrong_method(*allowed: str) -> RestError:
    return RestError(405, "Method Not Allowed", headers={"Allow": ", ".join(allowed)})


def user_body(user: User, base_url: str) -> dict[str, object]:
    """D7 [live]: the user inside a token's body, as recorded."""
    body: dict[str, object] = {"name": user.name}
    if user.email:
        body["emailAddress"] = user.email
    body |= {"id": user.id, "displayName": user.display_name, "active": user.active, "slug": user.slug}
    body |= {"type": user.type, "links": {"self": [{"href": f"{base_url}/users/{user.slug}"}]}}
    return body


def project_body(project: Project, base_url: str, switches: Switches) -> dict[str, object]:
    """D29 [doc]: personal projects have keys that start with a tilde."""
    kind = "PERSONAL" if project.personal else "NORMAL"
    links = {"self": [{"href": f"{base_url}/projects/{project.key}"}]}
    more = details(switches, description=project.description, public=project.public)
    return {"key": project.key, "id": project.id, "name": project.name, **more, "type": kind, "links": links}


def details(switches: Switches, **values: object) -> dict[str, object]:
    """D29 names no bodies: what they carry beside key and name is a switch."""
    if switches.listing_details == "always":
        return values
    return {name: value for name, value in values.items() if value and switches.listing_details == "when_set"}
