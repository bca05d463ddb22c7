"""Entries under another spelling of their owner are found, and stay where they are."""

from __future__ import annotations

import base64

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._spelling import AnySpelling

PERSONAL, AS_WRITTEN = "projects/~svc.ci/tokens/ci", "projects/~Svc.Ci/tokens/ci"
PAY, LEDGER = "projects/PAY/tokens/ci", "projects/PAY/repos/ledger/tokens/ci"


def entry(reference: str, token_id: str = "000000000001", replaces: str | None = None) -> Entry:
    secret = base64.b64encode(f"{token_id}:".encode() + b"s" * 20).decode()
    return Entry(reference, token_id, secret, replaces)


class Unlisted(AnySpelling):
    """A store that cannot tell what else it holds, as one on a server."""

    def __init__(self, store: Store, written: dict[str, list[str]] | None = None) -> None:
        store.others = lambda references: {}  # type: ignore[method-assign]
        super().__init__(store, written)


@pytest.fixture(params=["file", "ansible_vault"])
def store(request, tmp_path):
    place = tmp_path if request.param == "file" else tmp_path / "v.yml"
    vault = VaultLib([("default", VaultSecret(b"a-vault-password"))])
    return open_store(f"{request.param}:{place}", {}, vault, single=False)


OTHERS = [
    (PERSONAL, AS_WRITTEN),
    (PAY, "projects/pay/tokens/ci"),
    (LEDGER, "projects/pay/repos/Ledger/tokens/ci"),
    (LEDGER, "projects/PAY/repos/Ledger/tokens/ci"),
]


@pytest.mark.parametrize(("reference", "held"), OTHERS, ids=str)
def test_an_entry_under_another_spelling_is_found_and_replaced_where_it_is(store, reference, held):
    store.write([entry(held)])
    spelt = AnySpelling(store)
    assert spelt.read([reference]) == {reference: "000000000001"}
    assert spelt.write([entry(reference, "000000000002", "000000000001")]) == {reference: "written"}
    assert store.read([reference, held]) == {reference: None, held: "000000000002"}
    assert spelt.read([reference]) == {reference: "000000000002"}
    assert spelt.others([reference]) == {}


@pytest.mark.parametrize(("reference", "held"), OTHERS, ids=str)
def test_a_secret_is_found_by_either_spelling(store, reference, held):
    store.write([entry(held)])
    assert AnySpelling(store).secret(reference) == AnySpelling(store).secret(held) == entry(held).secret
    with pytest.raises(StoreError, match="holds no secret of"):
        AnySpelling(store).secret("projects/PAY/tokens/other")


def test_a_lookup_in_another_case_finds_the_entry_in_bitbuckets_spelling(store):
    store.write([entry(PAY)])
    assert Unlisted(store).secret("projects/pay/tokens/ci") == entry(PAY).secret


def test_two_entries_stay_two(store):
    """Each may be in use: the one in Bitbucket's spelling counts, and the other is named so that nothing revokes it."""
    store.write([entry(PERSONAL), entry(AS_WRITTEN, "000000000002")])
    spelt = AnySpelling(store)
    assert spelt.read([PERSONAL]) == {PERSONAL: "000000000001"}
    assert spelt.others([PERSONAL]) == {AS_WRITTEN: "000000000002"}


def test_a_store_that_lists_nothing_is_asked_for_the_spelling_that_is_declared(store):
    store.write([entry(AS_WRITTEN)])
    assert Unlisted(store).read([PERSONAL]) == {PERSONAL: None}
    assert Unlisted(store, {"projects/~svc.ci": ["projects/~Svc.Ci"]}).read([PERSONAL]) == {PERSONAL: "000000000001"}


def test_what_is_missing_is_written_in_bitbuckets_spelling(store):
    spelt = AnySpelling(store, {"projects/~svc.ci": ["projects/~Svc.Ci"]})
    assert spelt.read([PERSONAL]) == {PERSONAL: None}
    assert spelt.write([entry(PERSONAL)]) == {PERSONAL: "written"}
    assert store.read([PERSONAL]) == {PERSONAL: "000000000001"}
