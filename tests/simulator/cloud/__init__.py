"""A stand-in for Bitbucket Cloud and Atlassian's admin API, as far as credentials and pipeline variables are known.

Every behaviour names the fact it rests on; FACTS_CLOUD.md lists them.
"""

from __future__ import annotations

from .model import Account, Consumer, Model, Organization, Token, Variable
from .product import Cloud
from .switches import CloudSwitches

__all__ = ["Account", "Cloud", "CloudSwitches", "Consumer", "Model", "Organization", "Token", "Variable"]
