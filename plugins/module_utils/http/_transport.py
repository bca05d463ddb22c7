# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""One exchange with the server over a pooled session per thread: TLS, proxies, time limits, and nothing else."""

from __future__ import annotations

import os
import threading
import time
import typing as t
import warnings
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import getproxies_environment

from ..core._errors import BitbucketError, CertificateError, ConnectError, InputError, LostAnswerError
from . import _addresses, _body, _tls_files

try:
    import requests
    from requests import exceptions as failures
    from urllib3.exceptions import HTTPError
except ImportError:  # pragma: no cover - modules report it with missing_required_lib before they get here
    HAS_REQUESTS = False
else:
    HAS_REQUESTS = True

    class _Session(requests.Session):
        """One that never looks at a redirect.

        The library prepares the next request even if none must follow: it reads the whole body first, however
        long, and stumbles over a target that is no address.
        """

        def get_redirect_target(self, resp: requests.Response) -> str | None:
            return None


if t.TYPE_CHECKING:
    from requests.adapters import BaseAdapter

# What urllib3 reports when a connection never came about, at any depth below the exception of requests.
_NEVER_CONNECTED = {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"}
_NO_TUNNEL = "Tunnel connection failed"


class Settings(t.NamedTuple):
    """How to reach the server.

    ``timeout`` is in seconds and bounds connecting and each wait for data; about ten of it bound the reading of a body.
    """

    validate_certs: bool = True
    ca_path: str | None = None
    client_cert: str | None = None
    client_key: str | None = None
    timeout: float = 30
    use_proxy: bool = True


class Exchange(t.NamedTuple):
    """What came back: status, headers (names in lower case) and the whole body."""

    status: int
    headers: t.Mapping[str, str]
    body: bytes


class Transport:
    """Sends requests; every thread has a session, and so a connection pool, of its own.

    :param adapters: by URL prefix, put in place of the network by tests.
    :raises InputError: if a file that TLS needs is missing or unusable.
    """

    def __init__(self, settings: Settings, adapters: t.Mapping[str, BaseAdapter] | None = None) -> None:
        for path in filter(None, (settings.ca_path, settings.client_cert, settings.client_key)):
            # Path.exists raises where a folder above may not be searched.
            if not os.path.exists(path):  # noqa: PTH110
                raise InputError(f"{path} does not exist on the host that sends the requests, or may not be read.")
        self._settings = settings
        self._trusted = _tls_files.trusted(settings.validate_certs, settings.ca_path)
        _tls_files.check_client_certificate(settings.client_cert, settings.client_key)
        self._adapters = adapters or {}
        self._local = threading.local()

    def exchange(self, method: str, url: str, headers: t.Mapping[str, str], body: bytes | None) -> Exchange:
        """Send one request and read the whole answer; redirects are returned, never followed.

        :raises ConnectError: nothing was sent.
        :raises LostAnswerError: it was sent, and no whole answer came back.
        """
        session = self._session(url)
        limit, started = self._settings.timeout, time.monotonic()
        try:
            with session.request(
                method, url, headers=headers, data=body, timeout=(limit, limit), allow_redirects=False, stream=True
            ) as response:
                if response.status_code < 200:
                    # The real answer may still come: leaving closes the connection, or the next request would get it.
                    raise LostAnswerError(f"The server answered with no more than the interim {response.status_code}.")
                answered = {name.lower(): value for name, value in response.headers.items()}
                return Exchange(response.status_code, answered, _body.read(response, started, limit))
        except failures.RequestException as error:
            raise _translated(error, _host_of(url), self._trusted.source) from None
        except OSError as error:
            # Before it sends anything the library looks for the files of TLS, which may be gone by now.
            raise InputError(
                f"The request was not sent ({error.strerror or 'a file that TLS needs is gone'}): is what `ca_path`, "
                "`client_cert` and `client_key` name still there?"
            ) from None

    def _session(self, url: str) -> requests.Session:
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is not None:
            return session
        session = _Session()
        # Trusting the environment would also read ~/.netrc and send what it finds there; proxies are taken below.
        session.trust_env = False
        # A login cookie would outlive its credential: the next one would seem to work because the first one did.
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        settings = self._settings
        session.verify = self._trusted.verify
        if not settings.validate_certs:
            # It is what the task asked for; a line on stderr with every request does not help.
            warnings.filterwarnings("ignore", message="Unverified HTTPS request")
        if settings.client_cert:
            session.cert = (settings.client_cert, settings.client_key) if settings.client_key else settings.client_cert
        if settings.use_proxy:
            session.proxies.update(proxies_for(url))
        for prefix, adapter in self._adapters.items():
            session.mount(prefix, adapter)
        self._local.session = session
        return session


def _host_of(url: str) -> str:
    """Host and port, without a user and a password."""
    return urlsplit(url).netloc.rpartition("@")[2]


def proxies_for(url: str) -> dict[str, str]:
    """The environment's proxies for ``url``, by scheme; none for plain text to this machine, which may only be sent
    because it does not leave it.

    The system's configuration is not read: on macOS that crashes a forked process, such as a worker of Ansible.
    """
    found = getproxies_environment()
    excluded = [entry.strip() for entry in found.pop("no", "").split(",")]
    local = urlsplit(url).scheme == "http" and _addresses.stays_here(url)
    return {} if local or any(_addresses.matches(url, entry) for entry in excluded) else found


def _translated(error: failures.RequestException, host: str, trusted: str) -> BitbucketError:
    """Our error for one of the library's; its text is not passed on whole, since it may quote URLs and headers.

    :param host: with its port.
    :param trusted: whose certificates are accepted, for messages.
    """
    names = _causes(error)
    if "SSLCertVerificationError" in names:
        return CertificateError(
            f"The certificate of {host} is not accepted: {_tls_reason(error)}. It was checked against {trusted}. Name "
            "a file with the CA that signed it in `ca_path`, and check that `url` has the name in the certificate."
        )
    if _tls_reason(error) == "no certificate or crl found":
        # Files that options name were tried before; the bundle of the environment was not read then.
        return InputError(f"{trusted} contains no certificate in PEM form.")
    if isinstance(error, failures.SSLError):
        # Such an error also comes after the request has gone out: in TLS 1.3 even a missing client certificate does.
        return LostAnswerError(
            f"The TLS connection failed: {_tls_reason(error)}. Does the server want a client certificate "
            "(`client_cert`), and is `url` right about https?"
        )
    # A proxy's error alone says nothing: it is also what a connection reset after the request is called there.
    if isinstance(error, failures.ConnectTimeout) or names & _NEVER_CONNECTED or _no_tunnel(error):
        what = f"the proxy for {host}" if "ProxyError" in names else host
        return ConnectError(f"No connection to {what}: {_cause_text(error)}.")
    if isinstance(error, failures.Timeout):
        return LostAnswerError("The server did not answer in time.")
    if isinstance(error, (failures.ConnectionError, failures.ChunkedEncodingError)):
        return _body.broken()
    if any(isinstance(item, HTTPError) for item in _chain(error)):
        return LostAnswerError("The server's answer has headers that contradict themselves.")
    return InputError(f"The request could not be sent ({type(error).__name__}): check `url` and the proxy settings.")


def _chain(error: BaseException) -> t.Iterator[BaseException]:
    """The exception and whatever it wraps, as requests and urllib3 nest them."""
    seen: set[int] = set()
    pending: list[t.Any] = [error]
    while pending:
        item = pending.pop()
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        pending.extend([*item.args, getattr(item, "reason", None), item.__cause__, item.__context__])


def _no_tunnel(error: BaseException) -> bool:
    return any(isinstance(item, OSError) and str(item).startswith(_NO_TUNNEL) for item in _chain(error))


def _causes(error: BaseException) -> set[str]:
    return {type(item).__name__ for item in _chain(error)}


def _cause_text(error: BaseException) -> str:
    """The operating system's own words (``Connection refused``), else the kind of failure."""
    for item in _chain(error):
        if isinstance(item, OSError) and item.strerror and not isinstance(item, failures.RequestException):
            return item.strerror
    names = _causes(error)
    if _no_tunnel(error):
        return "it refuses to connect to the server"
    return "it took too long" if names & {"ConnectTimeout", "ConnectTimeoutError"} else "name or address not known"


def _tls_reason(error: BaseException) -> str:
    for item in _chain(error):
        message = getattr(item, "verify_message", "")
        if message:
            return str(message)
    reasons = (getattr(item, "reason", None) for item in _chain(error))
    words = next((reason for reason in reasons if isinstance(reason, str)), "the handshake was refused")
    return words.replace("_", " ").lower()
