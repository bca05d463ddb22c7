# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How much, and how long: the figures that several files share."""

from __future__ import annotations

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import HOUR

#: Milliseconds. Two runs that start within this time of each other may not know of each other's writes yet.
SETTLE = HOUR
#: Seconds after which what a store said is too old to revoke anything by: half of that.
FRESH = SETTLE // 2 // 1000
#: Seconds after which a call begins to issue no more. What is left of FRESH is for the requests of one more token, each
#: of which may wait long for a rate limit, and for the hand-over.
ISSUING = FRESH // 3
#: Tokens that one call issues when another call will follow: as many as one hand-over may lose to a crash.
BATCH = 200
