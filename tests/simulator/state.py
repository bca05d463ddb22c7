"""What the control endpoints tell of a Data Center model."""

from __future__ import annotations

import typing as t

from .model import Model, Token


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


def model_state(model: Model, now: int) -> dict[str, t.Any]:
    tokens = [token_state(token, now) for token in model.all_tokens()]
    counts = {
        "users": len(model.users),
        "projects": len(model.projects),
        "repositories": sum(len(project.repositories) for project in model.projects.values()),
        "tokens": len(tokens),
        "issued": model.issued,
        "revoked": len(model.revoked),
    }
    revoked = [token_state(token, now) for token in model.revoked.values()]
    return {"now": now, "counts": counts, "tokens": tokens, "revoked": revoked}
