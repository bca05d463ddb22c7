"""A run with a store as an action plugin does it: the module's run(), a simulated Bitbucket, a store.

Every run is checked for leaks.
"""

from __future__ import annotations

import collections.abc as c
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._workers import Interruption
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._outcome import aborted
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._reconcile import Runtime
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_set
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._delivery import StoreDelivery
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._file import FileStore
from tests.simulator import Simulator, Token
from tests.simulator.adapter import SimulatorAdapter

Result = dict[str, t.Any]

PASSWORD = "correct-horse-battery-staple-4711"
URL = "https://bitbucket.test"
PAY = "projects/PAY"
CI = f"{PAY}/tokens/ci"


def ci(**more: t.Any) -> Result:
    """One declared token: ninety days, replaced two weeks before it expires, with a week of grace."""
    return {"name": "ci", "permissions": ["REPO_READ"], "expires_in_days": 90, **more}


class FakeClock:
    """Seconds that only go forward, when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class SpoiltStore(FileStore):
    """A file store that does what it is told and then misbehaves.

    :param lands: how many of the entries of each write are really written.
    :param answer: what it says of every entry in place of the truth.
    :param error: what it says in place of any answer.
    :param reads: how many reads succeed.
    :param spoilt_from: the number of the first write that it answers with the error.
    """

    def __init__(
        self,
        path: Path,
        lands: int = 10**6,
        answer: str | None = None,
        error: str | None = None,
        reads: int = 10**6,
        spoilt_from: int = 1,
    ) -> None:
        super().__init__(path, single=False)
        self.lands, self.answer, self.error, self.reads = lands, answer, error, reads
        self.spoilt_from, self.writes = spoilt_from, 0

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        if self.reads < 1:
            raise StoreError(f"{self.name} does not answer.")
        self.reads -= 1
        return super().read(references)

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        truth = super().write(entries[: self.lands])
        self.writes += 1
        if self.error is not None and self.writes >= self.spoilt_from:
            raise StoreError(self.error)
        return truth if self.answer is None else {entry.reference: self.answer for entry in entries}


class Watched(Store):
    """Any store, with a diary of what was asked of it and a hook before each verb."""

    def __init__(self, inner: Store, before: c.Callable[[str], object] = lambda _verb: None) -> None:
        super().__init__()
        self.inner, self.name, self.before = inner, inner.name, before
        self.diary: list[str] = []
        self.entries: list[Entry] = []

    def _note(self, verb: str) -> None:
        self.before(verb)
        self.diary.append(verb)

    def prepare(self, references: c.Sequence[str], check_mode: bool) -> None:
        self._note("prepare")
        self.inner.prepare(references, check_mode)

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        self._note("read")
        return self.inner.read(references)

    def others(self, references: c.Collection[str]) -> dict[str, str]:
        return self.inner.others(references)

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        self._note("write")
        self.entries += entries
        answers = self.inner.write(entries)
        self.reasons = self.inner.reasons
        return answers

    def remove(self, tokens: c.Mapping[str, str]) -> dict[str, str]:
        self._note("remove")
        return self.inner.remove(tokens)

    def secret(self, reference: str) -> str:
        return self.inner.secret(reference)


@dataclass
class Site:
    """A simulated Bitbucket and the place where its secrets go."""

    sim: Simulator
    place: Path
    store: Store
    clock: FakeClock = field(default_factory=FakeClock)
    said: list[str] = field(default_factory=list)
    interruption: Interruption = field(default_factory=Interruption)

    def run(self, *entries: Result, check_mode: bool = False, **options: t.Any) -> Result:
        """One run of a task that declares ``entries``; its result, which never holds a secret."""
        args = {"url": URL, "projects": ["PAY"], "set": list(entries), **options}
        client = Client(URL, Credential("admin", PASSWORD), transport(self.sim), sleep=lambda _seconds: None)
        runtime = Runtime(self.said.append, self.clock, self.interruption)
        delivery = StoreDelivery(self.store, self.clock)
        try:
            result = access_token_set.run(parsed(args), client, check_mode, delivery, runtime)
        except BitbucketError as error:
            result = aborted(error)
        else:
            result["warnings"] = result.pop("warned", [])
        assert_clean(json.dumps(result), self.sim)
        return result

    # What a test asks about

    def issue_elsewhere(self, name: str = "ci", owner: str = PAY, **more: t.Any) -> Token:
        """A token that is there before the run, in use and in the store."""
        token = self.sim.add_token(owner, name, **more)
        self.keep(token)
        return token

    def keep(self, token: Token) -> None:
        """Put a token's secret into the store, as somebody else would."""
        reference = f"{token.owner}/tokens/{token.name}"
        store = self.files()
        held = store.read([reference])[reference]
        assert store.write([Entry(reference, token.id, token.secret, held)]) == {reference: "written"}

    def files(self) -> FileStore:
        """A healthy store over the same place."""
        return FileStore(self.place, single=False)

    def stored(self, reference: str = CI) -> str | None:
        return self.files().read([reference])[reference]

    def secret(self, reference: str = CI) -> str:
        return self.files().secret(reference)

    def alive(self, token: Token) -> bool:
        return self.sim.authenticates(token.secret)

    def ids(self, owner: str = PAY) -> list[str]:
        return [token.id for token in self.sim.tokens(owner)]

    def counts(self) -> dict[str, int]:
        return self.sim.requests.counts()


def parsed(args: Result) -> Result:
    """Arguments as the module gets them."""
    result = ArgumentSpecValidator(access_token_set.SPEC, **access_token_set.CONSTRAINTS).validate(args)
    assert not result.error_messages, result.error_messages
    return t.cast("Result", result.validated_parameters)


def transport(sim: Simulator) -> Transport:
    adapter = SimulatorAdapter(sim)
    return Transport(Settings(), {"https://": adapter, "http://": adapter})


def new_site(place: Path, store: Store | None = None, projects: c.Iterable[str] = ("PAY",)) -> Site:
    sim = Simulator("9.4", seed=11)
    sim.add_user("admin", PASSWORD, roles=("SYS_ADMIN",))
    for key in projects:
        sim.add_project(key)
    place.mkdir(exist_ok=True)
    return Site(sim, place, store or FileStore(place, single=False))


def assert_clean(text: str, sim: Simulator) -> None:
    """Nothing that the simulator ever issued is in ``text``, nor the password."""
    issued = [*sim.model.all_tokens(), *sim.model.revoked.values()]
    leaked = [token.id for token in issued if token.secret in text]
    assert not leaked, f"the secrets of {leaked} are in the result"
    assert PASSWORD not in text


def tree(place: Path) -> dict[str, bytes]:
    """Everything below a directory, to see that nothing was written."""
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}
