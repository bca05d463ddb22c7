"""What holds for every kind of store: compare and set, ids, and that nothing secret is ever told."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from tests.unit.plugins.plugin_utils.stores.places import CI, DEPLOY, KINDS, ONE, THREE, TWO, entry, secret_of


@pytest.fixture(params=list(KINDS))
def place(request, tmp_path):
    with KINDS[request.param](tmp_path, request) as kept:
        yield kept


@pytest.mark.parametrize(
    ("held", "replaces", "answer", "holds"),
    [
        (None, None, "written", THREE),
        (ONE, ONE, "written", THREE),
        (ONE, None, "refused", ONE),
        (ONE, TWO, "refused", ONE),
        (None, ONE, "refused", None),
        (THREE, ONE, "written", THREE),
        (THREE, None, "written", THREE),
    ],
    ids=["nothing", "the one read", "not nothing", "another", "no longer", "already ours", "ours, not nothing"],
)
def test_compare_and_set(place, held, replaces, answer, holds):
    store = place.open()
    if held:
        store.write([entry(held)])
    assert store.write([entry(THREE, replaces)]) == {CI: answer}
    assert place.open().read([CI]) == {CI: holds}


def test_each_kind_says_how_many_secrets_one_write_takes(place):
    assert place.open().batch == (200 if place.name.startswith("ansible_vault:") else 16)


def test_others_are_of_the_same_owners_if_one_lookup_shows_all(place):
    store = place.open()
    other, elsewhere = "projects/PAY/tokens/other", "projects/SHOP/tokens/ci"
    store.write([entry(ONE)])
    if place.single:
        assert store.others([CI]) == {}
        return
    store.write([entry(TWO, reference=other), entry(THREE, reference=elsewhere)])
    tells = place.name.startswith(("file:", "ansible_vault:", "awx_credential:"))
    assert place.open().others([CI]) == ({other: TWO} if tells else {})
    assert place.open().others([CI, other]) == {}


def test_a_secret_without_a_readable_id_is_unknown_and_can_be_replaced_as_such(place):
    place.put("a-password-put-here-by-hand")
    store = place.open()
    assert store.read([CI]) == {CI: "unknown"}
    assert store.write([entry(ONE, None)]) == {CI: "refused"}
    assert store.write([entry(ONE, "unknown")]) == {CI: "written"}
    if place.readable:
        assert store.secret(CI) == secret_of(ONE)


@pytest.mark.parametrize("text", ["", "  \n", "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********", "$REDACTED$"])
def test_what_a_log_filter_leaves_counts_as_nothing(place, text):
    if not place.readable and text.strip():
        pytest.skip("what it never shows again cannot be looked at")
    place.put(text.strip() if not place.readable else text)
    assert place.open().read([CI]) == {CI: None}
    with pytest.raises(StoreError, match=f"holds no secret of {CI}" if place.readable else "never shows"):
        place.open().secret(CI)
    assert place.open().write([entry(ONE)]) == {CI: "written"}


@pytest.mark.parametrize("prefix", ["", "BBDC-"])
def test_ids_are_read_back_as_strings_with_their_zeros(place, prefix):
    place.open().write([entry(ONE, secret=secret_of(ONE, prefix))])
    assert place.open().read([CI]) == {CI: ONE}
    if place.readable:
        assert place.open().secret(CI) == secret_of(ONE, prefix)


def test_every_reference_asked_for_has_an_answer(place):
    if place.single:
        pytest.skip("that one has a single reference")
    place.open().write([entry(ONE)])
    assert place.open().read([CI, DEPLOY]) == {CI: ONE, DEPLOY: None}


TEMPLATE = "{{lookup('pipe','touch${IFS}hostile')}}AAAA"


@pytest.mark.parametrize(
    "secret",
    ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "********", "", "two words", "zeile\nzwei", TEMPLATE, "{#a#}", "a" * 513],
)
def test_a_text_that_cannot_be_a_secret_is_never_written(place, secret):
    store = place.open()
    assert_not_written(store, entry(ONE, secret=secret))
    assert place.open().read([CI]) == {CI: None}


def test_a_stored_template_is_not_handed_on_and_its_recorded_id_is_not_believed(place):
    if not place.readable:
        pytest.skip("a store that never shows a secret cannot hand on a template")
    place.put(TEMPLATE)
    assert place.open().read([CI]) == {CI: "unknown"}
    with pytest.raises(StoreError, match=f"the entry of {CI} is not a Bitbucket secret") as caught:
        place.open().secret(CI)
    assert "lookup" not in str(caught.value)


def test_an_entry_is_removed_if_it_still_holds_the_id_of_the_revoked_token(place):
    store = place.open()
    store.prepare([CI], check_mode=False)
    store.write([entry(ONE)])
    assert store.remove({CI: TWO}) == {CI: "refused"}
    assert place.open().read([CI]) == {CI: ONE}
    assert store.remove({CI: ONE}) == {CI: "removed"}
    assert place.open().read([CI]) == {CI: None}
    assert store.remove({CI: ONE}) == {CI: "removed"}, "an entry that is gone already"
    assert store.reasons == {}
    assert place.open().write([entry(TWO)]) == {CI: "written"}


def test_removing_one_entry_leaves_the_others(place):
    if place.single:
        pytest.skip("a store for one token has no others")
    place.open().write([entry(ONE), entry(TWO, reference=DEPLOY)])
    assert place.open().remove({CI: ONE}) == {CI: "removed"}
    assert place.open().read([CI, DEPLOY]) == {CI: None, DEPLOY: TWO}


def test_an_entry_whose_id_cannot_be_read_is_not_removed(place):
    place.put("a-password-put-here-by-hand")
    assert place.open().remove({CI: ONE}) == {CI: "refused"}
    assert place.open().read([CI]) == {CI: "unknown"}


def test_nothing_that_a_store_shows_of_itself_is_secret(place):
    store = place.open()
    store.prepare([CI], check_mode=False)
    store.write([entry(ONE), entry(TWO, THREE)])
    assert secret_of(ONE) not in f"{store.name} {store.reasons} {store!r} {entry(ONE)!r}"


def test_preparing_in_check_mode_keeps_nothing(place):
    place.open().prepare([CI], check_mode=True)
    assert place.open().read([CI]) == {CI: None}


def test_another_tokens_secret_is_never_written(place):
    assert_not_written(place.open(), entry(ONE, secret=secret_of(TWO)))
    assert place.open().read([CI]) == {CI: None}


def test_one_bad_secret_does_not_keep_the_others_out(place):
    if place.single:
        pytest.skip("a store for one token has no others")
    bad = Entry(DEPLOY, TWO, secret_of(ONE))
    store = place.open()
    assert store.write([bad, entry(ONE)]) == {DEPLOY: "unknown", CI: "written"}
    assert store.reasons == {DEPLOY: f"{DEPLOY}: the secret to store is not the one of token {TWO}."}
    assert place.open().read([CI, DEPLOY]) == {CI: ONE, DEPLOY: None}


def assert_not_written(store: Store, item: Entry) -> None:
    """Refusing may be an error or the answer that nothing is known; it never claims success, nor quotes."""
    said = outcome_of(store, item)
    assert said == "unknown" or said.startswith(f"{CI}: the ")
    assert not item.secret or item.secret not in said


def outcome_of(store: Store, item: Entry) -> str:
    """The answer, or the error's sentence."""
    try:
        return store.write([item])[item.reference]
    except StoreError as error:
        return str(error)
