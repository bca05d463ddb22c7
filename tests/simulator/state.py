"""What the control endpoints tell of a Data Center world."""

from __future__ import annotations

import typing as t

from .model import Token, World


def token_state(token: Token, now: int) -> dict[str, t.Any]:
    return {
        "id": token.id,
        "owner": token.owner,
        "name": token.name,
        "permissions": list(token.permissions),
        "created": token.created,
        "expires": token.expires,
        "last_used": token.pending_use or token.last_used,
        "revoked": token.revoked,
        "alive": token.authenticates(now),
    }


def world_state(world: World, now: int) -> dict[str, t.Any]:
    tokens = [token_state(token, now) for token in world.all_tokens()]
    counts = {
        "users": len(world.users),
        "projects": len(world.projects),
        "repositories": sum(len(project.repositories) for project in world.projects.values()),
        "tokens": len(tokens),
        "issued": world.issued,
        "revoked": len(world.revoked),
    }
    revoked = [token_state(token, now) for token in world.revoked.values()]
    return {"now": now, "counts": counts, "tokens": tokens, "revoked": revoked}
