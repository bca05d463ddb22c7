"""A certificate authority of its own, for TLS and client certificates: ``python -m tests.simulator.tls DIRECTORY``."""

from __future__ import annotations

import datetime
import ipaddress
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Extensions = list[tuple[x509.ExtensionType, bool]]
LIFETIME = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files."""

    ca: str
    server_certificate: str
    server_key: str
    client_certificate: str
    client_key: str


@dataclass(frozen=True)
class _Issuer:
    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def make_certificates(
    directory: Path,
    host: str = "localhost",
    address: str = "127.0.0.1",
    lifetime: datetime.timedelta = LIFETIME,
    more_hosts: Sequence[str] = (),
) -> Certificates:
    """A CA, a server certificate for the hosts (with a negative lifetime one that has expired), and a client
    certificate; keys are 0600.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    issuer = _Issuer(_name("Simulator CA"), key)
    authority: Extensions = [(x509.BasicConstraints(True, None), True), (_authority_usage(), True)]
    ca = _write(directory, "ca", _sign(issuer, issuer.name, key, authority), key)[0]
    names = [x509.DNSName(name) for name in (host, *more_hosts)]
    addresses = x509.SubjectAlternativeName([*names, x509.IPAddress(ipaddress.ip_address(address))])
    server_use: Extensions = [(addresses, False), _usage(ExtendedKeyUsageOID.SERVER_AUTH)]
    server = _leaf(directory, issuer, "server", server_use, lifetime)
    client = _leaf(directory, issuer, "client", [_usage(ExtendedKeyUsageOID.CLIENT_AUTH)])
    return Certificates(ca, *server, *client)


def _leaf(
    directory: Path, issuer: _Issuer, name: str, extensions: Extensions, lifetime: datetime.timedelta = LIFETIME
) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    return _write(directory, name, _sign(issuer, _name(f"Simulator {name}"), key, extensions, lifetime), key)


def _sign(
    issuer: _Issuer,
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    extensions: Extensions,
    lifetime: datetime.timedelta = LIFETIME,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.timezone(datetime.timedelta(0)))
    public, authority = key.public_key(), issuer.key.public_key()
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer.name).public_key(public)
    builder = builder.serial_number(x509.random_serial_number())
    end = now + lifetime
    builder = builder.not_valid_before(min(now, end) - datetime.timedelta(hours=1)).not_valid_after(end)
    identifiers: Extensions = [
        (x509.SubjectKeyIdentifier.from_public_key(public), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), False),
    ]
    for extension, critical in identifiers + extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer.key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(purpose: x509.ObjectIdentifier) -> tuple[x509.ExtensionType, bool]:
    return x509.ExtendedKeyUsage([purpose]), False


def _authority_usage() -> x509.KeyUsage:
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement")
    nothing = dict.fromkeys([*names, "encipher_only", "decipher_only"], False)
    return x509.KeyUsage(key_cert_sign=True, crl_sign=True, **nothing)


def _write(
    directory: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> tuple[str, str]:
    pem = serialization.Encoding.PEM
    certificate_path, key_path = directory / f"{name}.pem", directory / f"{name}.key"
    certificate_path.write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with os.fdopen(os.open(key_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)
    return str(certificate_path), str(key_path)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    make_certificates(target)
