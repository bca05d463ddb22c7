"""Every result as a line of JSON, as callbacks that feed other programs write them."""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible.module_utils.common.json import AnsibleJSONEncoder
from ansible.plugins.callback import CallbackBase, strip_internal_keys

DOCUMENTATION = """
name: json_results
type: notification
short_description: Results as lines of JSON
description: Results as lines of JSON, in the file that E(LEAKS_JSON) names.
author: Tokensmith
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "json_results"

    def _write(self, outcome: str, result: t.Any) -> None:
        line = {"outcome": outcome, "task": result._task.get_name(), "host": result._host.get_name()}
        line["result"] = strip_internal_keys(result._result)
        with Path(os.environ["LEAKS_JSON"]).open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, cls=AnsibleJSONEncoder) + "\n")

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write("ok", result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._write("failed", result)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        self._write("unreachable", result)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._write("item ok", result)

    def v2_runner_item_on_failed(self, result: t.Any) -> None:
        self._write("item failed", result)
