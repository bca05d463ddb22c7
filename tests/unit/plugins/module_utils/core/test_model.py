"""References, and what is told of a token."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import (
    DAY,
    Owner,
    Token,
    canonical_reference,
    owner_of,
    owner_path,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import listed

OWNERS = [
    (Owner(project="PAY"), "projects/PAY", "project PAY"),
    (Owner("PAY", "ledger"), "projects/PAY/repos/ledger", "repository PAY/ledger"),
    (Owner(user="svc-ci"), "users/svc-ci", "user svc-ci"),
    (Owner(project="~pat"), "projects/~pat", "project ~pat"),
    (Owner(project="A B/ü"), "projects/A%20B%2F%C3%BC", "project A B/ü"),
]


@pytest.mark.parametrize(("owner", "path", "label"), OWNERS)
def test_owners_have_a_path_and_find_back_from_it(owner, path, label):
    assert (owner.path, owner.label) == (path, label)
    assert owner_of(path) == owner_of(owner.reference("x")) == owner
    assert owner_path(owner.reference("tokens")) == owner.path


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("ci-read_1.x~", "ci-read_1.x~"),
        ("a/b c", "a%2Fb%20c"),
        ("repos/x", "repos%2Fx"),
        (".hidden", "%2Ehidden"),
        ("..", "%2E."),
        ("ü%", "%C3%BC%25"),
        ("\udcff", "%ED%B3%BF"),
    ],
)
def test_references_are_percent_encoded(name, encoded):
    assert Owner(project="PAY").reference(name) == f"projects/PAY/tokens/{encoded}"
    assert owner_of(Owner(project="PAY").reference(name)) == Owner(project="PAY")


@pytest.mark.parametrize(
    ("owner", "command"),
    [
        (Owner("PAY"), "'project=PAY id=012345678901 state=absent'"),
        (Owner("~svc.ci", "my-repo_1"), "'project=~svc.ci repository=my-repo_1 id=012345678901 state=absent'"),
        (Owner(user="svc-ci"), "'user=svc-ci id=012345678901 state=absent'"),
    ],
)
def test_the_command_that_revokes_a_token_names_its_owner_and_its_id(owner, command):
    said = owner.revocation("012345678901")
    assert said == f"ansible localhost -m tokensmith.bitbucket.access_token -a {command}"


@pytest.mark.parametrize("key", ["{{x}}", "A B", "A'; rm -rf ~ #", "A=B", "$(id)", "A\n"])
def test_no_command_names_an_owner_that_a_shell_or_ansible_would_evaluate(key):
    assert Owner(key).revocation("012345678901") == "revoke token 012345678901"


NOW = 1_768_467_600_000


@pytest.mark.parametrize(
    ("expires", "now", "expired"),
    [(NOW, NOW, True), (NOW + 1, NOW, False), (NOW - 1, NOW, True), (None, NOW, False), (NOW - DAY, None, False)],
)
def test_the_instant_itself_has_expired(expires, now, expired):
    assert Token("1", "ci", listed([]), 0, expires).expired(now) == expired


@pytest.mark.parametrize(
    ("left", "now", "days"), [(DAY, NOW, 1), (DAY - 1, NOW, 0), (0, NOW, 0), (-1, NOW, -1), (DAY, None, None)]
)
def test_days_left_are_whole(left, now, days):
    assert Token("1", "ci", listed([]), 0, NOW + left).describe("r", now)["days_left"] == days


@pytest.mark.parametrize(
    ("reference", "canonical"),
    [
        ("projects/PAY/tokens/ci", "projects/PAY/tokens/ci"),
        ("projects/pay/tokens/Ci", "projects/PAY/tokens/Ci"),
        ("projects/Pay/repos/Ledger/tokens/a%2Fb", "projects/PAY/repos/ledger/tokens/a%2Fb"),
        ("projects/~Svc.Ci/tokens/ci", "projects/~svc.ci/tokens/ci"),
        ("users/Svc.Ci/tokens/ci", "users/svc.ci/tokens/ci"),
        ("users/%2EDot/tokens/ci", "users/%2Edot/tokens/ci"),
        ("Other/Thing/tokens/ci", "Other/Thing/tokens/ci"),
        ("no reference", "no reference"),
    ],
)
def test_a_reference_has_one_spelling(reference, canonical):
    assert canonical_reference(reference) == canonical
    assert canonical_reference(canonical) == canonical
