"""The action that copies between stores: its options, and what it says."""

from __future__ import annotations

import json

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.connection.local import Connection

from ansible_collections.tokensmith.bitbucket.plugins.action.store_copy import ActionModule
from tests.unit.plugins.plugin_utils.stores.places import CI, ONE, Directory, entry, secret_of


@pytest.fixture
def copy(tmp_path):
    """Runs a task over two directories, the first of which holds a secret."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    Directory(tmp_path / "one").open().write([entry(ONE)])

    def run(check_mode=False, **more):
        task = Task()
        task.args = {
            "source": f"file:{tmp_path}/one",
            "destination": f"file:{tmp_path}/two",
            "references": [CI],
            **more,
        }
        task.check_mode = check_mode
        context, loader = PlayContext(), DataLoader()
        loader.set_vault_secrets([("default", VaultSecret(b"a-vault-password"))])
        result = ActionModule(task, Connection(context), context, loader, None, None).run(None, {})
        assert secret_of(ONE) not in json.dumps(result)
        return result

    return run


def test_a_task_copies_and_names_both_stores(copy, tmp_path):
    result = copy()
    assert (result["changed"], result["source"], result["destination"]) == (
        True,
        f"file:{tmp_path}/one",
        f"file:{tmp_path}/two",
    )
    assert Directory(tmp_path / "two").open().secret(CI) == secret_of(ONE)
    assert copy()["changed"] is False


def test_check_mode_says_the_same_and_writes_nothing(copy, tmp_path):
    predicted = copy(check_mode=True)
    assert list((tmp_path / "two").iterdir()) == []
    assert predicted == copy()


@pytest.mark.parametrize(
    ("options", "say"),
    [
        ({"source": "paper:desk"}, "`source`: `store` must be KIND:PLACE"),
        ({"destination": "file:/nowhere/at/all"}, "/nowhere/at does not exist: create it first"),
        ({"destination_options": {"colour": "red"}}, "`destination`: `store_options` of file has no colour"),
        ({"colour": "red"}, "Unsupported parameters for (tokensmith.bitbucket.store_copy) module: colour."),
        ({"references": None}, "references"),
        ({"references": ["x"]}, "x is not a reference"),
    ],
    ids=str,
)
def test_what_cannot_be_right_is_one_sentence(copy, options, say):
    result = copy(**options)
    assert (result["failed"], result["changed"]) == (True, False)
    assert say in result["msg"]


def test_a_store_is_not_copied_to_itself(copy, tmp_path):
    assert "are the same store" in copy(destination=f"file:{tmp_path}/one")["msg"]


def test_an_entry_whose_owner_is_in_another_case_is_copied_in_bitbuckets_spelling(copy, tmp_path):
    other = CI.replace("PAY", "pay")
    (tmp_path / "one" / "projects" / "PAY").rename(tmp_path / "one" / "projects" / "pay")
    assert Directory(tmp_path / "one").open().read([CI, other]) == {CI: None, other: ONE}
    assert [item["reference"] for item in copy()["copied"]] == [CI]
    assert Directory(tmp_path / "two").open().secret(CI) == secret_of(ONE)
