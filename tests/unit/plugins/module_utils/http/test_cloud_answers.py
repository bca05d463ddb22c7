"""Each way in which Cloud and the administration API say no becomes one sentence (C4, C6, C16)."""

from __future__ import annotations

import base64
import re
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    AnswerError,
    BitbucketError,
    ForbiddenError,
    LostAnswerError,
    NotFoundError,
    RateLimitError,
    RejectedError,
    RemovedError,
    ScopeError,
    StatusError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Credential
from tests.unit.plugins.fake_transport import API_TOKEN, DATE, EMAIL, FakeTransport, answer

CLOUD, ADMIN, OAUTH = _cloud_answers.CLOUD, _cloud_answers.ORGANIZATION, _cloud_answers.OAUTH
BEARER = Credential(token="ATCTT3xFfGN0-no-real-token")
CHANGE = "CHANGE-3222 - Functionality has been deprecated"


def error(message: str, detail: t.Any = None) -> dict[str, t.Any]:
    return {"type": "error", "error": {"message": message, **({} if detail is None else {"detail": detail})}}


def refused(
    status: int, body: t.Any = None, product: t.Any = CLOUD, who: Credential | None = None, **headers: str
) -> t.Any:
    transport = FakeTransport(answer(status, body, **headers))
    with pytest.raises(BitbucketError) as caught:
        transport.client(product, who).get("/2.0/user")
    assert len(transport.asked) == 1
    assert str(caught.value).startswith("GET /2.0/user: ")
    return caught.value


@pytest.mark.parametrize(
    ("who", "product", "sentence"),
    [
        (None, CLOUD, "does not accept this e-mail and API token.*has no Bitbucket scopes"),
        (BEARER, CLOUD, "does not accept this token: it is wrong, has expired or was revoked"),
        (BEARER, ADMIN, "does not accept this key: it is wrong"),
        (None, OAUTH, "does not accept this `client_id` and `client_secret`"),
    ],
    ids=["basic", "bearer", "organization", "consumer"],
)
def test_401_says_what_is_rejected_and_is_final(who, product, sentence):
    caught = refused(401, error("Token is invalid, expired, or not supported for this endpoint."), product, who)
    assert type(caught) is RejectedError
    assert re.search(f'{sentence}.*It is not tried again. The server said: "Token is invalid, expired', str(caught))


@pytest.mark.parametrize(
    ("status", "body", "app_password"),
    [
        (410, error(CHANGE, "App passwords are deprecated and must be replaced with API tokens."), True),
        (410, None, False),
        (410, b"<html>gone</html>", False),
        (400, error("No", CHANGE), True),
        (401, error(CHANGE), True),
        (403, {"message": f"See {CHANGE}."}, True),
        (410, error("CHANGE-2770: Functionality has been deprecated"), False),
        (410, error("CHANGE-2770, and then CHANGE-3222"), True),
        (410, error("CHANGE-32229"), False),
    ],
    ids=["as-git", "empty", "page", "as-detail", "401", "403", "function", "both", "longer"],
)
def test_what_was_removed(status, body, app_password):
    caught = refused(status, body)
    assert (type(caught), caught.reason, caught.app_password) == (RemovedError, "removed", app_password)
    assert ("has removed app passwords (CHANGE-3222)" if app_password else "has removed this function") in str(caught)


def test_a_function_that_was_removed_is_named_by_its_change():
    assert "this function (CHANGE-2770)." in str(refused(410, error("CHANGE-2770: Functionality has been deprecated")))
    assert "this function, or `api_url` is wrong" in str(refused(410, None))


@pytest.mark.parametrize(("product", "option"), [(ADMIN, "admin_url"), (OAUTH, "oauth_url")])
@pytest.mark.parametrize("words", [CHANGE, "Gone", None])
def test_who_never_took_app_passwords_has_removed_none(product, option, words):
    caught = refused(410, error(words) if words else None, product, None)
    assert (type(caught), caught.app_password) == (RemovedError, False)
    assert f"no longer there{f' ({CHANGE[:11]})' if words == CHANGE else ''}: look at `{option}`" in str(caught)
    assert "app password" not in str(caught)


def test_plain_text_is_read_too_since_git_is_answered_so():
    caught = refused(402, f"remote: {CHANGE}\n".encode(), content_type="text/plain; charset=utf-8")
    assert (type(caught), caught.app_password) == (RemovedError, True)


@pytest.mark.parametrize(
    ("detail", "missing", "granted"),
    [
        ({"required": ["a:x", "b:x"], "granted": ["a:x", "c:x"]}, "b:x", "a:x, c:x"),
        ({"required": ["a:x"], "granted": []}, "a:x", "none"),
        ({"required": ["a:x"]}, "a:x", "none"),
        ({"required": "a:x, b:x", "granted": "b:x"}, "a:x", "b:x"),
        ({"required": ["a:x"], "granted": ["a:x"]}, "a:x", "a:x"),
    ],
    ids=["some", "empty", "unsaid", "as-text", "all-granted"],
)
def test_403_names_the_scopes_that_are_missing(detail, missing, granted):
    caught = refused(403, error("Your credentials lack one or more required privilege scopes.", detail))
    assert isinstance(caught, ForbiddenError)
    assert f"lacks scopes. Needed: {missing}; granted: {granted}." in str(caught)


@pytest.mark.parametrize("detail", [None, "Somebody else's repository", 7, {"granted": 7, "required": {}}], ids=str)
def test_403_without_scopes_is_a_want_of_permission(detail):
    caught = refused(403, error("Access denied.", detail), x_credential_type="repo_access_token")
    assert (type(caught), caught.granted, caught.required) == (ScopeError, None, None)
    assert "known but not permitted" in str(caught)
    assert caught.headers["x-credential-type"] == "repo_access_token"
    assert "repo_access_token" not in str(caught)


@pytest.mark.parametrize(
    ("status", "kind", "sentence"),
    [
        (404, NotFoundError, "does not exist, or the caller may not see it, or `api_url` is wrong"),
        (409, StatusError, "refused with status 409"),
        (400, StatusError, "refused with status 400"),
        (500, StatusError, "failed with status 500"),
    ],
)
def test_other_statuses(status, kind, sentence):
    caught = refused(status, error("No", "Since I say so"))
    assert (type(caught), caught.status) == (kind, status)
    assert sentence in str(caught)
    assert 'The server said: "No; Since I say so"' in str(caught)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"message": "Plain"}, "Plain"),
        ({"error": "invalid_client", "error_description": "Unknown consumer"}, "Unknown consumer; invalid_client"),
        ({"errors": [{"title": "Bad", "detail": "Unknown name"}, 7]}, "Bad; Unknown name"),
        ({"error": {"message": " two\nlines\x1b[31m "}}, "two lines⟨U+001B⟩[31m"),
        ({"error": {"message": "x" * 400}}, "x" * 300 + "…"),
    ],
    ids=["message", "oauth", "errors", "lines", "long"],
)
def test_whatever_the_shape_the_servers_words_are_shown(body, words):
    assert f'The server said: "{words}"' in str(refused(400, body))


@pytest.mark.parametrize(
    "body", [b"", b"<html>Log in</html>", b"[]", b"{", b"[" * 100_000, b'{"error": 7}'], ids=range(6)
)
def test_without_words_nothing_is_quoted(body):
    assert "said" not in str(refused(400, body))


@pytest.mark.parametrize(
    ("product", "option"),
    [(CLOUD, "api_url"), (ADMIN, "admin_url"), (OAUTH, "oauth_url")],
    ids=["cloud", "admin", "oauth"],
)
def test_a_redirect_names_the_option_to_correct(product, option):
    caught = refused(302, None, product, location="https://elsewhere.test/x?token=x")
    assert (
        "redirects to https://elsewhere.test/x, another host. Credentials never follow a redirect. If Bitbucket has "
        f"moved there, correct `{option}`" in str(caught)
    )


def test_what_is_not_json_names_the_option_to_correct():
    with pytest.raises(AnswerError, match="is `admin_url` Bitbucket's base URL"):
        FakeTransport(answer(200, b"<html>")).client(ADMIN).get("/x")


@pytest.mark.parametrize("who", [Credential(EMAIL, API_TOKEN), Credential(token=API_TOKEN)], ids=["basic", "bearer"])
@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 410, 500])
def test_no_answer_gives_a_credential_away(who, status):
    basic = base64.b64encode(f"{EMAIL}:{API_TOKEN}".encode()).decode()
    echoed = f"{API_TOKEN} {basic}" if not who.bearer else API_TOKEN
    body = {
        **error(echoed, {"granted": [echoed], "required": [echoed]}),
        "message": echoed,
        "errors": [{"title": echoed}],
    }
    caught = refused(status, body, who=who, location=f"https://x.test/{API_TOKEN}")
    for part in (API_TOKEN, API_TOKEN[10:30], basic):
        assert part not in str(caught)


# ---- 429 (C16) ----


@pytest.mark.parametrize("product", [CLOUD, ADMIN, OAUTH], ids=["cloud", "organization", "consumer"])
def test_a_rate_limit_that_does_not_end_holds_for_whatever_is_asked_next(product):
    transport = FakeTransport(answer(429, error("Rate limit for this resource has been exceeded."), retry_after="601"))
    with pytest.raises(RateLimitError, match=r"still exceeded.*The server said") as caught:
        transport.client(product).get("/x")
    assert (caught.value.reason, len(transport.asked)) == ("rate_limit", 1)


def limited(**headers: str) -> list[float]:
    transport = FakeTransport(
        answer(429, error("Rate limit for this resource has been exceeded."), **headers), answer(200, {})
    )
    transport.client(ADMIN)
    client = transport.client(ADMIN)
    client._gate._sleep = transport.waits.append
    client.get("/x")
    return transport.waits


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7),
        ({"x_ratelimit_reset": "2026-01-15T09:00:42Z"}, 42),
        ({"x_ratelimit_reset": "2026-01-15T10:00:42.500+01:00"}, 42.5),
        ({"retry_after": "7", "x_ratelimit_reset": "2026-01-15T09:00:42Z"}, 7),
        ({"x_ratelimit_reset": "2026-01-15T08:00:00Z"}, 1),
        ({"x_ratelimit_reset": "soon"}, 2),
        ({"x_ratelimit_reset": "2026-01-15T09:00:42Z", "date": ""}, 2),
        ({}, 2),
    ],
    ids=str,
)
def test_429_is_waited_for_as_long_as_the_server_says(headers, seconds):
    assert limited(**headers) == [pytest.approx(seconds, abs=0.5)]


def test_a_reset_too_far_away_is_an_error():
    transport = FakeTransport(answer(429, x_ratelimit_reset="2026-01-16T09:00:00Z"))
    with pytest.raises(StatusError, match="rate limit is still exceeded"):
        transport.client(ADMIN).get("/x")
    assert transport.waits == []


# ---- what may be repeated ----


def test_an_update_and_a_delete_are_repeated_and_what_creates_is_not():
    for call, times in (("put", 3), ("delete", 3), ("create", 1), ("post_form", 3)):
        transport = FakeTransport(LostAnswerError("gone"), answer(503), answer(204))
        client = transport.client()
        calls: dict[str, t.Callable[[], object]] = {
            "put": lambda client=client: client.put("/x", {"a": 1}),  # type: ignore[misc]
            "delete": lambda client=client: client.delete("/x"),  # type: ignore[misc]
            "create": lambda client=client: client.create("/x", {"a": 1}, "POST"),  # type: ignore[misc]
            "post_form": lambda client=client: client.post_form("/x", {"a": "1"}),  # type: ignore[misc]
        }
        if times == 1:
            with pytest.raises(LostAnswerError):
                calls[call]()
        else:
            calls[call]()
        assert len(transport.asked) == times, call


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_create_that_the_server_fails_at_is_ambiguous(status):
    transport = FakeTransport(answer(status))
    with pytest.raises(LostAnswerError):
        transport.client().create("/x", {}, "POST")
    assert transport.asked == ["POST /x"]


def test_a_create_that_is_refused_or_held_back_is_not_ambiguous():
    transport = FakeTransport(answer(429), answer(409, error("exists")))
    with pytest.raises(StatusError) as caught:
        transport.client().create("/x", {}, "POST")
    assert (caught.value.status, transport.asked) == (409, ["POST /x", "POST /x"])


def test_a_form_is_sent_as_one():
    transport = FakeTransport(answer(200, {"access_token": "x"}))
    transport.client(OAUTH).post_form("/token", {"grant_type": "client credentials"})
    (request,) = transport.requests
    assert (request.method, request.body) == ("POST", b"grant_type=client+credentials")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert DATE in dict(answer().headers).values()
