"""D11 to D14: which permissions a token may carry, and how they are kept."""

from __future__ import annotations

import typing as t

from .errors import invalid
from .model import Owner
from .switches import Switches

LEVELS = ("READ", "WRITE", "ADMIN")
TOKEN_PERMISSIONS = tuple(f"{kind}_{level}" for kind in ("PROJECT", "REPO") for level in LEVELS)  # D12 [doc][live]
OTHER_PERMISSIONS = frozenset({"LICENSED_USER", "PROJECT_CREATE", "USER_ADMIN", "ADMIN", "SYS_ADMIN"})


def checked_permissions(value: object, owner: Owner, switches: Switches) -> tuple[str, ...]:
    """The permissions to store, or 400."""
    if not isinstance(value, list) or not value:
        raise invalid("permissions", "Permissions are required")  # D11 [doc], its text is not recorded
    wanted = list(dict.fromkeys(_checked_permission(item, owner) for item in value))
    wanted = _with_project_rule(wanted, switches)
    if switches.redundant_permissions == "drop":
        wanted = [name for name in wanted if name in (_highest(wanted, "PROJECT"), _highest(wanted, "REPO"))]
    return tuple(wanted)


def ordered(permissions: tuple[str, ...], switches: Switches) -> list[str]:
    """D14 [live]: the order of the answer is not that of the request."""
    if switches.permission_order == "as_sent":
        return list(permissions)
    repository_first = switches.permission_order == "repository_first"
    return sorted(permissions, key=TOKEN_PERMISSIONS.index, reverse=repository_first)


def _checked_permission(item: object, owner: Owner) -> str:
    name = str(item)
    if name in OTHER_PERMISSIONS:
        raise invalid("permissions", f"Tokens may not have the following permission: {name}")  # D11 [live]
    if name not in TOKEN_PERMISSIONS:
        raise invalid("permissions", f"{name} is not a valid permission")  # D11 [live]
    if owner.scope == "REPOSITORY" and not name.startswith("REPO_"):
        # D12 [live]: the message names the offender where it should name the choices
        raise invalid("permissions", f"Permissions for REPOSITORY scope must be one of {name}")
    return name


def _with_project_rule(wanted: list[str], switches: Switches) -> list[str]:
    """D13 [unknown]: a repository level below the project level. A kind alone is accepted (D14 [live])."""
    project, repository = _highest(wanted, "PROJECT"), _highest(wanted, "REPO")
    if project is None or repository is None or _level(repository) >= _level(project):
        return wanted
    if switches.repository_below_project == "refuse":
        raise invalid("permissions", "The repository permission must be at least the project permission")
    if switches.repository_below_project == "raise":
        return [name for name in wanted if name.startswith("PROJECT")] + [f"REPO_{LEVELS[_level(project)]}"]
    return wanted


def _highest(names: list[str], kind: t.Literal["PROJECT", "REPO"]) -> str | None:
    return max((name for name in names if name.startswith(f"{kind}_")), key=_level, default=None)


def _level(name: str) -> int:
    return LEVELS.index(name.rsplit("_", 1)[-1])
