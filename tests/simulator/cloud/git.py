"""Git over HTTPS (C4, C8): app passwords meet 410, tokens a real repository behind the real ``git http-backend``."""

from __future__ import annotations

from .. import git
from ..exchange import Request, Response, html_response
from .authentication import Presented, authenticate_git
from .context import reaches
from .errors import CloudError, error_response
from .model import Model, Repository, Token
from .rest import Need
from .switches import CloudSwitches

READ = Need("read:repository:bitbucket", ("repository", "repository:write", "repository:admin"))
WRITE = Need("write:repository:bitbucket", ("repository:write", "repository:admin"))


def is_git(parts: list[str]) -> bool:
    return len(parts) > 2 and "/".join(parts[2:]) in git.SERVICES


def serve(
    request: Request, came: Presented, model: Model, shelf: git.Shelf, switches: CloudSwitches, now: int
) -> tuple[Response, Token | None]:
    token = None
    try:
        token = authenticate_git(came, model, switches, now)
        repository = _repository(request, token, model)
        if not git.available():
            raise CloudError(html_response(501, "git is not installed where the simulator runs"))
        path = shelf.path_of(repository.workspace, repository.slug)
        return git.backend(request, path, "/".join(request.segments[2:])), token
    except CloudError as error:
        return error.response, token


def _repository(request: Request, token: Token, model: Model) -> Repository:
    """404 and 403 of git are made up."""
    workspace, name = request.segments[0], request.segments[1].removesuffix(".git")
    repository, home = model.repository(workspace, name), model.workspace(workspace)
    if repository is None or home is None or not reaches(token, home, repository):
        raise CloudError(error_response(404, "Repository not found", shape="html"))
    writes = "git-receive-pack" in (request.segments[-1], request.parameters.get("service"))
    if not (WRITE if writes else READ).met_by(token):
        raise CloudError(error_response(403, "Your credentials lack a required scope.", shape="html"))
    return repository
