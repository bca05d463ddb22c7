"""Helpers that do what no helper should: the first argument says which."""

from __future__ import annotations

import json
import sys
import typing as t
from pathlib import Path


def ready(asked: dict[str, t.Any]) -> dict[str, t.Any] | None:
    """As long as no secret is involved they behave."""
    if asked["verb"] == "prepare":
        return {"ready": True}
    return {"reference": asked["reference"], "id": None} if asked["verb"] == "read" else None


def main() -> int:
    lines = [json.loads(line) for line in sys.stdin]
    answers = [ready(line) for line in lines]
    if all(answers):
        print("\n".join(map(json.dumps, answers)))
        return 0
    spoken = json.dumps(lines)
    kind = sys.argv[1]
    if kind == "shouts":
        print(spoken, file=sys.stderr)
        return 1
    if kind == "reads":
        spoken = Path(sys.argv[2]).read_text(encoding="utf-8")
    if kind == "echoes":
        print(spoken)
    if kind in ("complains", "reads"):
        for line in lines:
            print(json.dumps({"reference": line["reference"], "answer": "unknown", "error": spoken}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
