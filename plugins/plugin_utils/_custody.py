# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-over of secrets, on the controller: read, issue, write, read back, and only then retire.

The one path for every store and both modules. What it must survive is a crash between any two of its steps; what it
relies on is that each call of the module decides anew from the store, the server and the declaration.
"""

from __future__ import annotations

import collections.abc as c
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _secret
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import BATCH, FRESH
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import canonical_reference, owner_path
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils import _cleanup
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._ledger import Ledger
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._pace import Pace
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import (
    REFUSED,
    UNCERTAIN,
    WRITTEN,
    Entry,
    Store,
    StoreError,
)

Result = dict[str, t.Any]
#: After so many secrets in a row that were not delivered, no more tokens are issued: each is a valid, unusable token.
_MOST_LOST = 20
#: Runs the module for some owners (all of them for ``None``), with what it is told about the hand-over.
ModuleCall = c.Callable[[list[str] | None, Result], Result]


@dataclass
class _Open:
    """What is still to be done: owners to retire or prune for, the ids that were replaced, and references that have
    had their turn, whatever became of it.
    """

    retire: dict[str, None] = field(default_factory=dict)
    unverified: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    prune: dict[str, None] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)
    skip: dict[str, None] = field(default_factory=dict)


class Custody:
    """One run of one task.

    :param references: of every declared token, by owner path.
    :param call: runs the module.
    :param say: shows progress.
    :param clock: seconds that only go forward.
    :param absent: references that are declared as absent.
    :param whole: whether the task declares all tokens of its owners, so that what else is stored is reported.
    """

    def __init__(
        self,
        store: Store,
        references: c.Mapping[str, c.Sequence[str]],
        call: ModuleCall,
        say: c.Callable[[str], None],
        clock: c.Callable[[], float] = time.monotonic,
        absent: c.Collection[str] = (),
        whole: bool = False,
    ) -> None:
        self._store = store
        self._absent = absent
        self._whole = whole
        self._references = references
        self._all = [reference for group in references.values() for reference in group]
        self._call = call
        self._say = say
        self._clock = clock
        self._ledger = Ledger()
        self._open = _Open()
        self._stored: dict[str, str | None] = {}
        self._beside: dict[str, dict[str, str]] = {}
        self._read_at = 0.0
        self._pace = Pace()
        self._verify = True
        #: How many secrets were not delivered since the store last took one.
        self._lost = 0

    def run(self, check_mode: bool, unresolved: c.Sequence[Result] = ()) -> Result:
        """Do everything that the task declares.

        :param unresolved: failures of declared owners that were not found.
        :returns: the merged result of all calls, without any secret.
        """
        self._ledger.add_unresolved(unresolved)
        if not self._references:
            return self._ledger.result()
        try:
            self._store.prepare(self._all, check_mode)
            self._read()
            result = self._issue(None)
        except StoreError as error:
            return {"failed": True, "msg": f"{error} Nothing was changed.", "reason": error.reason, "changed": False}
        if self._ledger.stopped is None and not check_mode:
            try:
                self._issue_the_rest(result.get("remaining") or {})
                self._retire()
                self._prune()
            except StoreError as error:
                self._ledger.fail(error)
        if self._ledger.stopped is None:
            self._clean_up(check_mode)
        return self._ledger.result()

    def _clean_up(self, check_mode: bool) -> None:
        """Remove the entries of revoked tokens, and report those of undeclared ones."""
        others = {key: value for group in self._beside.values() for key, value in group.items()}
        certain = set(self._references) - self._open.unverified - self._open.given_up - self._ledger.failed_owners
        tokens = {
            **_cleanup.revoked({**self._stored, **others}, self._ledger.changes),
            **_cleanup.left_over(self._stored, self._absent, self._ledger.seen, certain),
        }
        removed, warnings = (list(tokens), []) if check_mode else _cleanup.remove(self._store, tokens)
        self._ledger.remove({reference: tokens[reference] for reference in removed})
        undeclared = _cleanup.undeclared(others, removed, self._all) if self._whole else []
        if undeclared:
            warnings.append(_cleanup.undeclared_warning(self._store.name, undeclared))
        if self._whole:
            self._ledger.report_undeclared(undeclared)
        for warning in warnings:
            self._ledger.warn(warning)

    def _read(self, owners: c.Iterable[str] | None = None) -> None:
        """What the store holds of these owners, or of all."""
        some = list(self._references if owners is None else owners)
        references = [reference for owner in some for reference in self._references[owner]]
        started = self._clock()
        self._stored.update(self._store.read(references))
        self._beside.update({owner: {} for owner in some})
        for reference, token_id in self._store.others(references).items():
            owner = owner_path(canonical_reference(reference))
            self._beside.setdefault(owner, {})[reference] = token_id
        self._read_at = started

    def _age(self) -> int:
        """Seconds since the store was read, so that the module retires nothing by what may have changed meanwhile."""
        return int(self._clock() - self._read_at)

    def _issue(self, owners: list[str] | None) -> Result:
        """One call that may issue, and the hand-over of what it issued."""
        if self._clock() - self._read_at > FRESH:
            self._read()
        started = self._clock()
        told: Result = {"more_calls": True, "skip": list(self._open.skip), "verify": self._verify}
        result = self._call(owners, {**told, **self._held_for(owners)})
        # The next call would wait as long for the same.
        self._verify = self._verify and not result.get("limits_bearers")
        failed = (entry["reference"] for entry in result.get("failures") or ())
        self._open.skip.update(dict.fromkeys(reference for reference in failed if reference))
        issued = self._take(result)
        if issued:
            self._hand_over(issued, started)
        self._open.retire.update(dict.fromkeys(result.get("retire") or ()))
        self._open.prune.update(dict.fromkeys(result.get("prune") or ()))
        return result

    def _take(self, result: Result) -> list[Result]:
        # In check mode it is one of the failures, next to everything that would be done.
        for entry in (result, *(result.get("failures") or ())):
            if entry.get("reason") == "guard":
                entry["msg"] = f"{self._store.name}: {entry['msg']}"
        return self._ledger.take(result)

    def _issue_the_rest(self, remaining: c.Mapping[str, int]) -> None:
        """Further batches. Each names its owners, so that no owner is looked at more often than it must be."""
        todo = dict(remaining)
        while todo and self._ledger.stopped is None:
            if self._lost >= _MOST_LOST:
                self._ledger.fail(_dead(self._store.name, len(todo)))
                return
            self._say(f"tokens: {len(self._references) - len(todo):,} of {len(self._references):,} owners")
            batch = _batch(todo, self._pace.most)
            left = self._issue(batch).get("remaining") or {}
            done = sum(left.values()) < sum(todo[owner] for owner in batch)
            todo = {owner: count for owner, count in todo.items() if owner not in batch} | left
            for owner in self._given_up(batch, list(left), done, len(todo)):
                del todo[owner]

    def _given_up(self, owners: list[str], left: list[str], done: bool, all_left: int) -> list[str]:
        """Owners of which one call after another does nothing in time; they fail, and the others go on."""
        slow = self._pace.note(owners, left, done)
        self._open.given_up.update(slow)
        for owner in slow:
            self._ledger.fail(_too_slow(f"{owner}: looking at its tokens takes so long"), owner=owner)
        others = all_left - len(slow)
        if self._pace.hopeless and others:
            self._ledger.fail(_too_slow(f"Looking at one owner after another takes so long ({others:,} are left)"))
        return slow

    def _hand_over(self, issued: list[Result], started: float) -> None:
        """Write secrets to the store, and find out what became of each."""
        if self._clock() - started > FRESH:
            # Another run may have taken these for orphans by now.
            gone = self._discard({item["reference"]: item["id"] for item in issued}, "too_late")
            for reference in gone:
                self._ledger.fail(_late(reference), reference)
            return
        entries = self._sound(issued)
        answers = self._write(entries)
        none = not {WRITTEN, REFUSED} & set(answers.values())
        self._lost = self._lost + len(issued) if none else 0
        refused = {entry.reference: entry.id for entry in entries if answers[entry.reference] == REFUSED}
        for item in issued:
            if item["reference"] in answers:
                self._settle(item, answers[item["reference"]])
        if refused:
            self._discard(refused, "lost_race")

    def _sound(self, issued: list[Result]) -> list[Entry]:
        """What can be written; a secret that something on the way has mangled is certainly lost, and so revoked."""
        sound, lost = [], {}
        for item in issued:
            entry = Entry(item["reference"], item["id"], item["secret"], item["replaces"])
            _secret.register_secret(entry.secret)
            try:
                entry.check()
                sound.append(entry)
            except StoreError as error:
                lost[entry.reference] = entry.id
                self._ledger.fail(error, entry.reference)
        if lost:
            self._discard(lost, "mangled")
        return sound

    def _write(self, entries: list[Entry]) -> dict[str, str]:
        """The store's answers; where it does not know, what reading again shows."""
        try:
            answers = self._store.write(entries)
        except StoreError as error:
            self._ledger.fail(error)
            answers = {}
        unsure = [entry for entry in entries if answers.get(entry.reference, UNCERTAIN) == UNCERTAIN]
        if not unsure:
            return answers
        try:
            held = self._store.read([entry.reference for entry in unsure])
        except StoreError:
            held = {}
        for entry in unsure:
            answers[entry.reference] = WRITTEN if held.get(entry.reference) == entry.id else UNCERTAIN
        return answers

    def _settle(self, item: Result, answer: str) -> None:
        """Note what follows from one answer of the store."""
        reference = item["reference"]
        owner = owner_path(reference)
        if answer == UNCERTAIN:
            # The id comes first: names may be so long that the end of a message is cut.
            message = (
                f"Token {item['id']}: whether {self._store.name} holds its secret is not known. The token was not "
                f"revoked: run again once the store works. It is for {reference}. "
                f"{self._store.reasons.get(reference, '')}"
            ).strip()
            self._ledger.fail(BitbucketError(message, "store"), reference, item["id"])
            self._open.skip[reference] = None
        elif answer == WRITTEN:
            self._stored[reference] = item["id"]
            if item["retire"]:
                self._open.retire[owner] = None
            if not item["verified"]:
                self._open.unverified.add(owner)
            elif item["replaces"] and item["replaces"].isdigit():
                self._open.replaced[reference] = item["replaces"]

    def _discard(self, tokens: dict[str, str], reason: str) -> list[str]:
        """Revoke tokens that were issued but not delivered, and look at their owners again.

        :returns: the references whose tokens are gone; of the others a failure names the id.
        """
        owners = list(dict.fromkeys(owner_path(reference) for reference in tokens))
        for reference, token_id in tokens.items():
            self._ledger.withdraw(reference, token_id, reason)
            self._open.skip[reference] = None
        # After a refused login there is no further one; the ids are named instead.
        result: Result = {}
        if not self._ledger.stopped:
            result = self._call(owners, {"discard": tokens})
            self._ledger.take(result)
        alive = {entry["reference"] for entry in result.get("failures") or ()}
        if "failures" not in result:
            alive = set(tokens)
            for reference, token_id in tokens.items():
                message = (
                    f"Token {token_id} was issued and is stored nowhere: revoke it manually, or leave it to a later "
                    f"run, which revokes it as unused. It is of {reference}."
                )
                self._ledger.fail(BitbucketError(message), reference, token_id)
        self._open.retire.update(dict.fromkeys(owners))
        return [reference for reference in tokens if reference not in alive]

    def _retire(self) -> None:
        """What waited for the hand-over, decided from what the store holds by a read made after it."""
        waiting = [owner for owner in {**self._open.retire, **self._open.prune} if owner in self._open.unverified]
        if waiting:
            self._ledger.warn(
                f"Older and undeclared tokens are left to the next run, since signing in with a new secret got no "
                f"clear answer: "
                f"{len(waiting):,} owners, such as {waiting[0]}."
            )
        spared = self._open.unverified | self._open.given_up
        self._follow_up([owner for owner in self._open.retire if owner not in spared], prune=False)

    def _prune(self) -> None:
        spared = self._ledger.failed_owners | self._open.unverified
        self._follow_up([owner for owner in self._open.prune if owner not in spared], prune=True)

    def _follow_up(self, owners: list[str], prune: bool) -> None:
        """Look at so few owners at a time that what the store said is still fresh when their tokens are revoked."""
        todo = owners
        self._pace.begin()
        while todo and self._ledger.stopped is None:
            some, todo = todo[: self._pace.most], todo[self._pace.most :]
            self._read(some)
            if self._age() > FRESH:
                raise StoreError(
                    f"{self._store.name} took too long to answer, so older tokens are left to the next run."
                )
            told: Result = {"issue": False, "prune": prune, **self._held_for(some)}
            result = self._call(some, {**told, "replaced": _of(some, self._open.replaced)})
            self._take(result)
            left = list(result.get("retire") or ())
            done = len(left) < len(some) or (result.get("counts") or {}).get("revoked", 0) > 0
            given_up = self._given_up(some, left, done, len(left) + len(todo))
            # Last, so that slow ones delay no others.
            todo = [*todo, *(owner for owner in left if owner not in given_up)]

    def _held_for(self, owners: list[str] | None) -> Result:
        """What the store holds of these owners, and how long ago it said so."""
        some = self._references if owners is None else owners
        stored = {reference: self._stored[reference] for owner in some for reference in self._references[owner]}
        beside = {key: value for owner in some for key, value in self._beside.get(owner, {}).items()}
        told = {"revoked": self._ledger.guarded, "begun": self._ledger.changed}
        return {**told, "stored": stored, "beside": beside, "age": self._age()}


def _of(owners: c.Collection[str], values: c.Mapping[str, str]) -> dict[str, str]:
    return {reference: value for reference, value in values.items() if owner_path(reference) in owners}


def _dead(store: str, left: int) -> StoreError:
    return StoreError(f"{store} took none of the last secrets, so no more tokens are issued. Owners left: {left:,}.")


def _too_slow(what: str) -> BitbucketError:
    why = "that nothing can be done in time: run again when Bitbucket responds faster."
    return BitbucketError(f"{what} {why}", "too_slow")


def _late(reference: str) -> BitbucketError:
    return BitbucketError(
        f"{reference}: its new token arrived more than half an hour after the call that issued it began, which is too "
        "late to store it. It was revoked, and the stored secret stays in use: run again.",
        "too_late",
    )


def _batch(todo: c.Mapping[str, int], most: int) -> list[str]:
    """The first owners, with as many tokens to issue as one hand-over may lose; at least one."""
    batch: list[str] = []
    tokens = 0
    for owner, count in todo.items():
        if batch and (tokens + count > BATCH or len(batch) >= most):
            break
        batch.append(owner)
        tokens += count
    return batch
