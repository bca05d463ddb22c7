"""Atlassian's admin API (C10–C12, C16): the API tokens of an organization and of one account."""

from __future__ import annotations

import json
import typing as t
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ..clock import Clock, iso_of
from ..exchange import Request, Response, empty_response, json_response
from .authentication import Presented
from .context import next_base
from .errors import TOO_MANY, CloudError
from .model import Account, Model, Organization, Token
from .switches import CloudSwitches

KNOWN_QUERY = ("q", "status", "sort", "pageSize", "cursor")
KNOWN_BEGINNINGS = ("createdAt", "lastActiveAt")
DEFAULT_PAGE = 20


@dataclass
class Admin:
    """The admin API's own memory: its windows of calls, and the disasters."""

    windows: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Admin key → when its window ends, calls in it."""
    disasters: list[str] = field(default_factory=list)
    """Organizations whose tokens were all revoked at once (C12)."""


@dataclass(frozen=True)
class Call:
    request: Request
    model: Model
    switches: CloudSwitches
    clock: Clock
    admin: Admin

    @property
    def now(self) -> int:
        return self.clock.now_ms()


def serve(call: Call, came: Presented) -> tuple[Response, Organization | None]:
    """C11 [doc]: the key goes as Bearer."""
    organization = None
    headers: dict[str, str] = {}
    try:
        known = call.model.organizations.values()
        organization = next((each for each in known if came.scheme == "bearer" and each.admin_key == came.secret), None)
        if organization is None:
            raise _failure(call.switches, 401, "Unauthorized")
        headers = _count(call, organization)
        response = _route(call, organization)
    except CloudError as error:
        response = error.response
    response.headers.update(headers)
    return response, organization


def _route(call: Call, organization: Organization) -> Response:
    parts, method = call.request.segments, call.request.method
    if parts[:3] == ["admin", "api-access", "v1"]:
        parts = parts[3:]  # C12 names the resource without its beginning
    if parts[:1] == ["orgs"] and parts[2:] == ["api-tokens"]:
        if parts[1] != organization.id:
            raise _failure(call.switches, 403, "Forbidden")
        return _organization(call, organization, method)
    if parts[:1] == ["users"] and parts[2:4] == ["manage", "api-tokens"]:
        account = call.model.account_by_id(parts[1])
        if account is None or account not in organization.accounts:  # C10 [doc]: managed accounts only
            raise _failure(call.switches, 404, "Not Found")
        return _account(call, account, method, parts[4:])
    raise _failure(call.switches, 404, "Not Found")


def _organization(call: Call, organization: Organization, method: str) -> Response:
    if method == "DELETE":
        return _disaster(call, organization)
    if method != "GET":
        raise _failure(call.switches, 405, "Method Not Allowed")
    parameters = call.request.parameters
    strangers = [name for name in parameters if name not in KNOWN_QUERY and not name.startswith(KNOWN_BEGINNINGS)]
    if strangers and call.switches.admin_unknown_query == "fail":
        raise _failure(call.switches, 500, "Internal Server Error")  # C10 [live]
    tokens = [token for token in _listed(call, organization.accounts) if _wanted(token, parameters, call)]
    return json_response(200, _page(call, organization, tokens))


def _disaster(call: Call, organization: Organization) -> Response:
    """C12 [doc] DANGER: every token of every managed account is gone."""
    call.admin.disasters.append(organization.id)
    for token in call.model.api_tokens_of(organization.accounts):
        token.revoked = token.revoked or call.now
    return empty_response(call.switches.revoke_status)


def _account(call: Call, account: Account, method: str, rest: list[str]) -> Response:
    """C11 [doc]: a plain array; DELETE of one."""
    if not rest and method == "GET":
        return json_response(200, [_account_entry(token, call.switches) for token in _listed(call, [account])])
    if len(rest) != 1 or method != "DELETE":
        raise _failure(call.switches, 405, "Method Not Allowed")
    for token in call.model.api_tokens_of([account]):
        if token.id == rest[0] and token.revoked is None:
            token.revoked = call.now
            return empty_response(call.switches.revoke_status)
    if call.switches.revoke_unknown == 404:
        raise _failure(call.switches, 404, "Not Found")
    return empty_response(call.switches.revoke_unknown)


def _listed(call: Call, accounts: list[Account]) -> list[Token]:
    """What is not revoked, newest first, and for a while what is."""
    linger = round(call.switches.revoked_lingers * 1000)
    tokens = [
        token
        for token in call.model.api_tokens_of(accounts)
        if (token.revoked is None or call.now < token.revoked + linger)
        and (call.switches.expired_listed or not token.expired(call.now))
    ]
    return sorted(tokens, key=lambda token: -token.created)


def _wanted(token: Token, parameters: dict[str, str], call: Call) -> bool:
    """``q`` and ``status``; how the others filter is not known, so they do not."""
    if "status" in parameters and _status(token, call) != parameters["status"]:
        return False
    account = token.account
    texts = (token.label, account.display_name, account.email) if account else (token.label,)
    return any(parameters.get("q", "").lower() in text.lower() for text in texts)


def _status(token: Token, call: Call) -> str:
    """C10 [doc]: only ALLOWED is recorded."""
    if token.revoked is not None:
        return call.switches.revoked_status
    return call.switches.expired_status if token.expired(call.now) else "ALLOWED"


def _page(call: Call, organization: Organization, tokens: list[Token]) -> dict[str, object]:
    """C10 [doc], C17 [spec]: ``data`` and ``links``; how a cursor looks is Atlassian's own business."""
    parameters, switches = call.request.parameters, call.switches
    start = _cursor(parameters.get("cursor"), switches)
    size = min(_size(parameters.get("pageSize"), switches), switches.admin_page_cap)
    base = next_base(call.request, switches) if switches.admin_next == "url" else ""

    def link(position: int) -> str:
        cursor = f"c{position:x}"
        query = urlencode({**parameters, "cursor": cursor})
        return cursor if switches.admin_next == "cursor" else f"{base}{call.request.path}?{query}"

    links: dict[str, object] = {"self": link(start)}
    if start + size < len(tokens) or switches.next_loop:
        links["next"] = link(0 if switches.next_loop else max(start + 1, start + size - switches.page_overlap))
    elif switches.admin_last_next != "absent":
        links["next"] = None if switches.admin_last_next == "null" else ""
    if start:
        links["prev"] = link(max(0, start - size))
    data = [_organization_entry(token, organization, call) for token in tokens[start : start + size]]
    return {"data": data, "links": links}


def _organization_entry(token: Token, organization: Organization, call: Call) -> dict[str, object]:
    switches, account = call.switches, token.account
    entry: dict[str, object] = {"id": organization_token_id(token, switches), "label": token.label}
    entry["status"] = _status(token, call)
    _put_times(entry, switches, createdAt=token.created, expiresAt=token.expires, lastActiveAt=token.last_active)
    if account is not None:
        user = {"id": account.account_id, "orgId": organization.id}
        entry["user"] = {**user, "name": account.display_name, "email": account.email}
    return entry


def _account_entry(token: Token, switches: CloudSwitches) -> dict[str, object]:
    entry: dict[str, object] = {"id": token.id, "label": token.label}
    _put_times(entry, switches, createdAt=token.created, lastAccess=token.last_active, expiry=token.expires)
    return entry


def organization_token_id(token: Token, switches: CloudSwitches) -> str:
    return token.id if switches.token_ids == "same" else f"o-{token.id}"


def _put_times(entry: dict[str, object], switches: CloudSwitches, **times: int | None) -> None:
    for name, at in times.items():
        if at is not None:
            entry[name] = at if switches.time_format == "epoch_ms" else iso_of(at, switches.time_format)
        elif switches.missing_time != "absent":
            entry[name] = None if switches.missing_time == "null" else ""


def _count(call: Call, organization: Organization) -> dict[str, str]:
    """C16 [doc]: the three headers; that calls are counted per key in windows is made up."""
    switches = call.switches
    if switches.admin_rate_limit <= 0:
        return {}
    ends, used = call.admin.windows.get(organization.admin_key, (0, 0))
    if call.now >= ends:
        ends, used = call.now + round(switches.admin_rate_window * 1000), 0
    used += 1
    call.admin.windows[organization.admin_key] = ends, used
    headers = {"X-RateLimit-Limit": str(switches.admin_rate_limit)}
    headers["X-RateLimit-Remaining"] = str(max(0, switches.admin_rate_limit - used))
    if switches.admin_reset != "missing":
        # A reset that is rounded down would ask for too little.
        whole = -(-ends // 1000) * 1000
        headers["X-RateLimit-Reset"] = iso_of(whole, switches.admin_reset)
    if used > switches.admin_rate_limit:
        error = _failure(switches, 429, TOO_MANY)
        error.response.headers.update(headers)
        add_retry_after(error.response, -(-(ends - call.now) // 1000), call.clock, switches)
        raise error
    return headers


def add_retry_after(response: Response, wait: int, clock: Clock, switches: CloudSwitches) -> None:
    """C16: undocumented, so there or not."""
    if switches.retry_after == "seconds":
        response.headers["Retry-After"] = str(wait)
    elif switches.retry_after == "date":
        response.headers["Retry-After"] = clock.http_date(age_seconds=-wait)


def _cursor(text: str | None, switches: CloudSwitches) -> int:
    if not text:
        return 0
    try:
        return int(text.removeprefix("c"), 16)
    except ValueError:
        raise _failure(switches, 400, "Invalid cursor") from None


def _size(text: str | None, switches: CloudSwitches) -> int:
    if text is None:
        return DEFAULT_PAGE
    if not text.isdigit() or int(text) < 1:
        raise _failure(switches, 400, "Invalid pageSize")
    return int(text)


def _failure(switches: CloudSwitches, status: int, message: str) -> CloudError:
    return CloudError(admin_error(switches, status, message))


def admin_error(switches: CloudSwitches, status: int, message: str) -> Response:
    if switches.admin_error_body == "empty":
        return empty_response(status)
    body: t.Any = {"message": message}
    if switches.admin_error_body == "errors":
        body = {"errors": [{"status": str(status), "title": message}]}
    return Response(status, {"Content-Type": "application/json"}, json.dumps(body).encode())
