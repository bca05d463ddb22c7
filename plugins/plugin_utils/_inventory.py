# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the inventory holds: projects and repositories, and the hosts that stand for them."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import typing as t

from ..module_utils.core._errors import AnswerError, BitbucketError, ForbiddenError, InputError, NotFoundError
from ..module_utils.core._model import ListedOwner, Owner
from ..module_utils.core._workers import Workers
from ..module_utils.datacenter import _owners
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.datacenter._discovery import Discovery

#: Changes when what is cached does, so that nothing old is read as something else.
_FORMAT = 2


class Wanted(t.NamedTuple):
    """What to ask Bitbucket for."""

    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    administered: bool = True
    archived: bool = False
    repositories: bool = True
    concurrency: int = 8

    def fingerprint(self, url: str, caller: str) -> str:
        """The key of a result in a cache: from the server, the caller and what is asked; nothing secret."""
        what = [_FORMAT, url, caller, *self._replace(concurrency=0)]
        return hashlib.sha256(json.dumps(what).encode("utf-8", "surrogateescape")).hexdigest()[:16]


class Project(t.NamedTuple):
    """A project, and its repositories; ``None`` if these are not known."""

    listed: ListedOwner
    repositories: tuple[ListedOwner, ...] | None


class Discovered(t.NamedTuple):
    """The projects that were asked for, and warnings about them."""

    projects: tuple[Project, ...]
    warnings: tuple[str, ...]

    def plain(self) -> dict[str, t.Any]:
        """For a cache: nothing but what JSON has."""

        def fields(listed: ListedOwner) -> list[t.Any]:
            return [list(listed.owner), *listed[1:]]

        projects = [
            [fields(listed), None if repositories is None else list(map(fields, repositories))]
            for listed, repositories in self.projects
        ]
        return {"projects": projects, "warnings": list(self.warnings)}


def from_plain(data: t.Mapping[str, t.Any]) -> Discovered:
    """The inverse of :meth:`Discovered.plain`."""

    def listed(fields: t.Sequence[t.Any]) -> ListedOwner:
        return ListedOwner(Owner(*fields[0]), *fields[1:])

    projects = [
        Project(listed(project), None if repositories is None else tuple(map(listed, repositories)))
        for project, repositories in data["projects"]
    ]
    return Discovered(tuple(projects), tuple(data["warnings"]))


def discover(api: DataCenter, wanted: Wanted) -> Discovered:
    """Ask the server, several projects at a time. A project that refuses its repositories is warned of by name.

    :raises BitbucketError: for every other failure: a part of the projects would look like all of them.
    """
    discovery = Discovery(api, Workers(wanted.concurrency), wanted.administered, wanted.archived)
    listed = discovery.projects()
    chosen = [project for project in listed if _chosen(project.key, wanted)]
    warnings = [
        f"{pattern} matches no project that you {'administer' if wanted.administered else 'can see'}."
        for pattern in wanted.include
        if not any(_owners.matches(pattern, project.key) for project in listed)
    ]
    if not wanted.repositories:
        return Discovered(tuple(Project(project, None) for project in chosen), tuple(warnings))
    answers = discovery.repositories([project.key for project in chosen])
    _raise_the_cause(list(answers.values()))
    projects = []
    for project in chosen:
        answer = answers[project.key]
        if isinstance(answer, BitbucketError):
            warnings.append(f"The repositories of project {project.key} are not known: {answer}")
            projects.append(Project(project, None))
        else:
            projects.append(Project(project, tuple(answer)))
    return Discovered(tuple(projects), tuple(warnings))


def hosts(
    found: Discovered, each: str, include: t.Sequence[str], exclude: t.Sequence[str]
) -> dict[str, dict[str, t.Any]]:
    """Names of hosts with their variables.

    :param each: whether a host stands for a project or a repository.
    :param include: patterns of repositories, such as ``PAY/*``; ``exclude`` likewise.
    :raises InputError: if two owners would be one host.
    """
    made: dict[str, dict[str, t.Any]] = {}
    for project, repositories in found.projects:
        known = None
        if repositories is not None:
            known = [entry for entry in repositories if _is_in(f"{project.key}/{entry.key}", include, exclude)]
        if each == "project":
            described = None if known is None else [{"slug": entry.key, **_described(entry)} for entry in known]
            made[_name(project.key)] = _variables(project, project.key, repositories=described)
            continue
        for entry in known or ():
            name = _name(f"{project.key}.{entry.key}")
            if name in made:
                raise InputError(f"Two repositories would be the host {name}: exclude one of them.")
            made[name] = _variables(entry, project.key, repository=entry.key)
    return made


def may_be_template(text: str) -> bool:
    """Whether Ansible might evaluate ``text``, or a text that a user makes with it.

    A template has a brace, or a header such as ``#jinja2:variable_start_string:'[['`` that says how templates begin.
    """
    return "{" in text or "#" in text


def _name(name: str) -> str:
    """The name of a host, which Ansible may take for a template whatever it is marked as."""
    if may_be_template(name):
        raise AnswerError(f"Bitbucket lists {name!r}, which is not a valid key or slug. No host was added.")
    return name


def _chosen(key: str, wanted: Wanted) -> bool:
    included = any(_owners.matches(pattern, key) for pattern in wanted.include)
    return included and not any(_owners.matches(pattern, key) for pattern in wanted.exclude)


def _is_in(name: str, include: t.Sequence[str], exclude: t.Sequence[str]) -> bool:
    def matched(patterns: t.Sequence[str]) -> bool:
        return any(fnmatch.fnmatchcase(name.casefold(), pattern.casefold()) for pattern in patterns)

    return matched(include) and not matched(exclude)


def _raise_the_cause(answers: t.Sequence[object]) -> None:
    """Raise what says more than that one project is closed, or gone; what stopped the others rather than they."""
    errors = [answer for answer in answers if isinstance(answer, BitbucketError)]
    fatal = [error for error in errors if not isinstance(error, (ForbiddenError, NotFoundError))]
    fatal.sort(key=lambda error: error.reason == "stopped")
    if fatal:
        raise fatal[0]


def _described(entry: ListedOwner) -> dict[str, t.Any]:
    return {name: getattr(entry, name) for name in ("name", "description", "archived", "public")}


def _variables(entry: ListedOwner, key: str, **more: t.Any) -> dict[str, t.Any]:
    """The host's variables. All begin the same, since ``name`` and others are Ansible's own."""
    kind = "repository" if "repository" in more else "project"
    return {
        f"bitbucket_{name}": value for name, value in {"kind": kind, "key": key, **_described(entry), **more}.items()
    }
