"""The servers that the documentation names, under the names that it prints.

Nothing outside the test is changed: the environment sends every request to a proxy, which knows these names and refuses
all others, and trusts a certificate authority of its own. A server starts when it is first asked for.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.doubles import proxy
from tests.doubles.loopback import Answer, Request, serving
from tests.doubles.proxy import Route
from tests.simulator.core import Core
from tests.simulator.server import Tls, running
from tests.simulator.tls import Certificates, make_certificates

#: The hosts of Bitbucket Cloud and of Atlassian.
CLOUD = ("bitbucket.org", "api.bitbucket.org", "api.atlassian.com")
BITBUCKET, VAULT, AWX = "bitbucket.example.com", "vault.example.com", "awx.example.com"
SLACK, JIRA = "hooks.slack.com", "jira.example.com"
HOSTS = (BITBUCKET, *CLOUD, VAULT, AWX, SLACK, JIRA)
#: What the programs of the documentation read: requests, Python's ssl, curl, git, and the client for Vault.
TRUST = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "VAULT_CACERT")
_PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")

Start = Callable[[], "str | Route"]


@dataclass
class Network:
    """The servers of one page."""

    certificates: Certificates
    stack: contextlib.ExitStack
    proxy_url: str = ""
    heard: list[Request] = field(default_factory=list)
    _starts: dict[str, Start] = field(default_factory=dict)
    _routes: dict[str, Route] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        trusted = dict.fromkeys(TRUST, self.certificates.ca)
        return {**trusted, **dict.fromkeys(_PROXIES, self.proxy_url), "no_proxy": "", "NO_PROXY": ""}

    @property
    def tls(self) -> Tls:
        return Tls(self.certificates.server_certificate, self.certificates.server_key)

    def offer(self, start: Start, *hosts: str) -> None:
        """``start`` runs when one of the hosts is first asked for; it gives the server's URL, or a route to it."""
        for host in hosts:
            self._starts[host] = start

    def offer_simulator(self, simulator: Core, *hosts: str) -> None:
        self.offer(lambda: self.stack.enter_context(running(simulator, self.tls)), *hosts)

    def offer_listener(self, host: str, status: int = 200) -> None:
        """A server that takes everything, and remembers it."""

        def handle(request: Request) -> Answer:
            self.heard.append(request)
            return Answer(status, {"key": "OPS-1"})

        self.offer(lambda: self.stack.enter_context(serving(handle, self.certificates)), host)

    def through_tls(self, url: str) -> Route:
        """A route to a server that speaks plain text only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.server_certificate, self.certificates.server_key)
        return Route(*_address(url), context)

    def route(self, host: str) -> Route | None:
        with self._lock:
            if host not in self._routes and host in self._starts:
                started = self._starts[host]()
                self._routes[host] = started if isinstance(started, Route) else Route(*_address(started))
            return self._routes.get(host)


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 0)


@contextlib.contextmanager
def network(directory: Path) -> Iterator[Network]:
    """An empty network; its certificates are in the directory."""
    directory.mkdir()
    made = make_certificates(directory, host=HOSTS[0], more_hosts=HOSTS[1:])
    with contextlib.ExitStack() as stack:
        found = Network(made, stack)
        found.proxy_url = stack.enter_context(proxy.running(route=found.route)).url
        yield found


def open_bao(net: Network, prepare: Callable[[t.Any], None]) -> Start:
    """A real OpenBao, which ``prepare`` gets a client of."""

    def start() -> Route:
        from tests.unit.plugins.plugin_utils.stores import openbao

        bao = net.stack.enter_context(openbao.running())
        prepare(bao.root)
        return net.through_tls(bao.url)

    return start
