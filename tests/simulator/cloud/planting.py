"""Fill a cloud from a seed document (YAML or JSON). Secrets are generated, never written in a seed."""

from __future__ import annotations

import typing as t
from collections.abc import Mapping
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from .product import Cloud

SECTIONS = (
    "switches",
    "accounts",
    "organizations",
    "workspaces",
    "repositories",
    "environments",
    "variables",
    "api_tokens",
    "app_passwords",
    "access_tokens",
    "consumers",
)
OTHER = ("return_secrets",)
TIMES = ("created_days_ago", "expires_in_days")


@dataclass
class Planted:
    """What a seed made, with the secrets, by the names that the seed gives things."""

    counts: dict[str, int] = field(default_factory=dict)
    credentials: dict[str, dict[str, t.Any]] = field(default_factory=dict)

    def keep(self, section: str, name: str, what: object) -> None:
        """A second one of a name is kept as ``name#2``."""
        kept = self.credentials.setdefault(section, {})
        taken = sum(each == name or each.startswith(f"{name}#") for each in kept)
        kept[f"{name}#{taken + 1}" if taken else name] = what

    def as_dict(self, *, secrets: bool) -> dict[str, t.Any]:
        answer: dict[str, t.Any] = {"counts": self.counts}
        return {**answer, **self.credentials} if secrets else answer


def plant(cloud: Cloud, document: Mapping[str, t.Any]) -> Planted:
    strangers = set(document) - {*SECTIONS, *OTHER}
    if strangers:
        raise ValueError(f"unknown in a seed: {', '.join(sorted(strangers))}")
    planted = Planted()
    with cloud.lock:
        cloud.switches.update(document.get("switches") or {})
        for section, plant_one in _PLANTERS.items():
            for entry in document.get(section) or ():
                plant_one(cloud, entry, planted)
            planted.counts[section] = len(document.get(section) or ())
    return planted


Entry = Mapping[str, t.Any]


def _account(cloud: Cloud, entry: Entry, planted: Planted) -> None:
    made = cloud.add_account(entry["nickname"], **_options(entry, "email", "username", "display_name"))
    said = {"email": made.email, "username": made.username, "uuid": made.uuid, "account_id": made.account_id}
    planted.keep("accounts", made.nickname, said)


def _organization(cloud: Cloud, entry: Entry, planted: Planted) -> None:
    made = cloud.add_organization(entry["name"], [cloud.model.accounts[name] for name in entry.get("accounts", ())])
    planted.keep("organizations", made.name, {"id": made.id, "admin_key": made.admin_key})


def _workspace(cloud: Cloud, entry: Entry, _planted: Planted) -> None:
    members = [cloud.model.accounts[name] for name in entry.get("members", ())]
    cloud.add_workspace(entry["slug"], members, **_options(entry, "name"))


def _repository(cloud: Cloud, entry: Entry, _planted: Planted) -> None:
    cloud.add_repository(entry["workspace"], entry["slug"], **_options(entry, "project"))


def _environment(cloud: Cloud, entry: Entry, _planted: Planted) -> None:
    cloud.add_environment(entry["repository"], entry["name"])


def _variable(cloud: Cloud, entry: Entry, _planted: Planted) -> None:
    value = str(entry.get("value") or cloud.model.noise(32))
    cloud.add_variable(entry["holder"], entry["key"], value, **_options(entry, "secured"))


def _api_token(cloud: Cloud, entry: Entry, planted: Planted) -> None:
    account, options = cloud.model.accounts[entry["account"]], _options(entry, *TIMES, "last_active_days_ago")
    made = cloud.add_api_token(account, entry["label"], entry.get("scopes", ()), **options)
    planted.keep("api_tokens", f"{account.nickname}/{made.label}", {"id": made.id, "secret": made.secret})


def _app_password(cloud: Cloud, entry: Entry, planted: Planted) -> None:
    planted.keep("app_passwords", entry["account"], cloud.add_app_password(cloud.model.accounts[entry["account"]]))


def _access_token(cloud: Cloud, entry: Entry, planted: Planted) -> None:
    options = _options(entry, *TIMES, "label")
    made = cloud.add_access_token(entry["kind"], entry["reach"], entry["scopes"], **options)
    planted.keep("access_tokens", f"{made.reach}/{made.label}", {"id": made.id, "secret": made.secret})


def _consumer(cloud: Cloud, entry: Entry, planted: Planted) -> None:
    account = cloud.model.accounts[entry["account"]] if "account" in entry else None
    made = cloud.add_consumer(entry["workspace"], entry["name"], entry["scopes"], account)
    planted.keep("consumers", made.name, {"client_id": made.client_id, "client_secret": made.client_secret})


def _options(entry: Entry, *names: str) -> dict[str, t.Any]:
    return {name: entry[name] for name in names if name in entry}


_PLANTERS: dict[str, t.Callable[[Cloud, Entry, Planted], None]] = {
    "accounts": _account,
    "organizations": _organization,
    "workspaces": _workspace,
    "repositories": _repository,
    "environments": _environment,
    "variables": _variable,
    "api_tokens": _api_token,
    "app_passwords": _app_password,
    "access_tokens": _access_token,
    "consumers": _consumer,
}
