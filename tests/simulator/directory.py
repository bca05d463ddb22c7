"""``/rest/api``: what D22, D29 and D30 need, and ``/rest/basicauth`` of D23. Nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .context import Context, details, project_body, user_body, wrong_method
from .errors import NO_SUCH_PROJECT, invalid, not_found, not_permitted
from .exchange import Response, json_response
from .model import Project, Repository, User
from .paging import Item, page

PROJECT_LEVELS = ("PROJECT_READ", "PROJECT_WRITE", "PROJECT_ADMIN")
ARCHIVED_CHOICES = ("ACTIVE", "ARCHIVED", "ALL")


def route(context: Context) -> Response:
    handler = _RESOURCES.get("/".join(context.parts))
    if handler is None and len(context.parts) == 3 and context.parts[::2] == ["projects", "repos"]:
        handler = _project_repositories
    if handler is None:
        raise not_found("There is no such resource")
    if context.method != "GET":
        raise wrong_method("GET")
    return handler(context)


def _properties(context: Context) -> Response:
    """D30 [doc]: the only resource that answers anonymously."""
    return json_response(200, {"version": context.switches.version, "displayName": "Bitbucket"})


def _projects(context: Context) -> Response:
    """D29 [doc]."""
    context.require_login()
    level = context.request.parameters.get("permission")
    if level is not None and level not in PROJECT_LEVELS:
        raise invalid("permission", f"{level} is not a valid permission")
    caller = context.caller
    projects = [project for project in context.model.projects.values() if caller.sees(project)]
    if not context.switches.projects_list_personal:  # D29 [unknown]
        projects = [project for project in projects if not project.personal]
    if level in ("PROJECT_WRITE", "PROJECT_ADMIN"):
        projects = [project for project in projects if caller.administers_project(project)]
    return _page(context, projects, lambda project: project_body(project, context.base_url, context.switches))


def _project_repositories(context: Context) -> Response:
    """D29 [doc]."""
    context.require_login()
    key = context.parts[1]
    project = context.model.projects.get(key.lower())
    if project is None:
        raise not_found(f"Project {key} does not exist.", NO_SUCH_PROJECT)  # D10 [live]
    if not context.caller.sees(project):
        raise not_permitted()
    archived = "ALL" if context.switches.project_repos_show_archived else "ACTIVE"
    return _repository_page(context, [project], archived)


def _repositories(context: Context) -> Response:
    """D29 [doc]: archived ones are hidden unless ``archived`` asks for them."""
    context.require_login()
    parameters = context.request.parameters
    archived = parameters.get("archived", "ACTIVE")
    if archived not in ARCHIVED_CHOICES:
        raise invalid("archived", f"{archived} is not one of {', '.join(ARCHIVED_CHOICES)}")
    projects = [project for project in context.model.projects.values() if context.caller.sees(project)]
    if "projectkey" in parameters:
        key = parameters["projectkey"].lower()
        projects = [project for project in projects if project.key.lower() == key]
    return _repository_page(context, projects, archived)


def _repository_page(context: Context, projects: list[Project], archived: str) -> Response:
    wanted = {"ACTIVE": (False,), "ARCHIVED": (True,), "ALL": (False, True)}[archived]
    pairs = [
        (project, repository)
        for project in projects
        for repository in project.repositories.values()
        if repository.archived in wanted
    ]

    def body(pair: tuple[Project, Repository]) -> object:
        project, repository = pair
        href = f"{context.base_url}/projects/{project.key}/repos/{repository.slug}/browse"
        switches, archived = context.switches, repository.archived
        more = details(switches, description=repository.description, public=repository.public, archived=archived)
        return {
            "slug": repository.slug,
            "id": repository.id,
            "name": repository.name,
            **more,
            "project": project_body(project, context.base_url, switches),
            "links": {"self": [{"href": href}]},
        }

    return _page(context, pairs, body)


def _users(context: Context) -> Response:
    """D22 [live]: ``filter`` finds parts of names, so the caller has to match exactly."""
    context.require_login()
    users = [user for user in _filtered(context) if user.active or context.switches.deactivated_users_listed]
    return _page(context, users, lambda user: user_body(user, context.base_url))


def _admin_users(context: Context) -> Response:
    """D29 [doc]; D20 [doc]: administration refuses tokens."""
    context.require_login()
    if not context.caller.is_admin:
        raise not_permitted()
    return _page(context, _filtered(context), lambda user: user_body(user, context.base_url))


def _filtered(context: Context) -> list[User]:
    text = context.request.parameters.get("filter", "").lower()
    users = context.model.users.values()
    return [user for user in users if any(text in part.lower() for part in (user.name, user.display_name, user.email))]


def _page(context: Context, items: Sequence[Item], describe: Callable[[Item], object]) -> Response:
    return json_response(200, page(items, context.request.parameters, context.switches, describe))


def basic_auth_route(context: Context) -> Response:
    """D23 [doc]: ``GET`` and ``PUT /rest/basicauth/latest/config``."""
    if context.parts != ["config"]:
        raise not_found("There is no such resource")
    context.require_login()
    if not context.caller.is_admin:
        raise not_permitted()
    switches = context.switches
    if context.method == "PUT":
        body = context.body()
        switches.basic_auth = not body.get("block-requests", not switches.basic_auth)
        switches.basic_auth_allowed_paths = body.get("allowed-paths", switches.basic_auth_allowed_paths)
        switches.basic_auth_allowed_users = body.get("allowed-users", switches.basic_auth_allowed_users)
    elif context.method != "GET":
        raise wrong_method("GET", "PUT")
    answer: dict[str, object] = {"block-requests": not switches.basic_auth}
    answer["allowed-paths"] = list(switches.basic_auth_allowed_paths)
    answer["allowed-users"] = list(switches.basic_auth_allowed_users)
    return json_response(200, answer)


_RESOURCES: dict[str, Callable[[Context], Response]] = {
    "application-properties": _properties,
    "projects": _projects,
    "repos": _repositories,
    "users": _users,
    "admin/users": _admin_users,
}
