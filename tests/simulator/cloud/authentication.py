"""Who is calling (C3, C5, C8): which secret came, and whether it came the way its kind must."""

from __future__ import annotations

import base64
import binascii
import typing as t
from dataclasses import dataclass

from ..exchange import Request
from .errors import CloudError, anonymous, error_response, lacks_scopes, rejected, removed_git, removed_rest
from .model import Model, Token
from .switches import CloudSwitches

APP_PASSWORD = "ATBB"
GIT_API_TOKEN_USER = "x-bitbucket-api-token-auth"
GIT_ACCESS_TOKEN_USER = "x-token-auth"
GIT_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Bitbucket"'}


@dataclass(frozen=True)
class Presented:
    scheme: t.Literal["none", "basic", "bearer"]
    user: str = ""
    secret: str = ""


def presented(request: Request) -> Presented:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Presented("bearer", secret=value.strip())
    if scheme.lower() != "basic":
        return Presented("none")
    try:
        user, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return Presented("basic")
    return Presented("basic", user, secret)


def authenticate_rest(
    came: Presented, required: tuple[str, ...], model: Model, switches: CloudSwitches, now: int
) -> Token:
    if came.scheme == "none":
        raise anonymous()
    if came.secret.startswith(APP_PASSWORD):
        raise removed_rest(switches.app_password_body)  # C4 [doc]
    token = model.by_secret(came.secret)
    if token is None or not token.works(now) or not _suits_rest(token, came, switches):
        raise rejected()
    if token.family == "foreign":
        if switches.foreign_token == "refuse":
            raise rejected()
        raise lacks_scopes(() if switches.foreign_token == "forbid_unlisted" else token.scopes, required)
    if token.family == "unscoped" and switches.unscoped_token != "accept":
        raise rejected() if switches.unscoped_token == "refuse" else lacks_scopes((), required)
    token.last_active = now
    return token


def _suits_rest(token: Token, came: Presented, switches: CloudSwitches) -> bool:
    """C8 [doc]: an API token goes as Basic with the e-mail, everything else as Bearer."""
    if came.scheme == "bearer":
        return token.kind != "api_token" or switches.api_token_bearer == "accept"
    if token.account is None or token.kind != "api_token":
        return switches.access_token_basic == "accept" and came.user == GIT_ACCESS_TOKEN_USER
    if switches.rest_user == "anything" or came.user.lower() == token.account.email.lower():
        return True
    return switches.rest_user == "username" and came.user == token.account.username


def authenticate_git(came: Presented, model: Model, switches: CloudSwitches, now: int) -> Token:
    """Without a credential git is asked for one; the texts of these 401 are made up."""
    if came.scheme != "basic":
        raise _git_refusal()
    if came.secret.startswith(APP_PASSWORD):
        if came.secret in model.app_passwords or switches.unknown_app_password == "gone":
            raise removed_git()
        raise _git_refusal()
    token = model.by_secret(came.secret)
    if token is None or not token.works(now):
        raise _git_refusal()
    if token.kind == "api_token":
        _check_git_user(token, came.user, switches)
    elif came.user != GIT_ACCESS_TOKEN_USER and switches.git_access_token_user == "exact":
        raise _git_refusal()
    _check_git_family(token, switches)
    token.last_active = now
    return token


def _check_git_family(token: Token, switches: CloudSwitches) -> None:
    """C6 says what REST does with tokens that are not for Bitbucket; git is held to the same switches."""
    if token.family == "bitbucket":
        return
    verdict = switches.foreign_token if token.family == "foreign" else switches.unscoped_token
    if verdict == "refuse":
        raise _git_refusal()
    if verdict != "accept":
        raise _git_forbidden()


def _check_git_user(token: Token, user: str, switches: CloudSwitches) -> None:
    """C8 [doc]: x-bitbucket-api-token-auth or the Bitbucket user name, never the e-mail."""
    if token.account is None or user in (GIT_API_TOKEN_USER, token.account.username):
        return
    if user.lower() == token.account.email.lower() and switches.git_email != "refuse":
        if switches.git_email == "forbid":
            raise _git_forbidden()
        return
    raise _git_refusal()


def _git_refusal() -> CloudError:
    error = CloudError(error_response(401, "Authentication failed.", shape="html"))
    error.response.headers.update(GIT_CHALLENGE)
    return error


def _git_forbidden() -> CloudError:
    return CloudError(error_response(403, "Access denied.", shape="html"))
