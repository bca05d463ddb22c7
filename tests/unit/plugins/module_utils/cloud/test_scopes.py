"""What an API token needs for the same: the table, and what is said of a permission that is not in it."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.doc_fragments.credential_files import ModuleDocFragment
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud import _scopes
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError

# All that Atlassian documents an app password could be given (C3).
PERMISSIONS = """email account account:write team team:write project project:admin repository repository:write
repository:admin repository:delete pullrequest pullrequest:write issue issue:write wiki snippet snippet:write webhook
pipeline pipeline:write pipeline:variable runner runner:write""".split()
INFERRED = ["team", "team:write", "issue", "issue:write", "wiki"]


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_every_permission_has_a_row_that_says_how_well_it_is_known(permission):
    (row,) = _scopes.rows([permission])
    assert row.basis == ("inferred" if permission in INFERRED else "derived")
    assert row.scopes
    assert all(re.fullmatch(r"(read|write|delete|admin):[a-z-]+:bitbucket", scope) for scope in row.scopes)


def test_no_row_is_about_anything_else():
    assert sorted(_scopes.TABLE) == sorted(PERMISSIONS)


@pytest.mark.parametrize(
    ("permissions", "scopes"),
    [
        ([], []),
        (["email"], ["read:user:bitbucket"]),
        (["account"], ["read:user:bitbucket", "read:workspace:bitbucket"]),
        (["team:write"], ["admin:workspace:bitbucket"]),
        (["repository:write"], ["read:repository:bitbucket", "write:repository:bitbucket"]),
        (["repository:delete"], ["delete:repository:bitbucket"]),
        (
            ["pullrequest:write"],
            [
                *("read:pullrequest:bitbucket", "write:pullrequest:bitbucket"),
                *("read:repository:bitbucket", "write:repository:bitbucket"),
            ],
        ),
        (["pipeline:variable"], ["admin:pipeline:bitbucket", "read:pipeline:bitbucket"]),
        (["snippet", "issue"], ["read:issue:bitbucket", "write:issue:bitbucket", "read:snippet:bitbucket"]),
    ],
)
def test_the_scopes_that_replace_permissions(permissions, scopes):
    assert _scopes.scopes(_scopes.rows(permissions)) == scopes


def test_each_permission_and_each_scope_counts_once_however_it_is_written():
    rows = _scopes.rows(["Repository:Write, pullrequest", " pullrequest", "repository:write,"])
    assert [row.permission for row in rows] == ["repository:write", "pullrequest"]
    assert _scopes.scopes(rows).count("read:repository:bitbucket") == 1


@pytest.mark.parametrize("name", ["repository:wirte", "read:repository:bitbucket", "admin"])
def test_an_unknown_permission_is_named_with_all_known_ones(name):
    with pytest.raises(InputError, match="is not a permission of app passwords") as caught:
        _scopes.rows(["email", name])
    assert all(permission in str(caught.value) for permission in PERMISSIONS)


def test_what_may_be_a_secret_in_the_wrong_option_is_not_quoted():
    with pytest.raises(InputError) as caught:
        _scopes.rows(["ATBBwh4t3v3rY0uL1k3H3r30badcafe"])
    assert "atbb" not in str(caught.value).lower()


def test_the_documentation_says_the_same():
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    lines = [line for line in options["permissions"]["description"] if " becomes " in line]
    documented = {}
    for line in lines:
        permission, _becomes, rest = line.partition(" becomes ")
        scopes = [f"{scope}:bitbucket" for scope in re.findall(r"C\(([^)]+)\)", rest)]
        documented[permission[2:-1]] = (scopes, rest.rpartition("; ")[2].rstrip("."))
    assert documented == {name: (list(row.scopes), row.basis) for name, row in _scopes.TABLE.items()}
