"""The store in credentials of the controller, on a double: one request for secret and id, and no compare-and-set."""

from __future__ import annotations

import base64
import time
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _body
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores import _controller
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.doubles.awx import ORGANIZATION, TOKEN, TYPE, lose_answers, running
from tests.doubles.loopback import DROP, Answer
from tests.unit.plugins.plugin_utils.stores.places import (
    CI,
    DEPLOY,
    ONE,
    THREE,
    TWO,
    entry,
    play_vault,
    recorded_waits,
    secret_of,
)
from tests.unit.plugins.slow_servers import ANSWERS, raw_server

NAME = f"Bitbucket {CI}"
PASSWORD = "the-password-of-the-controller"
VARIABLES = ("HOST", "OAUTH_TOKEN", "USERNAME", "PASSWORD", "VERIFY_SSL")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(f"CONTROLLER_{name}", raising=False)


@pytest.fixture
def awx():
    """A double, and how to open a store on it."""
    with running() as (double, url):
        yield double, lambda **options: opened(**{"url": url, "token": TOKEN, **options})


def opened(place: str = "Bitbucket {reference}", **options: t.Any) -> Store:
    return open_store(f"awx_credential:{place}", {"organization": "Payments", **options}, play_vault(), single=False)


def failure(act: t.Callable[[], object]) -> str:
    with pytest.raises(StoreError) as caught:
        act()
    assert_clean(str(caught.value))
    return str(caught.value)


def assert_clean(text: str) -> None:
    secrets = [TOKEN, PASSWORD, *(secret_of(token_id) for token_id in (ONE, TWO, THREE))]
    assert not [secret for secret in secrets if secret in text]
    assert base64.b64encode(f"ci:{PASSWORD}".encode()).decode() not in text


def writes(double: t.Any) -> list[tuple[str, str, t.Any]]:
    return [(request.method, request.path, request.body) for request in double.requests if request.body]


def test_a_credential_is_created_by_name_organization_and_type(awx):
    double, store = awx
    assert store().write([entry(ONE)]) == {CI: "written"}
    assert writes(double) == [
        (
            "POST",
            "/api/v2/credentials/",
            {
                "name": NAME,
                "description": f"Bitbucket token {ONE}",
                "inputs": {"token": secret_of(ONE)},
                "organization": ORGANIZATION,
                "credential_type": TYPE,
            },
        )
    ]


def test_secret_and_id_change_in_one_request_and_the_rest_of_the_description_stays(awx):
    double, store = awx
    number = double.put(NAME, "x", f"For the nightly job. Bitbucket token {ONE}. Ask Kim.")
    assert store().write([entry(TWO, ONE)]) == {CI: "written"}
    text = f"For the nightly job. Bitbucket token {TWO}. Ask Kim."
    body = {"description": text, "inputs": {"token": secret_of(TWO)}}
    assert writes(double) == [("PATCH", f"/api/v2/credentials/{number}/", body)]


def test_a_credential_created_manually_keeps_its_description(awx):
    double, store = awx
    number = double.put(NAME, "by-hand", "For the nightly job.")
    assert store().write([entry(TWO, "unknown")]) == {CI: "written"}
    assert double.credentials[number]["description"] == f"For the nightly job. Bitbucket token {TWO}"


def test_another_organizations_or_types_credential_is_not_ours(awx):
    double, store = awx
    double.put(NAME, "x", f"Bitbucket token {ONE}", organization=9)
    double.put(NAME, "x", f"Bitbucket token {ONE}", credential_type=9)
    assert store().read([CI]) == {CI: None}


def test_pages_are_followed_by_their_number_and_never_by_their_address(awx):
    double, store = awx
    double.largest_page = 7
    references = [f"projects/P{number}/tokens/ci" for number in range(40)]
    for reference in references:
        double.put(f"Bitbucket {reference}", "x", f"Bitbucket token {ONE}")
    assert store().read(references) == dict.fromkeys(references, ONE)


def test_pages_without_end_come_to_an_end(awx, monkeypatch):
    monkeypatch.setattr(_controller, "_MOST_PAGES", 20)
    double, store = awx
    endless = Answer(200, {"count": 1, "next": "/api/v2/x", "results": []})
    double.before = lambda request: endless if request.path.endswith("/organizations/") else None
    assert "does not come from AWX" in failure(lambda: store().read([CI]))
    assert sum(request.path.endswith("/organizations/") for request in double.requests) == 19


def test_a_secret_is_never_shown(awx):
    _double, store = awx
    assert f"AWX uses {NAME} as the webhook credential of a job template" in failure(lambda: store().secret(CI))


@pytest.mark.parametrize("before", [None, ONE], ids=["created", "changed"])
def test_a_lost_answer_is_cleared_up_by_reading(awx, before):
    double, store = awx
    if before:
        double.put(NAME, "x", f"Bitbucket token {before}")
    double.after = lose_answers("POST", "PATCH")
    assert store().write([entry(TWO, before)]) == {CI: "written"}
    assert len(writes(double)) == 1


def test_a_lost_answer_with_nobody_there_afterwards_is_unknown(awx):
    double, store = awx
    one = store()
    one.read([CI])
    double.before = lambda request: DROP if request.body or writes(double) else None
    assert one.write([entry(ONE), entry(TWO, reference=DEPLOY)]) == {CI: "unknown", DEPLOY: "unknown"}
    assert_clean(str(one.reasons))


def test_who_created_it_a_moment_before_wins(awx):
    double, store = awx

    def faster(request: t.Any) -> None:
        if request.method == "POST":
            double.put(NAME, "x", f"Bitbucket token {THREE}")

    double.before = faster
    assert store().write([entry(ONE)]) == {CI: "refused"}


@pytest.mark.parametrize(
    ("state", "say"),
    [
        ({"creates": False}, "may not create credentials in Payments"),
        ({"edits": False}, f"may not change the credential Bitbucket {DEPLOY}"),
    ],
)
def test_preparing_says_what_is_not_permitted(state, say):
    with running(**state) as (double, url):
        double.put(f"Bitbucket {DEPLOY}", "x")
        store = opened(url=url, token=TOKEN)
        for check_mode in (False, True):
            assert say in failure(lambda mode=check_mode: store.prepare([CI, DEPLOY], mode))
        assert not writes(double)


@pytest.mark.parametrize(
    ("options", "say"),
    [
        ({"organization": "Nobody"}, "shows this login no organization Nobody"),
        ({"token": "wrong-token"}, "refuses this login"),
        ({"api_prefix": "/api/controller/v2"}, ""),
        ({"url": "http://127.0.0.1:1"}, "No connection to 127.0.0.1:1: Connection refused"),
    ],
    ids=str,
)
def test_what_is_named_wrong_is_told(awx, options, say):
    _double, store = awx
    if "api_prefix" in options:
        _double.before = lambda request: None if request.path.startswith("/api/v2/") else Answer(404, {})
        say = "Check that it is the API of AWX"
    assert say in failure(lambda: store(**options).prepare([CI], check_mode=False))


@pytest.mark.parametrize(
    "answer",
    [
        Answer(500, f"{TOKEN} {secret_of(ONE)}"),
        Answer(403, {"detail": secret_of(ONE)}),
        Answer(302, None, {"Location": "http://127.0.0.1:1/"}),
        Answer(200, "<html>"),
        Answer(200, []),
        Answer(200, {"results": {}}),
        Answer(200, {"results": [7]}),
        Answer(200, {"results": [{"id": "x"}]}),
        DROP,
    ],
    ids=str,
)
def test_no_answer_is_never_nothing(awx, answer):
    double, store = awx
    double.before = lambda request: answer if request.path.endswith("/credentials/") else None
    failure(lambda: store().read([CI]))
    one = store()
    said = one.write([entry(ONE)]) if "id" not in str(answer.body) else {CI: "unknown"}
    assert said == {CI: "unknown"}
    assert_clean(str(one.reasons))


@pytest.mark.parametrize(
    ("options", "say"),
    [
        ({"place": "Bitbucket"}, "with {reference} in the template"),
        ({"organization": None}, "organization"),
        ({"url": None}, "CONTROLLER_HOST"),
        ({"url": "http://awx.example.com"}, "would cross the network"),
        ({"token": None}, "CONTROLLER_OAUTH_TOKEN"),
        ({"token": f"{TOKEN}\n"}, ""),
        ({"token": None, "username": "ci"}, "CONTROLLER_PASSWORD"),
        ({"validate_certs": "perhaps"}, "must be true or false"),
        ({"timeout": -1}, "timeout"),
    ],
    ids=str,
)
def test_options_that_cannot_be_right_are_refused_before_anything_is_sent(options, say):
    given = {"url": "https://127.0.0.1:1", "token": TOKEN, **options}
    if say:
        assert say in failure(lambda: opened(**given))
    else:
        assert opened(**given).name


@pytest.mark.parametrize(("timeout", "writes"), [(45, 10), (3, 3)])
def test_the_answer_to_a_write_is_waited_for_ten_seconds_at_most(awx, monkeypatch, timeout, writes):
    _double, store = awx
    waits = recorded_waits(monkeypatch)
    assert store(timeout=timeout).write([entry(ONE)]) == {CI: "written"}
    assert set(waits) == {("GET", timeout), ("POST", writes)}


def test_the_environment_of_the_controllers_own_collection_is_understood(monkeypatch):
    with running() as (double, url):
        for name, value in zip(VARIABLES, (url, TOKEN, "ci", PASSWORD, "false"), strict=True):
            monkeypatch.setenv(f"CONTROLLER_{name}", value)
        assert opened().read([CI]) == {CI: None}
        assert "CONTROLLER_PASSWORD" in failure(lambda: opened(username="kim"))
        failure(lambda: opened(username="kim", password=PASSWORD).read([CI]))
        assert double.requests[-1].headers["authorization"].startswith("Basic ")


def test_a_controller_that_drips_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(_body, "FACTOR", 2)
    started = time.monotonic()
    with raw_server(ANSWERS["body"]) as url:
        store = opened(url=url, token=TOKEN, timeout=0.4)
        assert "2 times `timeout`" in failure(lambda: store.read([CI]))
        assert time.monotonic() - started < 15
