# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Does a credential work? One login, never a second: repeated failures lock accounts."""

from __future__ import annotations

import typing as t

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import (
    BitbucketError,
    ForbiddenError,
    LockoutError,
)
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter._datacenter import DataCenter

# Bitbucket's own words for a credential that is wrong, and for one that it did not take for any. Whatever else refuses
# (a CAPTCHA, a missing licence, a filter or proxy in between) would refuse a credential that works as well.
_REFUSED = ("IncorrectPasswordAuthenticationException", "AuthenticationRequiredException")


class Verdict(t.NamedTuple):
    """``works`` is ``None`` where there was no clear answer. ``problem`` says why it is not ``True``, and ``reason`` is
    that of the error which left it open.
    """

    works: bool | None
    problem: str | None = None
    name: str | None = None
    reason: str = ""


def ask(api: DataCenter) -> Verdict:
    """What the server says to the credential that ``api`` signs in with."""
    try:
        name = api.identity().name
    except (LockoutError, ForbiddenError) as error:
        return Verdict(_verdict(error), str(error))
    except BitbucketError as error:
        return Verdict(None, str(error), reason=error.reason)
    if name is None:
        return Verdict(None, "The server names nobody in its answer: it may have ignored the credential.")
    return Verdict(True, name=name)


def _verdict(error: LockoutError | ForbiddenError) -> bool | None:
    if error.status != 401:
        return None
    if isinstance(error, ForbiddenError):
        # 401 for want of permission is the answer to somebody known.
        return True
    return False if error.exception_name in _REFUSED else None
