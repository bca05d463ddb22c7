"""Lays the built collection out for ansible-test: python tests/sanity/prepare.py ARTIFACT DESTINATION.

Besides unpacking, it prepares the home directory that ansible-test gets, since ansible-test passes on little of the
environment: its get-pip script is put where it would download one to, and pip's settings go into a file.
"""

from __future__ import annotations

import configparser
import os
import re
import shutil
import sys
from pathlib import Path

import ansible_test

GET_PIP = Path(__file__).with_name("get_pip.py")


def unpack(artifact: Path, destination: Path) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    shutil.unpack_archive(artifact, destination)


def wanted_pips() -> set[str]:
    """The versions of pip that this ansible-test may ask for; they are part of the script's name."""
    source = Path(ansible_test.__path__[0], "_internal", "python_requirements.py").read_text(encoding="utf-8")
    return set(re.findall(r"""\bpip=['"]([0-9.]+)['"]""", source))


def place_get_pip(home: Path) -> None:
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    versions = wanted_pips()
    if not versions:
        sys.exit("make: this ansible-core names no version of pip for ansible-test; see tests/sanity/prepare.py")
    for version in versions:
        shutil.copyfile(GET_PIP, cache / f"get_pip_{version.replace('.', '_')}.py")


def keep_pip_settings(home: Path) -> None:
    """Write the user's pip settings, from file and environment, where ansible-test's pip looks."""
    settings = configparser.RawConfigParser()
    settings.read(os.environ.get("PIP_CONFIG_FILE", os.devnull), encoding="utf-8")
    if not settings.has_section("global"):
        settings.add_section("global")
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            settings.set("global", name.removeprefix("PIP_").lower().replace("_", "-"), value)
    # Of pip only errors are worth reading between the tests.
    settings.set("global", "quiet", "2")
    path = home / ".config" / "pip" / "pip.conf"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with path.open("w", encoding="utf-8") as file:
        settings.write(file)


def main(artifact: str, destination: str) -> None:
    home = Path(os.environ["HOME"])
    unpack(Path(artifact), Path(destination))
    place_get_pip(home)
    keep_pip_settings(home)


if __name__ == "__main__":
    main(*sys.argv[1:])
