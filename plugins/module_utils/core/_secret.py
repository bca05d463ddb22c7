# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What a secret says about itself, offline. Nothing in here may put a secret into a message."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib

DATA_CENTER_PREFIX = "BBDC-"

HTTP_ACCESS_TOKEN = "http_access_token"
APP_PASSWORD = "app_password"
API_TOKEN = "api_token"
CLOUD_ACCESS_TOKEN = "cloud_access_token"
UNKNOWN_KIND = "unknown"

CLOUD_KINDS = (APP_PASSWORD, API_TOKEN, CLOUD_ACCESS_TOKEN)

#: The user names that git takes with a token; with an API token also the Bitbucket user name (C8).
GIT_USERS = {API_TOKEN: "x-bitbucket-api-token-auth", CLOUD_ACCESS_TOKEN: "x-token-auth"}

# The prefixes that Atlassian's staff published for Bitbucket Cloud.
_CLOUD_PREFIXES = (("ATBB", APP_PASSWORD), ("ATAT", API_TOKEN), ("ATCT", CLOUD_ACCESS_TOKEN))

# Placeholders of log filters. A store that accepted one would have lost the secret.
_REDACTION_MARKERS = ("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********", "$REDACTED$")

# "<token id>:" and twenty random bytes. The length is part of the check, so that a password that happens to be
# base64 of "123:something" is not taken for a token.
_PAYLOAD = re.compile(rb"([0-9]{6,20}):[\x00-\xff]{20}", re.DOTALL)
# The characters of every format that Bitbucket issues. Nothing that a template needs is among them: Ansible evaluates
# the variables of a file, and a server could otherwise have a "secret" run on the controller.
_SECRET = re.compile(r"[A-Za-z0-9+/=_.~-]{1,512}")
#: The same rule in words, for messages.
ALLOWED = "letters, digits and + / = _ . ~ -, at most 512 characters"
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")


def token_id(secret: str) -> str | None:
    """The id of the Data Center token that ``secret`` belongs to, or ``None`` if it cannot be read.

    Atlassian promises no format, so ``None`` means "not known", never "wrong".
    """
    text = secret.strip()
    if text.startswith(DATA_CENTER_PREFIX):
        text = text[len(DATA_CENTER_PREFIX) :]
    try:
        payload = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    match = _PAYLOAD.fullmatch(payload)
    return match.group(1).decode("ascii") if match else None


def kind(secret: str) -> str:
    """What kind of Bitbucket credential this looks like, or ``unknown`` (a password, say)."""
    text = secret.strip()
    for prefix, name in _CLOUD_PREFIXES:
        if text.startswith(prefix):
            return name
    if text.startswith(DATA_CENTER_PREFIX) or token_id(text) is not None:
        return HTTP_ACCESS_TOKEN
    return UNKNOWN_KIND


def has_checksum(secret: str) -> bool:
    """Whether an API token ends in the checksum of what is before it: a hint that it is whole, never a verdict.

    That it does was observed and is promised nowhere, nor is whether the equals sign counts.
    """
    text = secret.strip()
    body, checksum = text[:-8], text[-8:]
    sums = {f"{zlib.crc32(part.encode('utf-8', 'surrogatepass')):08X}" for part in (body, body.rstrip("="))}
    return checksum.upper() in sums


def fingerprint(secret: str) -> str:
    """Twelve hex digits of the SHA-256: enough to recognise a secret, useless to guess it."""
    return hashlib.sha256(secret.strip().encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_fingerprint(text: str) -> bool:
    """Whether ``text`` can be what :func:`fingerprint` gives."""
    return _FINGERPRINT.fullmatch(text) is not None


def is_redaction_marker(text: str) -> bool:
    """Whether a log filter's placeholder stands where a secret should."""
    return any(marker in text for marker in _REDACTION_MARKERS)


def is_plausible(text: str) -> bool:
    """Whether this can be a secret at all: only characters of :data:`ALLOWED`, and no placeholder."""
    return _SECRET.fullmatch(text) is not None and not is_redaction_marker(text)


def register_secret(secret: str) -> None:
    """Have ansible-core 2.22 and later mask ``secret`` in everything it displays; nothing before 2.22."""
    try:
        from ansible.module_utils.secrets import register_secret as register
    except ImportError:
        return
    register(secret)
