"""Stands in for the get-pip script that ansible-test downloads, so that sanity needs nothing but a package index.

ansible-test runs it inside a new virtual environment, with the options of get-pip: the wanted `pip==VERSION`, and
switches such as --no-setuptools. Python brings a pip of its own along; that one installs the wanted version.
"""

from __future__ import annotations

import subprocess
import sys


def main(arguments: list[str]) -> None:
    wanted = [argument for argument in arguments if not argument.startswith("-")]
    python = sys.executable
    # ensurepip forgets every PIP_ variable of its process, hence one of its own.
    subprocess.run([python, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
    subprocess.run(install, check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
