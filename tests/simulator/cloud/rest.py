"""``/2.0``: who am I (C6), my workspaces and environments (C15), pipeline variables (C14), what was retired (C6)."""

from __future__ import annotations

import typing as t
from collections.abc import Callable
from dataclasses import dataclass

from ..exchange import Response, json_response
from .authentication import Presented, authenticate_rest
from .context import Context, page, reaches, wrong_method
from .errors import CloudError, error_response, lacks_scopes, not_found, retired
from .model import Model, Token, Variable, Workspace
from .switches import CloudSwitches
from .variables import variable, variables

if t.TYPE_CHECKING:
    from ..exchange import Request

RETIRED = ["repositories"], ["workspaces"], ["user", "permissions", "workspaces"]
RETIRED_CHANGE = "CHANGE-0000"
"""The real number is not in the facts."""


@dataclass(frozen=True)
class Need:
    """One scope in both vocabularies; those that app passwords had live on in access tokens and OAuth."""

    new: str
    old: tuple[str, ...]

    def of(self, token: Token) -> tuple[str, ...]:
        return (self.new,) if token.kind == "api_token" else self.old[:1]

    def met_by(self, token: Token) -> bool:
        """C9 [doc]: of an API token's scopes none implies another."""
        if token.kind == "api_token":
            return self.new in token.scopes or not token.scopes
        return any(scope in token.scopes for scope in self.old)


@dataclass(frozen=True)
class Route:
    pattern: str
    handler: Callable[[Context], Response]
    read: Need
    write: Need | None = None

    def matches(self, parts: list[str]) -> bool:
        wanted = self.pattern.split("/")
        return len(wanted) == len(parts) and all(want in ("*", part) for want, part in zip(wanted, parts, strict=True))

    def need(self, method: str) -> Need:
        return self.read if method == "GET" or self.write is None else self.write


@dataclass
class Answer:
    response: Response
    token: Token | None = None


def serve(request: Request, came: Presented, model: Model, switches: CloudSwitches, now: int) -> Answer:
    """The answer, and whose it is: a token that lacks a scope is a caller too."""
    parts = request.segments[1:]
    if parts in RETIRED:
        return Answer(retired(RETIRED_CHANGE).response)
    route = next((each for each in ROUTES if each.matches(parts)), None)
    need = route.need(request.method) if route else USER
    token = None
    try:
        token = authenticate_rest(came, (need.new,), model, switches, now)
        if route is None:
            raise not_found(request.path)
        _check_scope(route, need, token, switches)
        response = route.handler(Context(request, token, model, switches, parts))
    except CloudError as error:
        response = error.response
    if token is not None:
        _add_headers(response, token, need, switches)
    return Answer(response, token)


def _check_scope(route: Route, need: Need, token: Token, switches: CloudSwitches) -> None:
    granted: tuple[str, ...] | None = token.scopes
    if route.pattern == "user" and token.is_access_token:
        # C6 [live]: nobody stands behind an access token; the 403 says so
        raise lacks_scopes(granted if switches.access_token_user_detail else None, need.of(token))
    if route.pattern == "user" and token.kind == "oauth_access_token" and switches.consumer_user == "forbid":
        raise lacks_scopes(granted, need.of(token))
    if not need.met_by(token):
        raise lacks_scopes(granted, need.of(token))


def _add_headers(response: Response, token: Token, need: Need, switches: CloudSwitches) -> None:
    """C7 [live]; how scopes are joined is made up."""
    if switches.credential_headers:
        response.headers["x-oauth-scopes"] = ", ".join(token.scopes)
        response.headers["x-accepted-oauth-scopes"] = ", ".join(need.of(token))
        response.headers["x-token-id"] = token.id
    if switches.credential_type_header and token.is_access_token:
        response.headers["x-credential-type"] = token.kind


def _user(context: Context) -> Response:
    """C6 [spec][live]."""
    _read_only(context)
    account = context.token.account
    if account is None:
        raise CloudError(error_response(403, "No user stands behind this credential."))
    body = {"type": "user", "uuid": account.uuid, "account_id": account.account_id}
    body |= {"display_name": account.display_name, "nickname": account.nickname}
    if context.switches.user_shows_username:
        body["username"] = account.username
    return json_response(200, body)


def _user_workspaces(context: Context) -> Response:
    """C15 [doc]."""
    _read_only(context)
    found = [each for each in context.model.workspaces.values() if reaches(context.token, each, None)]
    return json_response(200, page(context, [_workspace_body(each, context.switches) for each in found]))


def _workspace_body(workspace: Workspace, switches: CloudSwitches) -> dict[str, object]:
    body: dict[str, object] = {"type": "workspace", "uuid": workspace.uuid, "slug": workspace.slug}
    body["name"] = workspace.name
    return body if switches.workspaces_shape == "plain" else {"type": "workspace_access", "workspace": body}


def _environments(context: Context) -> Response:
    """C15 [doc]."""
    _read_only(context)
    found = context.repository().environments
    if not context.slashed and context.switches.slashless_list == "empty_environments":
        found = []
    bodies = [{"type": "deployment_environment", "uuid": each.uuid, "name": each.name} for each in found]
    return json_response(200, page(context, bodies))


def _read_only(context: Context) -> None:
    if context.method != "GET":
        raise wrong_method("GET")


def _workspace_variables(context: Context) -> list[Variable]:
    return context.workspace().variables


def _repository_variables(context: Context) -> list[Variable]:
    return context.repository().variables


def _deployment_variables(context: Context) -> list[Variable]:
    for environment in context.repository().environments:
        if environment.uuid == context.parts[5]:
            return environment.variables
    raise not_found(f"Environment {context.parts[5]}")


# C3, C9 [doc] and the table of cloud.md; which scope an operation needs is [inferred] from it.
USER = Need("read:user:bitbucket", ("account", "email"))
WORKSPACES = Need("read:workspace:bitbucket", ("account", "team"))
READ_PIPELINES = Need("read:pipeline:bitbucket", ("pipeline", "pipeline:write", "pipeline:variable"))
CHANGE_VARIABLES = Need("admin:pipeline:bitbucket", ("pipeline:variable",))

_REPOSITORY = "repositories/*/*/pipelines_config/variables"
_WORKSPACE = "workspaces/*/pipelines-config/variables"
_DEPLOYMENT = "repositories/*/*/deployments_config/environments/*/variables"


def _all_variables(pattern: str, held: Callable[[Context], list[Variable]]) -> Route:
    return Route(pattern, lambda context: variables(context, held(context)), READ_PIPELINES, CHANGE_VARIABLES)


def _one_variable(pattern: str, held: Callable[[Context], list[Variable]], *, readable: bool = True) -> Route:
    def handler(context: Context) -> Response:
        return variable(context, held(context), readable=readable)

    return Route(f"{pattern}/*", handler, READ_PIPELINES, CHANGE_VARIABLES)


ROUTES = [
    Route("user", _user, USER),
    Route("user/workspaces", _user_workspaces, WORKSPACES),
    Route("repositories/*/*/environments", _environments, READ_PIPELINES),
    _all_variables(_REPOSITORY, _repository_variables),
    _one_variable(_REPOSITORY, _repository_variables),
    _all_variables(_WORKSPACE, _workspace_variables),
    _one_variable(_WORKSPACE, _workspace_variables),
    _all_variables(_DEPLOYMENT, _deployment_variables),
    _one_variable(_DEPLOYMENT, _deployment_variables, readable=False),
]
