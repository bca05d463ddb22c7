# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The `store_options` of a kind of store: each has a type, a default and an environment variable."""

from __future__ import annotations

import collections.abc as c
import os
import re
import typing as t
from urllib.parse import urlsplit

from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils.http import _addresses
from ._base import StoreError

_NAME = re.compile(r"[a-z_]{1,24}")
_MOST_SECONDS = 3600


class Option(t.NamedTuple):
    """One option.

    :param type: ``str``, ``seconds`` or ``bool``.
    :param variable: the environment variable that is used if the option is not set.
    """

    type: str = "str"
    default: t.Any = ""
    variable: str = ""


class StoreOptions:
    """The options that a task gives to a kind of store.

    :param declared: the options that the kind has.
    :param prefix: what stands before the names of options in messages.
    """

    def __init__(
        self, given: c.Mapping[str, t.Any], declared: c.Mapping[str, Option], prefix: str = "store_options."
    ) -> None:
        self._given = given
        self._declared = declared
        self._prefix = prefix

    def require_known(self, kind: str) -> None:
        """Refuse options that the kind of store does not have.

        :raises StoreError: naming one of them.
        """
        for name in sorted(set(self._given) - set(self._declared)):
            known = ", ".join(sorted(self._declared))
            # A text in place of a mapping is split at its equals signs: what comes out may be part of a secret.
            named = name if _NAME.fullmatch(name) else "such option"
            raise StoreError(f"`store_options` of {kind} has no {named}: it knows {known}.")

    def raw(self, name: str) -> t.Any:
        """The option as the task gives it; ``None`` if it does not."""
        return self._given.get(name)

    def text(self, name: str, environment: bool = True) -> str:
        """An option as text, else the environment variable, else the default.

        :param environment: whether the environment variable is used.
        """
        value, option = self.raw(name), self._declared[name]
        if value is None and option.variable and environment:
            value = os.environ.get(option.variable)
        if value is None:
            value = option.default
        # Ansible's own string types are not passed on.
        return str.__str__(value).strip() if isinstance(value, str) else str(value)

    def seconds(self, name: str) -> float:
        """An option that is a number of seconds.

        :raises StoreError: if it is not one.
        """
        try:
            seconds = float(self._given.get(name, self._declared[name].default))
        except (TypeError, ValueError):
            seconds = -1
        if not 0 <= seconds <= _MOST_SECONDS:
            raise StoreError(f"`{self._prefix}{name}` must be a number of seconds from 0 to {_MOST_SECONDS}.")
        return seconds

    def flag(self, name: str) -> bool:
        """An option that is true or false.

        :raises StoreError: if it is neither.
        """
        try:
            return bool(boolean(self.text(name) or self._declared[name].default))
        except TypeError:
            raise StoreError(f"{self.source(name)} must be true or false.") from None

    def url(self, name: str) -> str:
        """The URL of a service, proven to keep what is sent to it from others.

        :raises StoreError: for one that is missing or not a URL, has a credential in it, or would send in plain text.
        """
        text, source = self.text(name), self.source(name)
        if not _addresses.is_web_address(text):
            raise StoreError(f"The server has no valid URL. Set {source}.")
        if not _addresses.is_bare(text):
            raise StoreError(f"The URL of the server ({source}) must hold neither a credential nor a query.")
        if not _addresses.is_private(text) and not self.flag("allow_insecure"):
            raise StoreError(
                f"{urlsplit(text).hostname} is addressed with http://, so every secret would cross the network "
                f"unencrypted. Use https://, or set `{self._prefix}allow_insecure` to true."
            )
        return text.rstrip("/")

    def ca_file(self, name: str) -> str:
        """The path of the certificates to trust, proven to exist; nothing for the system's.

        :raises StoreError: if there is no such file.
        """
        text = self.text(name)
        # Path raises for a user that there is not, and where a folder above may not be searched.
        path = os.path.expanduser(text)  # noqa: PTH111
        if path and not os.path.isfile(path):  # noqa: PTH113
            raise StoreError(f"{text} ({self.source(name)}) is not a file with certificates.")
        return path

    def source(self, name: str) -> str:
        """The option and its environment variable, for messages."""
        variable = self._declared[name].variable
        return f"`{self._prefix}{name}`{f' or {variable}' if variable else ''}"
