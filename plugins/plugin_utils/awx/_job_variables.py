# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a play that become extra variables of jobs. Everybody who may see a job can read them."""

from __future__ import annotations

import collections.abc as c
import re
import typing as t

from .._plain import plain

Json = dict[str, t.Any]

_OURS = re.compile(r"(project_tokens|token_audit|revoke_leaked|notify)_")
_WITHHELD = re.compile(
    "|".join(
        (
            # The credential has these. A path on this machine does not exist in a job.
            r"(project_tokens|token_audit)_(url|username|ca_path|client_cert|client_key)",
            r"(project_tokens|token_audit|revoke_leaked)_(?!missing_secret$)\w*(pass|token|secret|credential|auth|key)\w*",
            # Users write task files too, and a name does not tell what is secret. Only these are known not to be.
            r"notify_(?!(jira_(email|project|type|url)|mail_(from|host|port|tls|to|username))$)\w+",
            # These belong to one run, and are asked for when a job is launched. The job template has the hosts.
            r"project_tokens_(rotate_created_before|assume_revoked)",
            r"revoke_leaked_(text|files)",
            r"(project_tokens|token_audit|revoke_leaked)_hosts",
        )
    )
)
#: Options of a store that sign in. The user name goes with the password: a store that has one of them in its options
#: does not look for the other one in the environment, where the credential puts both.
STORE_SECRETS = ("token", "username", "password", "secret_id", "jwt")
_SET, _OPTIONS = "project_tokens_set", "project_tokens_store_options"


class JobVariables:
    """What jobs get.

    :param names: the names of all variables of the play.
    :param value_of: the value of one, evaluated.
    :param extra: variables that win over those of the play, and are passed on whatever they are.
    :param store: the store, if no variable names one.
    """

    def __init__(
        self, names: c.Iterable[str], value_of: c.Callable[[str], t.Any], extra: c.Mapping[str, t.Any], store: str
    ) -> None:
        self._extra: Json = plain(extra)
        self.names = sorted(name for name in names if _OURS.match(name))
        passed: Json = {name: plain(value_of(name)) for name in self.names if not _WITHHELD.fullmatch(name)}
        self.store = str(self._extra.get("project_tokens_store") or passed.get("project_tokens_store") or store)
        options: Json = passed.get(_OPTIONS) or {}
        self.store_options = {name: value for name, value in options.items() if name not in STORE_SECRETS}
        self._store_secrets = [] if _OPTIONS in self._extra else sorted(options.keys() & set(STORE_SECRETS))
        self._passed = {**passed, "project_tokens_store": self.store, _OPTIONS: self.store_options}

    @property
    def own_store_options(self) -> bool:
        """Whether the extra variables have the options of the store."""
        return _OPTIONS in self._extra

    @property
    def withheld(self) -> list[str]:
        """The variables that jobs do not get."""
        names = [name for name in self.names if name not in self._passed and name not in self._extra]
        return [*names, *(f"{_OPTIONS}.{name}" for name in self._store_secrets)]

    @property
    def declares(self) -> bool:
        """Whether there is anything to provision."""
        return any(self._merged().get(f"project_tokens_{name}") for name in ("set", "prune", "overrides"))

    def for_projects(self, repositories: bool) -> Json:
        """For jobs in which each host of the inventory does its own project."""
        own: Json = {"project_tokens_repositories": ["{{ bitbucket_key }}/*"]} if repositories else {}
        return self._merged({"project_tokens_hosts": "all", **own})

    def on_localhost(self, projects: c.Sequence[str], repositories: bool) -> Json:
        """For jobs that do not see the inventory.

        Unless the projects are named, nothing is declared: tokens would be issued, and others reported as undeclared,
        in projects that the inventory leaves out.
        """
        if not projects:
            merged = self._merged()
            left = {_SET, "project_tokens_overrides"} - self._extra.keys()
            return {name: value for name, value in merged.items() if name not in left}
        owners: Json = {"project_tokens_projects": list(projects)}
        if repositories:
            owners["project_tokens_repositories"] = [f"{project}/*" for project in projects]
        return self._merged(owners)

    def revoking(self, projects: c.Sequence[str], repositories: bool) -> Json:
        """For the job that revokes leaked tokens. Without projects there is nothing to reissue."""
        more: Json = {} if projects else {"revoke_leaked_reissue": False}
        return {**self.on_localhost(projects, repositories), **more, **self._extra}

    def get(self, name: str, default: t.Any) -> t.Any:
        """The value that jobs get."""
        return self._merged().get(name, default)

    def _merged(self, more: c.Mapping[str, t.Any] | None = None) -> Json:
        return {**self._passed, **(more or {}), **self._extra}
