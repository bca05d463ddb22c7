"""Keeps secrets with pass (https://www.passwordstore.org). Copy it and say: store: helper:python3 store_with_pass.py"""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(os.environ.get("PASSWORD_STORE_DIR") or pathlib.Path.home() / ".password-store")


def run_pass(*arguments: str, text: str = "") -> list[str]:
    # A pass that fails ends this program, and the store with it: no answer is never taken for "nothing".
    done = subprocess.run(["pass", *arguments], input=text, stdout=subprocess.PIPE, text=True, check=True)
    return [*done.stdout.splitlines(), "", ""]


with (ROOT / ".bitbucket.lock").open("w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    for asked in map(json.loads, sys.stdin):
        name = f"bitbucket/{asked.get('reference')}"
        secret, held = run_pass("show", name)[:2] if (ROOT / f"{name}.gpg").is_file() else (None, None)
        held = held if held is None or held.isdigit() else "unknown"
        answers = {"prepare": {"ready": True}, "read": {"id": held}, "secret": {"secret": secret}}
        if asked["verb"] == "write":
            if held == asked["replaces"]:
                run_pass("insert", "--multiline", "--force", name, text=f"{asked['secret']}\n{asked['id']}\n")
            answers["write"] = {"answer": "written" if held in (asked["replaces"], asked["id"]) else "refused"}
        if asked["verb"] == "remove":
            if held == asked["id"]:
                run_pass("rm", "--force", name)
            answers["remove"] = {"answer": "removed" if held in (None, asked["id"]) else "refused"}
        print(json.dumps({"reference": asked.get("reference"), **answers[asked["verb"]]}), flush=True)
