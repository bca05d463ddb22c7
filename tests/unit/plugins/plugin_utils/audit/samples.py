"""Owners and tokens to judge, at a fixed moment."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import Failure
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, ListedOwner, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._declared import Declared
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._findings import judge
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Audit, Observed, ObservedOwner
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import policy_of

NOW = 1796461200000  # 2026-12-05 09:00 UTC
URL = "https://bitbucket.example.com"
PAY = ListedOwner(Owner(project="PAY"), "Payments", f"{URL}/projects/PAY")
LEDGER = ListedOwner(Owner(project="PAY", repository="ledger"), "ledger", f"{URL}/projects/PAY/repos/ledger/browse")
CI = ListedOwner(Owner(user="svc-ci"), "CI service", f"{URL}/users/svc-ci")
#: Nothing is found of it: fresh, expires in a year, reads.
HARMLESS: dict[str, t.Any] = {"created": NOW - DAY, "expires": NOW + 364 * DAY, "last_used": NOW}
REFUSED = Failure("users/admin", "forbidden", "the caller is known but not permitted to do this.")
BROKEN = Failure("projects/SHOP", "lost_answer", "GET projects/SHOP: no answer came.")


def token(name: str = "ci", *permissions: str, token_id: str = "012345678901", **more: t.Any) -> Token:
    known = {**HARMLESS, **more}
    listed = _permissions.listed(permissions or ["REPO_READ"])
    return Token(token_id, name, listed, known["created"], known["expires"], known["last_used"])


def audit(
    *tokens: Token,
    listed: ListedOwner = PAY,
    now: int | None = NOW,
    policy: dict[str, t.Any] | None = None,
    declared: list[dict[str, t.Any]] | None = None,
    unread: tuple[Failure, ...] = (),
    started: int = NOW,
) -> Audit:
    entries = [
        {"projects": [], "repositories": [], "users": [], "set": [], "overrides": {}, **e} for e in declared or ()
    ]
    observed = Observed(URL, (ObservedOwner(listed, tokens, now),), unread, ())
    return judge(observed, policy_of(policy or {}), Declared(entries), started)


def found(*tokens: Token, **how: t.Any) -> list[str]:
    """The codes found of the first token."""
    judged = next(item for item in audit(*tokens, **how).tokens if item.token == tokens[0])
    return [finding.code for finding in judged.findings]
