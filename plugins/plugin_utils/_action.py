# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the action plugins share: they run their module between the steps of the hand-over."""

from __future__ import annotations

import abc
import collections.abc as c
import gc
import json
import os
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.utils.display import Display

from ansible_collections.tokensmith.bitbucket.plugins.module_utils import _argspec
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError, InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import Owner, owner_of
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.datacenter import _owners
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._declaration import Declaration
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._custody import Custody, Result
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._reach import ReachAction
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._spelling import AnySpelling

_STORE_VARIABLE = "BITBUCKET_TOKEN_STORE"
_SHORTEST_SECRET = 4
# What ansible adds to a module's result; the task's own result gets its own.
_NOT_JSON = ("warnings", "deprecations", "exception", "invocation")


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
    public = {name: option for name, option in spec.items() if name not in _argspec.INTERNAL}
    given = {name: value for name, value in args.items() if name not in _argspec.INTERNAL}
    for error in ArgumentSpecValidator(public).validate(given).errors:
        if isinstance(error, UnsupportedError):
            raise InputError(f"Unsupported parameters for ({module_name}) module: {error.msg}")


def own_options(module_name: str, spec: _argspec.Spec, constraints: Result, args: Result) -> Result:
    """A task's own options with their types and defaults; those of the connection are the module's to check."""
    _require_supported(module_name, spec, args)
    own = {key: value for key, value in spec.items() if key not in _argspec.CONNECTION}
    given = {key: value for key, value in args.items() if key not in _argspec.CONNECTION}
    rules = {key: value for key, value in constraints.items() if key != "supports_check_mode"}
    return _checked(own, rules, given, secrets_of(spec, args))


def _checked(spec: _argspec.Spec, constraints: Result, args: Result, secrets: set[str]) -> Result:
    result = ArgumentSpecValidator(spec, **constraints).validate(args)
    if result.error_messages:
        raise InputError(remove_values("; ".join(result.error_messages), secrets))
    parameters: Result = result.validated_parameters
    return parameters


def refuse_internal(args: Result) -> None:
    """Refuse options that only an action plugin may pass to its module: they skip check mode and every limit.

    :raises InputError: also for one that comes from ``module_defaults``.
    """
    for name in _argspec.INTERNAL:
        if name in args:
            raise InputError(f"`{name}` is an internal option: remove it from the task and from `module_defaults`.")


class ModuleAction(ReachAction):
    """Calls its module, maybe several times."""

    module_name: str

    def _call(self, arguments: Result, task_vars: Result | None) -> Result:
        """One run of the module; its result as plain data, since ansible's own string types do not serialize."""
        # Connection plugins show what a module returned at -vvv unless the play's context says not to. A connection has
        # a context of its own, a copy of the task's.
        before = [(context, context.no_log) for context in (self._play_context, self._connection._play_context)]
        try:
            for context, _no_log in before:
                context.no_log = True
            result = self._execute_module(module_name=self.module_name, module_args=arguments, task_vars=task_vars)
        finally:
            for context, no_log in before:
                context.no_log = no_log
        kept = {key: result.pop(key, None) for key in _NOT_JSON}
        plain: Result = json.loads(json.dumps(result))
        if plain.get("failed") and not plain.get("msg"):
            # What it crashed with is not passed on: an exception may quote anything.
            plain["msg"] = f"{self.module_name} ended with an error of its own: what it did is not known. Run again."
        if kept["warnings"]:
            plain["warnings"] = kept["warnings"]
        return plain


class CustodyAction(ModuleAction, abc.ABC):
    """Runs the module as it is where no store is set, and under custody where one is."""

    _supports_async = False

    spec: t.ClassVar[_argspec.Spec]
    constraints: t.ClassVar[dict[str, t.Any]]
    #: Options with which the caller says itself what is stored.
    own_custody: tuple[str, ...]
    #: Whether the store is for one token.
    single: bool

    @abc.abstractmethod
    def owners(self, params: Result) -> _owners.DeclaredOwners:
        """The owners that the task declares."""

    @abc.abstractmethod
    def declared(self, params: Result, resolved: _owners.Resolved) -> list[Declaration]:
        """The tokens that the task declares for them."""

    @abc.abstractmethod
    def arguments(self, args: Result, owners: c.Sequence[Owner], prune: bool) -> Result:
        """The module's arguments for a call about ``owners`` only."""

    def shape(self, result: Result) -> Result:
        """The task's result from the merged one."""
        return result

    def run(self, tmp: None = None, task_vars: Result | None = None) -> Result:
        """Run the task."""
        super().run(tmp, task_vars)
        # This process is a fork that ends with the task. Packing the module makes hundreds of thousands of objects, and
        # the garbage collector would walk all of ansible's each time.
        gc.freeze()
        args = dict(self._task.args)
        try:
            refuse_internal(args)
            self._refuse_what_would_show(args)
            store = self._store(args)
            if not store:
                return self._as_it_is(args, task_vars)
            return self._with_store(store, args, task_vars)
        except BitbucketError as error:
            message = remove_values(str(error), secrets_of(self.spec, args))
            return {"failed": True, "msg": message, "reason": error.reason}

    def _refuse_what_would_show(self, args: Result) -> None:
        """Refuse what ansible would show of a secret once the module has failed: the value of an option that there is
        not, and parts of a mapping or list where one text belongs.
        """
        _require_supported(self.module_name, self.spec, args)
        for name, option in self.spec.items():
            if option.get("no_log") and option["type"] == "str" and isinstance(args.get(name), (dict, list)):
                raise InputError(f"`{name}` must be a text, and not a list or mapping.")

    def _store(self, args: Result) -> str:
        """The store that is in play; the environment's only where the task says nothing about one."""
        if args.get("store"):
            return str(args["store"])
        if any(args.get(option) is not None for option in self.own_custody):
            return ""
        return os.environ.get(_STORE_VARIABLE, "").strip()

    def _as_it_is(self, args: Result, task_vars: Result | None) -> Result:
        # A module that refuses its options says so without a reason.
        self._validated(args)
        # The module would take what is in there for credentials, and mask it wherever a secret happens to hold it.
        arguments = {key: value for key, value in args.items() if key != "store_options"}
        result: Result = self._execute_module(module_name=self.module_name, module_args=arguments, task_vars=task_vars)
        if result.get("failed") and not result.get("reason"):
            result["reason"] = "error"
        return result

    def _with_store(self, name: str, args: Result, task_vars: Result | None) -> Result:
        params = self._validated({**args, "store": name})
        opened = open_store(name, params["store_options"] or {}, self._loader._vault, self.single)
        store = AnySpelling(opened, _owners.written(self.owners(params)))
        base = {key: value for key, value in args.items() if key not in ("store", "store_options")}
        resolved = self._resolved(params, base, task_vars)
        owners = resolved.owners
        declared = self.declared(params, resolved)
        references = {item.owner.path: item.references for item in declared}
        absent = {item.owner.reference(spec.name) for item in declared for spec in item.specs if spec.absent}

        def call(paths: list[str] | None, told: Result) -> Result:
            told = dict(told)
            some = owners if paths is None else [owner_of(path) for path in paths]
            arguments = self.arguments(base, some, told.pop("prune", True))
            return self._call({**arguments, "handover": told}, task_vars)

        custody = Custody(store, references, call, Display().display, absent=absent, whole=not self.single)
        result = custody.run(self._task.check_mode, [failure.entry for failure in resolved.failures])
        return self.shape({**result, "store": store.name})

    def _validated(self, args: Result) -> Result:
        return own_options(self.module_name, self.spec, self.constraints, args)

    def _resolved(self, params: Result, base: Result, task_vars: Result | None) -> _owners.Resolved:
        """The owners; asks the module where only the server knows them."""
        declared = self.owners(params)
        known = _owners.offline(declared)
        if known is not None:
            return _owners.Resolved(known, [])
        result = self._call({**base, "handover": {"resolve": True}}, task_vars)
        if "owners" not in result:
            raise BitbucketError(str(result.get("msg")), result.get("reason", "error"))
        failures = [_owners.Failure(**entry) for entry in result.get("unresolved") or ()]
        return _owners.Resolved([owner_of(path) for path in result["owners"]], failures)
