"""Listings without end, or without measure: given up early, whatever the pages promise, and in bounded memory."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import AnswerError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._api import DataCenter
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _pages
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._answers import MAX_PARTS
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._body import MAX_BODY
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._pages import PAGE_SIZE
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from tests.simulator.exchange import Request
from tests.unit.plugins.company import URL
from tests.unit.plugins.hostile_server import Wire

OWNER = Owner(project="PAY")
NO_END = "the listing does not come to an end"


class Endless:
    """A server whose listing never ends; ``entries`` on each page, each ``width`` bytes longer than it need be."""

    def __init__(self, entries: int = 0, width: int = 0, step: int = 1000, new: bool = True) -> None:
        self.entries, self.width, self.step, self.new = entries, width, step, new
        self.requests = 0

    def answer(self, request: Request) -> bytes:
        self.requests += 1
        start = int(request.parameters["start"])
        first = start * 10_000 if self.new else 0
        values = [
            {"id": f"{first + number:012d}", "createdDate": 1, "name": "x" * self.width, "permissions": ["REPO_READ"]}
            for number in range(self.entries)
        ]
        page = {"values": values, "isLastPage": False, "nextPageStart": start + self.step}
        body = json.dumps(page).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

    def api(self) -> DataCenter:
        transport = Transport(Settings(use_proxy=False), {"http://": Wire(self.answer)})
        return DataCenter(Client(URL, Credential(token="t"), transport))


def peak(api: DataCenter, sentence: str = NO_END) -> int:
    """The most memory that Python's own objects took while the listing was read, in MiB."""
    tracemalloc.start()
    try:
        with pytest.raises(AnswerError, match=sentence):
            api.tokens(OWNER)
        return tracemalloc.get_traced_memory()[1] // 1024 // 1024
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("step", [1, 25, 2**40])
def test_empty_pages_without_end_are_given_up_by_their_number(step, monkeypatch):
    monkeypatch.setattr(_pages, "_MAX_PAGES", 40)
    server = Endless(step=step)
    with pytest.raises(AnswerError, match=NO_END):
        server.api().tokens(OWNER)
    assert server.requests == 40


def test_the_limits_have_room_for_any_bitbucket_and_an_end():
    assert _pages._MAX_PAGES * 25 == _pages._MAX_ENTRIES == 100_000
    # The answer that recordings show for one token has 400 bytes.
    assert _pages._MAX_LISTING >= 400 * _pages._MAX_ENTRIES
    assert MAX_BODY >= 4_000 * PAGE_SIZE


@pytest.mark.parametrize("new", [True, False], ids=["new tokens", "the same tokens"])
def test_full_pages_without_end_are_given_up_by_their_entries(new, monkeypatch):
    monkeypatch.setattr(_pages, "_MAX_ENTRIES", 10 * PAGE_SIZE)
    server = Endless(entries=PAGE_SIZE, new=new)
    # A tenth of the real limit, and so of the memory that a run takes at the most for one listing.
    assert peak(server.api()) < 20
    assert server.requests == 11


def test_wide_pages_without_end_are_given_up_by_their_bytes():
    server = Endless(entries=10, width=MAX_BODY // 12)
    assert peak(server.api()) < 160
    assert server.requests < 12


@pytest.mark.parametrize("end", ["", ',"\\ud800"'], ids=["text", "half a surrogate pair"])
@pytest.mark.parametrize("part", ["[]", '{"a":1}', "1"])
@pytest.mark.parametrize("many", [MAX_PARTS // 3, MAX_BODY // 9], ids=["as many as allowed", "as many as fit"])
def test_one_answer_of_very_many_small_parts_takes_little_memory(part, end, many):
    body = f"[{','.join([part] * many)}{end}]".encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    transport = Transport(Settings(use_proxy=False), {"http://": Wire(lambda _request: answer)})
    api = DataCenter(Client(URL, Credential(token="t"), transport))
    assert peak(api, "not a page of a listing" if many == MAX_PARTS // 3 else "more than 500,000 parts") < 100
