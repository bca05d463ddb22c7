"""Every kind of store, opened on something real enough, for the tests that hold for all of them."""

from __future__ import annotations

import abc
import base64
import contextlib
import json
import shlex
import sys
import typing as t
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.doubles import awx, vault_kv2
from tests.unit.plugins.plugin_utils.stores import openbao

ROOT = Path(__file__).resolve().parents[5]
CI = "projects/PAY/tokens/ci"
DEPLOY = "projects/PAY/repos/ledger/tokens/deploy"
ONE, TWO, THREE = "012345670123", "000000000002", "343808353895"


def secret_of(token_id: str, prefix: str = "BBDC-") -> str:
    """A secret as Bitbucket makes them, whose id can be read."""
    return prefix + base64.b64encode(f"{token_id}:".encode() + bytes(range(100, 120))).decode()


def entry(token_id: str, replaces: str | None = None, reference: str = CI, secret: str | None = None) -> Entry:
    return Entry(reference, token_id, secret_of(token_id) if secret is None else secret, replaces)


def play_vault(password: str = "a-vault-password-long-enough-4711") -> VaultLib:
    return VaultLib([("default", VaultSecret(password.encode()))])


def recorded_waits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """The method and the patience of every request from now on."""
    waits: list[tuple[str, float]] = []
    send = requests.Session.request

    def request(self: requests.Session, method: str, *args: t.Any, **kwargs: t.Any) -> requests.Response:
        waits.append((method, kwargs["timeout"][1]))
        return send(self, method, *args, **kwargs)

    monkeypatch.setattr(requests.Session, "request", request)
    return waits


class Kept(abc.ABC):
    """A place where a kind of store keeps secrets."""

    #: Whether the store shows a secret again.
    readable = True
    single = False
    name: str

    def __init__(self) -> None:
        self.options: dict[str, t.Any] = {}

    def open(self, **options: t.Any) -> Store:
        return open_store(self.name, {**self.options, **options}, play_vault(), self.single)

    @abc.abstractmethod
    def put(self, text: str) -> None:
        """Something that somebody has put in place of the secret of CI by hand."""


class Directory(Kept):
    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._path = directory
        self.name = f"file:{directory}"

    def put(self, text: str) -> None:
        path = self._path / f"{CI}.token"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


class OneFile(Kept):
    single = True

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._path = directory / "ci.token"
        self.name = f"file:{self._path}"

    def put(self, text: str) -> None:
        self._path.write_text(text, encoding="utf-8")


class VaultedFile(Kept):
    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._path = directory / "v.yml"
        self.name = f"ansible_vault:{self._path}"

    def put(self, text: str) -> None:
        self._path.write_bytes(play_vault().encrypt(yaml.safe_dump({"bitbucket_tokens": {CI: text}})))


class Helper(Kept):
    def __init__(self, directory: Path) -> None:
        super().__init__()
        self._path = directory / "kept.json"
        program = ROOT / "tests" / "doubles" / "helper.py"
        self.name = f"helper:{shlex.join([sys.executable, str(program), str(self._path)])}"

    def put(self, text: str) -> None:
        self._path.write_text(json.dumps({CI: {"id": "unknown", "secret": text}}), encoding="utf-8")


class KeyValue(Kept):
    """The KV v2 engine of a Vault, or of something like one.

    :param write: puts fields at a path below the mount, as somebody else does.
    """

    def __init__(self, url: str, mount: str, token: str, write: t.Callable[[str, dict[str, t.Any]], object]) -> None:
        super().__init__()
        # Tests share a server.
        prefix = f"team/{uuid.uuid4()}"
        self.name = f"hashi_vault:{mount}/{prefix}"
        self.path = f"{prefix}/{CI}"
        self.options = {"url": url, "token": token}
        self._write = write

    def put(self, text: str) -> None:
        self._write(self.path, {"secret": text, "note": "by hand"})


@contextlib.contextmanager
def vault_double() -> Iterator[Kept]:
    with vault_kv2.running() as (double, url):
        yield KeyValue(url, "kv", vault_kv2.TOKEN, double.put)


def on_openbao(bao: openbao.OpenBao) -> KeyValue:
    engine = bao.root.secrets.kv.v2
    return KeyValue(
        bao.url,
        openbao.MOUNT,
        openbao.ROOT_TOKEN,
        lambda path, fields: engine.create_or_update_secret(path, fields, mount_point=openbao.MOUNT),
    )


class Credentials(Kept):
    readable = False

    def __init__(self, double: awx.AwxDouble, url: str) -> None:
        super().__init__()
        self._double = double
        self.name = "awx_credential:Bitbucket {reference}"
        self.options = {"url": url, "token": awx.TOKEN, "organization": "Payments"}

    def put(self, text: str) -> None:
        self._double.put(f"Bitbucket {CI}", text)


@contextlib.contextmanager
def awx_double() -> Iterator[Kept]:
    with awx.running() as (double, url):
        yield Credentials(double, url)


Context = contextlib.AbstractContextManager[Kept]
#: Each opens its place in a directory; a real server is shared by the whole session.
KINDS: dict[str, t.Callable[[Path, t.Any], Context]] = {
    "file": lambda directory, _request: contextlib.nullcontext(Directory(directory)),
    "one file": lambda directory, _request: contextlib.nullcontext(OneFile(directory)),
    "ansible_vault": lambda directory, _request: contextlib.nullcontext(VaultedFile(directory)),
    "hashi_vault on a double": lambda _directory, _request: vault_double(),
    "hashi_vault on OpenBao": lambda _directory, request: contextlib.nullcontext(
        on_openbao(request.getfixturevalue("bao"))
    ),
    "awx_credential on a double": lambda _directory, _request: awx_double(),
    "helper": lambda directory, _request: contextlib.nullcontext(Helper(directory)),
}
