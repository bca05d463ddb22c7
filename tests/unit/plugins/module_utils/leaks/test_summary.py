"""Lines about a search for leaked secrets: what needs no action, and what is left to do."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.leaks._summary import SHOWN, left_to_do, lines_of

Result = dict[str, t.Any]


def token(msg: str, works: bool | None = None, in_use: bool = False) -> Result:
    return {"msg": msg, "works": works, "in_use": in_use}


def unread(reason: str, msg: str = "/x: not searched.") -> Result:
    return {"reason": reason, "msg": msg}


def result(*tokens: Result, **more: t.Any) -> Result:
    return {"access_tokens": list(tokens), "unresolved": [], "unread": [], "failures": [], **more}


def test_tokens_that_are_revoked_next_need_no_line():
    found = result(token("a", True), token("b"))
    assert lines_of(found) == left_to_do(found) == []


def test_a_refused_secret_is_left_alone_even_if_this_run_signs_in_with_its_token():
    found = result(token("a", works=False), token("b", works=False, in_use=True))
    assert lines_of(found) == [f"left alone, since the secret is refused: {name}" for name in "ab"]
    assert left_to_do(found) == []


def test_the_token_that_signs_in_and_secrets_without_a_token_are_left_to_do():
    unresolved = [{"msg": "c", "settled": False}, {"msg": "d", "settled": True}]
    found = result(token("a", in_use=True), unresolved=unresolved)
    assert left_to_do(found) == [
        "Left to do: revoke it with another credential, since this run signs in with it: a",
        "Left to do: c",
    ]
    assert lines_of(found) == ["nothing to do: d"]


def test_files_that_may_hold_secrets_are_left_to_do_and_links_and_devices_are_not():
    found = result(unread=[unread("missing"), unread("link"), unread("special"), unread("encrypted", "/y")])
    assert left_to_do(found) == ["/x: not searched.", "/y"]
    assert lines_of(found) == ["/x: not searched."] * 3 + ["/y"]


def test_of_many_files_and_owners_the_rest_is_counted():
    found = result(unread=[unread("missing")] * (SHOWN + 3), failures=[{"msg": "no"}] * (SHOWN + 1))
    assert left_to_do(found)[-1] == "and 3 more files that were not searched"
    assert lines_of(found)[SHOWN:] == [
        "and 3 more files that were not searched",
        *["not asked: no"] * SHOWN,
        "and 1 more owners not asked",
    ]
