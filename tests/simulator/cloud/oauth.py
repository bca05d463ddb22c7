"""``POST /site/oauth2/access_token`` with client credentials. The facts name the address; the rest is RFC 6749."""

from __future__ import annotations

from urllib.parse import parse_qsl

from ..exchange import Request, Response, json_response
from .authentication import Presented
from .model import Consumer, Model, Token
from .switches import CloudSwitches


def serve(request: Request, came: Presented, model: Model, switches: CloudSwitches, now: int) -> Response:
    if request.method != "POST":
        return json_response(405, {"error": "invalid_request", "error_description": "POST only"})
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if form.get("grant_type") != "client_credentials":
        return json_response(400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"})
    consumer = _consumer(came, form, model, switches)
    if consumer is None:
        # RFC 6749, 5.2: 401 where the client used the Authorization header, else 400
        response = json_response(401 if came.scheme == "basic" else 400, {"error": "invalid_client"})
        if came.scheme == "basic":
            response.headers["WWW-Authenticate"] = 'Basic realm="Bitbucket"'
        return response
    lifetime = switches.oauth_expires_in
    expires = None if lifetime is None else now + lifetime * 1000
    secret = model.noise(86)
    grant = Token("oauth_access_token", model.noise(12), secret, consumer.name, consumer.scopes, now)
    grant.account, grant.reach, grant.expires = consumer.account, consumer.workspace, expires
    model.add(grant)
    body: dict[str, object] = {"access_token": secret, "token_type": switches.oauth_token_type}
    if lifetime is not None:
        body["expires_in"] = lifetime
    return json_response(200, body)


def _consumer(came: Presented, form: dict[str, str], model: Model, switches: CloudSwitches) -> Consumer | None:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    if came.scheme == "basic":
        client_id, secret = came.user, came.secret
    elif came.scheme == "bearer":
        return None
    if switches.oauth_client != "both" and switches.oauth_client != ("basic" if came.scheme == "basic" else "form"):
        return None
    consumer = model.consumers.get(client_id)
    return consumer if consumer is not None and consumer.client_secret == secret else None
