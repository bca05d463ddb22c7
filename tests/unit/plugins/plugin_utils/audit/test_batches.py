"""Reading in batches: what is asked, how often it says so, and when it stops."""

from __future__ import annotations

import itertools
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Walked
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._walk import FIRST, LARGEST, MOST_LOST, Walk

from .samples import NOW, URL

Result = dict[str, t.Any]


class Server:
    """The module in front of some owners, each of which takes its time."""

    def __init__(self, owners: int, seconds_each: float = 0.01, wanted: int = 0) -> None:
        self.paths = [f"projects/P{number}" for number in range(owners)]
        self.wanted = {f"P{number}": ["*"] for number in range(wanted)}
        self.seconds_each = seconds_each
        self.now = 0.0
        self.said: list[tuple[float, str]] = []
        self.searched: list[list[str]] = []
        self.batches: list[int] = []
        self.found: t.Callable[[list[str]], Result] = self.repositories
        self.answer: t.Callable[[list[str]], Result] = self.listing

    def call(self, told: Result) -> Result:
        if not told:
            places = [(path, path, "", "") for path in self.paths]
            more = {"url": URL, "guessed": ["P1"], "wanted": self.wanted, "notes": ["a remark"]}
            return {"places": places, "unread": [], **more}
        if "repositories" in told:
            assert set(map(tuple, told["repositories"].values())) == {("*",)}
            self.searched.append(list(told["repositories"]))
            self.now += self.seconds_each * len(told["repositories"])
            return self.found(list(told["repositories"]))
        self.batches.append(len(told["owners"]))
        self.now += self.seconds_each * len(told["owners"])
        return self.answer(told["owners"])

    def repositories(self, keys: list[str]) -> Result:
        return {"places": [(f"projects/{key}/repos/r", "r", "", "") for key in keys], "unread": []}

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


@pytest.mark.parametrize("seconds_each", [0.0001, 0.003, 0.2, 2.0])
def test_finding_the_owners_shows_its_way_too(seconds_each):
    server = Server(0, seconds_each, wanted=10_000)
    walked = server.run()
    assert list(itertools.chain.from_iterable(server.searched)) == list(server.wanted), "each project is asked once"
    assert [listing.place.owner.repository for listing in walked.listings] == 10_000 * ["r"]
    moments = [moment for moment, _text in server.said]
    assert all(later - earlier >= 9 for earlier, later in itertools.pairwise(moments))
    searching = [text for _moment, text in server.said if text.startswith("audit: repositories of ")]
    assert len(searching) >= min(int(10_000 * seconds_each / 100), 20), "nobody is left without a word for long"
    assert all(text.endswith(" of 10,000 projects") for text in searching)
    assert [text for _moment, text in server.said[len(searching) :] if not text.endswith(" of 10,000 owners")] == []


@pytest.mark.parametrize(
    ("key", "reason", "told"), [("P2", "forbidden", 1), ("P2", "not_found", 1), ("P1", "not_found", 0)]
)
def test_a_project_that_shows_no_repositories_is_named_and_a_guess_need_not_exist(key, reason, told):
    server = Server(1, wanted=3)
    failure = {"owner": f"projects/{key}/repos", "reason": reason, "msg": "no"}
    server.found = lambda keys: {**server.repositories(keys[:1]), "unread": [failure]}
    walked = server.run()
    assert [listing.place.owner.path for listing in walked.listings] == ["projects/P0", "projects/P0/repos/r"]
    assert [unread.owner for unread in walked.unread] == told * [f"projects/{key}/repos"]


def test_a_project_that_is_unreachable_for_once_costs_its_batch_only():
    server = Server(0, wanted=FIRST + 20)
    lost = {"owner": "projects/P7/repos", "reason": "unreachable", "msg": "gone"}
    server.found = lambda keys: {"places": [], "unread": [lost]} if "P7" in keys else server.repositories(keys)
    walked = server.run()
    assert len(walked.listings) == 20
    assert [failure.owner for failure in walked.unread] == ["projects/P7/repos"]
    assert not walked.complete


def test_a_batch_of_projects_that_fails_as_a_whole_is_unread_and_no_other():
    server = Server(0, wanted=FIRST + 20)
    broken = {"failed": True, "msg": "gone", "reason": "unreachable"}
    server.found = lambda keys: server.repositories(keys) if "P0" in keys else broken
    walked = server.run()
    assert len(walked.listings) == FIRST
    assert [failure.owner for failure in walked.unread] == [f"projects/P{n}/repos" for n in range(FIRST, FIRST + 20)]
    assert not walked.complete


def test_a_server_that_is_gone_while_projects_are_searched_is_not_waited_for_again_and_again():
    server = Server(1, seconds_each=0.1, wanted=10_000)
    broken = {"failed": True, "msg": "gone", "reason": "unreachable"}

    def found(keys: list[str]) -> Result:
        server.now += 120
        return server.repositories(keys) if "P0" in keys else broken

    server.found = found
    walked = server.run()
    assert len(server.searched) == 1 + MOST_LOST
    assert len(walked.listings) == 1 + FIRST
    assert len(walked.unread) == 10_000 - FIRST
    assert {failure.reason for failure in walked.unread} == {"unreachable", "stopped"}


@pytest.mark.parametrize("reason", ["unreachable", "rate_limit"])
def test_projects_that_meet_what_holds_for_all_in_batch_after_batch_are_left(reason):
    server = Server(1, wanted=10_000)
    lost = {"owner": "projects/P0/repos", "reason": reason, "msg": "no"}
    server.found = lambda keys: {**server.repositories(keys[:-1]), "unread": [lost]}
    walked = server.run()
    assert len(server.searched) == MOST_LOST
    assert {failure.reason for failure in walked.unread} == {reason, "stopped"}


def test_batches_that_find_nothing_are_answers_too_and_owners_are_not_thrown_away():
    broken = {"failed": True, "msg": "gone", "reason": "unreachable"}
    nothing: Result = {"places": [], "unread": []}
    server = Server(3, wanted=FIRST + 20)
    server.found = lambda keys: broken if "P0" in keys else nothing
    walked = server.run()
    assert len(walked.listings) == 3
    assert len(walked.unread) == FIRST
    alone = Server(0, wanted=FIRST + 20)
    alone.found = lambda keys: nothing if "P0" in keys else broken
    assert len(alone.run().unread) == 20


def test_where_no_project_can_be_searched_the_task_says_why():
    server = Server(0, wanted=20)
    server.found = lambda keys: {"failed": True, "msg": "gone", "reason": "unreachable"}
    with pytest.raises(BitbucketError, match="gone"):
        server.run()


def test_a_credential_refused_while_owners_are_found_is_not_tried_again():
    server = Server(10, wanted=1000)
    refused = {"owner": "projects/P7/repos", "reason": "credential", "msg": "The password is wrong."}
    server.found = lambda keys: {**server.repositories(keys[:7]), "unread": [refused]}
    with pytest.raises(BitbucketError, match="The password is wrong") as caught:
        server.run()
    assert caught.value.reason == "credential"
    assert (len(server.searched), server.batches) == (1, [])


def test_a_short_audit_says_nothing():
    server = Server(300, wanted=300)
    server.run()
    assert server.said == []


@pytest.mark.parametrize("reason", ["credential", "unreachable", "rate_limit", "stopped"])
def test_what_holds_for_all_in_the_middle_ends_it_and_names_everyone_left(reason):
    server = Server(5000)

    def refuse(paths: list[str]) -> Result:
        result = server.listing(paths)
        if len(server.batches) == 2:
            failed = [{"owner": path, "reason": reason, "msg": "no"} for path in paths[5:]]
            result = {"listings": result["listings"][:5], "unread": failed}
        return result

    server.answer = refuse
    walked = server.run()
    assert len(server.batches) == 2
    assert len(walked.listings) + len(walked.unread) == 5000
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
