"""The demo's plot: four runs of one playbook and a proof. Whatever is not as it must be ends it."""

from __future__ import annotations

import re
import secrets
import shutil
import typing as t
from pathlib import Path

from tests.vault_variables import variables_of

from . import chronicle
from .chronicle import Chapter, Reference
from .playbooks import COLLECTIONS, Shell, environment
from .show import Screen
from .simulation import Simulation

FILES = Path(__file__).parent / "files"
USER = "svc-ansible"
NAMES = frozenset(("ci-read", "ci-write", "release-admin"))
PROVISION = ("ansible-playbook tokensmith.bitbucket.provision", "-e @tokens.yml --vault-password-file vault-password")
VIEW = "ansible-vault view secrets.yml --vault-password-file vault-password"
# Of the shortest lifetime declared: 30 days, replaced 10 days before its end, the old one valid for 3 more.
DAYS_TO_ROTATION = 21
DAYS_TO_THE_END_OF_GRACE = 4
_HEADLINE = re.compile(r'"(\d+ owners, \d+ tokens: [^"]*?)(?:, 0 owners failed)?"')
_ANSWER = re.compile(r'"msg": "HTTP (\d+) (.*)"')
Secrets = dict[Reference, str]


class ExpectationError(Exception):
    """Something was not as the demo promises."""


def expect(condition: bool, otherwise: str) -> None:
    if not condition:
        raise ExpectationError(otherwise)


class Story:
    """One telling, in an empty directory, against a fresh simulator."""

    def __init__(self, screen: Screen, simulation: Simulation, directory: Path) -> None:
        self._screen = screen
        self._simulation = simulation
        self._directory = directory
        self._shell = Shell(directory, environment(simulation, USER, directory))
        self._chapters: list[Chapter] = []
        self._known: set[str] = set(simulation.passwords.values())
        self._day = 0

    def tell(self) -> None:
        """From the first issue to the end of a rotation.

        :raises ExpectationError: with a sentence that says what was not as it must be.
        """
        self._declare()
        first = self._issue()
        self._nothing_to_do()
        rotated, second = self._rotate(first)
        self._retire(first, second, rotated)
        self._use(second)
        self._screen.chronicle(self._chapters)
        self._keep_quiet()

    def _declare(self) -> None:
        self._screen.step("Declare three tokens for every project: tests/demo/files/tokens.yml")
        shutil.copy(FILES / "tokens.yml", self._directory)
        shutil.copy(FILES / "use.yml", self._directory)
        password = secrets.token_urlsafe(32)
        self._known.add(password)
        path = self._directory / "vault-password"
        path.touch(mode=0o600)
        path.write_text(f"{password}\n", encoding="utf-8")
        self._screen.found("ci-read, ci-write: 90 days; release-admin: 60; in PAY two of them 30, by overrides")

    def _issue(self) -> Secrets:
        chapter = self._provision("First run: no token is there yet, so each is issued and delivered")
        expect(chapter.changed > 0 and set(chapter.events.values()) == {"issued"}, "The first run did not issue all.")
        expect(len(chapter.events) == 12, f"12 tokens were declared, and {len(chapter.events)} were issued.")
        found = self._delivered()
        expect(set(found) == set(chapter.events), "The vault file does not hold the secrets of the issued tokens.")
        expect(all(map(self._simulation.alive, found.values())), "A delivered secret does not work.")
        self._screen.found(f"secrets.yml is encrypted and holds {len(found)} secrets; each one works")
        return found

    def _nothing_to_do(self) -> None:
        chapter = self._provision("Second run: everything is as declared, so nothing changes")
        expect(chapter.changed == 0, f"The second run changed something: changed={chapter.changed}.")
        expect(set(chapter.events.values()) == {"kept"}, "The second run issued or revoked a token.")
        self._screen.found("changed=0: no token issued, none revoked")

    def _rotate(self, first: Secrets) -> tuple[list[Reference], Secrets]:
        self._move_clock(DAYS_TO_ROTATION)
        chapter = self._provision("Third run: PAY's monthly tokens are due, so each gets a successor")
        rotated = sorted(reference for reference, event in chapter.events.items() if event == "rotated")
        due = [("PAY", "ci-write"), ("PAY", "release-admin")]
        expect(rotated == due, f"{due} were due, and {rotated} were rotated.")
        second = self._delivered()
        for reference in rotated:
            expect(second[reference] != first[reference], f"The store still holds the old secret of {reference}.")
            expect(self._simulation.alive(second[reference]), f"The new secret of {reference} does not work.")
            expect(self._simulation.alive(first[reference]), f"The old secret of {reference} died within its grace.")
        self._screen.found(f"{_listed(rotated)}: the new secrets work, and within the grace the old ones still do")
        return rotated, second

    def _retire(self, first: Secrets, second: Secrets, rotated: list[Reference]) -> None:
        self._move_clock(DAYS_TO_THE_END_OF_GRACE)
        chapter = self._provision("Fourth run: the grace is over, so the old tokens are revoked")
        retired = sorted(reference for reference, event in chapter.events.items() if event == "old retired")
        expect(retired == rotated, f"{rotated} were to be retired, and {retired} were.")
        expect(self._delivered() == second, "The fourth run touched a secret in the store.")
        for reference in rotated:
            expect(self._simulation.alive(second[reference]), f"The new secret of {reference} does not work any more.")
            expect(not self._simulation.alive(first[reference]), f"The old secret of {reference} still works.")
        self._screen.found(f"{_listed(rotated)}: the old secrets are refused now, the new ones work")

    def _use(self, delivered: Secrets) -> None:
        project, name = reference = ("PAY", "ci-write")
        expect(reference in delivered, f"There is no secret of {reference} to use.")
        self._screen.step("Use a delivered secret: fetch it with the lookup, sign in with nothing else")
        command = ("ansible-playbook use.yml", f"-e project={project} -e reference=projects/{project}/tokens/{name}")
        lines = (*command, "--vault-password-file vault-password")
        self._screen.command(*lines)
        run = self._shell.without_credentials().run(" ".join(lines))
        answer = _ANSWER.search(run.output)
        expect(answer is not None and answer[1] == "200", "The server did not accept the secret that was looked up.")
        assert answer is not None
        self._screen.found(f"HTTP 200 {answer[2]}", run.seconds)

    def _provision(self, what: str) -> Chapter:
        """One run of the playbook, seen from the server."""
        self._screen.step(what)
        self._screen.command(*PROVISION)
        before, requests = self._world(), self._simulation.requests()
        run = self._shell.run(" ".join(PROVISION))
        after = self._world()
        chapter = Chapter(
            self._day,
            chronicle.events(before, after),
            run.changed,
            after.alive,
            self._simulation.requests() - requests,
            run.seconds,
        )
        headline = _HEADLINE.search(run.output)
        expect(headline is not None, "The playbook did not report what it did.")
        assert headline is not None
        self._screen.found(headline[1], run.seconds)
        self._chapters.append(chapter)
        return chapter

    def _world(self) -> chronicle.World:
        return chronicle.world_of(self._simulation.control("GET", "state"), NAMES)

    def _delivered(self) -> Secrets:
        """What the store holds, by Ansible's own means."""
        content = variables_of(self._shell.run(VIEW, remember=False).output)
        head = (self._directory / "secrets.yml").read_text(encoding="utf-8")[:14]
        expect(head == "$ANSIBLE_VAULT", "secrets.yml is not encrypted.")
        found: Secrets = {}
        for reference, secret in t.cast("dict[str, str]", content["bitbucket_tokens"]).items():
            _projects, project, _tokens, name = reference.split("/")
            found[project, name] = secret
        self._known.update(found.values())
        return found

    def _move_clock(self, days: int) -> None:
        self._screen.step(f"Let {days} days pass, on the server's clock")
        self._day += days
        now = self._simulation.control("POST", "clock", {"advance_days": days})["now"]
        self._screen.found(f"it is {now[:10]} now, day {self._day}")

    def _keep_quiet(self) -> None:
        leaks = sum(secret in output for secret in self._known for output in self._shell.printed)
        expect(leaks == 0, f"Ansible printed secrets, {leaks} times.")
        self._screen.found(f"None of the {len(self._known)} secrets and passwords is in anything that Ansible printed")


def introduce(screen: Screen, simulation: Simulation, directory: Path) -> None:
    """Say where this happens, and how to do it by hand."""
    counts = simulation.control("GET", "state")["counts"]
    screen.found(
        f"{simulation.url}, with {counts['projects']} projects, {counts['repositories']} repositories "
        f"and {counts['users']} users"
    )
    screen.found(
        f"The commands run in {directory}, as {USER}, with BITBUCKET_URL, BITBUCKET_USERNAME and BITBUCKET_PASSWORD "
        f"in the environment and ANSIBLE_COLLECTIONS_PATH={COLLECTIONS.relative_to(COLLECTIONS.parents[1])}"
    )


def _listed(references: list[Reference]) -> str:
    return ", ".join(f"{project} {name}" for project, name in references)
