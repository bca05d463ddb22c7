# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Options that several modules have, and readers for values that an argument spec cannot check."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from ._names import NAME, NAMES, text
from .core._errors import InputError
from .core._model import canonical_reference
from .core._times import from_task
from .tokens._types import UNKNOWN

Spec = dict[str, dict[str, t.Any]]

TRANSPORT: Spec = {
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path", "fallback": (env_fallback, ["BITBUCKET_CA_PATH"])},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "timeout": {"type": "int", "default": 30},
    "use_proxy": {"type": "bool", "default": True},
    "allow_insecure": {"type": "bool", "default": False},
}

CONNECTION: Spec = {
    "url": {"type": "str", "fallback": (env_fallback, ["BITBUCKET_URL"])},
    "username": {"type": NAME},
    "password": {"type": "str", "no_log": True},
    "token": {"type": "str", "no_log": True},
    **TRANSPORT,
}

CLOUD: Spec = {
    "email": {"type": "str"},
    "api_token": {"type": "str", "no_log": True},
    "access_token": {"type": "str", "no_log": True},
    "client_id": {"type": NAME},
    "client_secret": {"type": "str", "no_log": True},
    "organization": {"type": NAME},
    "admin_api_key": {"type": "str", "no_log": True},
    "api_url": {"type": "str", "default": "https://api.bitbucket.org"},
    "oauth_url": {"type": "str", "default": "https://bitbucket.org/site/oauth2/access_token"},
    "admin_url": {"type": "str", "default": "https://api.atlassian.com"},
    **TRANSPORT,
}

TOKEN: Spec = {
    "name": {"type": NAME},
    "permissions": {"type": "list", "elements": "str", "aliases": ["permission"]},
    "expires_in_days": {"type": "int"},
    "rotate_before_days": {"type": "int"},
    "grace_days": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

TOKEN_ENTRY: Spec = {**TOKEN, "name": {"type": NAME, "required": True}}

#: An override leaves to the set what it does not name, the state included.
OVERRIDE_ENTRY: Spec = {**TOKEN_ENTRY, "state": {"type": "str", "choices": ["present", "absent"]}}

STORE: Spec = {
    "store": {"type": "str"},
    "store_options": {"type": "dict", "no_log": True},
    "missing_secret": {
        "type": "str",
        "choices": ["auto", "reissue", "fail"],
        "default": "auto",
        "no_log": False,
    },
}

OWNERS: Spec = {
    "projects": {"type": NAMES, "elements": "str", "default": []},
    "repositories": {"type": NAMES, "elements": "str", "default": []},
    "users": {"type": NAMES, "elements": "str", "default": []},
    "concurrency": {"type": "int", "default": 8},
}


CREDENTIAL_FILES: Spec = {
    "homes": {"type": "list", "elements": "path", "default": ["~"]},
    "search_paths": {"type": "list", "elements": "path", "default": []},
    "search_depth": {"type": "int", "default": 6},
    "paths": {"type": "list", "elements": "path", "default": []},
    "permissions": {"type": "list", "elements": "str", "default": [], "aliases": ["permission"]},
}


def token_id(value: t.Any, option: str) -> str | None:
    """A token id as a task gave it.

    :raises InputError: for a number, whose leading zeros YAML has already dropped or taken for octal.
    """
    if value is None:
        return None
    try:
        digits = text(value, f"`{option}`")
    except TypeError as error:
        raise InputError(str(error)) from None
    if not digits.isascii() or not digits.isdigit():
        raise InputError(f"`{option}` is not a token's id, which has digits only.")
    return digits


def stored_ids(value: t.Mapping[str, t.Any] | None, option: str) -> dict[str, str | None] | None:
    """A map of references, in Bitbucket's spelling, to what is stored: an id, ``unknown``, or ``None`` for nothing.

    :raises InputError: for what is no id, and for one reference in two spellings.
    """
    if value is None:
        return None
    stored: dict[str, str | None] = {}
    for reference, entry in value.items():
        key = canonical_reference(str(reference))
        if key in stored:
            raise InputError(f"`{option}` names {key} twice, in two spellings.")
        stored[key] = entry if entry == UNKNOWN else token_id(entry, f"{option}.{reference}")
    return stored


def overrides(value: t.Mapping[str, t.Any]) -> dict[str, list[dict[str, t.Any]]]:
    """Overrides by owner, each entry with the types of a set's.

    :raises InputError: naming the owner whose entries are not a list of tokens.
    """
    checked = {}
    for key, entries in value.items():
        if not isinstance(entries, list):
            raise InputError(f"`overrides.{key}` must be a list of tokens like those of `set`.")
        validator = ArgumentSpecValidator({key: {"type": "list", "elements": "dict", "options": OVERRIDE_ENTRY}})
        result = validator.validate({key: entries})
        for error in result.errors:
            unsupported = "unsupported parameters: " if isinstance(error, UnsupportedError) else ""
            raise InputError(f"`overrides.{key}`: {unsupported}{error.msg}")
        checked[key] = result.validated_parameters[key]
    return checked


def moment(value: t.Any, option: str) -> int | None:
    """Milliseconds since the epoch for a date or time as a task gave it; nothing for an empty one.

    :raises InputError: for anything else.
    """
    if value is None or value == "":
        return None
    milliseconds = from_task(value)
    if milliseconds is None:
        raise InputError(f"`{option}` must be an ISO 8601 date or time, such as 2026-11-23T08:00:00Z.")
    return milliseconds
