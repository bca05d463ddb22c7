"""The registry of findings: what is added there reaches every output, or a test names the file that lacks it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit import _registry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._document import document_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import SEVERITIES
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._page import html_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import policy_of
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._tables import csv_of, junit_of
from tests.report import findings

from .samples import audit, found, token

#: More than an integer of 32 bits could number.
MORE = tuple(
    _registry.FindingKind(
        f"made_up_{number}",
        "high",
        f"Made up {number}",
        "it is older than {made_up_days}",
        f"Do step {number}.",
        lambda case: f"{case.days['made_up_days']} days" if case.token.name == "odd" else None,
        {"made_up_days": 7},
    )
    for number in range(40)
)


@pytest.fixture
def more(monkeypatch):
    monkeypatch.setattr(_registry, "REGISTRY", (*_registry.REGISTRY, *MORE))


def test_the_files_that_list_findings_have_all_of_them():
    assert findings.outdated() == {}


@pytest.mark.usefixtures("more")
def test_a_finding_that_a_file_lacks_is_reported_with_the_file():
    outdated = findings.outdated()
    assert list(outdated) == [findings.README, findings.SCHEMA, findings.MODULE]
    assert "| `made_up_39` | it is older than `made_up_days` (7) | high | Do step 39. |" in outdated[findings.README]
    assert outdated[findings.SCHEMA]["codes"][-1] == "made_up_39"
    assert outdated[findings.MODULE] == ["made_up_days"]


def test_codes_titles_and_options_are_unique_and_complete():
    kinds = _registry.REGISTRY
    for values in ([kind.code for kind in kinds], [kind.title for kind in kinds]):
        assert len(set(values)) == len(kinds)
    options = [option for kind in kinds for option in kind.days]
    assert len(set(options)) == len(options)
    assert all(option.endswith("_days") for option in options)
    assert {kind.severity for kind in kinds} <= set(SEVERITIES)
    assert all(kind.advice.endswith(".") and kind.meaning for kind in kinds)


@pytest.mark.usefixtures("more")
def test_a_finding_that_is_added_reaches_every_output():
    assert found(token("odd"))[-1] == "made_up_39"
    assert found(token("odd"), policy={"severities": {"made_up_39": "none"}})[-1] == "made_up_38"
    judged, policy = audit(token("odd"), policy={"made_up_days": 3}), policy_of({"made_up_days": 3})
    document = document_of(judged, policy)
    assert document["counts"]["findings"]["made_up_39"] == 1
    assert document["policy"]["made_up_days"] == 3
    assert document["policy"]["severities"]["made_up_39"] == "high"
    assert "made_up_39: 3 days" in csv_of(judged)
    assert "high: made_up_39: 3 days" in junit_of(judged, "high")
    data = json.loads(html_of(judged, policy).partition('id="data">')[2].partition("</script>")[0])
    number, _severity, detail = data["rows"][0][8][-1]
    assert data["findings"][number] == ["made_up_39", "Made up 39", "Do step 39."]
    assert data["details"][detail] == "3 days"
