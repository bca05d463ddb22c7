"""A connection to this machine that shows at -vvv what each command answered, as the one over ssh does."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local
from ansible.utils.display import Display

DOCUMENTATION = """
name: talkative
short_description: This machine, as talkative as ssh
description: >-
  As local, and it shows answers as ssh does. A host called gone cannot be reached; a file whose path
  follows the name says why.
author: Tokensmith
"""

_MASKS = re.compile(r'"_ansible_new_secrets": \[.*?\](?=[,}])')


class Connection(Local):
    transport = "talkative"

    def exec_command(self, *args: t.Any, **options: t.Any) -> tuple[int, bytes, bytes]:
        address, _at, path = str(self._play_context.remote_addr).partition("@")
        if address == "gone":
            why = Path(path).read_text(encoding="utf-8") if path else "nobody there"
            raise AnsibleConnectionFailure(f"Failed to connect to the host: {why}")
        answer: tuple[int, bytes, bytes] = super().exec_command(*args, **options)
        # Since 2.22 modules hand the controller the secrets to mask in their answers, which connections show: Ansible's
        # own doing, whatever the module.
        shown = _MASKS.sub("", f"rc={answer[0]}, censored" if self._play_context.no_log else str(answer))
        Display().vvv(shown, host=self._play_context.remote_addr)
        return answer
