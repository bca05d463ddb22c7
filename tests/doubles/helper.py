"""A helper that keeps its promises: secrets in a JSON file, which the first argument names."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import typing as t
from pathlib import Path


def answer(held: dict[str, dict[str, t.Any]], asked: dict[str, t.Any]) -> dict[str, t.Any]:
    if asked["verb"] == "prepare":
        return {"ready": True}
    reference = asked["reference"]
    entry = held.get(reference)
    token_id = entry["id"] if entry else None
    if asked["verb"] == "read":
        return {"reference": reference, "id": token_id}
    if asked["verb"] == "secret":
        return {"reference": reference, "secret": entry["secret"] if entry else None}
    if asked["verb"] == "remove":
        if token_id not in (None, asked["id"]):
            return {"reference": reference, "answer": "refused"}
        held.pop(reference, None)
        return {"reference": reference, "answer": "removed"}
    if token_id not in (asked["replaces"], asked["id"]):
        return {"reference": reference, "answer": "refused"}
    held[reference] = {"id": asked["id"], "secret": asked["secret"]}
    return {"reference": reference, "answer": "written"}


def main() -> None:
    os.umask(0o077)
    path = Path(sys.argv[1])
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        answers = [answer(held, json.loads(line)) for line in sys.stdin]
        path.write_text(json.dumps(held), encoding="utf-8")
    for line in answers:
        print(json.dumps(line))


if __name__ == "__main__":
    main()
