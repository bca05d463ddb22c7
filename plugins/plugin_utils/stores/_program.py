# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a program that answers JSON lines with JSON lines, whatever it does instead."""

from __future__ import annotations

import collections.abc as c
import contextlib
import json
import os
import selectors
import signal
import subprocess
import threading
import time
import typing as t

Line = dict[str, t.Any]

# A line of an answer holds one secret at most.
_LONGEST_LINE = 64 * 1024
_CHUNK = 64 * 1024
# What the modules sign in with is no concern of a helper.
_KEPT_BACK = ("BITBUCKET_PASSWORD", "BITBUCKET_TOKEN")


class Dialogue(t.NamedTuple):
    """The answers in their order, and what went wrong, which continues "PROGRAM …"; nothing of what it said."""

    answers: list[Line]
    failure: str = ""


def converse(command: c.Sequence[str], requests: c.Sequence[Line], timeout: float) -> Dialogue:
    """Run ``command``, give it the requests on standard input, and take one line for each.

    Its standard error is discarded, since it may hold secrets.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _KEPT_BACK}
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            # A group of its own, so that what it has started ends with it.
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return Dialogue([], f"cannot be started: {getattr(error, 'strerror', None) or 'its name cannot be one'}.")
    feeder = threading.Thread(target=_feed, args=(process, requests), daemon=True)
    feeder.start()
    try:
        deadline = time.monotonic() + timeout
        output, failure = _output(process, len(requests) * _LONGEST_LINE, deadline)
        failure = failure or _ending(process, deadline)
    finally:
        _end(process)
        feeder.join(1)
    answers, broken = _parsed(output)
    if not failure and (broken or len(answers) != len(requests)):
        failure = "did not answer with one line of JSON for each request."
    return Dialogue(answers, failure and failure.replace("TIMEOUT", f"{timeout:g}"))


def _feed(process: subprocess.Popen[bytes], requests: c.Sequence[Line]) -> None:
    pipe = t.cast("t.IO[bytes]", process.stdin)
    # It may end without reading everything; its answers tell.
    with contextlib.suppress(OSError, ValueError), pipe:
        for request in requests:
            pipe.write(json.dumps(request).encode() + b"\n")


def _output(process: subprocess.Popen[bytes], most: int, deadline: float) -> tuple[bytes, str]:
    pipe = t.cast("t.IO[bytes]", process.stdout)
    chunks: list[bytes] = []
    size = 0
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return b"".join(chunks), "did not end within TIMEOUT seconds (`store_options.timeout`)."
            chunk = os.read(pipe.fileno(), _CHUNK)
            if not chunk:
                return b"".join(chunks), ""
            chunks.append(chunk)
            size += len(chunk)
            if size > most or time.monotonic() > deadline:
                return b"".join(chunks), "did not come to an end with its answers."


def _ending(process: subprocess.Popen[bytes], deadline: float) -> str:
    try:
        status = process.wait(max(0.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return "did not end within TIMEOUT seconds (`store_options.timeout`)."
    return f"ended with status {status}; run it manually to see why." if status else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    t.cast("t.IO[bytes]", process.stdout).close()


def _parsed(output: bytes) -> tuple[list[Line], bool]:
    """The answers up to the first invalid line, and whether there is one."""
    answers: list[Line] = []
    for text in output.split(b"\n"):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            return answers, True
        if not isinstance(line, dict):
            return answers, True
        answers.append(line)
    return answers, False
