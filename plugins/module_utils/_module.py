# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Runs a module: from the arguments of a task to its result."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._argspec import Spec
from .core._errors import BitbucketError, InputError

Params = dict[str, t.Any]
Result = dict[str, t.Any]


def run_module(
    spec: Spec,
    run: t.Callable[..., Result],
    client_from: t.Callable[[Params], t.Any] | None = None,
    **constraints: t.Any,
) -> None:
    """Run a module and end the process.

    :param run: gets the parameters, the client if there is a ``client_from``, and whether check mode is on. Entries of
        ``warned`` in its result become warnings.
    :param constraints: as AnsibleModule takes them, such as ``mutually_exclusive``.
    """
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, **constraints)
    try:
        client = (client_from(module.params),) if client_from else ()
        result = run(module.params, *client, module.check_mode)
    except BitbucketError as error:
        module.fail_json(msg=str(error), reason=error.reason)
    else:
        for warning in result.pop("warned", ()):
            module.warn(warning)
        module.exit_json(**result)


def controller_only(name: str) -> t.Callable[[Params, bool], Result]:
    """The ``run`` of a module that is implemented by its action plugin: it refuses to run."""

    def run(params: Params, check_mode: bool) -> Result:
        raise InputError(f"{name} runs on the controller: call it as tokensmith.bitbucket.{name}, in a task.")

    return run
