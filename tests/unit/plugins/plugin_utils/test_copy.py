"""Copying between stores: what goes, what stays, and what is told of it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._copy import Copy
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import StoreError
from tests.unit.plugins.plugin_utils.harness import SpoiltStore, tree
from tests.unit.plugins.plugin_utils.stores.places import (
    CI,
    DEPLOY,
    ONE,
    TWO,
    Directory,
    Helper,
    VaultedFile,
    entry,
    secret_of,
)

OTHER = "users/svc-ci/tokens/automation"


@pytest.fixture
def source(tmp_path):
    (tmp_path / "source").mkdir()
    place = VaultedFile(tmp_path / "source")
    place.open().write([entry(ONE), entry(TWO, reference=DEPLOY)])
    return place


@pytest.fixture(params=[Directory, Helper])
def target(request, tmp_path):
    (tmp_path / "target").mkdir()
    return request.param(tmp_path / "target")


def copied(source, target, references=(CI, DEPLOY, OTHER), overwrite=False, check_mode=False):
    result = Copy(source, target, overwrite).run(references, check_mode)
    text = json.dumps(result)
    assert not [token_id for token_id in (ONE, TWO) if secret_of(token_id) in text]
    return result


def test_what_the_source_holds_is_there_afterwards_and_again_nothing_to_do(source, target):
    first = copied(source.open(), target.open())
    assert (first["changed"], first["missing"], first["unchanged"]) == (True, [OTHER], [])
    assert first["copied"] == [{"reference": CI, "id": ONE}, {"reference": DEPLOY, "id": TWO}]
    assert first["diff"] == {"before": {CI: None, DEPLOY: None}, "after": {CI: ONE, DEPLOY: TWO}}
    assert [target.open().secret(reference) for reference in (CI, DEPLOY)] == [secret_of(ONE), secret_of(TWO)]
    again = copied(source.open(), target.open())
    assert (again["changed"], again["copied"], again["unchanged"]) == (False, [], [CI, DEPLOY])
    assert source.open().read([CI, DEPLOY]) == {CI: ONE, DEPLOY: TWO}


class Tagged(str):
    """As ansible's own strings are: not quite what a library expects."""


def test_references_as_ansible_passes_them_are_written_to_a_vaulted_file(source, tmp_path):
    (tmp_path / "other").mkdir()
    target = VaultedFile(tmp_path / "other")
    assert copied(source.open(), target.open(), references=[Tagged(CI)])["changed"] is True
    assert target.open().secret(CI) == secret_of(ONE)


def test_a_secret_in_place_of_a_reference_is_not_repeated(source, target):
    with pytest.raises(InputError, match=r"is not a reference") as caught:
        copied(source.open(), target.open(), references=[secret_of(ONE)])
    assert secret_of(ONE)[:12] not in str(caught.value)


def test_check_mode_predicts_and_writes_nothing(source, tmp_path):
    (tmp_path / "target").mkdir()
    target = Directory(tmp_path / "target")
    predicted = copied(source.open(), target.open(), check_mode=True)
    assert tree(tmp_path / "target") == {}
    assert predicted == copied(source.open(), target.open())


def test_another_tokens_secret_is_only_replaced_where_that_is_asked_for(source, target):
    target.open().write([entry(TWO)])
    kept = copied(source.open(), target.open())
    assert [failure["reason"] for failure in kept["failures"]] == ["exists"]
    assert kept["msg"].startswith(f"{CI}: ")
    assert [item["reference"] for item in kept["copied"]] == [DEPLOY]
    assert target.open().read([CI]) == {CI: TWO}
    replaced = copied(source.open(), target.open(), overwrite=True)
    assert replaced["diff"] == {"before": {CI: TWO}, "after": {CI: ONE}}
    assert target.open().read([CI]) == {CI: ONE}


def test_a_secret_that_does_not_tell_its_id_is_not_copied(source, target):
    source.put("a-password-put-here-by-hand")
    result = copied(source.open(), target.open(), references=[CI])
    assert [failure["reason"] for failure in result["failures"]] == ["stored_unknown"]
    assert "a-password-put-here-by-hand" not in json.dumps(result)
    assert target.open().read([CI]) == {CI: None}


def test_an_opaque_secret_with_its_id_beside_it_is_copied_once(source, target):
    source.open().write([entry(ONE, reference=OTHER, secret="opaque-secret-of-a-later-release")])
    assert copied(source.open(), target.open(), references=[OTHER])["changed"]
    assert not copied(source.open(), target.open(), references=[OTHER])["changed"]


@pytest.mark.parametrize(
    ("spoilt", "landed"),
    [({"answer": "unknown"}, 2), ({"error": "no answer", "lands": 1}, 1), ({"answer": "unknown", "lands": 0}, 0)],
    ids=["all landed", "half landed", "none landed"],
)
def test_what_a_store_does_not_know_is_read_again(source, tmp_path, spoilt, landed):
    (tmp_path / "target").mkdir()
    result = copied(source.open(), SpoiltStore(tmp_path / "target", **spoilt))
    assert (len(result["copied"]), len(result["failures"])) == (landed, 2 - landed)


def test_a_source_that_does_not_answer_copies_nothing(source, tmp_path):
    (tmp_path / "broken").mkdir()
    with pytest.raises(StoreError):
        copied(SpoiltStore(tmp_path / "broken", reads=0), source.open())


def test_what_is_no_reference_is_refused_before_anything_is_read(source, target):
    with pytest.raises(InputError, match="is not a reference"):
        copied(source.open(), target.open(), references=["../outside"])
