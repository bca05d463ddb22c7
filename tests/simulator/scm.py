"""Git over HTTPS of Data Center: below ``/scm`` (D4), with a password or a token (D21)."""

from __future__ import annotations

from . import git
from .authentication import Caller
from .errors import RestError
from .exchange import Request, Response, html_response
from .model import Model, Project, Repository

#: What a token needs to be let in, to read and to write (D12).
_READ = {f"{kind}_{level}" for kind in ("PROJECT", "REPO") for level in ("READ", "WRITE", "ADMIN")}
_WRITE = {name for name in _READ if not name.endswith("READ")}


def serve(request: Request, caller: Caller, model: Model, shelf: git.Shelf) -> Response:
    """Without a credential git is asked for one, so that it sends what its URL or its helpers hold."""
    if caller.user is None:
        response = html_response(401, "Unauthorized")
        response.headers["WWW-Authenticate"] = 'Basic realm="Atlassian Bitbucket"'
        return response
    parts = request.segments
    service = "/".join(parts[3:])
    found = _repository(model, parts[1], parts[2]) if service in git.SERVICES else None
    if found is None or not _reaches(caller, *found, _needed(request)):
        raise RestError(404, "Repository not found", shape="html")
    if not git.available():
        return html_response(501, "git is not installed where the simulator runs")
    return git.backend(request, shelf.path_of(found[0].key, found[1].slug), service)


def _needed(request: Request) -> set[str]:
    writes = "git-receive-pack" in (request.segments[-1], request.parameters.get("service"))
    return _WRITE if writes else _READ


def _repository(model: Model, key: str, name: str) -> tuple[Project, Repository] | None:
    project = model.projects.get(key.lower())
    repository = project.repositories.get(name.removesuffix(".git").lower()) if project else None
    return (project, repository) if project and repository else None


def _reaches(caller: Caller, project: Project, repository: Repository, needed: set[str]) -> bool:
    if caller.token is not None and not needed & set(caller.token.permissions):
        return False
    only = caller.owner.repository if caller.owner is not None and caller.owner.scope != "USER" else None
    return caller.sees(project) and only in (None, repository)
