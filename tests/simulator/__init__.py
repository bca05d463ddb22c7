"""A stand-in for Bitbucket Data Center, as far as its access tokens are known.

Every behaviour names the fact it rests on; FACTS.md lists them. See README.md for how to use it.
"""

from __future__ import annotations

from .clock import Clock
from .datacenter import Simulator
from .exchange import Request, Response
from .model import Model, Token
from .switches import PROFILES, Switches

__all__ = ["PROFILES", "Clock", "Model", "Request", "Response", "Simulator", "Switches", "Token"]
