"""What is promised, and the tests that show it. ``python -m tests.promises`` names them for ``make test-reliability``,
which counts them by promise; the guide to reliability says the same in words.
"""

from __future__ import annotations

import os

#: ``RELIABILITY=full``: every point and many examples, instead of a sample.
FULL = os.environ.get("RELIABILITY") == "full"

_UTILS = "tests/unit/plugins/module_utils"

#: The tests' paths, and the figure that each is counted under; nothing where tests record figures of their own.
PROMISES = {
    "tests/reliability": "",
    "tests/reliability/test_guards.py": "guards and plans",
    "tests/reliability/test_stores.py": "failing stores",
    "tests/reliability/test_remote_stores.py": "failing stores",
    "tests/reliability/test_tls.py": "networks",
    "tests/leaks": "",
    "tests/leaks/test_debug.py": "debug output",
    "tests/leaks/test_net.py": "net for leaks",
    "tests/leaks/test_templates.py": "texts of others",
    "tests/unit/plugins/plugin_utils": "stores",
    "tests/unit/plugins/action/test_store_copy.py": "stores",
    "tests/integration/test_migrate_store.py": "stores",
    "tests/unit/plugins/modules/test_access_token_set.py": "guards and plans",
    f"{_UTILS}/tokens/test_apply.py": "guards and plans",
    f"{_UTILS}/tokens/test_plan.py": "guards and plans",
    f"{_UTILS}/tokens/test_properties.py": "guards and plans",
    f"{_UTILS}/tokens/test_reconcile.py": "guards and plans",
    "tests/unit/plugins/modules/test_leaked_secret_info.py": "leaked tokens",
    f"{_UTILS}/leaks": "leaked tokens",
    "tests/integration/test_revoke_leaked.py": "leaked tokens",
    f"{_UTILS}/core/test_redact.py": "words without secrets",
    f"{_UTILS}/core/test_shapes.py": "words without secrets",
    f"{_UTILS}/credential_files/test_safe_files.py": "files without secrets",
    # Endless and huge listings, bodies that are no JSON, dripping ones; plain http to others, time limits.
    f"{_UTILS}/http": "hostile answers",
    f"{_UTILS}/http/test_connection.py": "networks",
    f"{_UTILS}/http/test_cloud_connection.py": "networks",
    f"{_UTILS}/http/test_body.py": "networks",
    f"{_UTILS}/http/test_transport.py": "networks",
}


def figure_of(test: str) -> str:
    """What a test is counted under, by the longest path that its name begins with."""
    fitting = [path for path in PROMISES if test.startswith((f"{path}/", f"{path}::"))]
    return PROMISES[max(fitting, key=len)] if fitting else ""


def paths() -> list[str]:
    """What to run: no path that another one holds already."""
    return [path for path in PROMISES if not any(path.startswith(f"{other}/") for other in PROMISES)]


if __name__ == "__main__":
    print(*paths())
