"""The ways Bitbucket says no.

D9 [live]: most errors are ``{"errors": [...]}``, those of filters are not. D10 [doc][live]: 401 also means
"authenticated but not permitted"; only ``exceptionName`` tells the cases apart.
"""

from __future__ import annotations

import typing as t

from .exchange import Response, empty_response, html_response, json_response

PACKAGE = "com.atlassian.bitbucket"
AUTHORISATION = f"{PACKAGE}.AuthorisationException"
INCORRECT_PASSWORD = f"{PACKAGE}.auth.IncorrectPasswordAuthenticationException"
NO_ACCESS = f"{PACKAGE}.auth.NoAccessAuthenticationException"
AUTHENTICATION_REQUIRED = f"{PACKAGE}.auth.AuthenticationRequiredException"
CAPTCHA_REQUIRED = f"{PACKAGE}.auth.CaptchaRequiredAuthenticationException"
NO_SUCH_PROJECT = f"{PACKAGE}.project.NoSuchProjectException"
NO_SUCH_REPOSITORY = f"{PACKAGE}.repository.NoSuchRepositoryException"
NO_SUCH_USER = f"{PACKAGE}.user.NoSuchUserException"
INVALID_ARGUMENT = f"{PACKAGE}.validation.ArgumentValidationException"

Shape = t.Literal["json", "message", "html", "empty"]


class RestError(Exception):
    """An answer other than success, raised anywhere below the router."""

    def __init__(
        self,
        status: int,
        message: str,
        exception_name: str | None = None,
        *,
        context: str | None = None,
        shape: Shape = "json",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.response = error_response(status, message, exception_name, context=context, shape=shape)
        self.response.headers.update(headers or {})


def error_response(
    status: int, message: str, exception_name: str | None = None, *, context: str | None = None, shape: Shape = "json"
) -> Response:
    if shape == "message":
        return json_response(status, {"message": message})
    if shape == "html":
        return html_response(status, message)
    if shape == "empty":
        return empty_response(status)
    return json_response(
        status, {"errors": [{"context": context, "message": message, "exceptionName": exception_name}]}
    )


def not_permitted() -> RestError:
    return RestError(401, "You are not permitted to access this resource", AUTHORISATION)  # D10 [live]


def bad_credentials() -> RestError:
    message = "Authentication failed. Please check your credentials and try again."
    return RestError(401, message, INCORRECT_PASSWORD)  # D10 [live]


def anonymous() -> RestError:
    # D10 [doc]: the class is known, its message is not
    return RestError(401, "You are not permitted to access this resource", AUTHENTICATION_REQUIRED)


def no_licence() -> RestError:
    # D10 [doc]: the class is known, its message is not
    return RestError(401, "You do not have permission to access Bitbucket.", NO_ACCESS)


def captcha() -> RestError:
    message = "CAPTCHA required. Your Bitbucket account has been locked. To unlock it, log in again in a browser."
    return RestError(403, message, CAPTCHA_REQUIRED)  # D24 [live]


def invalid(context: str | None, message: str) -> RestError:
    return RestError(400, message, INVALID_ARGUMENT, context=context)  # D11 [doc]: the class is not recorded


def not_found(message: str, exception_name: str | None = None) -> RestError:
    return RestError(404, message, exception_name)
