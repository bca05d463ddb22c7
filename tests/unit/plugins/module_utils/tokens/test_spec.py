"""The limits that a declared token must keep, at their edges, and its defaults."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec, spec_of

PAY = Owner(project="PAY")


def made(**given: object) -> TokenSpec:
    return spec_of({"name": "ci", "permissions": ["REPO_READ"], **given}, PAY)


def windows(lifetime: int | None, window: int | None = None, grace: int | None = None) -> tuple[int, int]:
    spec = made(expires_in_days=lifetime, rotate_before_days=window, grace_days=grace)
    return spec.rotate_before_days, spec.grace_days


@pytest.mark.parametrize(
    ("lifetime", "expected"),
    [
        (None, (14, 7)),
        (3, (1, 0)),
        (4, (1, 1)),
        (5, (1, 1)),
        (6, (2, 2)),
        (21, (7, 7)),
        (41, (13, 7)),
        (42, (14, 7)),
        (90, (14, 7)),
        (36500, (14, 7)),
    ],
)
def test_defaults_leave_room_for_an_overlap(lifetime, expected):
    assert windows(lifetime) == expected


@pytest.mark.parametrize("lifetime", range(3, 60))
def test_defaults_keep_their_own_limits(lifetime):
    window, grace = windows(lifetime)
    assert 0 <= grace <= window <= lifetime - grace - 2


@pytest.mark.parametrize(
    ("given", "expected"),
    [((90, 7, None), (7, 7)), ((90, 3, None), (3, 3)), ((90, 85, None), (85, 3)), ((None, 0, None), (0, 0))],
)
def test_the_default_grace_fits_the_declared_window(given, expected):
    assert windows(*given) == expected


@pytest.mark.parametrize(
    "given", [(90, 81, 7), (90, 7, 7), (3, 1, 0), (90, 88, 0), (None, 7, 7), (None, 5000, 5000), (90, 0, 0)]
)
def test_the_limits_themselves_are_allowed(given):
    assert windows(*given) == given[1:]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ((2, None, None), "`expires_in_days` is 2: it must be from 3 to 36500"),
        ((0, None, None), "`expires_in_days` is 0"),
        ((-1, None, None), "`expires_in_days` is -1"),
        ((36501, None, None), "`expires_in_days` is 36501"),
        ((90, 82, 7), "at most 81"),
        ((90, 89, None), "at most 88"),
        ((90, 6, 7), "Raise `rotate_before_days` to at least 7"),
        ((None, 6, 7), "Raise `rotate_before_days` to at least 7"),
        ((90, -1, None), "cannot be negative"),
        ((90, None, -1), "cannot be negative"),
    ],
)
def test_beyond_the_limits_is_one_sentence_that_names_the_token(given, sentence):
    with pytest.raises(InputError, match=r"^Token ci of project PAY: ") as caught:
        windows(*given)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("", "is empty"), ("  ", "is empty"), (None, "is empty"), ("a" * 256, "has 256"), ("a\nb", "control character")],
    ids=repr,
)
def test_names_that_no_token_has(name, sentence):
    for state in ("present", "absent"):
        with pytest.raises(InputError, match=sentence):
            made(name=name, state=state)


@pytest.mark.parametrize(("name", "kept"), [("a" * 255, "a" * 255), (f" {'é' * 255} ", "é" * 255), ("a b/c", "a b/c")])
def test_names_are_trimmed(name, kept):
    assert made(name=name).name == kept


def test_what_is_absent_needs_only_a_name():
    assert spec_of({"name": "ci", "state": "absent"}, PAY) == TokenSpec("ci", None, absent=True)
    with pytest.raises(InputError, match="has no permissions declared"):
        assert TokenSpec("ci", None).wanted


def test_a_repositorys_spec_takes_repository_permissions_only():
    with pytest.raises(InputError, match=r"^Token ci of repository PAY/ledger: .*REPO_\*"):
        spec_of({"name": "ci", "permissions": ["PROJECT_READ"]}, Owner("PAY", "ledger"))
