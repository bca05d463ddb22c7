"""How every store compares, writes and reads back, on a store in memory whose service fails as a test says."""

from __future__ import annotations

import collections.abc as c
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import (
    BaseStore,
    Change,
    MovedError,
    StoredEntry,
    StoreError,
)
from tests.unit.plugins.plugin_utils.stores.places import CI, DEPLOY, ONE, THREE, TWO, entry, secret_of


class GoneError(StoreError):
    gone = True


class InMemory(BaseStore):
    """A store without any service.

    :param before: called before each put.
    :param after: called after each put.
    """

    OPTIONS: t.ClassVar = {}
    survives_job = False
    name = "memory:here"

    def __init__(
        self, before: c.Callable[[InMemory], object] = bool, after: c.Callable[[InMemory], object] = bool
    ) -> None:
        super().__init__()
        self.before, self.after = before, after
        self.held: dict[str, tuple[str, str]] = {}
        self.puts = self.looks = 0
        self.refused: set[str] = set()

    @classmethod
    def opened(cls, *_arguments: t.Any) -> InMemory:
        return cls()

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        raise NotImplementedError

    def _look(self, references: c.Sequence[str]) -> dict[str, StoredEntry]:
        self.looks += 1
        return {reference: StoredEntry(*self.held.get(reference, (None, None))) for reference in references}

    def _put(self, changes: c.Sequence[Change], held: c.Mapping[str, StoredEntry]) -> c.Collection[str]:
        self.puts += 1
        self.before(self)
        for change in changes:
            if change.reference in self.refused:
                continue
            if isinstance(change, Entry):
                self.held[change.reference] = change.id, change.secret
            else:
                self.held.pop(change.reference, None)
        self.after(self)
        return self.refused


def raising(error: StoreError) -> c.Callable[[InMemory], object]:
    def fail(_store: InMemory) -> t.NoReturn:
        raise error

    return fail


def test_an_entry_that_others_keep_changing_is_tried_three_times():
    store = InMemory(before=raising(MovedError("Others write.")))
    assert store.write([entry(ONE)]) == {CI: "unknown"}
    assert (store.puts, store.reasons) == (3, {CI: "Others write."})


def test_an_entry_that_another_run_has_written_in_between_is_refused():
    def faster(store: InMemory) -> None:
        store.held[CI] = TWO, secret_of(TWO)
        raise MovedError("Others write.")

    store = InMemory(before=faster)
    assert store.write([entry(ONE)]) == {CI: "refused"}
    assert (store.puts, store.reasons) == (1, {})


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_failed_write_is_settled_by_reading(when):
    store = InMemory(**{when: raising(StoreError("It failed."))})
    expected = ("written", {}) if when == "after" else ("unknown", {CI: "It failed."})
    assert (store.write([entry(ONE)])[CI], store.reasons) == expected
    assert (store.puts, store.looks) == (1, 2)


@pytest.mark.parametrize("when", ["before", "after"])
def test_once_the_service_is_gone_nothing_else_is_asked(when):
    store = InMemory(**{when: raising(GoneError("It is gone."))})
    assert store.write([entry(ONE), entry(TWO, reference=DEPLOY)]) == {CI: "unknown", DEPLOY: "unknown"}
    assert store.reasons == {CI: "It is gone.", DEPLOY: "It is gone."}
    assert (store.puts, store.looks) == (1, 1)


@pytest.mark.parametrize(
    ("found", "refuses", "answer"),
    [
        ((ONE, secret_of(ONE)), False, "written"),
        ((ONE, secret_of(TWO)), False, "unknown"),
        (("unknown", secret_of(ONE)), False, "written"),
        ((TWO, secret_of(TWO)), False, "unknown"),
        ((TWO, secret_of(TWO)), True, "refused"),
        ((THREE, secret_of(THREE)), True, "unknown"),
    ],
    ids=["ours", "another secret", "an id that is not kept", "another id", "refused", "refused without a reason"],
)
def test_only_what_reading_back_shows_counts(found, refuses, answer):
    def end(store: InMemory) -> None:
        store.held[CI] = found

    store = InMemory(after=end)
    store.held[CI] = THREE, secret_of(THREE)
    store.refused = {CI} if refuses else set()
    assert store.write([entry(ONE, THREE)]) == {CI: answer}
    assert (CI in store.reasons) == (answer == "unknown")


@pytest.mark.parametrize(
    ("found", "answer"),
    [(None, "removed"), ((ONE, secret_of(ONE)), "unknown"), ((TWO, secret_of(TWO)), "refused")],
    ids=["nothing", "still there", "another id"],
)
def test_a_removal_is_what_reading_back_shows(found, answer):
    store = InMemory(after=lambda store: store.held.update({CI: found} if found else {}))
    store.held[CI] = ONE, secret_of(ONE)
    assert store.remove({CI: ONE}) == {CI: answer}


def test_reasons_are_those_of_the_last_write():
    store = InMemory(before=raising(StoreError("It failed.")))
    store.write([entry(ONE)])
    store.before = bool
    assert store.write([entry(ONE)]) == {CI: "written"}
    assert store.reasons == {}
