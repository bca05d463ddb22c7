"""The policy: the one that ships, what replaces it, and rules that leave findings out until a day."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit import _registry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._model import SEVERITIES, at_least, worst
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._policy import policy_of

from .samples import NOW, audit, token

RULE = {"reference": "projects/PAY/*", "reason": "CHG-4711", "until": "2026-12-05"}
END_OF_DAY = NOW + 15 * DAY // 24 - 1  # NOW is nine o'clock


def test_the_default_policy_is_the_registrys():
    days, severities = _registry.default_days(), _registry.default_severities()
    assert (days["expiring_days"], severities["administrator"]) == (30, "high")
    assert policy_of({}).plain() == {**days, "severities": severities, "ignore": []}


def test_what_is_given_replaces_it_key_by_key():
    policy = policy_of({"unused_days": "180", "severities": {"unused": "critical"}})
    assert (policy.days["unused_days"], policy.days["expiring_days"]) == (180, 30)
    assert policy.severities["unused"] == "critical"
    assert policy.severities["administrator"] == "high"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"expiring": 3}, "did you mean expiring_days"),
        ({"colour": 3}, "it knows expiring_days"),
        ({"unused_days": -1}, "must be a number of days"),
        ({"unused_days": "soon"}, "must be a number of days"),
        ({"unused_days": 10**9}, "must be a number of days"),
        ({"severities": {"expird": "low"}}, "did you mean expired"),
        ({"severities": {"expired": "bad"}}, "must be one of none, info"),
        ({"severities": []}, None),
        ({"severities": ["expired"]}, "must be a mapping"),
        ({"ignore": {"reference": "x"}}, "must be a list"),
        ({"ignore": ["projects/*"]}, "must have `reference`, `reason` and `until`"),
        ({"ignore": [{**RULE, "reason": " "}]}, "has no `reason`"),
        ({"ignore": [{**RULE, "until": None}]}, "has no `until`"),
        ({"ignore": [{**RULE, "reference": True}]}, "Put it in quotes"),
        ({"ignore": [{**RULE, "until": "next year"}]}, "must be a date"),
        ({"ignore": [{**RULE, "until": "2027-03-31 or whenever"}]}, "must be a date"),
        ({"ignore": [{**RULE, "until": "2027-03"}]}, "must be a date"),
        ({"ignore": [{**RULE, "until": 20270331}]}, "must be a date"),
        ({"ignore": [{**RULE, "codes": "expired"}]}, "must be a list of findings"),
        ({"ignore": [{**RULE, "codes": ["expird"]}]}, "did you mean expired"),
        ({"ignore": [{**RULE, "to": "x"}]}, "`policy.ignore` has no 'to'"),
    ],
    ids=str,
)
def test_a_policy_that_cannot_be_right(given, sentence):
    if sentence is None:
        policy_of(given)
        return
    with pytest.raises(InputError) as caught:
        policy_of(given)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("now", "holds"), [(NOW, True), (END_OF_DAY, True), (END_OF_DAY + 1, False)], ids=["that day", "its end", "after"]
)
@pytest.mark.parametrize("until", ["2026-12-05", datetime.date(2026, 12, 5), "2026-12-05T08:00:00Z"], ids=str)
def test_a_rule_holds_to_the_end_of_its_last_day(now, holds, until):
    lasting = {"expires": now + 300 * DAY, "created": now, "last_used": now}
    judged = audit(token("ci", "REPO_ADMIN", **lasting), now=now, policy={"ignore": [{**RULE, "until": until}]})
    assert [finding.waiver is not None for finding in judged.tokens[0].findings] == [holds]
    assert judged.tokens[0].severity == ("none" if holds else "high")
    lapsed = ["The rule that ignored projects/PAY/* (CHG-4711) has lapsed with 2026-12-05."]
    assert list(judged.notes) == ([] if holds else lapsed)


def test_without_the_servers_clock_rules_lapse_by_the_controllers():
    bad = token("ci", "REPO_ADMIN")
    assert audit(bad, now=None, policy={"ignore": [RULE]}, started=END_OF_DAY).tokens[0].severity == "none"
    assert audit(bad, now=None, policy={"ignore": [RULE]}, started=END_OF_DAY + 1).tokens[0].severity == "high"


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ({"codes": ["administrator"]}, "medium"),
        ({"codes": ["never_expires"]}, "high"),
        ({"reference": "projects/PAY/tokens/c?"}, "none"),
        ({"reference": "projects/pay/*"}, "high"),
        ({"reference": "projects/SHOP/*"}, "high"),
    ],
    ids=str,
)
def test_a_rule_leaves_out_what_it_names_and_nothing_else(rule, severity):
    bad = token("ci", "REPO_ADMIN", expires=None)
    assert audit(bad, policy={"ignore": [{**RULE, **rule}]}).tokens[0].severity == severity


def test_severities_have_an_order_and_none_is_never_reached():
    assert [at_least(severity, "medium") for severity in SEVERITIES] == [False, False, False, True, True, True]
    assert not any(at_least(severity, "none") for severity in SEVERITIES)
    assert worst([]) == "none"
    assert worst(["low", "critical", "high"]) == "critical"
