"""A made-up company's tokens, always the same, and any number of them."""

from __future__ import annotations

import random
import typing as t
from collections.abc import Iterator

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core import _permissions
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import Failure
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY, ListedOwner, Owner, Token
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._declared import Declared
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._findings import judge
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import Audit, Observed, ObservedOwner
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._page import html_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import AuditPolicy, policy_of

NOW = 1796461200000  # 2026-12-05 09:00 UTC
URL = "https://bitbucket.example.com"
TEAMS = [
    ("PAY", "Payments", ["ledger", "gateway", "fraud-rules", "invoices"]),
    ("SHOP", "Web shop", ["storefront", "catalogue", "checkout"]),
    ("OPS", "Operations", ["terraform", "ansible", "runbooks"]),
    ("DATA", "Data platform", ["warehouse", "pipelines", "reports-2019"]),
    ("MOB", "Mobile apps", ["ios", "android"]),
    ("AUTH", "Identity", ["login", "directory-sync"]),
    ("DOCS", "Documentation", ["handbook"]),
    ("LEGACY", "Mainframe bridge", ["bridge"]),
    ("~mira.lang", "Mira Lang", ["dotfiles"]),
]
USERS = [("svc-ci", "CI service", True), ("svc-deploy", "Deployments", True), ("t.former", "Tom Former", False)]
NAMES = ["ci-read", "ci-write", "deploy", "renovate", "release", "sonar", "backup", "jenkins"]
LEVELS = [["REPO_READ"]] * 6 + [["PROJECT_READ", "REPO_WRITE"]] * 4 + [["PROJECT_READ"]] * 3
LEVELS += [["REPO_WRITE"]] * 3 + [["PROJECT_ADMIN", "REPO_ADMIN"], ["REPO_ADMIN"], ["PROJECT_WRITE"]]
DECLARED = {
    "projects": ["PAY", "SHOP"],
    "repositories": [],
    "users": [],
    "set": [
        {"name": "ci-read", "permissions": ["PROJECT_READ"], "expires_in_days": 90},
        {"name": "ci-write", "permissions": ["PROJECT_READ", "REPO_WRITE"], "expires_in_days": 90},
        {"name": "deploy", "permissions": ["PROJECT_READ"], "expires_in_days": 90},
    ],
    "overrides": {},
}
POLICY: dict[str, t.Any] = {
    "ignore": [
        {
            "reference": "projects/LEGACY/*",
            "codes": ["never_expires"],
            "reason": "Goes with the mainframe, CHG-4711",
            "until": "2027-03-31",
        }
    ]
}
UNREAD = (
    Failure(
        "users/s.hidden", "forbidden", "GET /rest/access-tokens/latest/users/s.hidden: the caller is not permitted."
    ),
    Failure("projects/OLD", "not_found", "GET /rest/access-tokens/latest/projects/OLD: Project OLD does not exist."),
)


def company(each: float = 5) -> tuple[Audit, AuditPolicy]:
    """A few hundred tokens of nine projects; ``each`` is about how many every owner has."""
    chance = random.Random(20261205)
    places = list(_places())
    listings = []
    for listed in places:
        amount = min(len(NAMES), max(0, round(chance.gauss(each, 1.6))))
        names = chance.sample(NAMES, amount)
        if chance.random() < 0.1:
            names.append(names[0])
        listings.append(ObservedOwner(listed, tuple(_token(chance, name, listed) for name in names), NOW))
    return audited(tuple(listings), UNREAD)


def many(count: int) -> tuple[Audit, AuditPolicy]:
    """``count`` tokens, five for each repository of projects that have four each."""
    chance = random.Random(7)
    listings = []
    for number in range(count // 5):
        key, slug = f"TEAM{number // 4:04d}", f"service-{number:05d}"
        listed = ListedOwner(
            Owner(project=key, repository=slug), f"Service {number}", f"{URL}/projects/{key}/repos/{slug}"
        )
        tokens = tuple(_token(chance, f"{name}-{number}", listed) for name in chance.sample(NAMES, 5))
        listings.append(ObservedOwner(listed, tokens, NOW))
    return audited(tuple(listings), ())


def audited(listings: tuple[ObservedOwner, ...], unread: tuple[Failure, ...]) -> tuple[Audit, AuditPolicy]:
    policy = policy_of(POLICY)
    return judge(Observed(URL, listings, unread, ()), policy, Declared([DECLARED]), NOW), policy


def page(audit: Audit, policy: AuditPolicy) -> str:
    return html_of(audit, policy)


def _places() -> Iterator[ListedOwner]:
    for key, title, slugs in TEAMS:
        yield ListedOwner(Owner(project=key), title, f"{URL}/projects/{key}")
        for slug in slugs:
            link = f"{URL}/projects/{key}/repos/{slug}/browse"
            yield ListedOwner(Owner(project=key, repository=slug), slug, link, archived=slug.endswith("2019"))
    for slug, title, active in USERS:
        yield ListedOwner(Owner(user=slug), title, f"{URL}/users/{slug}", active=active)


def _token(chance: random.Random, name: str, listed: ListedOwner) -> Token:
    age = chance.choice([3, 20, 45, 80, 80, 120, 200, 400, 900])
    lifetime = chance.choice([None, 90, 90, 180, 180, 365, 365, 365, 730])
    created = NOW - age * DAY - chance.randrange(DAY)
    expires = None if lifetime is None else created + lifetime * DAY
    if expires is not None and expires < NOW and chance.random() < 0.9:
        expires = NOW + chance.randrange(2, 330) * DAY
    used = None if chance.random() < 0.16 else NOW - int(min(age, chance.expovariate(1 / 40)) * DAY)
    wanted = chance.choice(LEVELS)
    if listed.owner.repository:
        wanted = [level for level in wanted if level.startswith("REPO_")] or ["REPO_READ"]
    token_id = f"{chance.randrange(10**12):012d}"
    return Token(token_id, name, _permissions.listed(wanted), created, expires, used)
