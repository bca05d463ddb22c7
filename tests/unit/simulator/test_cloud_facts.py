"""FACTS_CLOUD.md and the switches of the cloud."""

from __future__ import annotations

import dataclasses
import re
import typing as t
from pathlib import Path

import pytest

from tests.simulator.cloud import Cloud, CloudSwitches

FACTS = Path(__file__).parents[2] / "simulator" / "FACTS_CLOUD.md"


def test_every_switch_is_documented_and_every_choice_can_be_taken():
    facts, cloud = FACTS.read_text(encoding="utf-8"), Cloud()
    hints = t.get_type_hints(CloudSwitches)
    for field in dataclasses.fields(CloudSwitches):
        assert f"`{field.name}`" in facts, f"FACTS_CLOUD.md does not name the switch {field.name}"
        for choice in t.get_args(hints[field.name]) if t.get_origin(hints[field.name]) is t.Literal else ():
            setattr(cloud.switches, field.name, choice)


def test_every_fact_has_its_line_and_every_line_names_switches_that_exist():
    lines = [line for line in FACTS.read_text(encoding="utf-8").splitlines() if re.match(r"\| (C\d+|–) \|", line)]
    assert [line.split(" | ")[0] for line in lines] == [*(f"| C{number}" for number in range(1, 18)), "| –"]
    switches = {field.name for field in dataclasses.fields(CloudSwitches)}
    for line in lines:
        named = set(re.findall(r"`(\w+)`", line.split(" | ")[3]))
        assert named <= switches, f"no such switches: {named - switches}"


@pytest.mark.parametrize(("name", "value"), [("rest_users", "email"), ("rest_user", "name"), ("page_cap", "many")])
def test_a_switch_of_the_cloud_cannot_be_mistyped(name, value):
    with pytest.raises((AttributeError, ValueError)):
        setattr(Cloud().switches, name, value)
    with pytest.raises((AttributeError, ValueError)):
        Cloud(switches={name: value})


def test_the_switches_of_one_product_are_unknown_to_the_other():
    with pytest.raises(AttributeError):
        Cloud(switches={"basic_auth": True})
