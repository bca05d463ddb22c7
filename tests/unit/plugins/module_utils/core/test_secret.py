"""What a secret says of itself (D8), and what cannot be one."""

from __future__ import annotations

import base64

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret

EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"


def secret(payload: bytes, prefix: str = "") -> str:
    return prefix + base64.b64encode(payload).decode()


@pytest.mark.parametrize(
    ("text", "token_id"),
    [
        pytest.param(EXAMPLE, "252973515069", id="atlassians-example"),
        pytest.param(f"BBDC-{EXAMPLE}", "252973515069", id="prefix"),
        pytest.param(f" {EXAMPLE}\n", "252973515069", id="blanks-around"),
        pytest.param(secret(b"075905477751:" + b"\n" * 20), "075905477751", id="leading-zero-and-line-breaks"),
        pytest.param(secret(b"075905477751:" + b":" * 20), "075905477751", id="colons"),
        pytest.param(secret(b"075905477751:" + b"x" * 19), None, id="a-byte-short"),
        pytest.param(secret(b"075905477751:" + b"x" * 21), None, id="a-byte-long"),
        pytest.param(secret(b"12345:" + b"x" * 20), None, id="five-digits"),
        pytest.param(secret("٣".encode() * 6 + b":" + b"x" * 20), None, id="other-digits"),
        pytest.param(secret(b"admin:password12345678901"), None, id="user-and-password"),
        pytest.param(EXAMPLE[:-1], None, id="cut"),
        pytest.param(f"BBDC-BBDC-{EXAMPLE}", None, id="prefix-twice"),
        pytest.param("pässwort", None, id="not-ascii"),
        pytest.param("", None, id="empty"),
    ],
)
def test_a_secret_names_its_token_or_nothing(text, token_id):
    assert _secret.token_id(text) == token_id


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (EXAMPLE, "http_access_token"),
        ("BBDC-of-a-format-to-come", "http_access_token"),
        ("ATBBx", "app_password"),
        ("ATATTx", "api_token"),
        ("ATCTTx", "cloud_access_token"),
        ("a password", "unknown"),
        ("", "unknown"),
    ],
)
def test_kinds(text, kind):
    assert _secret.kind(f" {text} ") == kind


def test_a_fingerprint_recognises_and_reveals_nothing():
    assert _secret.fingerprint(EXAMPLE) == _secret.fingerprint(f"{EXAMPLE}\n")
    assert _secret.fingerprint(EXAMPLE) != _secret.fingerprint(EXAMPLE[:-1])
    assert len(_secret.fingerprint("\udcff")) == 12


@pytest.mark.parametrize(
    ("text", "plausible"),
    [
        (EXAMPLE, True),
        ("", False),
        ("two words", False),
        ("line\n", False),
        ("umläut", False),
        ("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", False),
        ("Proj********", False),
        ("$REDACTED$", False),
        ("{{lookup('pipe','id')}}AAAA", False),
        ("{%if%}", False),
        ("BBDC-Mz+/=_.~-09", True),
        ("a" * 512, True),
        ("a" * 513, False),
    ],
)
def test_only_the_characters_of_real_secrets_are_accepted(text, plausible):
    assert _secret.is_plausible(text) == plausible


def test_registering_is_harmless_wherever_it_is_not_known():
    _secret.register_secret(EXAMPLE)
