"""What the control endpoints tell of a cloud: no secret, of a variable's value its SHA-256."""

from __future__ import annotations

import hashlib
import typing as t

from .model import Model, Token, Variable


def token_state(token: Token, now: int) -> dict[str, t.Any]:
    return {
        "id": token.id,
        "kind": token.kind,
        "label": token.label,
        "account": token.account.nickname if token.account else None,
        "reach": token.reach,
        "scopes": list(token.scopes),
        "created": token.created,
        "expires": token.expires,
        "last_active": token.last_active,
        "revoked": token.revoked,
        "alive": token.works(now),
    }


def variable_state(holder: str, variable: Variable) -> dict[str, t.Any]:
    digest = hashlib.sha256(variable.value.encode()).hexdigest()
    said = {"holder": holder, "uuid": variable.uuid, "key": variable.key}
    return {**said, "secured": variable.secured, "value_sha256": digest}


def model_state(model: Model, now: int) -> dict[str, t.Any]:
    variables = [variable_state(path, each) for path, holder in model.holders() for each in holder.variables]
    counts = {
        "accounts": len(model.accounts),
        "workspaces": len(model.workspaces),
        "repositories": sum(len(workspace.repositories) for workspace in model.workspaces.values()),
        "organizations": len(model.organizations),
        "tokens": len(model.tokens),
        "app_passwords": len(model.app_passwords),
        "variables": len(variables),
    }
    tokens = [token_state(token, now) for token in model.tokens]
    return {"now": now, "counts": counts, "tokens": tokens, "variables": variables}
