"""What the roles rewrite in messages: every option of a module that is a variable of the role."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROLES = Path(__file__).resolve().parents[2] / "roles"


@pytest.mark.parametrize("role", ["project_tokens", "token_audit"])
def test_messages_name_the_variable_for_every_option_that_has_one(role):
    tasks = (ROLES / role / "tasks" / "main.yml").read_text(encoding="utf-8")
    texts = (ROLES / role / "vars" / "main.yml").read_text(encoding="utf-8")
    passed = set(re.findall(rf"^    (\w+): \"{{{{.*?{role}_\1\b.*}}}}\"$", tasks, re.MULTILINE))
    (pattern,) = re.findall(r"`\(\?=\(\?:(.*?)\)\[`\.:\]\)", "".join(re.findall(r"'([^'\n]*)'", texts)))
    # No message is about this one, and it is set by a playbook only.
    assert passed - {"assume_revoked"} == set(pattern.split("|"))
