"""Reading in batches: what is asked, how often it says so, and when it stops."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Walked
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._walk import FIRST, LARGEST, Walk

from .stand import NOW, URL

Result = dict[str, t.Any]


class Server:
    """The module in front of some owners, each of which takes its time."""

    def __init__(self, owners: int, seconds_each: float = 0.01) -> None:
        self.paths = [f"projects/P{number}" for number in range(owners)]
        self.seconds_each = seconds_each
        self.now = 0.0
        self.said: list[tuple[float, str]] = []
        self.batches: list[int] = []
        self.answer: t.Callable[[list[str]], Result] = self.listing

    def call(self, told: Result) -> Result:
        if "owners" not in told:
            places = [(path, path, "", "") for path in self.paths]
            return {"url": URL, "places": places, "guessed": ["P1"], "unread": [], "notes": ["a remark"]}
        self.batches.append(len(told["owners"]))
        self.now += self.seconds_each * len(told["owners"])
        return self.answer(told["owners"])

    def listing(self, paths: list[str]) -> Result:
        token = ("012345678901", "ci", ["REPO_READ"], NOW, None, None)
        return {"listings": [{"owner": path, "now": NOW, "tokens": [token]} for path in paths], "unread": []}

    def run(self) -> Walked:
        return Walk(self.call, lambda text: self.said.append((self.now, text)), lambda: self.now).run()


@pytest.mark.parametrize("owners", [0, 1, FIRST, FIRST + 1, 5000])
def test_every_owner_is_asked_once(owners):
    server = Server(owners)
    walked = server.run()
    assert [listing.place.owner.path for listing in walked.listings] == server.paths
    assert sum(server.batches) == owners
    assert walked.complete
    assert walked.notes == ("a remark",)
    assert walked.now == (NOW if owners else None)


@pytest.mark.parametrize("seconds_each", [0.0001, 0.003, 0.05, 2.0])
def test_progress_shows_the_way_and_does_not_flood_a_log(seconds_each):
    server = Server(12_000, seconds_each)
    server.run()
    moments = [moment for moment, _text in server.said]
    assert all(later - earlier >= 9 for earlier, later in itertools.pairwise(moments))
    duration = 12_000 * seconds_each
    assert len(moments) >= min(int(duration / 100), 20), "nobody is left without a word for long"
    assert max(server.batches) <= LARGEST
    if server.said:
        assert server.said[0][1].endswith(" of 12,000 owners")


def test_a_short_audit_says_nothing():
    server = Server(300)
    server.run()
    assert server.said == []


@pytest.mark.parametrize("reason", ["credential", "unreachable", "stopped"])
def test_a_refused_credential_in_the_middle_ends_it_and_names_everyone_left(reason):
    server = Server(1000)

    def refuse(paths: list[str]) -> Result:
        result = server.listing(paths)
        if len(server.batches) == 2:
            failed = [{"owner": path, "reason": reason, "msg": "no"} for path in paths[5:]]
            result = {"listings": result["listings"][:5], "unread": failed}
        return result

    server.answer = refuse
    walked = server.run()
    assert len(server.batches) == 2
    assert len(walked.listings) + len(walked.unread) == 1000
    assert {failure.reason for failure in walked.unread} <= {reason, "stopped"}
    assert not walked.complete


def test_a_call_that_fails_later_keeps_what_was_read():
    server = Server(1000)
    broken = {"failed": True, "msg": "The password is wrong.", "reason": "credential"}
    server.answer = lambda paths: server.listing(paths) if len(server.batches) == 1 else broken
    walked = server.run()
    assert len(walked.listings) == FIRST
    assert next(failure.msg for failure in walked.unread) == "The password is wrong."
    assert len(walked.unread) == 1000 - FIRST
    assert len(server.batches) == 2


def test_where_nothing_can_be_read_the_task_says_why():
    server = Server(10)
    server.answer = lambda paths: {"failed": True, "msg": "The password is wrong.", "reason": "credential"}
    with pytest.raises(BitbucketError, match="The password is wrong") as caught:
        server.run()
    assert caught.value.reason == "credential"


@pytest.mark.parametrize(
    ("owner", "reason", "told"),
    [("P2", "forbidden", True), ("P2", "not_found", True), ("P1", "forbidden", True), ("P1", "not_found", False)],
)
def test_owners_that_refuse_or_are_gone_leave_the_audit_complete_and_guesses_need_not_exist(owner, reason, told):
    server = Server(2)
    failure = {"owner": f"projects/{owner}", "reason": reason, "msg": "no"}
    server.answer = lambda paths: {**server.listing(paths[:1]), "unread": [failure]}
    walked = server.run()
    assert (len(walked.listings), len(walked.unread), walked.complete) == (1, int(told), True)
