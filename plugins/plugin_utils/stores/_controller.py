# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The REST API of AWX or Automation Controller: signing in, looking for objects, creating and changing them."""

from __future__ import annotations

import base64
import json
import typing as t
from urllib.parse import urlencode

from ...module_utils.core._errors import BitbucketError, ConnectError, InputError
from ...module_utils.http import _transport
from ...module_utils.http._answers import loaded
from ._base import StoreError
from ._options import Option, StoreOptions

Json = dict[str, t.Any]

_PAGE = 200
_MOST_PAGES = 1000
_LOGIN = ("token", "username", "password")
#: The options that name a controller.
OPTIONS = {
    "url": Option(variable="CONTROLLER_HOST"),
    "token": Option(variable="CONTROLLER_OAUTH_TOKEN"),
    "username": Option(variable="CONTROLLER_USERNAME"),
    "password": Option(variable="CONTROLLER_PASSWORD"),
    "validate_certs": Option("bool", True, "CONTROLLER_VERIFY_SSL"),
    "ca_path": Option(),
    "api_prefix": Option(default="/api/v2"),
    "timeout": Option("seconds", 30),
    "allow_insecure": Option("bool", False),
}


class ControllerError(StoreError):
    """A request that the controller did not do. ``gone``: further requests are useless for now."""

    def __init__(self, message: str, gone: bool = False, conflict: bool = False) -> None:
        super().__init__(message)
        self.gone = gone
        self.conflict = conflict


class Controller:
    """One controller, by one credential.

    :param url: with the prefix of the API, up to its version.
    :param authorization: the whole header.
    :param write_timeout: how many seconds to wait for the answer to a write, if that is less than for other answers.
    """

    def __init__(
        self, url: str, authorization: str, settings: _transport.Settings, write_timeout: float | None = None
    ) -> None:
        if not _transport.HAS_REQUESTS:
            raise StoreError("AWX needs the Python package requests on the controller: pip install requests.")
        self._url = url
        self._headers = {"Authorization": authorization, "Accept": "application/json"}
        patience = settings.timeout if write_timeout is None else min(settings.timeout, write_timeout)
        try:
            self._reading = _transport.Transport(settings)
            self._writing = _transport.Transport(settings._replace(timeout=patience))
        except InputError as error:
            raise StoreError(str(error)) from None

    def one(self, kind: str, what: str, /, **filters: str) -> Json:
        """The one object of a kind that the filters match.

        :raises ControllerError: if there is none, or several.
        """
        found = self.all(kind, **filters)
        if len(found) != 1:
            raise ControllerError(f"{self._url} shows this login {len(found) or 'no'} {what}.")
        return found[0]

    def all(self, kind: str, /, **filters: str) -> list[Json]:
        """Every object of a kind that the filters match. The address of the next page is made here, never followed."""
        found: list[Json] = []
        for page in range(1, _MOST_PAGES):
            query = urlencode({**filters, "page_size": _PAGE, "page": page, "order_by": "id"})
            answer = self._ask("GET", f"{kind}/?{query}")
            results = answer.get("results")
            if not isinstance(results, list) or not all(isinstance(item, dict) for item in results):
                raise self._no_controller()
            found.extend(results)
            if not answer.get("next"):
                return found
        raise self._no_controller()

    def may_create(self, path: str) -> bool:
        """Whether this login may create something in a list."""
        actions = self._ask("OPTIONS", path).get("actions")
        return isinstance(actions, dict) and "POST" in actions

    def get(self, path: str) -> Json:
        """One object, or whatever else is at a path."""
        return self._ask("GET", path)

    def create(self, kind: str, fields: Json) -> Json:
        """Create an object; what it is now."""
        return self._ask("POST", f"{kind}/", fields)

    def change(self, kind: str, number: int, fields: Json) -> Json:
        """Change some fields of an object, all at once; what it is now."""
        return self._ask("PATCH", f"{kind}/{number}/", fields)

    def remove(self, kind: str, number: int) -> None:
        """Delete an object."""
        self._exchange("DELETE", f"{kind}/{number}/", None)

    def tell(self, path: str, fields: Json) -> None:
        """Post something that is answered with nothing."""
        self._exchange("POST", path, fields)

    def _ask(self, method: str, path: str, body: Json | None = None) -> Json:
        answer = self._exchange(method, path, body)
        try:
            parsed = loaded(answer)
        except (ValueError, RecursionError):
            raise self._no_controller() from None
        if not isinstance(parsed, dict):
            raise self._no_controller()
        return parsed

    def _exchange(self, method: str, path: str, body: Json | None) -> bytes:
        transport = self._reading if body is None else self._writing
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if body is None else {**self._headers, "Content-Type": "application/json"}
        try:
            answer = transport.exchange(method, f"{self._url}/{path}", headers, data)
        except BitbucketError as error:
            # After a lost answer to a write the next reading tells whether anybody is there.
            gone = body is None or isinstance(error, ConnectError)
            raise ControllerError(f"{self._url}: {error}", gone=gone) from None
        if answer.status not in (200, 201, 204):
            raise self._refusal(answer.status, method, path.partition("?")[0], _refused(answer.body, body))
        return answer.body

    def _refusal(self, status: int, method: str, path: str, refused: list[str]) -> ControllerError:
        """By the status and the names of our fields alone: the body of a refusal may quote what was sent."""
        if status == 401:
            return ControllerError(f"{self._url} refuses this login.", gone=True)
        if status == 403:
            return ControllerError(f"{self._url} does not permit this login to {method} {path}.")
        if status == 404:
            return ControllerError(
                f"{self._url} has no {path}. Check that it is the API of AWX or Automation Controller."
            )
        about = f", because of {', '.join(refused)}" if refused else ""
        text = f"{self._url} answered {method} {path} with status {status}{about}."
        return ControllerError(text, gone=status >= 500 or status == 429, conflict=status in (400, 409))

    def _no_controller(self) -> ControllerError:
        return ControllerError(f"The answer of {self._url} does not come from AWX. Check the address.")


def _refused(body: bytes, sent: Json | None) -> list[str]:
    """The fields that a refusal is about, of those that were sent."""
    try:
        parsed = loaded(body)
    except (ValueError, RecursionError):
        return []
    return sorted(set(parsed) & set(sent or ())) if isinstance(parsed, dict) else []


def open_controller(options: StoreOptions, write_timeout: float | None = None) -> Controller:
    """The controller that options name, or the environment.

    :param write_timeout: as for :class:`Controller`.
    :raises StoreError: for options that cannot be right.
    """
    url = options.url("url")
    login = _authorization(options)
    if not login.isprintable() or not login.isascii():
        raise StoreError("The token for the controller has characters that are not allowed in it.")
    settings = _transport.Settings(
        validate_certs=options.flag("validate_certs"),
        ca_path=options.ca_file("ca_path") or None,
        timeout=options.seconds("timeout"),
    )
    prefix = (options.text("api_prefix") or OPTIONS["api_prefix"].default).strip("/")
    return Controller(f"{url}/{prefix}", login, settings, write_timeout)


def _authorization(options: StoreOptions) -> str:
    """The header for an OAuth 2 token, or for a user.

    :raises StoreError: if neither is given.
    """
    # The environment supplies a credential only if the task sets none.
    own = any(options.raw(name) is not None for name in _LOGIN)
    token, username, password = (options.text(name, environment=not own) for name in _LOGIN)
    if token:
        return f"Bearer {token}"
    if not username or not password:
        raise StoreError(
            f"Signing in to the controller needs {options.source('token')}, or a user's name and password "
            "(`username`, `password`, or CONTROLLER_USERNAME, CONTROLLER_PASSWORD)."
        )
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
