"""What Ansible's own checks cannot check."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token, access_token_set, credential_info
from tests.unit.plugins.company import set_params, token_params


@pytest.mark.parametrize("value", ["012345670123", "0", None])
def test_ids_are_strings_of_digits(value):
    assert _argspec.token_id(value, "id") == value


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (12345670123, "is a number"),
        (0, "is a number"),
        (1.5, "is a number"),
        ("", "digits only"),
        ("12a", "digits only"),
    ],
)
def test_other_ids_are_refused(value, sentence):
    with pytest.raises(InputError, match=f"`id` .*{sentence}"):
        _argspec.token_id(value, "id")


@pytest.mark.parametrize("value", ["٣٣٣", "1 2", "../1", "-1"])
def test_other_digits_are_none(value):
    with pytest.raises(InputError):
        _argspec.token_id(value, "id")


def test_stored_is_an_id_nothing_or_unknown():
    held = {"a": "012345670123", "b": None, "c": "unknown"}
    assert _argspec.stored_ids(held, "stored") == held
    assert _argspec.stored_ids(None, "stored") is None
    for wrong in (1, "", "secret", ["1"]):
        with pytest.raises(InputError, match=r"`stored\.a`"):
            _argspec.stored_ids({"a": wrong}, "stored")


def test_overrides_get_the_types_of_a_set():
    checked = _argspec.overrides({"PAY": [{"name": "ci", "permission": "REPO_READ,REPO_WRITE", "grace_days": "3"}]})
    (entry,) = checked["PAY"]
    assert (entry["permissions"], entry["grace_days"], entry["state"]) == (["REPO_READ", "REPO_WRITE"], 3, None)


@pytest.mark.parametrize(
    "entries", ["ci", {"name": "ci"}, ["ci"], [{"nmae": "ci"}], [{}], [{"name": "ci", "state": "gone"}]], ids=str
)
def test_an_override_that_is_no_list_of_tokens(entries):
    with pytest.raises(InputError, match=r"^`overrides\.PAY`"):
        _argspec.overrides({"PAY": entries})


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This machine is not in UTC."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-15T09:00:00Z", 1_768_467_600_000),
        ("2026-01-15T10:00:00+01:00", 1_768_467_600_000),
        (" 2026-01-15T09:00:00 ", 1_768_467_600_000),
        ("2026-01-15", 1_768_435_200_000),
        ("", None),
        (None, None),
    ],
)
def test_moments_are_utc_unless_they_say_otherwise(text, expected):
    assert _argspec.moment(text, "x") == expected


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "1768467600", "2026-W03-4", True, 2026, ["2026-01-15"]], ids=repr
)
def test_other_moments_are_refused(text):
    with pytest.raises(InputError, match="`x` must be an ISO 8601"):
        _argspec.moment(text, "x")


@pytest.mark.parametrize(
    "given",
    [
        {"token": "x"},
        {"id": "1", "secret": "x"},
        {"store": "file:/x", "secret": "x"},
        {"permissions": ...},
        {"name": ...},
        {"state": "absent"},
        {"rotate": "sometimes"},
        {"store": "file:/x", "id": "1"},
    ],
    ids=str,
)
def test_what_one_token_may_not_be_given(given):
    with pytest.raises(AssertionError):
        token_params(**given)


@pytest.mark.parametrize("given", [{"token": "x"}, {"stored": {}, "store": "file:/x"}, {"set": [{}]}], ids=str)
def test_what_a_set_may_not_be_given(given):
    with pytest.raises(AssertionError):
        set_params(**given)


def test_everything_secret_is_marked_so():
    secret = {
        "password",
        "token",
        "secret",
        "store_options",
        "api_token",
        "access_token",
        "client_secret",
        "admin_api_key",
    }
    for spec in (access_token.SPEC, access_token_set.SPEC, credential_info.SPEC, _argspec.CLOUD):
        for name in secret & spec.keys():
            assert spec[name]["no_log"], name


def test_a_single_permission_and_its_alias():
    params = token_params(permissions=..., permission="REPO_READ")
    assert params["permissions"] == ["REPO_READ"]
