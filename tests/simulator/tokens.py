"""``/rest/access-tokens``: the collections and items of D1, with the verbs of D2."""

from __future__ import annotations

import typing as t
from collections.abc import Callable

from .clock import iso_of
from .context import Context, project_body, user_body, wrong_method
from .errors import (
    NO_SUCH_PROJECT,
    NO_SUCH_REPOSITORY,
    NO_SUCH_USER,
    invalid,
    not_found,
    not_permitted,
)
from .exchange import Response, empty_response, json_response
from .expiry import expiry_for
from .model import Owner, Token
from .paging import page
from .permissions import checked_permissions, ordered
from .switches import Switches

LONGEST_NAME = 255


def route(context: Context) -> Response:
    parts = context.parts
    if parts == ["admin"] and context.switches.expiry_policy_endpoint:
        return _policy(context)
    owner_parts, token_id = _split(parts)
    context.require_login()
    owner = _owner(context, owner_parts)
    _authorise(context, owner)
    handlers = _COLLECTION if token_id is None else _ITEM
    handler = handlers.get(context.method)
    if handler is None:
        raise wrong_method(*handlers)
    return handler(context, owner, token_id or "")


def describe(token: Token, context: Context) -> dict[str, object]:
    """D7 [live]: the real body, which is not the published schema's; the id always comes first."""
    switches = context.switches
    token.settle_use(context.now, round(switches.last_authenticated_delay * 1000))
    body: dict[str, object] = {"id": token.id, "createdDate": _written(token.created, switches)}
    if token.last_used is not None and switches.last_authenticated_shown:
        body["lastAuthenticated"] = _written(token.last_used, switches)
    if token.expires is not None:
        body["expiryDate"] = _written(token.expires, switches)
    body["name"] = token.name
    body["permissions"] = ordered(token.permissions, switches)
    owner = context.model.owner(token.owner)
    return body | (_owner_body(owner, context) if owner else {})


def _written(at: int, switches: Switches) -> object:
    return at if switches.time_format == "epoch_ms" else iso_of(at, switches.time_format)


def _owner_body(owner: Owner, context: Context) -> dict[str, object]:
    if owner.user is not None:
        return {"user": user_body(owner.user, context.base_url)}
    answer = context.switches.service_owner  # D18 [unknown]
    if answer == "user":
        return {"user": user_body(context.model.service_user(owner), context.base_url)}
    if answer == "project" and owner.project is not None:
        return {"project": project_body(owner.project, context.base_url, context.switches)}
    return {}


def _split(parts: list[str]) -> tuple[list[str], str | None]:
    """D1 [doc]: the owner's part of the path, and the token id if one follows."""
    length = 2
    if parts[:1] == ["projects"] and parts[2:3] == ["repos"]:
        length = 4
    if parts[:1] not in (["users"], ["projects"]) or not length <= len(parts) <= length + 1:
        raise not_found("There is no such resource")
    return parts[:length], parts[length] if len(parts) > length else None


def _owner(context: Context, parts: list[str]) -> Owner:
    owner = context.model.owner_at(parts)
    exact = not context.switches.owner_paths_ignore_case  # open question 14
    if owner is not None and not (exact and owner.path.split("/") != parts):
        return owner
    if parts[0] == "users":
        raise not_found(f"User {parts[1]} does not exist.", NO_SUCH_USER)  # D10 [live]
    project = context.model.projects.get(parts[1].lower())
    if project is None or (exact and project.key != parts[1]):
        raise not_found(f"Project {parts[1]} does not exist.", NO_SUCH_PROJECT)  # D10 [live]
    raise not_found(f"Repository {parts[1]}/{parts[3]} does not exist.", NO_SUCH_REPOSITORY)  # D10 [live]


def _authorise(context: Context, owner: Owner) -> None:
    allowed = _own(context, owner) if owner.user is not None else _shared(context, owner)
    if not allowed:
        raise not_permitted()  # D10 [live]: 401, although the caller is known


def _own(context: Context, owner: Owner) -> bool:
    """D19 [doc]: created only by its own user; listed, edited and revoked by administrators too."""
    caller, reads = context.caller, context.method == "GET"
    if caller.token is not None and not (reads and context.switches.token_manages_tokens != "refuse"):
        return False  # D20 [doc]: a token changes nothing on behalf of its user
    if caller.user is owner.user:
        return True
    if not caller.is_admin or context.method == "PUT":
        return False
    return reads or context.switches.admin_edits_others == "allow"  # open question 8


def _shared(context: Context, owner: Owner) -> bool:
    """D19 [doc]: project and repository tokens need project or repository admin."""
    caller, switches = context.caller, context.switches
    if caller.token is not None:  # D20 [unknown]
        if switches.token_manages_tokens == "refuse":
            return False
        if switches.token_manages_tokens == "read" and context.method != "GET":
            return False
    project = t.cast("t.Any", owner.project)
    if owner.repository is None:
        return caller.administers_project(project)
    if not switches.repository_admins_manage_tokens:
        return caller.administers_project(project)  # D4 [doc]: since 8.8
    return caller.administers_repository(project, owner.repository)


def _list(context: Context, owner: Owner, _token_id: str) -> Response:
    tokens = sorted(context.model.tokens.get(owner.path, {}).values(), key=lambda token: token.created)
    if context.switches.list_order == "newest_first":
        tokens.reverse()
    elif context.switches.list_order == "shuffled":
        tokens.sort(key=lambda token: token.id[::-1])  # any order, as long as every page keeps it
    answer = page(tokens, context.request.parameters, context.switches, lambda token: describe(token, context))
    return json_response(200, answer)


def _create(context: Context, owner: Owner, _token_id: str) -> Response:
    """D2 [doc][live]: PUT on the collection, 200, the only answer with the secret."""
    body, switches = context.body(), context.switches
    name = _checked_name(body.get("name"), switches)
    permissions = checked_permissions(body.get("permissions"), owner, switches)
    expires = expiry_for(body.get("expiryDays"), context.now, switches)
    if 0 < switches.token_limit <= len(context.model.tokens.get(owner.path, {})):
        # D11 [doc]: 400; neither the size nor the text is known
        raise invalid(None, f"The maximum number of tokens ({switches.token_limit}) has been reached")
    token = context.model.add_token(
        owner.path, name, permissions, created=context.now, expires=expires, prefix=switches.secret_prefix
    )
    return json_response(200, describe(token, context) | {"token": token.secret})


def _read(context: Context, owner: Owner, token_id: str) -> Response:
    return json_response(200, describe(_token(context, owner, token_id), context))


def _update(context: Context, owner: Owner, token_id: str) -> Response:
    """D3 [doc][live]: alters the fields sent, of which only name and permissions count; the secret stays."""
    token, body = _token(context, owner, token_id, context.switches.unknown_update_status), context.body()
    name, permissions = token.name, token.permissions
    if "name" in body:
        name = _checked_name(body["name"], context.switches)
    if "permissions" in body:
        permissions = checked_permissions(body["permissions"], owner, context.switches)
    token.name, token.permissions = name, permissions
    return json_response(200, describe(token, context))


def _revoke(context: Context, owner: Owner, token_id: str) -> Response:
    context.model.revoke(_token(context, owner, token_id), context.now)
    return empty_response(204)  # D2 [doc][live]


def _token(context: Context, owner: Owner, token_id: str, status: int = 404) -> Token:
    token = context.model.tokens.get(owner.path, {}).get(token_id)
    if token is None:
        error = not_found(f"There is no token with the id {token_id}")  # D10 [live]: without an exceptionName
        error.response.status = status
        raise error
    return token


def _checked_name(value: object, switches: Switches) -> str:
    name = value if isinstance(value, str) else ""
    if not name.strip():
        raise invalid("name", "A name is required")  # D11 [doc], its text is not recorded
    if name != name.strip() and switches.name_spaces == "refuse":
        raise invalid("name", "The name must not start or end with a space")
    if switches.name_spaces == "trim":
        name = name.strip()
    if len(name) > LONGEST_NAME and switches.long_name == "refuse":
        raise invalid("name", f"The name must not be longer than {LONGEST_NAME} characters")
    return name[:LONGEST_NAME]


def _policy(context: Context) -> Response:
    """D16 [doc]: documented in 8.3; what GET answers without a policy is not known."""
    context.require_login()
    if not context.caller.is_admin:
        raise not_permitted()
    switches = context.switches
    if context.method == "PUT":
        days = context.body().get("maxExpiryDays")
        if isinstance(days, bool) or not isinstance(days, int) or days < 1:
            raise invalid("maxExpiryDays", "maxExpiryDays must be a number of at least 1")
        switches.max_expiry_days = days
    elif context.method == "DELETE":
        switches.max_expiry_days = None
        return empty_response(204)
    elif context.method != "GET":
        raise wrong_method("GET", "PUT", "DELETE")
    return json_response(200, {"maxExpiryDays": switches.max_expiry_days} if switches.max_expiry_days else {})


Handler = Callable[[Context, Owner, str], Response]
_COLLECTION: dict[str, Handler] = {"GET": _list, "PUT": _create}
_ITEM: dict[str, Handler] = {"GET": _read, "POST": _update, "DELETE": _revoke}
