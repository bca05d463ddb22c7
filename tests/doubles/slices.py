"""The split that AWX makes of an inventory for a sliced job, and the variables that it gives such a job.

As AWX's own source has it: ``Inventory.get_script_data`` takes the enabled hosts ordered by name, and of these every
``slice_count``-th from ``slice_number - 1`` on; ``build_inventory`` writes a script that prints the result.
``Job.awx_meta_vars`` tells a job's number, template and workflow, and nothing of slices; the workflow of a sliced job
is created from the job template, and so has its name. A slice that is relaunched keeps its hosts, for
``Job.copy_unified_job`` keeps its number and count; but its launch type is ``relaunch`` then, and
``UnifiedJob.get_workflow_job`` finds a workflow for the launch type ``workflow`` only.
"""

from __future__ import annotations

import json
import typing as t
from pathlib import Path


def sliced(exported: t.Mapping[str, t.Any], number: int, count: int) -> dict[str, t.Any]:
    """What ``ansible-inventory --list --export`` printed, with the hosts of one slice only."""
    hosts = sorted(exported["_meta"]["hostvars"])[number - 1 :: count]
    groups = {name: dict(group) for name, group in exported.items() if name != "_meta"}
    for group in groups.values():
        if "hosts" in group:
            group["hosts"] = [name for name in group["hosts"] if name in hosts]
    variables = {name: exported["_meta"]["hostvars"][name] for name in hosts}
    return {**groups, "_meta": {"hostvars": variables}}


def write_script(path: Path, inventory: t.Mapping[str, t.Any]) -> Path:
    """The inventory as AWX gives it to a job: a program that prints it."""
    text = f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(inventory)!r})\n"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o700)
    return path


def job_variables(
    template: str,
    workflow: str = "",
    number: int = 1,
    *,
    launch_type: str = "manual",
    prefixes: tuple[str, ...] = ("awx", "tower"),
) -> dict[str, t.Any]:
    """The variables of a job; with ``workflow`` of one that runs in a workflow of that name.

    :param prefixes: newer versions have a setting that leaves ``awx`` out
    """
    made: dict[str, t.Any] = {}
    for prefix in prefixes:
        made[f"{prefix}_job_id"] = 100 + number
        made[f"{prefix}_job_launch_type"] = "workflow" if workflow else launch_type
        made[f"{prefix}_job_template_id"] = 7
        made[f"{prefix}_job_template_name"] = template
        if workflow:
            made[f"{prefix}_workflow_job_id"] = 100
            made[f"{prefix}_workflow_job_name"] = workflow
    return made
