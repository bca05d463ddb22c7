# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files that TLS needs, tried before anything is sent: met in the middle of a request, one that is of no use would
look like an answer that was lost.
"""

from __future__ import annotations

import os
import ssl
import typing as t

from ..core._errors import InputError

#: Variables of the environment that name a file of authorities, the first that is set counts: those of requests, then
#: the one of OpenSSL.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")


class Trusted(t.NamedTuple):
    """Whom to trust.

    ``verify`` is what the library wants: a file or directory, ``True`` for its own authorities, ``False`` for no check.
    ``source`` names it in messages.
    """

    verify: str | bool
    source: str


def trusted(validate_certs: bool, ca_path: str | None) -> Trusted:
    """Whom to trust.

    :raises InputError: if no certificate can be read there.
    """
    if not validate_certs:
        return Trusted(False, "`validate_certs` is false")
    variable = next((name for name in _BUNDLES if os.environ.get(name)), "")
    bundle = os.environ.get(variable, "")
    if not ca_path and bundle and not os.access(bundle, os.R_OK):
        # Not more, since it holds all authorities of the system: reading them twice takes longer than a request.
        raise InputError(f"{bundle} ({variable}) cannot be used: it does not exist, or may not be read.")
    # Path.is_dir raises where a folder above may not be searched.
    if ca_path and not os.path.isdir(ca_path):  # noqa: PTH112
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_path)
        except OSError as error:
            raise InputError(f"{ca_path} (`ca_path`) cannot be used: {_why_not(error)}.") from None
    if ca_path:
        return Trusted(ca_path, f"{ca_path} (`ca_path`)")
    return Trusted(bundle, f"{bundle} ({variable})") if bundle else Trusted(True, "the authorities that requests ships")


def check_client_certificate(certificate: str | None, key: str | None) -> None:
    """Prove that a certificate can be shown to a server.

    :raises InputError: if it cannot.
    """
    if not certificate:
        return
    try:
        # Asked by the library, OpenSSL would wait for somebody to type the passphrase of a key that has one.
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate, key, password=lambda: "")
    except OSError as error:
        raise InputError(
            f"{certificate} (`client_cert`) cannot be used: {_why_not(error)}. It must be a certificate in PEM "
            "form, and its key, there or in `client_key`, must fit and have no passphrase."
        ) from None


def _why_not(error: OSError) -> str:
    """The operating system's words, or those of OpenSSL."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "it is not in PEM form").replace("_", " ").lower()
    return error.strerror or "it cannot be read"
