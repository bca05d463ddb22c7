"""The hand-over as it runs for real, in one process: Custody, the module's own run(), a simulated Bitbucket, a store.

Only the process boundary between action plugin and module is missing. Every run is checked for leaks.
"""

from __future__ import annotations

import collections.abc as c
import json
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.tokensmith.bitbucket.plugins.action.access_token_set import ActionModule
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._owners import (
    Resolved,
    declared_owners,
    offline,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from ansible_collections.tokensmith.bitbucket.plugins.modules import access_token_set
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._custody import Custody
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Entry, Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._file import FileStore
from tests.simulator import Simulator, Token
from tests.simulator.adapter import SimulatorAdapter

Result = dict[str, t.Any]

PASSWORD = "correct-horse-battery-staple-4711"
URL = "https://bitbucket.test"
PAY = "projects/PAY"
CI = f"{PAY}/tokens/ci"
MOST_CALLS = 8


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
    """

    def __init__(
        self,
        path: Path,
        lands: int = 10**6,
        answer: str | None = None,
        error: str | None = None,
        reads: int = 10**6,
    ) -> None:
        super().__init__(path, single=False)
        self.lands, self.answer, self.error, self.reads = lands, answer, error, reads

    def read(self, references: c.Iterable[str]) -> dict[str, str | None]:
        if self.reads < 1:
            raise StoreError(f"{self.name} does not answer.")
        self.reads -= 1
        return super().read(references)

    def write(self, entries: c.Sequence[Entry]) -> dict[str, str]:
        truth = super().write(entries[: self.lands])
        if self.error is not None:
            raise StoreError(self.error)
        return truth if self.answer is None else {entry.reference: self.answer for entry in entries}


class Watched(Store):
    """Any store, with a diary of what was asked of it and a hook before each verb."""

    def __init__(self, inner: Store, before: c.Callable[[str], object] = lambda _verb: None) -> None:
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
        return self.inner.write(entries)

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
    calls: list[Result] = field(default_factory=list)
    most_calls: int = MOST_CALLS
    said: list[str] = field(default_factory=list)
    #: Called before each call of the module with its number, from 1.
    before_call: c.Callable[[int], object] = lambda _number: None
    #: Called after each call of the module.
    after_call: c.Callable[[int], object] = lambda _number: None

    def run(self, *entries: Result, check_mode: bool = False, **options: t.Any) -> Result:
        """One run of a task that declares ``entries``; its result, which never holds a secret."""
        result = self.custody(*entries, check_mode=check_mode, **options).run(check_mode)
        assert_clean(json.dumps(result), self.sim)
        return result

    def custody(self, *entries: Result, check_mode: bool = False, **options: t.Any) -> Custody:
        args = {"url": URL, "projects": ["PAY"], "set": list(entries), **options}
        action = ActionModule.__new__(ActionModule)
        params = parsed(args)
        owners = offline(declared_owners(params))
        assert owners is not None, "name owners as the server spells them"
        declared = action.declared(params, Resolved(owners, []))
        references = {item.owner.path: item.references for item in declared}
        absent = {item.owner.reference(spec.name) for item in declared for spec in item.specs if spec.absent}
        self.calls.clear()

        def call(paths: list[str] | None, told: Result) -> Result:
            told = dict(told)
            some = owners if paths is None else [owner_of(path) for path in paths]
            arguments = action.arguments(args, some, told.pop("prune", True))
            return self._module({**arguments, "handover": told}, check_mode)

        return Custody(self.store, references, call, self.said.append, self.clock, absent=absent, whole=True)

    def _module(self, arguments: Result, check_mode: bool) -> Result:
        self.calls.append(arguments)
        # Older versions of Ansible refuse a list that holds nothing in the place of a text.
        lists = [value for value in arguments["handover"].values() if isinstance(value, list)]
        assert not [items for items in lists if None in items]
        assert len(self.calls) <= self.most_calls, "the calls do not come to an end"
        self.before_call(len(self.calls))
        client = Client(URL, Credential("admin", PASSWORD), transport(self.sim), sleep=lambda _seconds: None)
        try:
            result = access_token_set.run(parsed(json.loads(json.dumps(arguments))), client, check_mode)
        except BitbucketError as error:
            result = {"failed": True, "msg": str(error), "reason": error.reason}
        else:
            result["warnings"] = result.pop("warned", [])
        self.after_call(len(self.calls))
        return json.loads(json.dumps(result))

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
