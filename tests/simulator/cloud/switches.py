"""The switches of Bitbucket Cloud: one for every point on which the facts are silent. See FACTS_CLOUD.md."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ..switchboard import Switchboard


@dataclass
class CloudSwitches(Switchboard):
    # App passwords
    app_password_body: t.Literal["empty", "token", "change", "text", "html"] = "empty"
    """C4: the body of REST's 401 is not recorded: none, that of a bad token, one with CHANGE-3222, text, a page."""
    unknown_app_password: t.Literal["gone", "unauthorized"] = "gone"
    """C4: git over a text that only looks like an app password: 410 as over a real one, or 401."""

    # Who goes where
    rest_user: t.Literal["email", "username", "anything"] = "email"
    """C8 [doc] says the e-mail for API tokens; ``username`` takes the Bitbucket user name too, ``anything`` any."""
    api_token_bearer: t.Literal["refuse", "accept"] = "refuse"
    """C8: an API token as Bearer."""
    access_token_basic: t.Literal["refuse", "accept"] = "refuse"
    """C8: an access token on REST as Basic, with the user x-token-auth."""
    git_email: t.Literal["refuse", "forbid", "accept"] = "refuse"
    """C8 [doc]: never the e-mail with git; what the server then says is not recorded: 401, 403, or it works."""
    git_access_token_user: t.Literal["exact", "any"] = "exact"
    """C8: an access token in git with another user than x-token-auth."""
    foreign_token: t.Literal["refuse", "forbid", "forbid_unlisted"] = "refuse"
    """C6: an API token of other products only: 401, or 403 with its scopes, or 403 with no scopes."""
    unscoped_token: t.Literal["refuse", "forbid", "accept"] = "refuse"
    """C6: an API token without scopes: 401, 403 with no scopes, or good for everything."""
    access_token_user_detail: bool = True
    """C6: the 403 of an access token at /2.0/user carries granted and required, besides x-credential-type."""
    consumer_user: t.Literal["account", "forbid"] = "forbid"
    """C6: /2.0/user for client credentials: the account of the consumer's owner, or 403."""
    credential_headers: bool = True
    """C7 [live]: x-oauth-scopes, x-accepted-oauth-scopes, x-token-id: never there for sure."""
    credential_type_header: bool = True
    """C6, C7 [live]: x-credential-type of an access token."""
    user_shows_username: bool = False
    """C6: does /2.0/user carry the Bitbucket user name?"""
    workspaces_shape: t.Literal["plain", "wrapped"] = "plain"
    """C15: the values of /2.0/user/workspaces are workspaces, or objects that hold one."""

    # OAuth
    oauth_client: t.Literal["both", "basic", "form"] = "both"
    """Where client id and secret may stand: the Authorization header, the form."""
    oauth_expires_in: int | None = 7200
    """Seconds; none leaves it out."""
    oauth_token_type: t.Literal["bearer", "Bearer"] = "bearer"

    # Pipeline variables
    slashless_list: t.Literal["empty", "empty_environments", "full"] = "empty"
    """C14 [live]: variables without the trailing slash are an empty list; environments too, or none of them."""
    secured_value: t.Literal["absent", "empty", "null"] = "absent"
    """C14 [spec]: secured values read back empty, in one of these ways."""
    variable_put: t.Literal["merge", "replace"] = "merge"
    """C14: what a PUT leaves out stays, or is reset."""
    variable_keys: t.Literal["exact", "any_case"] = "exact"
    """C14: does a key in another case exist?"""
    update_status: t.Literal[200, 201] = 200
    """C14: the status of a PUT."""
    delete_status: t.Literal[204, 200, 202] = 204
    """C14: the status of a DELETE of a variable."""
    delete_unknown: t.Literal[404, 204] = 404
    """C14: DELETE of a variable that is not there."""

    # The admin API
    revoke_status: t.Literal[204, 200, 202] = 204
    """C11: not shown in the documentation."""
    revoke_unknown: t.Literal[404, 204] = 404
    """C11: DELETE of a token that is not there."""
    revoked_lingers: float = 0.0
    """C10, C11: so many seconds a revoked token stays listed."""
    revoked_status: str = "ALLOWED"
    """C10: and its status meanwhile; only ALLOWED is recorded."""
    expired_listed: bool = True
    """C10, C11: are expired tokens listed?"""
    expired_status: str = "ALLOWED"
    """C10: the status of an expired token."""
    token_ids: t.Literal["same", "different"] = "same"
    """C10, C11: is the id in the organization's list the id in the account's list?"""
    time_format: t.Literal["iso", "iso_millis", "iso_micros", "offset", "epoch_ms"] = "iso_millis"
    """C10, C11: how times are written."""
    missing_time: t.Literal["absent", "null", "empty"] = "absent"
    """C10, C11: a token that was never active, or never expires."""
    admin_unknown_query: t.Literal["fail", "ignore"] = "fail"
    """C10 [live]: unknown query names were seen answering 500."""
    admin_next: t.Literal["url", "path", "cursor"] = "url"
    """C10, C17: links.next is an address, a path, or the bare cursor."""
    admin_last_next: t.Literal["absent", "null", "empty"] = "absent"
    """C10: links.next of the last page."""
    admin_page_cap: int = 100
    """C10: larger pages are clamped."""
    admin_error_body: t.Literal["errors", "message", "empty"] = "errors"
    """The shape of the admin API's errors."""
    admin_rate_limit: int = 1000
    """C16 [doc]: calls per window and key; 0 is no limit and no headers."""
    admin_rate_window: float = 60.0
    """C16: seconds."""
    admin_reset: t.Literal["iso", "iso_millis", "offset", "missing"] = "iso"
    """C16 [doc]: X-RateLimit-Reset is ISO 8601 in UTC."""

    # Paging and limits of Bitbucket
    page_cap: int = 100
    """C17 [spec]: pagelen is at most 100; larger ones are clamped."""
    page_style: t.Literal["number", "opaque"] = "number"
    """C17: what next holds is Bitbucket's own business."""
    page_size_shown: bool = True
    """C17 [spec]: size is optional."""
    page_overlap: int = 0
    """C17: a page repeats so many entries of the one before, as a list does that grows while it is read."""
    next_host: str = ""
    """C17: a hostile next, of Bitbucket and of the admin API: the right page on this host."""
    next_loop: bool = False
    """C17: a broken next, of both: the first page again, for ever."""
    rate_limit_capacity: int = 0
    """C16 [doc]: a token bucket per caller; 0 is off."""
    rate_limit_refill: float = 5.0
    """C16: per second."""
    rate_limit_body: t.Literal["json", "text"] = "json"
    """C16 [doc]: the text is known, its wrapping is not."""
    retry_after: t.Literal["none", "seconds", "date"] = "none"
    """C16: Retry-After is undocumented: be ready for each, on both APIs."""
