# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HashiCorp Vault, or OpenBao: login, the KV v2 engine, and what goes wrong, in sentences that quote nothing."""

from __future__ import annotations

import collections.abc as c
import contextlib
import math
import threading
import time
import typing as t

from ...module_utils.core._errors import AnswerError, InputError, LostAnswerError
from ...module_utils.http import _tls_files
from ...module_utils.http._body import BodyAdapter
from ...module_utils.http._transport import proxies_for
from ._base import StoreError

try:
    import hvac
    import requests
    from hvac import exceptions as refusals
    from requests import exceptions as failures
except ImportError:
    HAS_HVAC = False
else:
    HAS_HVAC = True

Json = dict[str, t.Any]


class VaultError(StoreError):
    """A request that Vault did not do, or did not answer.

    ``gone``: further requests are useless for now. ``conflict``: another version is there than ``cas`` names.
    ``forbidden``: the login may not, or is over.
    """

    def __init__(self, message: str, gone: bool = False, conflict: bool = False, forbidden: bool = False) -> None:
        super().__init__(message)
        self.gone = gone
        self.conflict = conflict
        self.forbidden = forbidden


class Login(t.NamedTuple):
    """How to get a token: by itself, or with a role."""

    method: str
    token: str = ""
    role: str = ""
    proof: str = ""
    mount: str = ""


class Version(t.NamedTuple):
    """The newest version of a secret: its fields, and its number, 0 if there never was one."""

    fields: Json
    number: int


class VaultServer:
    """One server, by one login, which is made with the first request, and again when its token's time is over.

    :param ca_path: a file with the certificates to trust in place of the system's.
    :param timeout: seconds for connecting and for each wait for data; about ten of it for a whole body.
    """

    def __init__(self, url: str, login: Login, namespace: str, ca_path: str, timeout: float) -> None:
        if not HAS_HVAC:
            raise StoreError("The store hashi_vault needs the Python package hvac on the controller: pip install hvac.")
        session = requests.Session()
        # The environment is not trusted with more than proxies: a netrc would send what it holds.
        session.trust_env = False
        try:
            verify = _tls_files.trusted(True, ca_path).verify
        except InputError as error:
            raise StoreError(str(error)) from None
        session.verify = verify
        session.proxies.update(proxies_for(url))
        for prefix in ("http://", "https://"):
            session.mount(prefix, BodyAdapter())
        self._url = url
        self._login = login
        self._lock = threading.Lock()
        self._logins = 0
        self._expires = math.inf
        self._refused = ""
        # A redirect would take the token to another host.
        self._client = hvac.Client(
            url,
            token=login.token,
            verify=verify,
            timeout=timeout,
            namespace=namespace or None,
            session=session,
            allow_redirects=False,
        )

    def kind_of(self, mount: str) -> str:
        """The engine at ``mount`` with its version, such as ``kv 2``."""
        answer = self._ask(f"look at the mount {mount}", lambda client: client.adapter.get(_mount_url(mount)))
        with self._understood():
            data = answer["data"]
            return f"{data['type']} {(data['options'] or {}).get('version', '1')}"

    def capabilities(self, paths: c.Sequence[str]) -> dict[str, set[str]]:
        """What the login may do with each path."""
        answer = self._ask("ask what it may do", lambda client: client.sys.get_capabilities(paths=list(paths)))
        with self._understood():
            return {path: set(answer["data"][path]) for path in paths}

    def read(self, mount: str, path: str) -> Version:
        """The newest version at ``path``; one that was deleted has no fields."""

        def ask(client: t.Any) -> t.Any:
            try:
                return client.secrets.kv.v2.read_secret_version(
                    path=path, mount_point=mount, raise_on_deleted_version=False
                )
            except refusals.InvalidPath as error:
                if error.errors:
                    raise
                # Nothing and no complaint: never written, or a destroyed version, which has a number.
                return error.json if isinstance(error.json, dict) and error.json.get("data") else None

        answer = self._ask(f"read {mount}/{path}", ask)
        if answer is None:
            return Version({}, 0)
        with self._understood():
            data, metadata = answer["data"]["data"], answer["data"]["metadata"]
            return Version(dict(data or {}), int(metadata["version"]))

    def write(self, mount: str, path: str, fields: Json, cas: int) -> None:
        """Write a new version if ``cas`` is the number of the newest one."""
        answer = self._ask(
            f"write {mount}/{path}",
            lambda client: client.secrets.kv.v2.create_or_update_secret(
                path=path, secret=fields, cas=cas, mount_point=mount
            ),
            # After a lost answer the next reading tells whether anybody is there.
            lost_is_gone=False,
        )
        with self._understood(gone=False):
            int(answer["data"]["version"])

    def _ask(self, what: str, request: c.Callable[[t.Any], t.Any], lost_is_gone: bool = True) -> t.Any:
        with self._lock:
            if self._refused or not self._logins:
                self._sign_in()
            login = self._logins
        try:
            return self._translated(what, request, lost_is_gone)
        except VaultError as error:
            # What is forbidden was not done, so that a write may be sent again too.
            if not error.forbidden or not self._signed_in_after(login):
                raise
        return self._translated(what, request, lost_is_gone)

    def _signed_in_after(self, login: int) -> bool:
        """Whether there is a newer login than this one, by now. A token that somebody revoked is not replaced."""
        with self._lock:
            if self._logins == login and time.monotonic() >= self._expires:
                self._sign_in()
            return self._logins > login

    def _sign_in(self) -> None:
        # Once for each entry would lock the role, and no refused login is taken later.
        if self._refused:
            raise VaultError(self._refused, gone=True) from None
        try:
            self._log_in()
        except VaultError as error:
            if error.gone:
                raise
            self._refused = str(error)
            raise VaultError(self._refused, gone=True) from None

    def _log_in(self) -> None:
        login, started = self._login, time.monotonic()
        answer = None
        if login.method == "approle":
            answer = self._translated(
                "log in with this role and secret id",
                lambda client: client.auth.approle.login(login.role, login.proof, mount_point=login.mount or "approle"),
            )
        elif login.method == "jwt":
            answer = self._translated(
                "log in with this JWT",
                lambda client: client.auth.jwt.jwt_login(login.role, login.proof, path=login.mount or "jwt"),
            )
        with self._understood():
            lease = float(answer["auth"]["lease_duration"]) if answer else 0.0
        self._logins += 1
        # Clocks differ in speed; without a lease the token has no end.
        self._expires = started + lease * 0.99 if lease > 0 else math.inf

    def _translated(self, what: str, request: c.Callable[[t.Any], t.Any], lost_is_gone: bool = True) -> t.Any:
        """The answer; or our error for one of the libraries', whose text may quote anything."""
        try:
            return request(self._client)
        except refusals.VaultError as error:
            raise self._refusal(error, what) from None
        except failures.SSLError:
            sentence = f"The TLS connection to {self._url} failed. Check its CA (`ca_path`) and its host name."
            raise VaultError(sentence, gone=True) from None
        except (failures.RequestException, AnswerError, LostAnswerError):
            raise VaultError(f"Vault at {self._url} does not answer.", gone=lost_is_gone) from None
        except OSError as error:
            # Before it sends anything the library looks for the file of certificates, which may be gone by now.
            why = error.strerror or "the file of certificates is gone"
            sentence = (
                f"Vault at {self._url} was not asked ({why}). Check the file that `ca_path` or VAULT_CACERT names."
            )
            raise VaultError(sentence, gone=True) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._no_vault(lost_is_gone) from None

    def _refusal(self, error: t.Any, what: str) -> VaultError:
        said = " ".join(str(item) for item in error.errors or ()).lower()
        if "check-and-set" in said:
            return VaultError(f"Vault at {self._url} has a newer version of the entry.", conflict=True)
        if "sealed" in said:
            return VaultError(f"Vault at {self._url} is sealed: unseal it, then run again.", gone=True)
        if isinstance(error, (refusals.Forbidden, refusals.Unauthorized)):
            return VaultError(
                f"Vault at {self._url} does not permit this login to {what}. Check its token and policy.",
                forbidden=True,
            )
        if isinstance(error, refusals.InvalidPath):
            return VaultError(f"Vault at {self._url} cannot {what}. Check the name of the mount.")
        if isinstance(error, refusals.InvalidRequest):
            return VaultError(f"Vault at {self._url} refused to {what}.")
        kind = {"VaultDown": "is down or on standby", "RateLimitExceeded": "has had too many requests"}
        return VaultError(f"Vault at {self._url} {kind.get(type(error).__name__, 'failed')}.", gone=True)

    def _no_vault(self, gone: bool) -> VaultError:
        sentence = f"The answer of {self._url} does not come from Vault. Check the address."
        return VaultError(sentence, gone=gone)

    @contextlib.contextmanager
    def _understood(self, gone: bool = True) -> c.Iterator[None]:
        try:
            yield
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self._no_vault(gone) from None


def _mount_url(mount: str) -> str:
    # What Vault's own command line asks to tell the versions of the engine apart.
    return str(hvac.utils.format_url("/v1/sys/internal/ui/mounts/{mount}", mount=mount))
