"""What a case is, and the two ways to run many of them in one process of Ansible."""

from __future__ import annotations

import base64
import html
import json
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from tests.leaks.sandbox import CREDENTIALS, Scenario

Data = dict[str, t.Any]
#: Makes the task of a case, or the variables of a host that the playbook runs on.
Build = Callable[[Scenario], Data]
ADMIN = {"username": "admin", "password": "{{ password }}"}


@dataclass(frozen=True)
class Case:
    """One way to use a plugin, a role or a playbook.

    :param covers: such as ``modules/access_token`` or ``playbooks/rotate``: a path in the collection, without a suffix.
    """

    covers: tuple[str, ...]
    name: str
    build: Build
    succeeds: bool
    #: Whether the task returns secrets, under the documented keys.
    returns: bool = False
    #: What its failure must hold, so that it fails for the reason that is meant.
    says: str = ""
    #: Whether the credential comes from the environment that Ansible was started in.
    environment: bool = False


@dataclass
class Table:
    """Cases in the order of the file."""

    cases: list[Case] = field(default_factory=list)

    def works(self, *covers: str, returns: bool = False, environment: bool = False) -> Callable[[Build], Build]:
        return self._add(covers, succeeds=True, returns=returns, environment=environment)

    def fails(self, *covers: str, says: str = "") -> Callable[[Build], Build]:
        return self._add(covers, succeeds=False, says=says)

    def _add(self, covers: tuple[str, ...], **more: t.Any) -> Callable[[Build], Build]:
        def add(build: Build) -> Build:
            self.cases.append(Case(covers, build.__name__.replace("_", " "), build, **more))
            return build

        return add


def echoes(secret: str) -> str:
    """A server that repeats what it was sent, in every way that one may."""
    return " and ".join(["Received", secret, quote(secret, safe=""), json.dumps(secret), html.escape(secret)])


def cut_echoes(secret: str) -> str:
    """A server that shows enough of what it was sent to know it again, and too much."""
    whole = [secret, quote(secret, safe=""), base64.b64encode(f"x{secret}".encode()).decode(), secret.encode().hex()]
    return " and ".join(["Received", *(f"{text[:24]}... or ...{text[-24:]}" for text in whole)])


def elsewhere(secret: str) -> str:
    """A place to be redirected to, with a credential in every part of it."""
    encoded = quote(secret, safe="")
    return f"https://admin:{encoded}@sso.example.com/{encoded}/login?secret={encoded}#{encoded}"


def with_userinfo(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://admin:{quote(CREDENTIALS['password'], safe='')}@{parts.netloc}"
