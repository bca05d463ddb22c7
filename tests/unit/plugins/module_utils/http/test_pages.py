"""Listings of Cloud and of the administration API (C10, C17); those of Data Center are in test_client.py."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import AnswerError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _pages
from tests.unit.plugins.fake_transport import BASE, FakeTransport, answer

HERE = f"{BASE}/things"
Follow = t.Callable[..., t.Iterator[tuple[t.Any, t.Any]]]


def cloud(values: t.Any, link: t.Any = None) -> t.Any:
    return answer(200, {"values": values, "pagelen": 100, **({} if link is None else {"next": link})})


def admin(values: t.Any, **links: t.Any) -> t.Any:
    return answer(200, {"data": values, "links": {"self": HERE, **links}})


def listed(follow: Follow, *answers: t.Any, **query: t.Any) -> tuple[list[t.Any], list[str]]:
    transport = FakeTransport(*answers)
    values = [value for value, _answer in follow(transport.client(), "/things", query)]
    return values, transport.asked


def test_links_are_followed_to_the_end():
    pages = [cloud([{"n": 1}, {"n": 2}], f"{HERE}?page=2&q=a%20b"), cloud([{"n": 3}])]
    values, asked = listed(_pages.by_link, *pages, q="a b")
    assert values == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert asked == ["GET /things?q=a+b&pagelen=100", "GET /things?page=2&q=a%20b"]


@pytest.mark.parametrize(
    "link", [f"{HERE}?cursor=abc", "/things?cursor=abc", "?cursor=abc", f"{BASE}:443/things?cursor=abc"], ids=str
)
def test_the_administration_links_to_the_next_page_in_any_form(link):
    values, asked = listed(_pages.by_cursor, admin([{"n": 1}], next=link), admin([{"n": 2}], next=None))
    assert values == [{"n": 1}, {"n": 2}]
    assert asked == ["GET /things?pageSize=100", "GET /things?cursor=abc"]


@pytest.mark.parametrize(
    "first",
    [admin([{"n": 1}], next="a=b/c"), answer(200, {"data": [{"n": 1}], "cursor": "a=b/c"})],
    ids=["as-the-link", "beside-it"],
)
def test_a_bare_cursor_is_sent_with_what_was_asked_for(first):
    values, asked = listed(_pages.by_cursor, first, admin([{"n": 2}]), status="ALLOWED")
    assert values == [{"n": 1}, {"n": 2}]
    assert asked[1] == "GET /things?status=ALLOWED&pageSize=100&cursor=a%3Db%2Fc"


def test_a_cursor_beside_an_empty_link_is_that_of_the_page_itself():
    last = answer(200, {"data": [{"n": 1}], "links": {"next": None}, "cursor": "here"})
    assert listed(_pages.by_cursor, last) == ([{"n": 1}], ["GET /things?pageSize=100"])


def test_limit_is_never_sent():
    for follow in (_pages.by_cursor, _pages.by_link):
        transport = FakeTransport(answer(200, {"data": [], "values": []}))
        list(follow(transport.client(), "/things"))
        assert "limit" not in transport.asked[0]


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example.test/things?page=2",
        "http://api.example.test/things?page=2",
        f"{BASE}:8443/things?page=2",
        "//evil.example.test/things?page=2",
        f"{BASE}@evil.example.test/?page=2",
        "https://[/?page=2",
        f"{HERE}",
        7,
        {"href": HERE},
    ],
    ids=str,
)
@pytest.mark.parametrize(
    ("follow", "page"), [(_pages.by_link, cloud), (_pages.by_cursor, admin)], ids=["link", "admin"]
)
def test_a_link_that_leads_elsewhere_is_not_followed(follow, page, link):
    first = page([{}], link) if page is cloud else page([{}], next=link)
    transport = FakeTransport(first, cloud([]))
    with pytest.raises(AnswerError, match=r"^GET /things: the answer's link to the next page does not lead"):
        list(follow(transport.client(), "/things"))
    assert len(transport.asked) == 1


@pytest.mark.parametrize(
    ("follow", "pages"),
    [
        (_pages.by_link, [cloud([{}], "?page=2"), cloud([{}], "?page=2")]),
        (_pages.by_link, [cloud([{}], "?pagelen=100")]),
        (_pages.by_link, [cloud([{}], "?page=2"), cloud([{}], "?page=3"), cloud([], "?page=2")]),
        (_pages.by_cursor, [admin([{}], next="same")]),
    ],
    ids=["itself", "the-first", "round", "cursor"],
)
def test_a_loop_is_an_error(follow, pages):
    transport = FakeTransport(*pages)
    with pytest.raises(AnswerError, match="does not come to an end"):
        list(follow(transport.client(), "/things"))
    assert len(transport.asked) <= 4


def test_a_listing_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr(_pages, "_MAX_PAGES", 5)
    transport = FakeTransport(*(cloud([{}], f"?page={number}") for number in range(2, 20)))
    with pytest.raises(AnswerError, match="does not come to an end"):
        list(_pages.by_link(transport.client(), "/things"))
    assert len(transport.asked) == 5


@pytest.mark.parametrize("body", [[], None, {}, {"values": {}, "data": {}}, {"values": [1], "data": ["x"]}], ids=str)
@pytest.mark.parametrize("follow", [_pages.by_link, _pages.by_cursor], ids=["link", "admin"])
def test_what_is_no_page_is_an_error_and_not_empty(follow, body):
    with pytest.raises(AnswerError, match="the answer is not a page of a listing"):
        listed(follow, answer(200, body))


def test_an_empty_listing_brings_its_last_answer_once():
    transport = FakeTransport(cloud([], "?page=2"), cloud([]))
    ((value, last),) = _pages.by_link(transport.client(), "/things")
    assert (value, last.now) == (None, 1_768_467_600_000)
    assert len(transport.asked) == 2
