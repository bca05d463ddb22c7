# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""How much, and how long: the figures that several files share."""

from __future__ import annotations

from ._model import HOUR

#: Milliseconds. Two runs that start within this time of each other may not know of each other's writes yet.
SETTLE = HOUR
#: Seconds after which a token is no longer revoked by what the store said, and an issued secret no longer written: half
#: of the settle time.
FRESH = SETTLE // 2 // 1000
#: Seconds after which an observation, and what the store said, are made again before they are acted on.
RECENT = FRESH // 3
