"""What others say is shown without secrets, however they spell them."""

from __future__ import annotations

import base64
import html
import json
import time
from urllib.parse import quote, quote_plus

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._redact import (
    CREDENTIAL,
    SECRET,
    WITHHELD,
    redacted,
    url_of,
    without_shapes,
    without_userinfo,
)

PASSWORD = "correct/horse+battery=&%\"'\\<staple> é 4711"
TOKEN = "BBDC-MDEyMzQ1NjcwMTIzOmRlZmdoaWprbG1ub3BxcnN0dXZ3"
USUAL = {
    "as it is": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "percent-encoded but for slashes": quote,
    "as in a form": quote_plus,
    "in JSON": json.dumps,
    "in HTML": html.escape,
    "in base64": lambda text: base64.b64encode(text.encode()).decode().rstrip("="),
    "in base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "in hexadecimal": lambda text: text.encode().hex(),
    "in capital hexadecimal": lambda text: text.encode().hex().upper(),
}
UNUSUAL = {
    "percent-encoded in small letters": lambda text: quote(text, safe="").lower().replace("%c3%a9", "%C3%A9"),
    "percent-encoded twice": lambda text: quote(quote(text, safe=""), safe=""),
    "in base64, percent-encoded": lambda text: quote(base64.b64encode(text.encode()).decode(), safe=""),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON in HTML": lambda text: html.escape(json.dumps(text)),
    "HTML by numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "JSON by numbers": lambda text: "".join(f"\\u{ord(char):04X}" for char in text),
    "a URL in JSON in HTML": lambda text: html.escape(json.dumps("\n" + quote(text, safe="/"))).replace("%", "%25"),
}


@pytest.mark.parametrize("spelling", list(USUAL))
def test_a_credential_is_taken_out_of_a_sentence_that_stays(spelling):
    said = f"Refused: {USUAL[spelling](PASSWORD)}, sorry"
    assert redacted(said, [PASSWORD]).replace('"', "") == f"Refused: {CREDENTIAL}, sorry"


@pytest.mark.parametrize("spelling", list(UNUSUAL))
def test_what_repeats_a_credential_in_another_way_is_withheld(spelling):
    shown = redacted(f"Refused: {UNUSUAL[spelling](PASSWORD)}, sorry", [PASSWORD])
    assert shown == WITHHELD or shown.replace("%3D", "").strip('"') == f"Refused: {CREDENTIAL}, sorry"
    assert "battery" not in shown
    assert "Y29ycmVjdC9ob3JzZ" not in shown


@pytest.mark.parametrize("secret", [PASSWORD, TOKEN], ids=["password", "token"])
@pytest.mark.parametrize("spelling", list(USUAL))
@pytest.mark.parametrize("length", [8, 13, 24, 36])
def test_what_is_cut_at_either_end_is_taken_out(secret, spelling, length):
    text = USUAL[spelling](secret).strip('"')
    beginning, end = text[:length], text[-length:]
    for shown in (redacted(f"Bad token: {beginning}...", [secret]), redacted(f"Bad token: ...{end}", [secret])):
        assert shown.replace("...", "") in (f"Bad token: {CREDENTIAL}", WITHHELD)


def test_what_is_cut_inside_another_encoding_is_withheld():
    for text in (html.escape(json.dumps(PASSWORD))[:40], quote(quote(PASSWORD, safe=""), safe="")[:40]):
        shown = redacted(f"Bad &amp; wrong: {text}...", [PASSWORD])
        assert shown == WITHHELD


@pytest.mark.parametrize("before", ["", "x", "admin:", "someone:"])
def test_base64_is_taken_out_whatever_is_around_the_credential(before):
    text = base64.b64encode(f"{before}{PASSWORD} and more".encode()).decode()
    inner = base64.b64encode(PASSWORD.encode()[6:30]).decode()
    assert CREDENTIAL in redacted(f"Refused: {text}", [PASSWORD])
    assert inner not in redacted(f"Refused: {text}", [PASSWORD])


@pytest.mark.parametrize("password", ["e", "c", "cred", "]", "credential"])
def test_a_password_that_is_part_of_the_mark_withholds_nothing(password):
    shown = redacted("Who is &amp; more", [password])
    assert shown == "Who is &amp; mor" + ("e" if password != "e" else CREDENTIAL)


def test_a_sentence_that_was_cleaned_before_stays_as_it_is():
    once = redacted("Refused: cred, sorry", ["cred"])
    assert redacted(once, ["cred"]) == once == f"Refused: {CREDENTIAL}, sorry"


def test_short_credentials_are_not_looked_for_in_parts():
    assert redacted("65 is not 0x6162", ["e", "ab"]) == "65 is not 0x6162"


def test_every_credential_is_taken_out_the_longest_spelling_first():
    basic = base64.b64encode(b"admin:staple").decode()
    shown = redacted(f"{basic} or {quote(basic, safe='')} or staple or staple-token", [basic, "staple", "staple-token"])
    assert "staple" not in shown
    assert "%3D" not in shown


def test_a_secret_of_bitbucket_is_known_by_its_shape_whoever_it_belongs_to():
    assert redacted(f"upstream said {{'token': '{TOKEN}'}}", []) == f"upstream said {{'token': '{SECRET}'}}"
    assert without_shapes(f"{TOKEN} and {TOKEN}") == f"{SECRET} and {SECRET}"


def test_words_that_hold_no_secret_stay_as_they_are():
    said = r"100% of C:\users and &lt;b&gt; fail: + - 012345670123 \u0041"
    assert redacted(said, [PASSWORD, "", TOKEN]) == said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://admin:pass@host/x", f"https://{CREDENTIAL}@host/x"),
        ("https://admin:p@ss/word@host", f"https://{CREDENTIAL}@host"),
        ("https://token@host", f"https://{CREDENTIAL}@host"),
        ("https://host/bitbucket", "https://host/bitbucket"),
        ("admin:pass@host", f"{CREDENTIAL}@host"),
        ("https:/admin:pass@host", f"{CREDENTIAL}@host"),
        ("https:admin:pass@host", f"{CREDENTIAL}@host"),
        ("https://admin:pa\nss@host", f"https://{CREDENTIAL}@host"),
        ("pass://word@host", f"pass://{CREDENTIAL}@host"),
        ("https://host?token=pass", f"https://host?{CREDENTIAL}"),
        ("https://host/x#pass\nword", f"https://host/x?{CREDENTIAL}"),
        ("https://admin:p?a#ss@host", f"https://{CREDENTIAL}@host"),
    ],
)
def test_a_credential_in_a_url_is_not_shown(url, shown):
    assert without_userinfo(url) == shown


def test_a_url_is_given_whole_to_whoever_checks_it_and_left_without_its_credential():
    params = {"api_url": "https://admin:pass@host", "admin_url": "https://host", "oauth_url": None}
    assert [url_of(params, option) for option in params] == ["https://admin:pass@host", "https://host", ""]
    assert params == {"api_url": f"https://{CREDENTIAL}@host", "admin_url": "https://host", "oauth_url": ""}


def test_a_body_of_many_megabytes_is_cut_and_leaves_no_part_of_a_credential():
    shown = redacted(f"{'&amp;%25' * 8000}{PASSWORD}{'%20' * 5_000_000}", [PASSWORD])
    assert len(shown) == 64 * 1024
    assert "horse" not in shown


def test_a_body_made_to_be_slow_is_not():
    started = time.process_time()
    redacted("ATAT_ATBB-" * 100_000, ["one credential or other"])
    assert time.process_time() - started < 10


def test_a_credential_that_repeats_itself_is_as_quick():
    started = time.process_time()
    shown = redacted("a" * 16 * 1024, ["a" * 1000 + "b"])
    assert time.process_time() - started < 5
    assert shown == CREDENTIAL
