"""What an address of a server may be: every character of it counts, not what the parser makes of them."""

from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._addresses import is_bare, is_web_address

HOST = "https://bitbucket.example.com"


@pytest.mark.parametrize(
    "url", [HOST, f"{HOST}:8443/a/b-c_d~e/", f"{HOST}/%20x", "http://[::1]:7990", "https://bücher.example"]
)
def test_a_plain_address_is_taken(url):
    assert is_web_address(url)
    assert is_bare(url)


@pytest.mark.parametrize("end", ["?", "/x?", "/x?a=b", "#", "/x#", "/x#a", "?#", "/@", "/a@b"])
def test_a_query_a_fragment_or_a_user_is_seen_even_where_it_is_empty(end):
    assert not is_bare(HOST + end)


@pytest.mark.parametrize(
    "odd", [*"\n\r\t \0\x1b\x7f\\", "\x85", "\xa0", "\u2028", "\u3000", "\u200b", "\ud800"], ids=ascii
)
@pytest.mark.parametrize("where", ["https://ho{}st/x", "https://host{}/x", "https://host/x{}y", "ht{}tps://host"])
def test_white_space_control_characters_and_backslashes_are_in_no_address(odd, where):
    assert is_web_address(where.format(""))
    assert not is_web_address(where.format(odd))
