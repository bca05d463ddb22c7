# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share: validated options, and the work of a module in this process."""

from __future__ import annotations

import abc
import gc
import os
import types
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.utils.display import Display

from ..module_utils import _argspec
from ..module_utils.core._errors import BitbucketError, InputError
from ..module_utils.datacenter import _owners
from ..module_utils.http._connection import client_from
from ..module_utils.tokens._outcome import aborted
from ..module_utils.tokens._reconcile import Runtime
from ._delivery import StoreDelivery
from ._interruption import interruptible
from ._local import task_environment
from ._reach import ReachAction
from .stores._catalogue import open_store
from .stores._spelling import AnySpelling

Result = dict[str, t.Any]

_STORE_VARIABLE = "BITBUCKET_TOKEN_STORE"
_SHORTEST_SECRET = 4


def validated(module_name: str, spec: _argspec.Spec, constraints: Result, args: Result) -> Result:
    """A task's options with their types and defaults.

    :raises InputError: for what a module would refuse, in the same words.
    """
    _require_supported(module_name, spec, args)
    return _checked(spec, constraints, args, secrets_of(spec, args))


def secrets_of(spec: _argspec.Spec, args: Result) -> set[str]:
    """What a task gave for options that are secret. Errors of Ansible quote values, and a module would mask these."""
    pending = [args.get(name) for name, option in spec.items() if option.get("no_log")]
    found = set()
    while pending:
        value = pending.pop()
        # Shorter ones are in messages that have nothing to do with them.
        if isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
            found.add(str(value))
        elif isinstance(value, (dict, list, tuple)):
            pending.extend(value.values() if isinstance(value, dict) else value)
    return found


def _require_supported(module_name: str, spec: _argspec.Spec, args: Result) -> None:
    """Refuse options that do not exist, nested ones too.

    :raises InputError: in Ansible's words, which list those that do.
    """
    for error in ArgumentSpecValidator(spec).validate(args).errors:
        if isinstance(error, UnsupportedError):
            raise InputError(f"Unsupported parameters for ({module_name}) module: {error.msg}")


def own_options(module_name: str, spec: _argspec.Spec, constraints: Result, args: Result) -> Result:
    """A task's own options with their types and defaults; those of the connection are the module's to check."""
    _require_supported(module_name, spec, args)
    own = {key: value for key, value in spec.items() if key not in _argspec.CONNECTION}
    given = {key: value for key, value in args.items() if key not in _argspec.CONNECTION}
    return _checked(own, constraints, given, secrets_of(spec, args))


def _checked(spec: _argspec.Spec, constraints: Result, args: Result, secrets: set[str]) -> Result:
    result = ArgumentSpecValidator(spec, **constraints).validate(args)
    if result.error_messages:
        raise InputError(remove_values("; ".join(result.error_messages), secrets))
    parameters: Result = result.validated_parameters
    return parameters


class StoreAction(ReachAction, abc.ABC):
    """Without a store it runs the module where the task says. With one, the module's work is done in this process."""

    _supports_async = False

    #: The module's file, with ``SPEC``, ``CONSTRAINTS`` and ``run()``.
    module: types.ModuleType
    #: Options with which the caller says itself what is stored.
    stored_by_caller: tuple[str, ...]
    #: Whether the store is for one token.
    single: bool

    @abc.abstractmethod
    def owners(self, params: Result) -> _owners.DeclaredOwners:
        """The owners that the task declares."""

    @property
    def module_name(self) -> str:
        """The full name of the module."""
        return f"tokensmith.bitbucket.{self.module.__name__.rpartition('.')[2]}"

    def run(self, tmp: None = None, task_vars: Result | None = None) -> Result:
        """Run the task."""
        super().run(tmp, task_vars)
        # This process is a fork that ends with the task. The garbage collector must not visit all of Ansible's objects.
        gc.freeze()
        args = dict(self._task.args)
        try:
            self._refuse_what_would_show(args)
            with task_environment(self):
                store = self._store(args)
                if store:
                    return self._masked(self._reconciled(store, args), args)
            return self._as_it_is(args, task_vars)
        except BitbucketError as error:
            result = aborted(error)
            if self.single:
                del result["failures"]
            return self._masked(result, args)

    def _masked(self, result: Result, args: Result) -> Result:
        masked: Result = remove_values(result, secrets_of(self.module.SPEC, args))
        return masked

    def _refuse_what_would_show(self, args: Result) -> None:
        """Refuse what Ansible would show of a secret once the module has failed: the value of an unknown option, and
        parts of a mapping or list in place of a string.
        """
        _require_supported(self.module_name, self.module.SPEC, args)
        for name, option in self.module.SPEC.items():
            if option.get("no_log") and option["type"] == "str" and isinstance(args.get(name), (dict, list)):
                raise InputError(f"`{name}` must be a string, not a list or mapping.")

    def _store(self, args: Result) -> str:
        """The store of the task; that of the environment only if the task says nothing about one."""
        if args.get("store"):
            return str(args["store"])
        if any(args.get(option) is not None for option in self.stored_by_caller):
            return ""
        return os.environ.get(_STORE_VARIABLE, "").strip()

    def _as_it_is(self, args: Result, task_vars: Result | None) -> Result:
        # A module that refuses its options says so without a reason.
        own_options(self.module_name, self.module.SPEC, self.module.CONSTRAINTS, args)
        # The module would take what is in there for credentials, and mask it wherever a secret happens to hold it.
        arguments = {key: value for key, value in args.items() if key != "store_options"}
        result: Result = self._execute_module(module_name=self.module_name, module_args=arguments, task_vars=task_vars)
        if result.get("failed") and not result.get("reason"):
            result["reason"] = "error"
        return result

    def _reconciled(self, name: str, args: Result) -> Result:
        params = validated(self.module_name, self.module.SPEC, self.module.CONSTRAINTS, {**args, "store": name})
        opened = open_store(name, params["store_options"] or {}, self._loader._vault, self.single)
        store = AnySpelling(opened, _owners.written(self.owners(params)))
        client = client_from(params)
        with interruptible() as interruption:
            runtime = Runtime(Display().display, interruption=interruption)
            result: Result = self.module.run(params, client, self._task.check_mode, StoreDelivery(store), runtime)
        warnings = result.pop("warned", [])
        return {**result, "warnings": warnings, "store": store.name}
