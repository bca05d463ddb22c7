"""Fill a simulator from a seed document (YAML or JSON). Passwords are generated, never written in a seed."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .model import Token

if t.TYPE_CHECKING:
    from .datacenter import Simulator

GENERATE = "generate"
SECTIONS = ("switches", "basic_auth", "users", "projects", "repositories", "tokens")
BULK = ("bulk_projects", "prefix", "repositories_each", "tokens_each", "token")
OTHER = ("return_secrets",)


@dataclass
class Planted:
    """What a seed made: the generated passwords, and the tokens."""

    passwords: dict[str, str] = field(default_factory=dict)
    tokens: list[Token] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def as_dict(self, *, secrets: bool) -> dict[str, t.Any]:
        answer: dict[str, t.Any] = {"counts": self.counts}
        if secrets:
            answer["passwords"] = self.passwords
            answer["tokens"] = [
                {"owner": token.owner, "name": token.name, "id": token.id, "secret": token.secret}
                for token in self.tokens
            ]
        return answer


def load(path: str | Path) -> dict[str, t.Any]:
    """Read a seed file; JSON is YAML too."""
    import yaml  # the core does without it

    document = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if not isinstance(document, dict):
        raise ValueError(f"{path} is not a mapping")
    return document


def plant(simulator: Simulator, document: Mapping[str, t.Any]) -> Planted:
    strangers = set(document) - {*SECTIONS, *BULK, *OTHER}
    if strangers:
        raise ValueError(f"unknown in a seed: {', '.join(sorted(strangers))}")
    planted = Planted()
    with simulator.lock:
        _switches(simulator, document)
        for entry in document.get("users") or ():
            _user(simulator, entry, planted)
        for entry in document.get("projects") or ():
            options = _options(entry, "description", "public")
            simulator.add_project(entry["key"], entry.get("name"), entry.get("admins", ()), **options)
        for entry in document.get("repositories") or ():
            options = _options(entry, "archived", "admins", "name", "description", "public")
            simulator.add_repository(entry["project"], entry["slug"], **options)
        planted.tokens += _tokens(simulator, document.get("tokens") or ())
        planted.tokens += _bulk(simulator, document)
        planted.counts = {name: len(document.get(name) or ()) for name in ("users", "projects", "repositories")}
        planted.counts["projects"] += int(document.get("bulk_projects", 0))
        planted.counts["repositories"] += int(document.get("bulk_projects", 0)) * document.get("repositories_each", 0)
        planted.counts["tokens"] = len(planted.tokens)
    return planted


def _switches(simulator: Simulator, document: Mapping[str, t.Any]) -> None:
    simulator.switches.update(document.get("switches") or {})
    allowed = document.get("basic_auth") or {}  # D23 [doc]: the allow-list of a site that keeps Basic for a few
    if "allowed_users" in allowed:
        simulator.switches.basic_auth_allowed_users = tuple(allowed["allowed_users"])
    if "allowed_paths" in allowed:
        simulator.switches.basic_auth_allowed_paths = tuple(allowed["allowed_paths"])


def _user(simulator: Simulator, entry: Mapping[str, t.Any], planted: Planted) -> None:
    password = entry.get("password", GENERATE)
    user = simulator.add_user(
        entry["name"],
        None if password == GENERATE else str(password),
        entry.get("roles", ()),
        **_options(entry, "slug", "display_name", "email", "active", "licensed"),
    )
    if password == GENERATE:
        planted.passwords[user.name] = user.password


def _tokens(simulator: Simulator, entries: Iterable[Mapping[str, t.Any]]) -> list[Token]:
    names = ("created_days_ago", "expires_in_days", "last_used_days_ago")
    return [
        simulator.add_token(entry["owner"], entry["name"], entry["permissions"], **_options(entry, *names))
        for entry in entries
    ]


def _bulk(simulator: Simulator, document: Mapping[str, t.Any]) -> list[Token]:
    """Many owners at once, for benchmarks: projects B1, B2, …, each with repositories r1, r2, … and tokens."""
    prefix = document.get("prefix", "B")
    template = {"name": "token", "permissions": ["REPO_READ"], **(document.get("token") or {})}
    tokens: list[Token] = []
    for number in range(1, int(document.get("bulk_projects", 0)) + 1):
        key = f"{prefix}{number}"
        simulator.add_project(key)
        for repository in range(1, int(document.get("repositories_each", 0)) + 1):
            simulator.add_repository(key, f"r{repository}")
        copies = int(document.get("tokens_each", 0))
        tokens += _tokens(simulator, [{**template, "owner": f"projects/{key}"}] * copies)
    return tokens


def _options(entry: Mapping[str, t.Any], *names: str) -> dict[str, t.Any]:
    return {name: entry[name] for name in names if name in entry}
