# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at every owner, a batch at a time, and saying on the way how far it is."""

from __future__ import annotations

import collections.abc as c
import time
import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import ENDS_ALL, BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Token, owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _owners
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._directory import Place
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import Failure
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Listing, Walked

Result = dict[str, t.Any]
#: Runs the module with what it is told.
ModuleCall = c.Callable[[Result], Result]

#: Seconds that a batch is meant to take, and so between two lines of progress: a log is not flooded by them.
INTERVAL = 10.0
FIRST, LARGEST = 50, 2000
# One may be an accident; each costs the attempts and timeouts of a request.
MOST_LOST = 2


class Walk:
    """One audit's reading.

    :param call: runs the module.
    :param say: shows progress.
    :param clock: seconds that only go forward.
    """

    def __init__(
        self, call: ModuleCall, say: c.Callable[[str], None], clock: c.Callable[[], float] = time.monotonic
    ) -> None:
        self._call = call
        self._say = say
        self._clock = clock
        self._said = clock()
        self._listings: list[Listing] = []
        self._unread: list[Failure] = []
        self._guessed: frozenset[str] = frozenset()

    def run(self) -> Walked:
        """Read everything that can be read.

        :raises BitbucketError: where that is nothing at all.
        """
        found = self._checked(self._call({}), "places")
        self._guessed = frozenset(found["guessed"])
        self._unread.extend(Failure(**failure) for failure in found["unread"])
        places = _places(found)
        places.update(self._repositories(found["wanted"], alone=not places))
        paths, done = list(places), 0
        for batch in self._batches(paths, "owners"):
            done += len(batch)
            if not self._listed(batch, places):
                self._unread.extend(Failure(path, "stopped", _STOPPED) for path in paths[done:])
                break
        return Walked(found["url"], tuple(self._listings), tuple(self._unread), tuple(found["notes"]))

    def _repositories(self, wanted: c.Mapping[str, list[str]], alone: bool) -> dict[str, Place]:
        """Those of all projects; a project that does not show its own is noted as unread.

        :param alone: whether there is nothing else to look at, so that a failure from the start is the audit's.
        """
        places: dict[str, Place] = {}
        keys, done, lost = list(wanted), 0, 0
        for batch in self._batches(keys, "projects", "repositories of "):
            found = self._searched({key: wanted[key] for key in batch}, alone and not done)
            done += len(batch)
            places.update(_places(found))
            reasons = {failure.reason: failure.msg for failure in self._note(found)}
            if "credential" in reasons:
                # Asking once more could lock the account.
                raise BitbucketError(reasons["credential"], "credential")
            lost = lost + 1 if found.get("failed") or reasons.keys() & set(ENDS_ALL) else 0
            if lost == MOST_LOST:
                self._unread.extend(Failure(f"projects/{key}/repos", "stopped", _STOPPED) for key in keys[done:])
                break
        self._note_unmatched(wanted, places)
        return places

    def _note_unmatched(self, wanted: c.Mapping[str, list[str]], places: c.Mapping[str, Place]) -> None:
        """Globs that match no repository in any of their projects, if all of these were listed."""
        keys_of: dict[str, list[str]] = {}
        for key, patterns in wanted.items():
            for pattern in patterns:
                if _owners.is_glob(pattern) and pattern != "*":
                    keys_of.setdefault(pattern, []).append(key)
        unread = {failure.owner for failure in self._unread}
        repositories = {(place.owner.project, place.owner.repository) for place in places.values()}
        for pattern, keys in keys_of.items():
            found = {key for key, slug in repositories if _owners.matching(pattern, [slug])}
            if not found & set(keys) and not any(f"projects/{key}/repos" in unread for key in keys):
                project = keys[0] if len(keys) == 1 else "*"
                error = _owners.NoMatchError(f"The glob {project}/{pattern} matches no repository that you can see.")
                self._unread.append(Failure.of(f"projects/{project}/repos/{pattern}", error))

    def _searched(self, wanted: c.Mapping[str, list[str]], alone: bool) -> Result:
        """What some projects show. Where that fails as a whole, all of them are unread."""
        try:
            return self._checked(self._call({"repositories": wanted}), "places")
        except BitbucketError as error:
            if alone or error.reason == "credential":
                raise
            unread = [Failure.of(f"projects/{key}/repos", error)._asdict() for key in wanted]
            return {"failed": True, "reason": error.reason, "places": [], "unread": unread}

    def _batches(self, names: list[str], what: str, of_what: str = "") -> c.Iterator[list[str]]:
        """All of some names, as many at a time as an interval has room for; says how far it is."""
        done, size = 0, FIRST
        while done < len(names):
            started, batch = self._clock(), names[done : done + size]
            yield batch
            done += len(batch)
            self._progress(f"audit: {of_what}{done:,} of {len(names):,} {what}", done == len(names))
            size = _next_size(len(batch), self._clock() - started)

    def _listed(self, paths: list[str], places: c.Mapping[str, Place]) -> bool:
        """Read some owners; whether it makes sense to go on."""
        try:
            result = self._checked(self._call({"owners": paths}), "listings")
        except BitbucketError as error:
            if not self._listings:
                raise
            self._unread.extend(Failure.of(path, error) for path in paths)
            return False
        for listing in result["listings"]:
            tokens = tuple(
                Token(token_id, name, _permissions.listed(names), *times)
                for token_id, name, names, *times in listing["tokens"]
            )
            self._listings.append(Listing(places[listing["owner"]], tokens, listing["now"]))
        return not any(failure.reason in ENDS_ALL for failure in self._note(result))

    def _note(self, result: Result) -> list[Failure]:
        failures = [Failure(**failure) for failure in result["unread"]]
        self._unread.extend(failure for failure in failures if not self._never_was(failure))
        return failures

    def _never_was(self, failure: Failure) -> bool:
        # The path may be a project's, or go on to what is in it.
        owner = "/".join(failure.owner.split("/")[:2])
        return failure.reason == "not_found" and owner_of(owner).project in self._guessed

    def _checked(self, result: Result, key: str) -> Result:
        if key not in result:
            raise BitbucketError(str(result.get("msg")), str(result.get("reason", "error")))
        return result

    def _progress(self, text: str, last: bool) -> None:
        now = self._clock()
        if now - self._said >= INTERVAL * 0.9 and not last:
            self._said = now
            self._say(text)


def _places(found: Result) -> dict[str, Place]:
    return {path: Place(owner_of(path), title, link, gone) for path, title, link, gone in found["places"]}


_STOPPED = "Not tried: the server has refused the credential, is gone, or allows no more requests, meanwhile."


def _next_size(size: int, seconds: float) -> int:
    """As many owners as an interval has room for, by the pace of the last batch."""
    return max(FIRST // 4, min(LARGEST, int(size * INTERVAL / max(seconds, 0.01))))
