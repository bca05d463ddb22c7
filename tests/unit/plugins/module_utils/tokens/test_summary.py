"""The lines for people: what was done or would be, what failed, and how many more there are."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._summary import SHOWN, lines_of

COUNTS = {"owners": 2, "owners_failed": 1, "tokens": 6, "issued": 3, "updated": 0, "revoked": 1}
CI = "projects/PAY/tokens/ci"


def change(step: str, reason: str, token_id: str | None = "012345670123") -> dict[str, t.Any]:
    return {"reference": CI, "step": step, "reason": reason, "id": token_id}


def failure(msg: str, **more: str) -> dict[str, t.Any]:
    return {"owner": "projects/PAY", "reference": None, "reason": "error", "msg": msg, **more}


def result(*changes: dict[str, t.Any], failures: t.Sequence[dict[str, t.Any]] = ()) -> dict[str, t.Any]:
    return {"counts": COUNTS, "changes": list(changes), "failures": list(failures)}


@pytest.mark.parametrize(
    ("check_mode", "lines"),
    [
        (
            False,
            [
                "2 owners, 6 tokens: 3 issued, 0 updated, 1 revoked, 1 owners failed",
                f"issue {CI} (absent)",
                f"revoke {CI}, token 012345670123 (superseded)",
            ],
        ),
        (
            True,
            [
                "2 owners, 6 tokens: 3 would be issued, 0 would be updated, 1 would be revoked, 1 owners failed",
                f"would issue {CI} (absent)",
                f"would revoke {CI}, token 012345670123 (superseded)",
            ],
        ),
    ],
)
def test_it_says_what_was_done_or_would_be(check_mode, lines):
    done = result(change("issue", "absent", None if check_mode else "1"), change("revoke", "superseded"))
    assert lines_of(done, check_mode) == lines


def test_of_many_changes_the_first_are_shown_and_the_others_counted():
    lines = lines_of(result(*[change("issue", "absent")] * (SHOWN + 1234)), False)
    assert len(lines) == SHOWN + 2
    assert lines[-1] == "and 1,234 more"
    assert len(lines_of(result(*[change("issue", "absent")] * SHOWN), False)) == SHOWN + 1


def test_tokens_that_need_manual_attention_come_first_and_are_all_named():
    plain = [failure(f"Owner {number} failed.") for number in range(SHOWN + 2)]
    manual = [failure(f"Revoke {number} manually.", id=str(number)) for number in range(SHOWN + 1)]
    lines = lines_of(result(failures=[*plain, *manual]), False)[1:]
    assert lines[: SHOWN + 1] == [f"failed: Revoke {number} manually." for number in range(SHOWN + 1)]
    assert lines[SHOWN + 1] == "failed: Owner 0 failed."
    assert lines[-1] == "failed: and 2 more"


def test_a_run_that_ended_before_it_looked_has_no_figures():
    assert lines_of({"failures": [failure("The store is gone.")]}, False) == ["failed: The store is gone."]
