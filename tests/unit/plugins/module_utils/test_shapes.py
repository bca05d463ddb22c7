"""Secrets in any text: what is found, where, and what is not taken for one."""

from __future__ import annotations

import base64
import random
from urllib.parse import quote

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils._shapes import SHORTEST, sightings

# Atlassian's own example, and one whose base64 has all that a URL encodes.
EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
AWKWARD = base64.b64encode(b"075905477751:" + b"\xfb\xff\xfe" * 6 + b"\xff\xfe").decode()
APP_PASSWORD = "ATBBwh4t3v3rY0uL1k3H3r3" + "0badcafe"
API_TOKEN = "ATATT3xFfGF0nothing-real_in-here" + "=0BADCAFE"
SECRETS = [EXAMPLE, f"BBDC-{EXAMPLE}", AWKWARD, APP_PASSWORD, API_TOKEN, "ATCTT3xFfGN0nothing-real=0BADCAFE"]

CARRIERS = {
    "alone": "{}",
    "quoted": 'token = "{}"',
    "in a path": "https://bitbucket.example.com/x/{}/y",
    "after an equals sign": "TOKEN={}\n",
    "in a URL": "https://x-token-auth:{}@bitbucket.example.com/scm/pay/ledger.git",
    "in a header": "Authorization: Bearer {}",
    "in a line of a log": "2026-11-23 10:00 fetching (pay/{}) failed",
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS.keys())
def test_a_secret_is_found_wherever_it_stands(carrier, secret):
    text = carrier.format(secret)
    (found,) = sightings(text)
    assert (found.secret, text[found.start : found.end]) == (secret, secret)


@pytest.mark.parametrize("secret", SECRETS)
def test_percent_encoding_is_undone(secret):
    text = f"https://u:{quote(secret, safe='')}@bitbucket.org/a/b"
    (found,) = sightings(text)
    assert found.secret == secret
    assert text[found.start : found.end] == quote(secret, safe="")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_basic_login_is_opened(secret):
    login = base64.b64encode(f"jdoe:{secret}".encode()).decode()
    text = f"extraHeader = Authorization: Basic {login}\n"
    (found,) = sightings(text)
    assert (found.secret, text[found.start : found.end]) == (secret, login)


def test_every_id_and_every_byte_is_found():
    chance = random.Random(7)
    for number in range(500):
        noise = bytes(chance.randrange(256) for _byte in range(20))
        secret = base64.b64encode(f"{chance.randrange(10**12):012d}:".encode() + noise).decode()
        prefix = "BBDC-" * (number % 2)
        (found,) = sightings(f"/{chance.choice('aO+/=.')}{prefix}{secret}M")
        assert found.secret == prefix + secret


def test_several_come_in_order_and_each_as_often_as_it_stands_there():
    text = f"{APP_PASSWORD} {EXAMPLE} {AWKWARD} {EXAMPLE}"
    assert [found.secret for found in sightings(text)] == [APP_PASSWORD, EXAMPLE, AWKWARD, EXAMPLE]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a commit 4b825dc642cb6eb9a060e54bf8d69288fbee4904",
        "M" * 200,
        EXAMPLE[:-1],
        "ATBB",
        "a sentence with ATATÜRK and BBDC- in it",
        "PATBBabcdefghijklmnopqrst12345678",
        "Basic " + base64.b64encode(b"jdoe:an ordinary password").decode(),
        "Basic ####",
        "Basic abcdefghi",
    ],
)
def test_what_is_not_one_is_left_alone(text):
    assert sightings(text) == []


def test_nothing_shorter_is_a_secret():
    assert sightings("ATBB" + "a" * (SHORTEST - 4))
    assert not sightings("ATBB" + "a" * (SHORTEST - 5))


def test_what_is_found_is_what_the_rest_of_the_collection_takes_it_for():
    kinds = [_secret.kind(found.secret) for found in sightings(" ".join(SECRETS))]
    assert kinds == ["http_access_token"] * 3 + ["app_password", "api_token", "cloud_access_token"]
