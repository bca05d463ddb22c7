# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Argument specs, and reading what they cannot check. Shared by modules and the action plugins that go with them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

from ansible_collections.tokensmith.bitbucket.plugins.module_utils._names import BY_NAME, NAME, NAMES, text
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import canonical_reference
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._times import from_task
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._steps import UNKNOWN

Spec = dict[str, dict[str, t.Any]]

#: Options that only an action plugin passes to its module. A task that sets one is refused.
INTERNAL = ("handover", "walk")

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
    "handover": {"type": "dict"},
}

OWNERS: Spec = {
    "projects": {"type": NAMES, "elements": "str", "default": []},
    "repositories": {"type": NAMES, "elements": "str", "default": []},
    "users": {"type": NAMES, "elements": "str", "default": []},
    "concurrency": {"type": "int", "default": 8},
}
#: Takes what signs in elsewhere too, and does not use it: its action groups set that for all their modules.
CREDENTIAL: Spec = {
    **CONNECTION,
    **CLOUD,
    "url": {"type": "str", "fallback": (env_fallback, ["BITBUCKET_URL"])},
    "secret": {"type": "str", "required": True, "no_log": True},
    "verify": {"type": "bool", "default": False},
}

API_TOKEN_INFO: Spec = {
    **CLOUD,
    "account_id": {"type": NAME},
    "label": {"type": NAME},
    "user": {"type": NAME},
    "user_email": {"type": "str"},
    "status": {"type": "str"},
    "expiring_within_days": {"type": "int"},
    "unused_for_days": {"type": "int"},
    "expired": {"type": "bool"},
}

API_TOKEN: Spec = {
    **CLOUD,
    "account_id": {"type": NAME, "required": True},
    "id": {"type": NAME},
    "label": {"type": NAME},
    "min_days_left": {"type": "int"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}

API_TOKEN_CONSTRAINTS: dict[str, t.Any] = {
    "required_one_of": [("id", "label")],
    "mutually_exclusive": [("id", "label")],
}

ACCESS_TOKEN: Spec = {
    **CONNECTION,
    **TOKEN,
    **STORE,
    "project": {"type": NAME},
    "repository": {"type": NAME},
    "user": {"type": NAME},
    "id": {"type": "raw"},
    "secret": {"type": "str", "no_log": True},
    "rotate": {"type": "str", "choices": ["auto", "never", "always"], "default": "auto"},
}

ACCESS_TOKEN_CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("token", "password"), ("id", "secret", "store")],
    "required_if": [("state", "present", ("name", "permissions")), ("state", "absent", ("name", "id", "secret"), True)],
}

ACCESS_TOKEN_SET: Spec = {
    **CONNECTION,
    **STORE,
    **OWNERS,
    "set": {"type": "list", "elements": "dict", "default": [], "options": TOKEN_ENTRY},
    "overrides": {"type": BY_NAME, "default": {}},
    "stored": {"type": "dict"},
    "rotate_created_before": {"type": "str"},
    "prune": {"type": NAMES, "elements": "str", "default": []},
    "max_revocations": {"type": "int", "default": 10},
    "max_reissues": {"type": "int", "default": 10},
    "issue": {"type": "bool", "default": True},
    "assume_revoked": {"type": NAMES, "elements": "str", "default": []},
}

ACCESS_TOKEN_SET_CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("token", "password"), ("stored", "store")],
}

_PATTERNS: dict[str, t.Any] = {"type": NAMES, "elements": "str"}

ACCESS_TOKEN_AUDIT: Spec = {
    **CONNECTION,
    "projects": {**_PATTERNS, "default": ["*", "~*"]},
    "repositories": {**_PATTERNS, "default": ["*/*", "~*/*"]},
    "users": {**_PATTERNS, "default": ["*"]},
    "concurrency": {"type": "int", "default": 8},
    "declared": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "projects": {**_PATTERNS, "default": []},
            "repositories": {**_PATTERNS, "default": []},
            "users": {**_PATTERNS, "default": []},
            "set": {"type": "list", "elements": "dict", "default": [], "options": TOKEN_ENTRY},
            "overrides": {"type": BY_NAME, "default": {}},
        },
    },
    "policy": {"type": "dict", "default": {}},
    "fail_on": {
        "type": "str",
        "choices": ["none", "info", "low", "medium", "high", "critical"],
        "default": "none",
    },
    "output_dir": {"type": "path"},
    "walk": {"type": "dict"},
}

ACCESS_TOKEN_AUDIT_CONSTRAINTS: dict[str, t.Any] = {"mutually_exclusive": [("token", "password")]}

STORE_COPY: Spec = {
    "source": {"type": "str", "required": True},
    "source_options": {"type": "dict", "default": {}, "no_log": True},
    "destination": {"type": "str", "required": True},
    "destination_options": {"type": "dict", "default": {}, "no_log": True},
    "references": {"type": NAMES, "elements": "str", "required": True},
    "overwrite": {"type": "bool", "default": False},
}

CREDENTIAL_FILES: Spec = {
    "homes": {"type": "list", "elements": "path", "default": ["~"]},
    "search_paths": {"type": "list", "elements": "path", "default": []},
    "search_depth": {"type": "int", "default": 6},
    "paths": {"type": "list", "elements": "path", "default": []},
    "permissions": {"type": "list", "elements": "str", "default": [], "aliases": ["permission"]},
}

APP_PASSWORD_INFO: Spec = {
    **CREDENTIAL_FILES,
    **TRANSPORT,
    "verify": {"type": "bool", "default": False},
    "email": {"type": "str"},
    "api_url": CLOUD["api_url"],
}

APP_PASSWORD: Spec = {
    **CREDENTIAL_FILES,
    "state": {"type": "str", "choices": ["absent", "replaced", "present"], "required": True},
    "api_token": {"type": "str", "no_log": True},
    "git_username": {"type": "str", "default": "x-bitbucket-api-token-auth"},
    "email": {"type": "str"},
    "kinds": {
        "type": "list",
        "elements": "str",
        "choices": ["app_password", "api_token", "cloud_access_token", "http_access_token", "unknown"],
    },
    "fingerprints": {"type": NAMES, "elements": "str", "default": []},
    "exclude_fingerprints": {"type": NAMES, "elements": "str", "default": []},
    "backup": {"type": "bool", "default": False},
}

APP_PASSWORD_CONSTRAINTS: dict[str, t.Any] = {
    "mutually_exclusive": [("kinds", "fingerprints")],
    "required_if": [("state", "replaced", ("api_token",))],
}

AWX_OBJECTS: Spec = {
    "url": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "username": {"type": NAME},
    "password": {"type": "str", "no_log": True},
    "validate_certs": {"type": "bool"},
    "ca_path": {"type": "path"},
    "api_prefix": {"type": "str"},
    "allow_insecure": {"type": "bool", "default": False},
    "timeout": {"type": "int", "default": 30},
    "sync_timeout": {"type": "int", "default": 300},
    "update_secrets": {"type": "bool", "default": False},
    "objects": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "kind": {"type": "str", "required": True},
            "name": {"type": NAME, "required": True},
            "fields": {"type": "dict", "default": {}},
            "credentials": {"type": NAMES, "elements": "str"},
            "survey": {"type": "dict"},
        },
    },
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
