"""Profiles and switches: one switch for every behaviour that is not known for sure.

Each switch names its fact (see FACTS.md). A profile sets only what differs between versions.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from .switchboard import Switchboard

ExpiryOddity = t.Literal["refuse", "never", "store"]


@dataclass
class Switches(Switchboard):
    version: str = "10.4.0"
    """D30 [doc]: what application-properties says."""

    # Credentials
    basic_auth: bool = True
    """D23 [live]: off by default on 10.x."""
    basic_auth_allowed_users: tuple[str, ...] = ()
    """D23 [doc]: users who may use Basic nevertheless; ``*`` is a wildcard."""
    basic_auth_allowed_paths: tuple[str, ...] = ()
    """D23 [doc]: paths under which Basic works nevertheless; ``*`` is a wildcard."""
    captcha_after: int = 5
    """D24 [live]: bad passwords until the user is locked; the number is not known. 0 is never."""
    token_outside_rest: t.Literal["honour", "redirect", "refuse"] = "redirect"
    """D4 [doc]: what a token meets outside /rest and /scm: nothing special, 302 to the login page, or 401."""
    token_manages_tokens: t.Literal["allow", "read", "refuse"] = "allow"
    """D20 [unknown]: may a token with the admin permission manage project and repository tokens?"""
    xsrf_check: bool = True
    """D25 [live]: it *can* happen, so it can be switched off."""

    # Permissions of administrators
    admin_edits_others: t.Literal["allow", "refuse"] = "allow"
    """D19 [doc], open question 8: an administrator's POST or DELETE on another user's token."""
    repository_admins_manage_tokens: bool = True
    """D4 [doc]: since 8.8 a project admin can bar repository admins."""

    # What a token is made of
    secret_prefix: str = ""
    """D8 [live]: newer secrets start with BBDC-; since when is not known."""
    owner_paths_ignore_case: bool = True
    """D1 [unknown], open question 14: are project keys, ``~user`` keys and slugs found in any case below
    /rest/access-tokens? Public reports say project keys are."""
    service_owner: t.Literal["user", "project", "neither"] = "user"
    """D18 [unknown]: what the body of a project or repository token carries."""
    repository_below_project: t.Literal["store", "raise", "refuse"] = "store"
    """D13 [unknown]: what REST does with a repository level below the project level."""
    redundant_permissions: t.Literal["keep", "drop"] = "keep"
    """D14 [unknown]: are lower levels of the same kind kept?"""
    permission_order: t.Literal["repository_first", "project_first", "as_sent"] = "repository_first"
    """D14 [live]: the order is arbitrary."""
    name_spaces: t.Literal["keep", "trim", "refuse"] = "keep"
    """D15 [unknown]: spaces around a name."""
    long_name: t.Literal["refuse", "truncate"] = "refuse"
    """D15 [unknown]: a name of more than 255 characters."""
    token_limit: int = 0
    """D11 [doc]: tokens an owner may have; the size is not known. 0 is no limit."""

    # Expiry
    max_expiry_days: int | None = None
    """D16 [doc]: the administrator's policy. It also makes expiry required."""
    expiry_required: bool = False
    """D16 [doc]: required without a maximum."""
    expiry_missing: t.Literal["refuse", "never", "maximum"] = "refuse"
    """D16 [doc] says 400; the rest is open question 4."""
    expiry_over_maximum: t.Literal["refuse", "clamp", "store"] = "refuse"
    """D16 [doc] says 400; the rest is open question 4."""
    expiry_zero: ExpiryOddity = "refuse"
    """D16 [unknown]: refused, taken as no expiry, or stored as it is (and so expired at once)."""
    expiry_negative: ExpiryOddity = "refuse"
    """D16 [unknown]: the same for less than 0."""
    expiry_rounding: t.Literal["none", "up", "down"] = "none"
    """D16 [inferred], open question 10: to the UTC midnight after, or before."""
    expiry_shift_hours: int = 0
    """Open question 10: an expiry counted over a DST change is off by an hour."""
    expiry_clamp_days: int | None = None
    """D16 [unknown]: the server silently gives at most so many days."""
    expiry_ignored: bool = False
    """D16 [unknown]: the server takes expiryDays and stores none."""
    expiry_policy_endpoint: bool = False
    """D16 [doc]: documented in 8.3, absent from 9.2 on."""

    # Reading
    last_authenticated_delay: float = 0.0
    """D7 [client], open question 9: seconds until a use shows."""
    last_authenticated_shown: bool = True
    """Open question 9: a used token without lastAuthenticated."""
    time_format: t.Literal["epoch_ms", "iso_millis", "offset"] = "epoch_ms"
    """D7 [live] milliseconds; the published schema says date-time strings."""
    list_order: t.Literal["newest_first", "oldest_first", "shuffled"] = "newest_first"
    """D7 [live]: the one recorded list is newest first; nothing promises it."""
    deactivated_users_listed: bool = True
    """D29 [unknown]: does the list of users that everyone may read show deactivated ones?"""
    unknown_update_status: t.Literal[404, 400] = 404
    """Open question 6: POST to an unknown id."""
    page_cap: int = 1000
    """D26 [doc], open question 7: larger limits are clamped."""
    page_gaps: int = 0
    """D26 [doc]: nextPageStart is not start + size; so many positions are skipped between entries."""
    page_overlap: int = 0
    """D26 [inferred]: a page repeats so many entries of the one before, as a list does that grows while it is read."""
    project_repos_show_archived: bool = False
    """D29 [doc] says hidden by default, for /repos; for /projects/KEY/repos that is [inferred]."""
    projects_list_personal: bool = True
    """D29 [unknown]: whether the listing of all projects has the personal ones."""
    listing_details: t.Literal["always", "when_set", "never"] = "always"
    """D29 names no bodies: ``description``, ``public`` and ``archived`` of listed projects and repositories."""

    # Around it all
    rate_limit_capacity: int = 0
    """D27 [doc]: token bucket per user. 0 is off, the default."""
    rate_limit_refill: float = 5.0
    """D27 [doc]: per second."""
    retry_after: t.Literal["seconds", "date", "none"] = "seconds"
    """D27 [live] seconds; be ready for the others."""
    rate_limit_body: t.Literal["json", "html", "empty"] = "json"
    """D27: the body of a 429 is not recorded."""


PROFILES: dict[str, dict[str, object]] = {
    "7.21": {"version": "7.21.23", "token_outside_rest": "honour"},
    "8.19": {"version": "8.19.12", "expiry_policy_endpoint": True},
    "9.4": {"version": "9.4.8", "secret_prefix": "BBDC-"},
    "10.4": {"version": "10.4.0", "secret_prefix": "BBDC-", "basic_auth": False},
}


def switches_for(profile: str) -> Switches:
    if profile not in PROFILES:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
    switches = Switches()
    switches.update(PROFILES[profile])
    return switches
