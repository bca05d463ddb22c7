"""Real repositories behind the real ``git http-backend``, for both products."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path

from .exchange import Request, Response

SERVICES = ("info/refs", "git-upload-pack", "git-receive-pack")
LONGEST_SECONDS = 30
WHO = {"GIT_AUTHOR_NAME": "Simulator", "GIT_AUTHOR_EMAIL": "simulator@example.com"}
WHEN = "2026-01-15T09:00:00Z"


@functools.cache
def available() -> bool:
    """Some systems pack the program that speaks HTTP apart from git."""
    if shutil.which("git") is None:
        return False
    run = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=False)
    return Path(run.stdout.strip(), "git-http-backend").exists()


def environment() -> dict[str, str]:
    """Nothing of the user's own git."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_COMMITTER_NAME": WHO["GIT_AUTHOR_NAME"],
        "GIT_COMMITTER_EMAIL": WHO["GIT_AUTHOR_EMAIL"],
        "GIT_AUTHOR_DATE": WHEN,
        "GIT_COMMITTER_DATE": WHEN,
        **WHO,
    }


class Shelf:
    """Bare repositories with one commit each, made when somebody first asks for them."""

    def __init__(self) -> None:
        self._root: Path | None = None
        self.remove: Callable[[], object] = lambda: None

    @property
    def root(self) -> Path:
        if self._root is None:
            self._root = Path(tempfile.mkdtemp(prefix="simulated-git-"))
            # At the end of the process at the latest.
            self.remove = weakref.finalize(self, shutil.rmtree, self._root, ignore_errors=True)
        return self._root

    def path_of(self, owner: str, slug: str) -> Path:
        path = self.root / owner / f"{slug}.git"
        if not path.exists():
            path.mkdir(parents=True)
            self._fill(path)
        return path

    def _fill(self, path: Path) -> None:
        git(path, "init", "--quiet", "--bare", "--initial-branch=main", ".")
        git(path, "config", "http.receivepack", "true")
        blob = git(path, "hash-object", "-w", "--stdin", content=b"# A simulated repository\n")
        tree = git(path, "mktree", content=f"100644 blob {blob}\tREADME.md\n".encode())
        git(path, "update-ref", "refs/heads/main", git(path, "commit-tree", tree, "-m", "First"))


def git(directory: Path, *arguments: str, content: bytes = b"") -> str:
    command = ["git", *arguments]
    run = subprocess.run(
        command,
        cwd=directory,
        env=environment(),
        input=content,
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=True,
    )
    return run.stdout.decode().strip()


def backend(request: Request, repository: Path, service: str) -> Response:
    """Git's own CGI program does the talking; ``service`` is the path below the repository's."""
    variables = {
        **environment(),
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}/{service}",
        "REQUEST_METHOD": request.method,
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": request.headers.get("git-protocol", ""),
        "REMOTE_USER": "simulated",
        "REMOTE_ADDR": "127.0.0.1",
    }
    run = subprocess.run(
        ["git", "http-backend"],
        env=variables,
        input=request.body,
        capture_output=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )
    return _cgi_response(run.stdout)


def _cgi_response(output: bytes) -> Response:
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode("latin-1").split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return Response(status if head else 500, headers, body)
