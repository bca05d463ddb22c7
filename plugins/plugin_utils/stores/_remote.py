# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stores have in common that are behind a URL."""

from __future__ import annotations

import collections.abc as c
import os
import typing as t
from urllib.parse import urlsplit

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _addresses
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import StoreError

Options = c.Mapping[str, t.Any]


def option(options: Options, name: str, variable: str = "") -> str:
    """An option as text, else what the environment says, else nothing."""
    value = options.get(name)
    if value is None:
        value = os.environ.get(variable, "") if variable else ""
    # Ansible's own string types stay here.
    return str.__str__(value).strip() if isinstance(value, str) else str(value)


def safe_url(text: str, options: Options, source: str, place: str = "store_options.") -> str:
    """The URL of a service, proven to keep what is sent to it from others.

    :param source: where to name it, for messages.
    :param place: what stands before the names of options, for messages.
    :raises StoreError: for one that is missing or not a URL, has a credential in it, or would send in plain text.
    """
    if not _addresses.is_web_address(text):
        raise StoreError(f"The server is not named by a URL: set {source}.")
    if not _addresses.is_bare(text):
        raise StoreError(f"The URL of the server ({source}) must hold neither a credential nor a query.")
    if not _addresses.is_private(text) and options.get("allow_insecure") is not True:
        raise StoreError(
            f"{urlsplit(text).hostname} is named with http, which would show every secret to the network: use https, "
            f"or set `{place}allow_insecure` to true."
        )
    return text.rstrip("/")


def ca_file(text: str, source: str) -> str:
    """The path of the certificates to trust, proven to be there; nothing for the system's.

    :raises StoreError: where there is no such file.
    """
    # Path raises for a user that there is not, and where a folder above may not be searched.
    path = os.path.expanduser(text)  # noqa: PTH111
    if path and not os.path.isfile(path):  # noqa: PTH113
        raise StoreError(f"{text} ({source}) is not a file with certificates.")
    return path
