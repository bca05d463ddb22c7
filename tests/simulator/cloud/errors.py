"""The ways Bitbucket Cloud says no (C4, C6, C16)."""

from __future__ import annotations

import typing as t
from collections.abc import Iterable

from ..exchange import Response, empty_response, html_response, json_response

Shape = t.Literal["json", "html", "empty", "message"]

DEPRECATED = "CHANGE-3222 - Functionality has been deprecated"
USE_API_TOKENS = "App passwords are deprecated and must be replaced with API tokens."
"""C4 [live]: the two lines, as recorded."""
REJECTED = "Token is invalid, expired, or not supported for this endpoint."
"""C6 [live]."""
TOO_MANY = "Rate limit for this resource has been exceeded."
"""C16 [doc]."""


class CloudError(Exception):
    """An answer other than success, raised anywhere below the router."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response


def error_response(status: int, message: str, detail: object = None, *, shape: Shape = "json") -> Response:
    """C6 [live]: ``{"type": "error", "error": {"message": …}}``."""
    if shape == "html":
        return html_response(status, message)
    if shape == "empty":
        return empty_response(status)
    if shape == "message":
        return json_response(status, {"message": message})
    error: dict[str, object] = {"message": message}
    if detail is not None:
        error["detail"] = detail
    return json_response(status, {"type": "error", "error": error})


def text_response(status: int, text: str) -> Response:
    return Response(status, {"Content-Type": "text/plain"}, text.encode())


def failure(status: int, message: str) -> CloudError:
    return CloudError(error_response(status, message))


def rejected() -> CloudError:
    return failure(401, REJECTED)  # C6 [live]


def anonymous() -> CloudError:
    return failure(401, "Authentication is required.")  # made up


def not_found(what: str) -> CloudError:
    return failure(404, f"{what} does not exist.")  # made up


def lacks_scopes(granted: Iterable[str] | None, required: Iterable[str]) -> CloudError:
    """C6 [live]: 403, with the scopes granted and required; the message is made up."""
    detail = None if granted is None else {"granted": list(granted), "required": list(required)}
    return CloudError(error_response(403, "Your credentials lack one or more required scopes.", detail))


def removed_rest(body: str) -> CloudError:
    """C4 [doc]: REST answers 401 to an app password; with which body nobody wrote down."""
    if body == "empty":
        return CloudError(empty_response(401))
    if body == "html":
        return CloudError(html_response(401, "Unauthorized"))
    if body == "text":
        return CloudError(text_response(401, "Unauthorized"))
    return failure(401, REJECTED if body == "token" else f"{DEPRECATED}. {USE_API_TOKENS}")


def removed_git() -> CloudError:
    """C4 [live]: git shows these lines, which it does of plain text only."""
    return CloudError(text_response(410, f"{DEPRECATED}\n{USE_API_TOKENS}\n"))


def retired(change: str) -> CloudError:
    """C6 [spec]: 410 with a CHANGE number; which, and in what body, is made up."""
    return failure(410, f"{change} - Functionality has been deprecated")
