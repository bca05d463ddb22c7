# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Variables of Bitbucket Pipelines: of a workspace, of a repository, or of one of its deployment environments."""

from __future__ import annotations

import typing as t
from urllib.parse import quote

from ..core._errors import AnswerError, BitbucketError, InputError, LostAnswerError, NotFoundError, StatusError
from ..http import _pages
from ..http._client import Client


class Place(t.NamedTuple):
    """Where a variable is; ``environment`` is the name of a deployment environment, or its UUID in braces."""

    workspace: str
    repository: str = ""
    environment: str = ""

    @property
    def label(self) -> str:
        """For sentences: ``workspace acme``, ``repository acme/shop``, ``environment Production of acme/shop``."""
        if self.environment:
            return f"environment {self.environment} of {self.workspace}/{self.repository}"
        return f"repository {self.workspace}/{self.repository}" if self.repository else f"workspace {self.workspace}"


class Variable(t.NamedTuple):
    """A variable as Bitbucket lists it; ``value`` is ``None`` if it is secured, since it never reads back."""

    uuid: str
    key: str
    secured: bool
    value: str | None = None


class TakenError(BitbucketError):
    """A variable of that name was created meanwhile."""


class PipelineVariables:
    """The variables of one place.

    :raises InputError: if the place names an environment that the repository does not have.
    """

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self.place = place
        self._path = self._collection()

    def find(self, key: str) -> Variable | None:
        """The variable of that name.

        :raises AnswerError: if there are several of that name.
        """
        # Without the slash at the end Bitbucket was seen to answer with an empty list (C14).
        found = [_variable(value) for value in self._values(f"{self._path}/") if value.get("key") == key]
        if len(found) > 1:
            raise AnswerError(
                f"The {self.place.label} has {len(found)} variables named {key}. Remove all but one in Bitbucket "
                f"({', '.join(variable.uuid for variable in found)})."
            )
        return found[0] if found else None

    def create(self, key: str, value: str, secured: bool) -> Variable:
        """Make the variable, or set it where our own answer was lost and it is there now.

        :raises TakenError: if another client has just created one of that name.
        """
        body = self._body(key, value, secured)
        try:
            return self._stored(self._client.create(self._path, body, method="POST").data, key, secured)
        except LostAnswerError:
            existing = self.find(key)
            if existing is None:
                return self._stored(self._client.create(self._path, body, method="POST").data, key, secured)
        except StatusError as error:
            if error.status == 409 and self.find(key) is not None:
                raise TakenError(str(error)) from None
            raise
        return self.update(existing, value, secured)

    def update(self, variable: Variable, value: str, secured: bool) -> Variable:
        """Set value and whether it is secured."""
        body = self._body(variable.key, value, secured)
        return self._stored(self._client.put(self._item(variable), body).data, variable.key, secured)

    def delete(self, variable: Variable) -> None:
        """Delete it; that it is gone already is as good."""
        try:
            self._client.delete(self._item(variable))
        except NotFoundError:
            if self.find(variable.key) is not None:
                raise

    def _body(self, key: str, value: str, secured: bool) -> dict[str, t.Any]:
        self._client.redact_also(value)
        return {"key": key, "value": value, "secured": secured}

    def _stored(self, data: t.Any, key: str, secured: bool) -> Variable:
        """What is there now: as the answer says, or where it says nothing, as the listing does.

        :raises AnswerError: if a secret would lie open, or the variable is not there.
        """
        said = isinstance(data, dict) and data.get("key") == key and isinstance(data.get("secured"), bool)
        variable = _variable(data) if said else self.find(key)
        if variable is None:
            raise AnswerError(f"Bitbucket accepted the variable {key} of the {self.place.label}, but does not list it.")
        if variable.secured != secured:
            state = "left it unsecured, so it can be read by others" if secured else "keeps it secured"
            raise AnswerError(
                f"Bitbucket accepted the variable {key} of the {self.place.label}, but {state}. "
                "Delete it with `state: absent`, then create it again."
            )
        return variable

    def _item(self, variable: Variable) -> str:
        return f"{self._path}/{quote(variable.uuid, safe='')}"

    def _collection(self) -> str:
        workspace, repository = quote(self.place.workspace, safe=""), quote(self.place.repository, safe="")
        if not repository:
            return f"/2.0/workspaces/{workspace}/pipelines-config/variables"
        base = f"/2.0/repositories/{workspace}/{repository}"
        if not self.place.environment:
            return f"{base}/pipelines_config/variables"
        uuid = quote(self._environment(f"{base}/environments"), safe="")
        return f"{base}/deployments_config/environments/{uuid}/variables"

    def _environment(self, path: str) -> str:
        """The UUID of the environment."""
        wanted = self.place.environment
        # Of a sister resource a listing without the slash was seen empty, so an empty one is asked for again with it.
        values = list(self._values(path)) or list(self._values(f"{path}/"))
        named = [(str(value.get("name") or ""), value.get("uuid")) for value in values]
        found = [uuid for name, uuid in named if isinstance(uuid, str) and wanted in (name, uuid)]
        if len(found) == 1:
            return found[0]
        if found:
            raise InputError(
                f"Several environments of {self.place.workspace}/{self.place.repository} are named {wanted}. Use "
                f"the UUID of one ({', '.join(found)})."
            )
        known = ", ".join(sorted(name for name, _uuid in named if name)) or "none"
        raise InputError(
            f"{self.place.workspace}/{self.place.repository} has no environment {wanted}. It has: {known}."
        )

    def _values(self, path: str) -> t.Iterator[dict[str, t.Any]]:
        return (value for value, _answer in _pages.by_link(self._client, path) if value is not None)


def _variable(value: dict[str, t.Any]) -> Variable:
    uuid, key, secured = value.get("uuid"), value.get("key"), value.get("secured")
    if not isinstance(uuid, str) or not uuid or not isinstance(key, str) or not isinstance(secured, bool):
        raise AnswerError("A variable in the server's answer has no `uuid`, `key` or `secured`.")
    text = value.get("value")
    return Variable(uuid, key, secured, text if isinstance(text, str) and not secured else None)
