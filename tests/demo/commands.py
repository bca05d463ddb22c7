"""The commands of README.md, typed as printed, with what they printed and how long they took."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.documented.sandbox import VAULT_PASSWORD, Sandbox

_RECAP = re.compile(r"^localhost\s+: ok=\d+\s+changed=(\d+)", re.MULTILINE)
_SECRET = re.compile(r"BBDC-[A-Za-z0-9+/=_-]*")


class CommandError(Exception):
    """A command failed. ``output`` is what it printed, without secrets."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class Finished:
    """What a command printed, and how long it took."""

    output: str
    seconds: float

    @property
    def changed(self) -> int:
        """``changed`` of the play's recap."""
        found = _RECAP.search(self.output)
        if found is None:
            raise CommandError("The playbook printed no recap.", self.output)
        return int(found[1])


@dataclass
class Commands:
    """Types in one shell; all that is printed is kept, to look for secrets in it."""

    sandbox: Sandbox
    printed: list[str] = field(default_factory=list)

    def run(self, command: str) -> Finished:
        """Run one command to its end.

        :raises CommandError: if it failed.
        """
        started = time.monotonic()
        finished = self.sandbox.run(command)
        self.printed.append(finished.output)
        if finished.status:
            output = _without((*self.sandbox.passwords.values(), VAULT_PASSWORD), finished.output)
            raise CommandError(f"`{command}` ended with exit code {finished.status}.", output)
        return Finished(finished.output, time.monotonic() - started)


def _without(secrets: Iterable[str], text: str) -> str:
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    return _SECRET.sub("[secret]", text)
