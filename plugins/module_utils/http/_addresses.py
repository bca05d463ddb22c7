# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Addresses of servers: which are valid in an option, which keep data private, and which a proxy is not for."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_web_address(url: str) -> bool:
    """Whether ``url`` is http or https, with a host and a port that there can be."""
    # urlsplit drops line breaks and tabs, and others take a backslash for the end of the host.
    if not url.isprintable() or " " in url or "\\" in url:
        return False
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        return parts.scheme in ("http", "https") and bool(host) and parts.port != 0
    except ValueError:
        return False


def is_bare(url: str) -> bool:
    """Whether a web address holds neither a credential nor a query or fragment."""
    # A slash in a password hides the @ in the path, and what stands before it would be the host. An empty query or
    # fragment would swallow every path.
    return not set("@?#") & set(url)


def is_private(url: str) -> bool:
    """Whether no one on the way can read what is sent to a web address."""
    return urlsplit(url).scheme == "https" or stays_here(url)


def stays_here(url: str) -> bool:
    """Whether the host of a web address is this machine; any other name is what some resolver makes of it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def matches(url: str, entry: str) -> bool:
    """Whether a web address is one that ``entry`` of ``no_proxy`` names.

    An entry is ``*``, a host with or without its port, a domain, an address or a network.
    """
    parts = urlsplit(url)
    host, entry = parts.hostname or "", entry.lower()
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:
        pass
    domain = entry.lstrip(".")
    named = domain in (host, parts.netloc.rpartition("@")[2].lower())
    return entry == "*" or (bool(domain) and (named or host.endswith(f".{domain}")))
