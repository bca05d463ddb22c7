"""``make demo`` as continuous integration would run it: a process with no terminal."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.documented.blocks import blocks_of

ROOT = Path(__file__).resolve().parents[2]
WORKPLACES = ROOT / ".cache" / "demo"
COMMAND = [sys.executable, "-m", "tests.demo"]
BUILT = ROOT / ".cache" / "collections" / "ansible_collections" / "tokensmith" / "bitbucket" / "MANIFEST.json"

pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="the collection is not built: make build")


@pytest.fixture
def environment(tmp_path):
    """What continuous integration has: no terminal, no home worth naming, and somebody's settings in the way."""
    return {
        "CI": "true",
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "TERM": "dumb",
        "BITBUCKET_URL": "http://192.0.2.1",
        "BITBUCKET_TOKEN": "somebody's own",
        "ANSIBLE_VAULT_PASSWORD_FILE": "/nonexistent",
    }


def secrets_in(text):
    """Tokens, and what could be a generated password: nothing else is so long and has digits in it."""
    words = re.findall(r"BBDC-\S*|[A-Za-z0-9_-]{20,}", text)
    return [word for word in words if word.startswith("BBDC-") or re.search(r"\d", word)]


def left_running(url):
    """Whether anything still listens at the address of the proxy."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", urlsplit(url).port)) == 0


def test_the_demo_keeps_its_promises_prints_no_secret_and_leaves_nothing(environment, tmp_path):
    run = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    assert run.stderr == ""
    assert "changed=0: no token issued, none revoked" in run.stdout
    assert re.search(r"^ +ci-write +issued +kept +rotated +old retired *$", run.stdout, re.MULTILINE)
    assert re.search(r"^ +changed +1 +0 +1 +1 *$", run.stdout, re.MULTILINE)
    assert "the server accepted the token, and listed the repositories of PAY" in run.stdout
    commands = [line for block in blocks_of(ROOT / "README.md", ROOT) for line in block.commands]
    typed = re.sub(r" \\\n +", " ", run.stdout)
    for command in re.findall(r"^   \$ (.*)$", typed, re.MULTILINE):
        assert command in commands or command.startswith("unset "), f"README.md prints no {command}"
    assert max(map(len, run.stdout.splitlines())) <= 80
    url = re.search(r"http://127\.0\.0\.1:\d+", run.stdout)
    assert url
    assert not left_running(url[0])
    assert list(tmp_path.iterdir()) == [], "something was left in the home directory"
    assert secrets_in(run.stdout) == []
    assert "None of the 8 secrets and passwords is in anything that Ansible printed" in run.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_stopped_demo_takes_everything_with_it(environment, number):
    demo = subprocess.Popen(
        COMMAND,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell ignores SIGINT for what it runs in the background, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if "ansible-playbook" in line:
            break
    time.sleep(1)
    demo.send_signal(number)
    rest = demo.communicate(timeout=60)[0]
    assert demo.returncode == 128 + number
    assert "nothing is left running" in rest
    workplace = re.search(r"\.cache/demo/run-\w+", "".join(seen))
    assert workplace
    assert not (ROOT / workplace[0]).exists()
    assert workplace[0] not in subprocess.run(["ps", "-axww"], capture_output=True, text=True, check=True).stdout


def test_what_is_missing_is_said_in_one_line(environment):
    script = (
        "import sys, pathlib; from tests.demo import __main__ as demo, needs;"
        " needs.COLLECTION = pathlib.Path('/nonexistent'); sys.exit(demo.main())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr.count("\n") == 1
    assert "run `make demo`" in run.stderr
