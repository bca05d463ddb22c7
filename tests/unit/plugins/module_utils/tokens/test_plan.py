"""Both decision tables, row by row, each at the edge where it applies and where it just does not."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, HOUR, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._permissions import declared, listed
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._plan import (
    plan,
    undeclared,
    would_issue_again,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._spec import TokenSpec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._types import (
    UNKNOWN,
    Fail,
    Issue,
    Keep,
    Plan,
    Policy,
    Revoke,
    Step,
    Update,
    View,
)

NOW = 1_768_467_600_000
PAY = Owner(project="PAY")
NO_STORE: t.Any = object()
MS = 1 / DAY
SETTLE = HOUR / DAY


def spec(name: str = "ci", permissions: str = "REPO_READ", **more: t.Any) -> TokenSpec:
    given = {"expires_in_days": 90, "rotate_before_days": 14, "grace_days": 7, **more}
    return TokenSpec(name, declared([permissions]), **given)


def token(number: str, age: float = 10, left: float | None = 80, **more: t.Any) -> Token:
    """Created ``age`` days ago, expiring in ``left``; by default the declared one at its best."""
    given: dict[str, t.Any] = {"name": "ci", "permissions": "REPO_READ", "used": False, **more}
    expires = None if left is None else NOW + round(left * DAY)
    used = NOW - 1 if given["used"] else None
    created = NOW - round(age * DAY)
    return Token(number, given["name"], listed(given["permissions"].split(",")), created, expires, used)


def planned(tokens: t.Sequence[Token], stored: t.Any = "1", **options: t.Any) -> list[Plan]:
    """The plans for the declared ``specs``; ``stored`` is what the store says of ``ci``, or of everything."""
    specs = options.pop("specs", None) or [options.pop("spec", spec())]
    view = View(PAY, tuple(tokens), options.pop("now", NOW), options.pop("in_use", None))
    if stored is NO_STORE:
        stored = None
    elif not isinstance(stored, dict):
        stored = {"ci": stored}
    if stored is not None:
        options["stored"] = {PAY.reference(name): value for name, value in stored.items()}
    return plan(view, specs, Policy(**options))


def words(step: Step) -> str:
    if isinstance(step, Keep):
        return f"keep {step.token.id} {step.note}".strip()
    if isinstance(step, Update):
        changes = [step.name] if step.name else []
        return " ".join(["update", step.token.id, *changes, *(step.permissions.names if step.permissions else [])])
    if isinstance(step, Revoke):
        return f"revoke {step.token.id} {step.reason}"
    return f"issue {step.reason}" if isinstance(step, Issue) else f"fail {step.reason}"


def decided(tokens: t.Sequence[Token], stored: t.Any = "1", **options: t.Any) -> str:
    """The steps of the one plan; those that wait for the hand-over stand after the arrow."""
    (found,) = planned(tokens, stored, **options)
    retire = f" → {', '.join(map(words, found.retire))}" if found.retire else ""
    return ", ".join(map(words, found.steps)) + retire


def case(name: str, expected: str, *tokens: Token, **options: t.Any) -> t.Any:
    return pytest.param(tokens, options, expected, id=name.replace(" ", "-"))


def shorter(days: int, **more: t.Any) -> TokenSpec:
    return spec(expires_in_days=days, **{"rotate_before_days": 0, "grace_days": 0, **more})


PART_ONE = [
    # stored is unknown
    case("unknown and no candidate fails", "fail stored_unknown", stored=UNKNOWN),
    case("unknown and one live candidate is taken for it", "keep 1", token("1"), stored=UNKNOWN),
    case("unknown and two live candidates fails", "fail stored_unknown", token("1"), token("2", 5), stored=UNKNOWN),
    case(
        "unknown and one live beside an expired one is taken for it",
        "keep 1, revoke 2 expired",
        *(token("1", 30, 60), token("2", 5, 0)),
        stored=UNKNOWN,
    ),
    case(
        "unknown and only expired ones issues",
        "issue expired → revoke 1 expired, revoke 2 expired",
        *(token("1", 90, -1), token("2", 91, -2)),
        stored=UNKNOWN,
    ),
    # the stored id is gone
    case("a stored id that is gone issues", "issue secret_revoked", stored="9"),
    case("gone counts before missing", "issue secret_revoked", token("1", used=True), stored="9"),
    case("a stored token is not gone for its other name", "update 1 ci", token("1", name="old")),
    # no candidate
    case("no candidate and no store issues", "issue absent", stored=NO_STORE),
    case("no candidate and an empty entry issues", "issue absent", stored=None),
    case("another name is no candidate", "issue absent", token("1", name="CI"), stored=None),
    # stored is null
    case("nothing stored and never used issues", "issue secret_missing", token("1"), stored=None),
    case("nothing stored and used fails", "fail secret_missing", token("1", used=True), stored=None),
    case("one used live candidate is enough", "fail secret_missing", token("1"), token("2", used=True), stored=None),
    case(
        "an expired used one does not count",
        "issue secret_missing → revoke 1 expired",
        token("1", 90, 0, used=True),
        stored=None,
    ),
    case(
        "reissue does it for a used one too",
        "issue secret_missing",
        token("1", used=True),
        stored=None,
        missing_secret="reissue",
    ),
    case(
        "fail does it for an unused one too",
        "fail secret_missing",
        token("1"),
        stored=None,
        missing_secret="fail",
    ),
    case("no store is not an empty store", "keep 1", token("1", used=True), stored=NO_STORE),
    # current, where nothing is stored
    case("without a store the newest live is current", "keep 2", token("1"), token("2", 5, 85), stored=NO_STORE),
    case(
        "without a store a live one comes before a newer expired one",
        "keep 1, revoke 2 expired",
        *(token("1"), token("2", 5, 0)),
        stored=NO_STORE,
    ),
    case(
        "without a store and of two equally new ones the one that is fine is current",
        "keep 2",
        *(token("1", 10, None), token("2", 10, 80), token("3", 10, None)),
        stored=NO_STORE,
    ),
    # expired, expiring
    case(
        "expired at the very instant",
        "issue expired → revoke 1 expired",
        token("1", 90, 0),
        spec=shorter(90),
    ),
    case("not expired a moment before", "keep 1", token("1", 90 - MS, MS), spec=shorter(90)),
    case("expiring at the window's edge", "issue expiring", token("1", 76, 14)),
    case("not expiring a moment before the window", "keep 1", token("1", 76, 14 + MS)),
    # lifetime
    case("a token that never expires outlives the declared lifetime", "issue lifetime", token("1", left=None)),
    case("a lifetime two days over is kept", "keep 1", token("1", 10, 82)),
    case("a lifetime more than two days over is replaced", "issue lifetime", token("1", 10, 82 + MS)),
    case("without a declared lifetime any is kept", "keep 1", token("1", 10, 900), spec=spec(expires_in_days=None)),
    # forced
    case("created before the moment is replaced", "issue forced", token("1"), rotate_created_before=NOW - 10 * DAY + 1),
    case("created at the moment is kept", "keep 1", token("1"), rotate_created_before=NOW - 10 * DAY),
    # name, permissions
    case("another name is put right", "update 1 ci", token("1", name="mine")),
    case("lower permissions are raised", "update 1 REPO_WRITE", token("1"), spec=spec(permissions="REPO_WRITE")),
    case("higher permissions are lowered", "update 1 REPO_READ", token("1", permissions="REPO_ADMIN")),
    case(
        "name and permissions in one update",
        "update 1 ci REPO_READ",
        token("1", name="x", permissions="PROJECT_READ"),
    ),
    case(
        "the same in normal form is kept",
        "keep 1",
        token("1", permissions="PROJECT_WRITE,REPO_WRITE,REPO_READ"),
        spec=spec(permissions="PROJECT_WRITE"),
    ),
    case("a permission not known here differs", "update 1 REPO_READ", token("1", permissions="REPO_READ,REPO_MAGIC")),
    # the order of the rows
    case("expired goes before expiring", "issue expired → revoke 1 expired", token("1", 90, 0)),
    case("expiring goes before lifetime", "issue expiring", token("1", 90, 14)),
    case("lifetime goes before forced", "issue lifetime", token("1", left=None), rotate_created_before=NOW),
    case("what is replaced is not updated", "issue forced", token("1"), rotate_created_before=NOW - DAY),
    # a name that is not the declared one is given back before the successor is created
    case("the name is put right before issuing", "update 1 ci, issue expiring", token("1", 80, 10, name="mine")),
]

KEPT = token("1", 8, 82)

PART_TWO = [
    case("an expired one goes", "keep 1, revoke 2 expired", KEPT, token("2", 90, 0)),
    case("a newer expired one goes", "keep 1, revoke 2 expired", KEPT, token("2", 3, 0, used=True)),
    case("one that is about to expire stays", "keep 1", token("1", 1, 89), token("2", 90, MS)),
    case("superseded at the end of the grace", "keep 1, revoke 2 superseded", token("1", 7, 83), token("2", 70, 20)),
    case("not superseded a moment before", "keep 1", token("1", 7 - MS, 83), token("2", 70, 20)),
    case(
        "without grace superseded after the settle time",
        "keep 1, revoke 2 superseded",
        *(token("1", SETTLE, 89), token("2", 70, 20)),
        spec=spec(grace_days=0),
    ),
    case(
        "without grace not superseded before the settle time",
        "keep 1",
        *(token("1", SETTLE - MS, 89), token("2", 70, 20)),
        spec=spec(grace_days=0),
    ),
    case(
        "without grace the replaced one goes at once, and only that one",
        "keep 1, revoke 2 superseded",
        *(token("1", 0, 90), token("2", 70, 20), token("3", 71, 19)),
        spec=spec(grace_days=0),
        replaced={"projects/PAY/tokens/ci": "2"},
    ),
    case(
        "with grace the replaced one stays",
        "keep 1",
        *(token("1", 0, 90), token("2", 70, 20)),
        replaced={"projects/PAY/tokens/ci": "2"},
    ),
    case("an orphan goes once it is old enough", "keep 1, revoke 2 orphan", KEPT, token("2", 7, 83)),
    case("a younger one is kept as a namesake", "keep 1, keep 2 namesake", KEPT, token("2", 7 - MS, 83)),
    case("a used one is a namesake", "keep 1, keep 2 namesake", KEPT, token("2", 7, 83, used=True)),
    case("created at the same instant counts as newer", "keep 1, keep 2 namesake", KEPT, token("2", 8, 82, used=True)),
    case(
        "without grace an orphan waits for the settle time",
        "keep 1, revoke 2 orphan",
        *(token("1", 1, 89), token("2", SETTLE, 90)),
        spec=spec(grace_days=0),
    ),
    case(
        "without grace a younger one is a namesake",
        "keep 1, keep 2 namesake",
        *(token("1", 1, 89), token("2", SETTLE - MS, 90)),
        spec=spec(grace_days=0),
    ),
    case(
        "an older one is lowered to the declared permissions",
        "keep 1, update 2 REPO_READ",
        *(token("1", 3, 87), token("2", 50, 40, permissions="PROJECT_ADMIN")),
    ),
    case(
        "lowering takes the lower of both per kind",
        "keep 1, update 2 PROJECT_READ REPO_WRITE",
        token("1", 3, 87, permissions="PROJECT_WRITE"),
        token("2", 50, 40, permissions="PROJECT_READ,REPO_ADMIN"),
        spec=spec(permissions="PROJECT_WRITE"),
    ),
    case(
        "lower permissions are not raised",
        "keep 1",
        token("1", 3, 87, permissions="PROJECT_WRITE"),
        token("2", 50, 40, permissions="REPO_WRITE"),
        spec=spec(permissions="PROJECT_WRITE"),
    ),
    case("a newer one is not lowered", "keep 1, keep 2 namesake", KEPT, token("2", 3, permissions="REPO_ADMIN")),
    case(
        "without a store only expired ones go",
        "keep 2, revoke 3 expired",
        *(token("1", 50, 40, permissions="REPO_ADMIN"), token("2", 8, 82), token("3", 90, 0)),
        stored=NO_STORE,
    ),
    # where a row issues, the successor is looked at, of age 0
    case(
        "issuing retires after the hand-over what is expired, too high, or without grace replaced",
        "issue expiring → revoke 1 superseded, revoke 2 expired, update 3 REPO_READ",
        token("1", 80, 10),
        token("2", 90, 0),
        token("3", 50, 40, permissions="REPO_ADMIN"),
        spec=spec(grace_days=0),
    ),
    case("issuing with grace retires nothing that lives", "issue expiring", token("1", 80, 10), token("2", 85, 5)),
    case(
        "issuing for a lost secret retires nothing that lives",
        "issue secret_missing",
        token("1"),
        stored=None,
        spec=spec(grace_days=0),
    ),
]

NO_CLOCK = [
    case("an expiry cannot be judged", "fail no_clock", token("1"), now=None),
    case("a token that never expires is kept", "keep 1", token("1", left=None), spec=spec(expires_in_days=None)),
    case("lifetime needs no clock", "issue lifetime", token("1", left=None)),
    case(
        "forced needs no clock",
        "issue forced",
        token("1", left=None),
        spec=spec(expires_in_days=None),
        rotate_created_before=NOW,
    ),
    case("absent needs no clock", "issue absent", stored=None),
    case("gone needs no clock", "issue secret_revoked", stored="9"),
    case(
        "nothing is revoked as expired or by age",
        "keep 1, keep 3 namesake",
        *(token("1", 300, None), token("2", 400, -1), token("3", 200, -1)),
        spec=spec(expires_in_days=None),
    ),
    case(
        "an older one is lowered",
        "keep 1, update 2 REPO_READ",
        *(token("1", 300, None), token("2", 400, None, permissions="REPO_ADMIN")),
        spec=spec(expires_in_days=None),
    ),
    case(
        "the replaced one goes, since that needs no clock",
        "issue lifetime → revoke 1 superseded",
        token("1", left=None),
        spec=spec(grace_days=0),
    ),
]

IN_USE = [
    case("the current token is renamed", "update 1 ci", token("1", name="x"), in_use="1"),
    case("its permissions are not raised", "keep 1 in_use", token("1"), spec=spec(permissions="REPO_ADMIN")),
    case("its permissions are not lowered", "keep 1 in_use", token("1", permissions="REPO_ADMIN")),
    case(
        "renaming does not hide that its permissions are withheld",
        "update 1 ci, keep 1 in_use",
        token("1", name="x", permissions="REPO_ADMIN"),
    ),
    case("a superseded one is not revoked", "keep 2, keep 1 in_use", token("2", 8, 82), token("1", 20, 70), stored="2"),
    case("an orphan is not revoked", "keep 2, keep 1 in_use", token("2", 20, 70), token("1", 8, 82), stored="2"),
    case(
        "an older one is not lowered",
        "keep 2, keep 1 in_use",
        *(token("2", 3, 87), token("1", 20, 70, permissions="REPO_ADMIN")),
        stored="2",
    ),
    case(
        "the replaced one is not revoked",
        "issue expiring → keep 1 in_use",
        token("1", 80, 10),
        spec=spec(grace_days=0),
    ),
    case(
        "it gets its name back before it is replaced",
        "update 1 ci, issue expiring",
        token("1", 80, 10, name="x"),
    ),
    case(
        "absent does not revoke it",
        "keep 1 in_use, revoke 2 absent",
        *(token("1"), token("2")),
        spec=TokenSpec("ci", None, absent=True),
        stored=NO_STORE,
    ),
]

OTHERS = [
    case("never keeps an expired one", "keep 1", token("1", 90, 0), spec=spec(rotate="never")),
    case("never keeps one that is forced", "keep 1", token("1"), spec=spec(rotate="never"), rotate_created_before=NOW),
    case("never still updates", "update 1 ci", token("1", 90, 0, name="x"), spec=spec(rotate="never")),
    case("never still issues what is absent", "issue absent", stored=None, spec=spec(rotate="never")),
    case("never still issues what is gone", "issue secret_revoked", stored="9", spec=spec(rotate="never")),
    case("always issues what is fine", "issue always", token("1"), spec=spec(rotate="always")),
    case("always comes after absent", "issue absent", stored=None, spec=spec(rotate="always")),
    case("always comes after missing", "fail secret_missing", token("1", used=True), stored=None),
    case(
        "absent revokes every candidate, the stored one whatever its name",
        "revoke 1 absent, revoke 2 absent",
        *(token("1", name="x"), token("2"), token("3", name="other")),
        spec=TokenSpec("ci", None, absent=True),
    ),
    case("absent has nothing to do", "", spec=TokenSpec("ci", None, absent=True), stored=None),
    case(
        "absent by id leaves namesakes alone",
        "revoke 2 absent",
        *(token("1"), token("2")),
        spec=TokenSpec("ci", None, absent=True, only_id="2"),
        stored=NO_STORE,
    ),
]


def with_defaults(rows: list[t.Any], **defaults: t.Any) -> list[t.Any]:
    return [pytest.param(row.values[0], {**defaults, **row.values[1]}, row.values[2], id=row.id) for row in rows]


@pytest.mark.parametrize(("tokens", "options", "expected"), PART_ONE)
def test_part_one(tokens, options, expected):
    assert decided(tokens, **options) == expected


@pytest.mark.parametrize(("tokens", "options", "expected"), PART_TWO)
def test_part_two(tokens, options, expected):
    assert decided(tokens, **options) == expected


@pytest.mark.parametrize(("tokens", "options", "expected"), with_defaults(NO_CLOCK, now=None))
def test_without_a_clock(tokens, options, expected):
    assert decided(tokens, **options) == expected


@pytest.mark.parametrize(("tokens", "options", "expected"), with_defaults(IN_USE, in_use="1"))
def test_the_token_in_use_is_neither_revoked_nor_narrowed(tokens, options, expected):
    assert decided(tokens, **options) == expected


@pytest.mark.parametrize(("tokens", "options", "expected"), OTHERS)
def test_rotate_and_state(tokens, options, expected):
    assert decided(tokens, **options) == expected


def test_what_an_issue_replaces_is_what_the_store_held():
    def issue(*tokens: Token, **options: t.Any) -> tuple[str | None, bool]:
        (found,) = planned(tokens, **options)
        assert found.issue is not None
        return found.issue.replaces, found.issue.replaces_used

    assert issue(token("1", 80, 10, used=True)) == ("1", True)
    assert issue(stored="9") == ("9", False)
    assert issue(token("1"), stored=None) == (None, False)
    assert issue(token("1", used=True), stored=None, missing_secret="reissue") == (None, True)
    assert issue(token("1", 90, 0, used=True), stored=None) == (None, False)
    assert issue(token("1", 80, 10), stored=NO_STORE) == (None, False)


def test_a_token_that_another_reference_stores_is_no_candidate():
    specs = [spec("ci"), spec("deploy")]
    renamed_in_the_browser, other = token("1", name="deploy"), token("2", 20, 70, name="deploy")
    plans = planned([renamed_in_the_browser, other], {"ci": "1", "deploy": "2"}, specs=specs)
    assert [list(map(words, item.steps)) for item in plans] == [["update 1 ci"], ["keep 2"]]
    plans = planned([renamed_in_the_browser], {"ci": "1", "deploy": None}, specs=specs)
    assert [list(map(words, item.steps)) for item in plans] == [["update 1 ci"], ["issue absent"]]


BESIDE = {PAY.reference("old"): "7"}


@pytest.mark.parametrize(
    ("used", "missing_secret", "expected"),
    [
        (False, "auto", "issue secret_missing"),
        (True, "auto", "fail secret_missing"),
        (True, "reissue", "issue secret_missing"),
        (False, "fail", "fail secret_missing"),
    ],
)
def test_a_secret_under_a_reference_that_is_not_declared_is_as_good_as_missing(used, missing_secret, expected):
    """The entry of a declaration that got another name; its token may be in use for all that is known."""
    (result,) = planned([token("7", used=used)], None, others=BESIDE, missing_secret=missing_secret)
    (step,) = result.steps
    assert words(step) == expected
    assert "7 under projects/PAY/tokens/old" in (step.message if isinstance(step, Fail) else result.warnings[0])
    assert not isinstance(step, Issue) or step.replaces_used is used


@pytest.mark.parametrize("grace", [0, 7])
def test_what_is_stored_under_a_reference_that_is_not_declared_is_kept_and_told(grace):
    tokens = [token("1"), token("7", age=80, left=10)]
    (result,) = planned(tokens, "1", spec=spec(grace_days=grace), others=BESIDE, replaced={PAY.reference("ci"): "7"})
    assert [words(step) for step in result.steps] == ["keep 1"]
    assert ["7 under projects/PAY/tokens/old" in warning for warning in result.warnings] == [True]
    (other,) = planned(tokens, "1", spec=spec(grace_days=grace))
    assert [words(step) for step in other.steps] == ["keep 1", "revoke 7 superseded"]
    assert other.warnings == ()


def test_what_shall_be_absent_and_is_stored_elsewhere_is_kept_and_told():
    (result,) = planned([token("7")], None, spec=spec(absent=True), others=BESIDE)
    assert result.steps == ()
    assert ["7 under projects/PAY/tokens/old" in warning for warning in result.warnings] == [True]


def test_what_a_declared_reference_stores_as_well_is_not_told_of():
    tokens = [token("1"), token("7", age=80, left=10)]
    specs = [spec(), spec("deploy")]
    plans = planned(tokens, {"ci": "1", "deploy": "7"}, specs=specs, others=BESIDE)
    assert [each.warnings for each in plans] == [(), ()]


def test_two_references_that_store_the_same_token_fail_the_owner():
    with pytest.raises(
        BitbucketError, match="under two references, projects/PAY/tokens/ci and projects/PAY/tokens/deploy"
    ):
        planned([token("1")], {"ci": "1", "deploy": "1"}, specs=[spec("ci"), spec("deploy")])


@pytest.mark.parametrize("value", [None, UNKNOWN])
def test_two_references_may_both_store_nothing_or_something_unreadable(value):
    tokens = [token("1"), token("2", name="deploy")]
    plans = planned(tokens, {"ci": value, "deploy": value}, specs=[spec("ci"), spec("deploy")])
    assert not any(isinstance(step, Fail) for item in plans for step in item.steps)


def test_a_reference_without_an_entry_fails_the_owner():
    with pytest.raises(BitbucketError, match="no answer for projects/PAY/tokens/deploy"):
        planned([], {"ci": None}, specs=[spec("ci"), spec("deploy")])


def test_a_moment_that_the_server_has_not_reached_fails_the_owner():
    with pytest.raises(InputError, match="is later than the server's clock"):
        planned([token("1")], rotate_created_before=NOW + 1)
    assert decided([token("1", 0, 90)], rotate_created_before=NOW) == "keep 1"


@pytest.mark.parametrize(
    ("stored", "ways_out"), [(None, ("missing_secret: reissue", "Put the secret")), (UNKNOWN, ("remove the entry",))]
)
def test_a_failure_names_the_ways_out(stored, ways_out):
    (found,) = planned([token("1", used=True), token("2", used=True)], stored)
    assert found.failure is not None
    assert all(way in found.failure.message for way in ways_out)


def test_never_rotating_is_warned_of():
    (found,) = planned([token("1", 90, 0), token("2", 1)], spec=spec(rotate="never"))
    (never,) = found.warnings
    assert "due for rotation (expired)" in never
    assert planned([token("1")], spec=spec(rotate="never"))[0].warnings == ()


PRUNE = [
    case("a name that matches goes", "revoke 3 undeclared", token("1"), token("3", name="old-x")),
    case("a name that does not match stays", "", token("1"), token("3", name="bold")),
    case("case matters", "", token("3", name="OLD-x"), stored=None),
    case("a candidate of a declared reference stays", "", token("1", name="ci"), token("2", name="ci"), prune=("*",)),
    case("a stored one stays whatever its name", "", token("1", name="old-x")),
    case("one that an undeclared reference stores stays", "", token("3", name="old-x"), stored={"ci": None, "x": "3"}),
    case("the one in use stays", "keep 3 in_use", token("1"), token("3", name="old-x"), in_use="3"),
    case("without a store it applies too", "revoke 3 undeclared", token("3", name="old-x"), stored=NO_STORE),
    case("with something unreadable none goes", "", token("1"), token("3", name="old-x"), stored=UNKNOWN),
    case(
        "one that is declared absent is not undeclared",
        "",
        token("3", name="old-x"),
        specs=[TokenSpec("old-x", None, absent=True)],
        stored=NO_STORE,
    ),
]


@pytest.mark.parametrize(("tokens", "options", "expected"), PRUNE)
def test_undeclared(tokens, options, expected):
    stored = options.get("stored", "1")
    entries = stored if isinstance(stored, dict) else {"ci": stored}
    held = None if stored is NO_STORE else {PAY.reference(name): value for name, value in entries.items()}
    view = View(PAY, tokens, NOW, options.get("in_use"))
    steps = undeclared(view, options.get("specs", [spec()]), Policy(held, prune=options.get("prune", ("old-*",))))
    assert ", ".join(map(words, steps)) == expected


@pytest.mark.parametrize(
    ("given", "wanted", "reason"),
    [
        pytest.param(90, spec(), None, id="what-was-asked"),
        pytest.param(92, spec(), None, id="two-days-more"),
        pytest.param(92 + MS, spec(), "lifetime", id="over-two-days-more"),
        pytest.param(None, spec(), "lifetime", id="expiry-ignored"),
        pytest.param(None, spec(expires_in_days=None), None, id="none-asked"),
        pytest.param(30, spec(), None, id="clamped-with-room"),
        pytest.param(14, spec(), "expiring", id="clamped-into-the-window"),
        pytest.param(8, spec(), "expiring", id="due-now-and-dead-later"),
        pytest.param(23 - MS, spec(), "expiring", id="due-two-days-after-the-grace"),
        pytest.param(23 + MS, spec(), None, id="due-just-later"),
        pytest.param(-1, spec(), "expired", id="dead-on-arrival"),
        pytest.param(14, spec(expires_in_days=None), "expiring", id="an-expiry-nobody-asked-for"),
        pytest.param(14, spec(rotate="always"), "expiring", id="always-is-no-loop-but-this-is"),
        pytest.param(90, spec(rotate="always"), None, id="always-by-intent"),
    ],
)
@pytest.mark.parametrize("now", [NOW, None], ids=["clock", "no-clock"])
def test_the_stop_rule(given, wanted, reason, now):
    created = token("1", 0, given)
    assert would_issue_again(View(PAY, (created,), now), wanted, created, Policy()) == reason


@pytest.mark.parametrize("date", [NOW, NOW + 1000], ids=["at-once", "answered-in-the-next-second"])
@pytest.mark.parametrize(("days", "window", "grace"), [(3, 1, 0), (4, 1, 1), (6, 2, 2), (90, 81, 7)])
def test_the_stop_rule_lets_the_narrowest_limits_through(days, window, grace, date):
    wanted = spec(expires_in_days=days, rotate_before_days=window, grace_days=grace)
    created = token("1", 0, days)
    assert would_issue_again(View(PAY, (created,), date), wanted, created, Policy()) is None
