from __future__ import annotations

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils import _action

from .test_action import Bench


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv("BITBUCKET_TOKEN_STORE", raising=False)
    made = Bench()
    monkeypatch.setattr(_action, "client_from", lambda _params: made.client())
    return made
