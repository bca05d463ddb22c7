# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The collection's own errors. Their text is shown to people: it never holds a secret, a header or a body."""

from __future__ import annotations

import typing as t

from ._text import visible

#: Reasons of errors that are not one owner's own: whatever is tried next would meet the same.
FOR_ALL = ("credential", "unreachable", "rate_limit")

#: Nobody reads more, and some of it may be a server's own words.
_LONGEST = 2000
#: So many failures are told in a task's one message.
_MOST_SHOWN = 3


def one_line(text: str, longest: int = _LONGEST) -> str:
    """``text`` for one line of a terminal: nothing moves the cursor, rings or turns the writing round."""
    line = visible(" ".join(text[: 16 * longest].split()))
    return line if len(line) <= longest else f"{line[:longest]}…"


class BitbucketError(Exception):
    """Anything this collection refuses or could not do; ``reason`` is a short code that results carry."""

    reason = "error"

    def __init__(self, message: str, reason: str | None = None) -> None:
        # Names come from servers and files too: whatever holds one stays one line.
        super().__init__(one_line(message))
        if reason is not None:
            self.reason = reason

    def add(self, advice: str) -> None:
        """Put one more sentence behind the message; nothing if ``advice`` is empty."""
        if advice:
            self.args = (one_line(f"{self} {advice}"),)


class StrayError(BitbucketError):
    """A token that was issued but not delivered, and still exists: ``token_id`` must be revoked manually."""

    def __init__(self, message: str, reason: str, token_id: str) -> None:
        super().__init__(message, reason)
        self.token_id = token_id


class InputError(BitbucketError):
    """What was asked for cannot be right, whatever Bitbucket answers."""

    reason = "input"


class GuardError(BitbucketError):
    """A limit that protects against a mistaken declaration or store was reached before the first write."""

    reason = "guard"


class ConnectError(BitbucketError):
    """No connection came about: nothing was sent, so repeating is safe for every method."""

    reason = "unreachable"


class CertificateError(ConnectError):
    """The server's certificate is not accepted: nothing was sent, and repeating changes nothing."""


class LostAnswerError(BitbucketError):
    """The request went out and no usable answer came back: what the server did is not known.

    ``token_id`` is the id of a token that the unusable answer still named, or ``None``.
    """

    reason = "lost_answer"

    def __init__(self, message: str, token_id: str | None = None) -> None:
        super().__init__(message)
        self.token_id = token_id


class AnswerError(BitbucketError):
    """The server answered, but not with what this request is answered with.

    ``token_id`` is the id of a token that a broken answer still named, or ``None``.
    """

    reason = "answer"

    def __init__(self, message: str, token_id: str | None = None) -> None:
        super().__init__(message)
        self.token_id = token_id


class StatusError(AnswerError):
    """The server answered with an error status; ``exception_name`` is the last part of Bitbucket's own class name."""

    reason = "refused"

    def __init__(self, message: str, status: int, exception_name: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.exception_name = exception_name


class RateLimitError(StatusError):
    """429 for as long as a request waits: the others would wait as long, one after another, for nothing."""

    reason = "rate_limit"


class NotFoundError(StatusError):
    """404: the project, repository, user or token does not exist.

    ``foreign``: the answer is not in Bitbucket's own form, and may come from a proxy; ``empty``: it has no body at all.
    """

    reason = "not_found"
    foreign = False
    empty = False


class ForbiddenError(StatusError):
    """401 or 403 for a caller that is known but not permitted."""

    reason = "forbidden"


class LockoutError(StatusError):
    """The credential itself is refused (wrong, or locked behind a CAPTCHA): one more try could lock the account."""

    reason = "credential"


class RejectedError(LockoutError):
    """The same, in Bitbucket Cloud's own words for a credential that is no good: a verdict, and not of a proxy."""


class RemovedError(StatusError):
    """410, or the words that go with it: Bitbucket Cloud no longer has app passwords, or else this function."""

    reason = "removed"

    def __init__(self, message: str, status: int, app_password: bool) -> None:
        super().__init__(message, status)
        self.app_password = app_password


class ScopeError(ForbiddenError):
    """403 of Bitbucket Cloud. ``granted`` and ``required`` are ``None`` if it names no scopes.

    ``headers`` tell the kind of the credential; they are not for messages.
    """

    def __init__(
        self,
        message: str,
        status: int,
        granted: t.Sequence[str] | None = None,
        required: t.Sequence[str] | None = None,
        headers: t.Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, status)
        self.granted = granted
        self.required = required
        self.headers = headers or {}


class Failure(t.NamedTuple):
    """An owner, a pattern or a whole listing that could not be read."""

    owner: str
    reason: str
    msg: str

    @classmethod
    def of(cls, owner: str, error: BitbucketError) -> Failure:
        """From the error that reading it ended with."""
        return cls(owner, error.reason, str(error))

    @property
    def entry(self) -> dict[str, t.Any]:
        """An entry of `failures` in a result."""
        return {**self._asdict(), "reference": None}


def failure_message(failures: t.Sequence[t.Mapping[str, t.Any]]) -> str:
    """One sentence for one failure; a count and the first few for more.

    Tokens that need manual attention, whose failures have an ``id``, are all named.
    """
    messages = [str(entry["msg"]) for entry in failures]
    if len(messages) == 1:
        return messages[0]
    shown = "; ".join(messages[:_MOST_SHOWN])
    rest = failures[_MOST_SHOWN:]
    more = f" and {len(rest)} more, all in `failures`" if rest else ""
    ids = ", ".join(f"{entry['id']} of {entry['reference'] or entry['owner']}" for entry in rest if "id" in entry)
    manual = f". Tokens among these that need manual attention: {ids}" if ids else ""
    return f"{len(messages)} failures: {shown}{more}{manual}"
