"""Every kind of store, opened on something real enough, for the tests that hold for all of them."""

from __future__ import annotations

import abc
import base64
import contextlib
import json
import shlex
import sys
import typing as t
from collections.abc import Iterator
from pathlib import Path

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._stores.base import Entry, Store
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._stores.catalogue import open_store

ROOT = Path(__file__).resolve().parents[4]
CI = "projects/PAY/tokens/ci"
DEPLOY = "projects/PAY/repos/ledger/tokens/deploy"
ONE, TWO, THREE = "012345670123", "000000000002", "343808353895"


def secret_of(token_id: str, prefix: str = "BBDC-") -> str:
    """A secret as Bitbucket makes them, whose id can be read."""
    return prefix + base64.b64encode(f"{token_id}:".encode() + bytes(range(100, 120))).decode()


def entry(token_id: str, replaces: str | None = None, reference: str = CI, secret: str | None = None) -> Entry:
    return Entry(reference, token_id, secret_of(token_id) if secret is None else secret, replaces)


def play_vault() -> VaultLib:
    return VaultLib([("default", VaultSecret(b"a-vault-password-long-enough-4711"))])


class Kept(abc.ABC):
    """A place where a kind of store keeps secrets."""

    #: Whether the store shows a secret again.
    readable = True
    single = False
    name: str
    options: t.ClassVar[dict[str, t.Any]] = {}

    def open(self, **options: t.Any) -> Store:
        return open_store(self.name, {**self.options, **options}, play_vault(), self.single)

    @abc.abstractmethod
    def put(self, text: str) -> None:
        """Something that somebody has put in place of the secret of CI by hand."""


class Directory(Kept):
    def __init__(self, directory: Path) -> None:
        self._path = directory
        self.name = f"file:{directory}"

    def put(self, text: str) -> None:
        path = self._path / f"{CI}.token"
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")


class OneFile(Kept):
    single = True

    def __init__(self, directory: Path) -> None:
        self._path = directory / "ci.token"
        self.name = f"file:{self._path}"

    def put(self, text: str) -> None:
        self._path.write_text(text, encoding="utf-8")


class VaultedFile(Kept):
    def __init__(self, directory: Path) -> None:
        self._path = directory / "v.yml"
        self.name = f"ansible_vault:{self._path}"

    def put(self, text: str) -> None:
        self._path.write_bytes(play_vault().encrypt(yaml.safe_dump({"bitbucket_tokens": {CI: text}})))


class Helper(Kept):
    def __init__(self, directory: Path) -> None:
        self._path = directory / "kept.json"
        program = ROOT / "tests" / "doubles" / "helper.py"
        self.name = f"helper:{shlex.join([sys.executable, str(program), str(self._path)])}"

    def put(self, text: str) -> None:
        self._path.write_text(json.dumps({CI: {"id": "unknown", "secret": text}}), encoding="utf-8")


KINDS: dict[str, t.Callable[[Path], contextlib.AbstractContextManager[Kept]]] = {
    "file": lambda directory: contextlib.nullcontext(Directory(directory)),
    "one file": lambda directory: contextlib.nullcontext(OneFile(directory)),
    "ansible_vault": lambda directory: contextlib.nullcontext(VaultedFile(directory)),
    "helper": lambda directory: contextlib.nullcontext(Helper(directory)),
}


def kept(kind: str, directory: Path) -> Iterator[Kept]:
    with KINDS[kind](directory) as place:
        yield place
