"""The demo's plot: the first example of README.md over a month, and what uses a token. An unexpected result ends it."""

from __future__ import annotations

import re
import textwrap
import typing as t

import yaml

from tests.documented import network
from tests.documented.sandbox import VAULT_PASSWORD, Sandbox
from tests.vault_variables import variables_of

from . import history, readme
from .commands import Commands
from .history import Reference, RunRecord
from .readme import CONSUMER, DECLARATION
from .show import Screen
from .simulation import ROOT

# PAY's ci-write lives for 30 days, is replaced 10 days before its end, and the old one is valid for 7 more.
DAYS_TO_ROTATION = 21
DAYS_TO_THE_END_OF_GRACE = 8
DUE: list[Reference] = [("PAY", "ci-write")]
_HEADLINE = re.compile(r'"(\d+ owners, \d+ tokens: [^"]*?)(?:, 0 owners failed)?"')
Secrets = dict[Reference, str]


class ExpectationError(Exception):
    """Something was not as the demo promises."""


def expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ExpectationError(otherwise)


class Scenario:
    """One telling, in an empty directory, against a fresh simulator."""

    def __init__(self, screen: Screen, sandbox: Sandbox) -> None:
        self._screen = screen
        self._sandbox = sandbox
        self._example = readme.example(DECLARATION)
        declared = yaml.safe_load(self._example.text)
        self._names = frozenset(entry["name"] for entry in declared["project_tokens_set"])
        self._store = sandbox.directory / declared["project_tokens_store"].partition(":")[2]
        self._commands = Commands(sandbox)
        self._records: list[RunRecord] = []
        self._known = {*sandbox.passwords.values(), VAULT_PASSWORD}
        self._day = 0

    def tell(self) -> None:
        """From the first issue to the end of a rotation.

        :raises ExpectationError: with a sentence that says what was not as it must be.
        """
        self._declare()
        first = self._issue()
        self._nothing_to_do()
        second = self._rotate(first)
        self._retire(first, second)
        self._use()
        self._screen.history(self._records)
        self._keep_quiet()

    def _declare(self) -> None:
        self._screen.step(f"Write {DECLARATION}, as the first example of README.md prints it")
        self._sandbox.write(DECLARATION, self._example.text)
        password = self._sandbox.place / "vault-password"
        password.touch(mode=0o600)
        password.write_text(VAULT_PASSWORD, encoding="utf-8")
        self._screen.found("ci-read and ci-write for the projects PAY and SHOP; in PAY ci-write lives for 30 days")

    def _issue(self) -> Secrets:
        self._screen.step("Sign in, and look at what would be done")
        for command in self._example.commands[:-1]:
            self._type(command)
        expect(not self._snapshot().tokens, "Check mode issued a token.")
        self._screen.found("nothing was changed")
        record = self._provision("First run: no token is there yet, so each is issued and delivered")
        expect(record.changed > 0 and set(record.events.values()) == {"issued"}, "The first run did not issue all.")
        expect(len(record.events) == 4, f"4 tokens were declared, and {len(record.events)} were issued.")
        found = self._delivered()
        expect(set(found) == set(record.events), "The vault file does not hold the secrets of the issued tokens.")
        expect(all(map(self._alive, found.values())), "A delivered secret does not work.")
        self._screen.found(f"{self._store.name} is encrypted and holds {len(found)} secrets; each one works")
        return found

    def _nothing_to_do(self) -> None:
        record = self._provision("Second run: everything is as declared, so nothing changes")
        expect(record.changed == 0, f"The second run changed something: changed={record.changed}.")
        expect(set(record.events.values()) == {"kept"}, "The second run issued or revoked a token.")
        self._screen.found("changed=0: no token issued, none revoked")

    def _rotate(self, first: Secrets) -> Secrets:
        self._move_clock(DAYS_TO_ROTATION)
        record = self._provision("Third run: ci-write of PAY is due, so it gets a successor")
        rotated = sorted(reference for reference, event in record.events.items() if event == "rotated")
        expect(rotated == DUE, f"{DUE} were due, and {rotated} were rotated.")
        second = self._delivered()
        for reference in DUE:
            expect(second[reference] != first[reference], f"The store still holds the old secret of {reference}.")
            expect(self._alive(second[reference]), f"The new secret of {reference} does not work.")
            expect(self._alive(first[reference]), f"The old secret of {reference} stopped working in its grace.")
        self._screen.found("the new secret works, and in its grace period the old one does too")
        return second

    def _retire(self, first: Secrets, second: Secrets) -> None:
        self._move_clock(DAYS_TO_THE_END_OF_GRACE)
        record = self._provision("Fourth run: the grace period is over, so the old token is revoked")
        retired = sorted(reference for reference, event in record.events.items() if event == "old retired")
        expect(retired == DUE, f"{DUE} were to be retired, and {retired} were.")
        expect(self._delivered() == second, "The fourth run touched a secret in the store.")
        for reference in DUE:
            expect(self._alive(second[reference]), f"The new secret of {reference} does not work any more.")
            expect(not self._alive(first[reference]), f"The old secret of {reference} still works.")
        self._screen.found("the old secret is refused now, the new one works")

    def _use(self) -> None:
        self._screen.step(f"Use a token: {CONSUMER} of README.md signs in with nothing else")
        example = readme.example(CONSUMER)
        self._sandbox.write(CONSUMER, example.text)
        self._type("unset BITBUCKET_USERNAME BITBUCKET_PASSWORD")
        for command in example.commands:
            self._screen.command(*_wrapped(command))
            run = self._commands.run(command)
            expect('"ledger"' in run.output, "The server did not accept the secret that was delivered.")
            self._screen.found("the server accepted the token, and listed the repositories of PAY", run.seconds)

    def _type(self, command: str) -> None:
        self._screen.command(*_wrapped(command))
        self._commands.run(command)

    def _provision(self, what: str) -> RunRecord:
        """One run of the playbook, seen from the server."""
        self._screen.step(what)
        command = self._example.commands[-1]
        self._screen.command(*_wrapped(command))
        before, requests = self._snapshot(), len(self._sandbox.bitbucket.requests)
        run = self._commands.run(command)
        after = self._snapshot()
        record = RunRecord(
            self._day,
            history.events(before, after),
            run.changed,
            after.alive,
            len(self._sandbox.bitbucket.requests) - requests,
            run.seconds,
        )
        headline = _HEADLINE.search(run.output)
        expect(headline is not None, "The playbook did not report what it did.")
        assert headline is not None
        self._screen.found(headline[1], run.seconds)
        self._records.append(record)
        return record

    def _snapshot(self) -> history.Snapshot:
        return history.snapshot_of(self._sandbox.bitbucket.state(), self._names)

    def _alive(self, secret: str) -> bool:
        return self._sandbox.bitbucket.authenticates(secret)

    def _delivered(self) -> Secrets:
        """What the store holds, decrypted with the password that was typed."""
        head = self._store.read_text(encoding="utf-8")[:14]
        expect(head == "$ANSIBLE_VAULT", f"{self._store.name} is not encrypted.")
        # Through a pipe: on a terminal it opens a pager.
        shown = self._sandbox.run(
            f"ansible-vault view {self._store.name} --vault-password-file ../vault-password | cat"
        )
        content = variables_of(shown.output)
        found: Secrets = {}
        for reference, secret in t.cast("dict[str, str]", content["bitbucket_tokens"]).items():
            _projects, project, _tokens, name = reference.split("/")
            found[project, name] = secret
        self._known.update(found.values())
        return found

    def _move_clock(self, days: int) -> None:
        self._screen.step(f"Let {days} days pass, on the server's clock")
        self._day += days
        self._sandbox.bitbucket.clock.advance(days=days)
        self._screen.found(f"it is {self._sandbox.bitbucket.clock.now():%Y-%m-%d} now, day {self._day}")

    def _keep_quiet(self) -> None:
        leaks = sum(secret in output for secret in self._known for output in self._commands.printed)
        expect(leaks == 0, f"Ansible printed secrets, {leaks} times.")
        self._screen.found(f"None of the {len(self._known)} secrets and passwords is in anything that Ansible printed")


def introduce(screen: Screen, sandbox: Sandbox) -> None:
    """Say where this happens."""
    counts = sandbox.bitbucket.state()["counts"]
    screen.found(
        f"{counts['projects']} projects, {counts['repositories']} repositories and {counts['users']} users; the proxy "
        f"{sandbox.network.proxy_url} connects https://{network.BITBUCKET} with it"
    )
    screen.found(
        f"The commands run in {sandbox.directory.relative_to(ROOT)}, and the passwords that they ask for are typed"
    )


def _wrapped(command: str) -> list[str]:
    """Lines that fit on a screen."""
    return textwrap.wrap(command, 66, break_long_words=False, break_on_hyphens=False)
