"""A model of the delivery: every interleaving of two and three runs, each of which may crash at any step.

The decisions are the real plan()'s; the steps around it are those of a run: read the store, observe, create, verify,
compare-and-set, read again, retire. At every state what the store holds must live if it ever did; and from every
state in which all runs have ended, later runs must converge.
"""

from __future__ import annotations

import typing as t
from collections.abc import Iterator

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._limits import FRESH, SETTLE
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, HOUR, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import declared
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens import _plan
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._plan import plan
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._types import Plan, Policy, Revoke, View
from tests.promises import FULL

PROJECT = Owner(project="PAY")
REFERENCE = PROJECT.reference("ci")
READ = declared(["REPO_READ"])
NOW = 1_768_467_600_000
STALE = FRESH * 1000
JUMP = 25 * HOUR // 60


class ModelState(t.NamedTuple):
    """``tokens`` are those that Bitbucket lists; ``jumps`` are how often time may still pass."""

    now: int
    tokens: tuple[Token, ...]
    stored: str | None
    serial: int = 1
    jumps: int = 0
    lost: int = 0
    """How many answers to a create may still be lost."""
    compares: bool = True
    """Whether the store writes only over what was read; otherwise the settle time alone keeps runs apart."""
    crashed: bool = False


class Run(t.NamedTuple):
    """Where a run stands, and what it knows."""

    at: str = "read"
    read: str | None = None
    read_at: int = 0
    started: int = 0
    todo: tuple[str, ...] = ()
    issued: str = ""
    replaces: str | None = None
    retire: bool = False


Move = tuple[ModelState, Run]
END = Run("end")


def spec(grace: int) -> TokenSpec:
    return TokenSpec("ci", READ, 10, 3, grace)


def decide(state: ModelState, stored: str | None, grace: int, replaced: str | None = None) -> Plan:
    policy = Policy(stored={REFERENCE: stored}, replaced={REFERENCE: replaced} if replaced else {})
    return plan(View(PROJECT, state.tokens, state.now), [spec(grace)], policy)[0]


def revoked(state: ModelState, token_id: str) -> ModelState:
    return state._replace(tokens=tuple(token for token in state.tokens if token.id != token_id))


def used(state: ModelState, token_id: str) -> ModelState:
    tokens = (token._replace(last_used=state.now) if token.id == token_id else token for token in state.tokens)
    return state._replace(tokens=tuple(tokens))


def created(state: ModelState) -> tuple[ModelState, str]:
    """A token of ten days; no two are created at the same moment."""
    now, token_id = state.now + 1, f"{state.serial:012d}"
    token = Token(token_id, "ci", READ, now, now + 10 * DAY)
    return state._replace(now=now, tokens=(*state.tokens, token), serial=state.serial + 1), token_id


def moves(state: ModelState, run: Run, grace: int) -> Iterator[Move]:
    """What one run may do next; more than one thing where an answer may be lost."""
    if run.at in ("read", "read again"):
        following = "call" if run.at == "read" else "retire"
        yield state, run._replace(at=following, read=state.stored, read_at=state.now)
    elif run.at == "call":
        yield from _call(state, run, grace)
    elif run.at == "create":
        made, token_id = created(state)
        yield made, run._replace(at="verify" if run.replaces else "write", issued=token_id)
        if state.lost:
            yield made._replace(lost=state.lost - 1), run
    elif run.at == "verify":
        yield used(state, run.issued), run._replace(at="write")
    elif run.at == "write":
        yield _write(state, run)
    elif run.at == "discard":
        yield revoked(state, run.issued), run._replace(at="read again", replaces=None)
    elif run.at == "retire":
        decided = decide(state, run.read, grace, run.replaces)
        due = () if decided.issue else _revocations(decided)
        # Time counts from the read: what the store held then may not be what it holds now.
        yield state, run._replace(at="revoke", todo=due, started=run.read_at)
    elif run.at == "revoke":
        yield _revoke(state, run)


def _call(state: ModelState, run: Run, grace: int) -> Iterator[Move]:
    read = state.stored if state.now - run.read_at > STALE else run.read
    made = decide(state, read, grace)
    run = run._replace(started=state.now)
    if made.failure:
        yield state, END
    elif made.issue:
        waits = any(isinstance(step, Revoke) for step in made.retire)
        yield state, run._replace(at="create", replaces=made.issue.replaces, retire=waits)
    else:
        yield state, run._replace(at="revoke", todo=_revocations(made))


def _revocations(made: Plan) -> tuple[str, ...]:
    return tuple(step.token.id for step in made.steps if isinstance(step, Revoke))


def _write(state: ModelState, run: Run) -> Move:
    if state.now - run.started > STALE or (state.compares and state.stored != run.replaces):
        return state, run._replace(at="discard")
    return state._replace(stored=run.issued), run._replace(at="read again") if run.retire else END


def _revoke(state: ModelState, run: Run) -> Move:
    if not run.todo or state.now - run.started > STALE:
        return state, END
    return revoked(state, run.todo[0]), run._replace(todo=run.todo[1:])


def successors(state: ModelState, runs: tuple[Run, ...], grace: int) -> Iterator[tuple[ModelState, tuple[Run, ...]]]:
    """One step of any run, the crash of any run, or time passes."""
    for index, run in enumerate(runs):
        if run != END:
            others = runs[:index], runs[index + 1 :]
            for after, moved in moves(state, run, grace):
                yield after, tuple(sorted((*others[0], moved, *others[1]), key=repr))
            yield state._replace(crashed=True), tuple(sorted((*others[0], END, *others[1]), key=repr))
    if state.jumps and any(run != END for run in runs):
        yield state._replace(now=state.now + JUMP, jumps=state.jumps - 1), runs


def alive(state: ModelState, token_id: str | None) -> bool:
    return any(token.id == token_id and not token.expired(state.now) for token in state.tokens)


def alone(state: ModelState, grace: int) -> ModelState:
    """One run that nobody disturbs."""
    run = Run()
    while run != END:
        state, run = next(moves(state, run, grace))
    return state


def converges(state: ModelState, grace: int) -> None:
    """Two undisturbed runs, each after the settle time and the grace; then nothing is left to do."""
    for _run in range(2):
        state = state._replace(now=state.now + SETTLE + grace * DAY)
        assert not decide(state, state.stored, grace).failure, state
        state = alone(state, grace)
    assert alive(state, state.stored), state
    (current,) = (token for token in state.tokens if token.id == state.stored)
    strays = [token for token in state.tokens if token.id != state.stored]
    # What was seen to work may be in use, as far as anyone can know: it is reported, and the next rotation takes it.
    assert all(token.last_used and token.created >= current.created for token in strays), state
    assert state.crashed or not state.compares or not strays, state
    assert alone(state, grace) == state


def explore(state: ModelState, count: int, grace: int) -> int:
    """The number of states; each is looked at once, however it was reached."""
    pending = [(state, (Run(),) * count)]
    seen = set(pending)
    finals: set[ModelState] = set()
    while pending:
        state, runs = pending.pop()
        if all(run == END for run in runs):
            finals.add(state._replace(jumps=0, lost=0))
        for after in successors(state, runs, grace):
            if after in seen:
                continue
            seen.add(after)
            # Once something is stored that works, there is never a moment without.
            assert alive(after[0], after[0].stored) or not alive(state, state.stored), (state, runs, after)
            pending.append(after)
    for final in finals:
        converges(final, grace)
    return len(seen)


def token(token_id: str, created_days: float, left_days: float, last_used: int | None = NOW) -> Token:
    return Token(token_id, "ci", READ, NOW - round(created_days * DAY), NOW + round(left_days * DAY), last_used)


OLD, OLDER = "900000000001", "900000000002"
STARTS = {
    "nothing there": ModelState(NOW, (), None),
    "rotation": ModelState(NOW, (token(OLD, 8, 2),), OLD),
    "rotation with an older one": ModelState(NOW, (token(OLDER, 16, 1), token(OLD, 8, 2)), OLD),
    "expired": ModelState(NOW, (token(OLD, 11, -1),), OLD),
    "revoked by somebody": ModelState(NOW, (), OLD),
    "an orphan of a killed run": ModelState(NOW, (token(OLD, 1 / 48, 9.9, None),), None),
    "a newer orphan": ModelState(NOW, (token(OLD, 1, 9), token(OLDER, 1 / 24 - 1e-4, 9.9, None)), OLD),
    "retirement": ModelState(NOW, (token(OLDER, 9, 1), token(OLD, 2.5, 7.5)), OLD),
}


#: How many runs, how often time may pass, how many answers may be lost, and what the store can do.
EXTENTS = {
    "two runs": (2, 3 if FULL else 1, 1, True),
    "two runs, settle time alone": (2, 3 if FULL else 1, 1, False),
    "three runs": (3, 0, int(FULL), True),
    **({"three runs, settle time alone": (3, 0, 0, False)} if FULL else {}),
}
# Three runs take the longest; without a grace they have the most to lose.
CASES = [(extent, grace) for extent in EXTENTS for grace in [0, 2] if FULL or grace == 0 or EXTENTS[extent][0] == 2]


@pytest.mark.parametrize(("extent", "grace"), CASES)
@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_no_interleaving_loses_a_secret(start, extent, grace, record_property):
    count, jumps, lost, compares = EXTENTS[extent]
    start = start._replace(jumps=jumps, lost=lost, compares=compares)
    record_property("delivery model: states", explore(start, count, grace))


@pytest.mark.parametrize("mistake", ["no settle time", "no compare-and-set", "revoked before stored"])
def test_the_model_finds_mistakes(mistake, monkeypatch):
    start, compares = STARTS["rotation"], mistake != "no settle time"
    if mistake == "no settle time":
        monkeypatch.setattr(_plan, "SETTLE", 0)
    elif mistake == "no compare-and-set":
        blind = _write
        monkeypatch.setitem(globals(), "_write", lambda state, run: blind(state, run._replace(replaces=state.stored)))
    else:
        monkeypatch.setitem(globals(), "used", lambda state, _id: revoked(state, OLD))
    with pytest.raises(AssertionError):
        explore(start._replace(jumps=1, compares=compares), 3 if mistake == "no settle time" else 2, 0)
