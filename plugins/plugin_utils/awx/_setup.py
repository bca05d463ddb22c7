# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that AWX needs to run this collection, in the words of its API, with names in place of ids."""

from __future__ import annotations

import collections.abc as c
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.parsing.convert_bool import boolean

from ...module_utils.core._errors import InputError
from .._plain import plain
from ..stores._catalogue import KINDS, kind_of
from ._job_variables import JobVariables
from ._objects import AwxObject

Json = dict[str, t.Any]

#: What signs a job in to Vault, by `auth_method`.
_VAULT_LOGINS = {"token": ("token",), "approle": ("role_id", "secret_id")}
_ASSETS = Path(__file__).with_name("assets")


class Setup:
    """What is registered in AWX.

    :param params: the task's options, checked.
    :param names: the names of all variables of the play.
    :param value_of: the value of one, evaluated.
    :param environ: the environment of the task.
    :raises InputError: if something is missing that a job needs.
    """

    def __init__(
        self,
        params: c.Mapping[str, t.Any],
        names: c.Iterable[str],
        value_of: c.Callable[[str], t.Any],
        environ: c.Mapping[str, str],
    ) -> None:
        self._params = params
        self._name: str = params["name"]
        self._organization = {"organization": params["organization"]}
        self._bitbucket = _bitbucket(params, environ)
        self._projects = [entry.strip() for entry in params["projects"]]
        names = list(names)
        _require_owners_of_the_inventory(names)
        self.variables = JobVariables(names, value_of, params["extra_vars"], environ.get("BITBUCKET_TOKEN_STORE", ""))
        self._require()
        #: The inputs of the credentials, by the ends of their names.
        self._inputs = {"": self._bitbucket, ": Vault": params["vault"], ": notifications": params["notify"]}
        self._inputs = {end: inputs for end, inputs in self._inputs.items() if inputs}

    # What a job needs

    def _require(self) -> None:
        params, variables = self._params, self.variables
        if not (params["organization"] and params["project_url"] and params["image"] and self._bitbucket.get("url")):
            raise InputError(
                "Set the organization (awx_setup_organization), the Git repository with the playbooks "
                "(awx_setup_project_url), the image of the execution environment (awx_setup_image) and Bitbucket "
                "(awx_setup_bitbucket_url or BITBUCKET_URL)."
            )
        if "token" not in self._bitbucket and not {"username", "password"} <= self._bitbucket.keys():
            raise InputError(
                "No credential signs a job in to Bitbucket: set awx_setup_bitbucket_username (BITBUCKET_USERNAME) and "
                "awx_setup_bitbucket_password (BITBUCKET_PASSWORD), or awx_setup_bitbucket_token (BITBUCKET_TOKEN)."
            )
        if not variables.declares:
            raise InputError("No tokens are declared that a job could provision. Set project_tokens_set.")
        lasting = [name for name in KINDS if kind_of(name).survives_job]
        if variables.store.partition(":")[0] not in lasting:
            raise InputError(
                "The files of an execution environment are deleted when the job ends, so project_tokens_store must be "
                f"one of {', '.join(lasting)}. It is {variables.store or 'not set'}."
            )
        if not variables.own_store_options:
            self._require_login_to_store()

    def _require_login_to_store(self) -> None:
        kind, options = self.variables.store.partition(":")[0], self.variables.store_options
        method = options.get("auth_method") or "token"
        if kind == "hashi_vault" and method not in _VAULT_LOGINS:
            raise InputError(
                "A job can sign in to Vault with auth_method token or approle. In project_tokens_store_options it is "
                f"{method}."
            )
        if self._params["credentials"]:
            return
        if kind == "awx_credential":
            raise InputError(
                "No credential signs a job in to AWX, where the store keeps the secrets: set awx_setup_credentials to "
                "the name of a credential for AWX itself."
            )
        held = {*options, *(name for name, value in self._params["vault"].items() if value)}
        lacking = [name for name in _VAULT_LOGINS.get(method, ()) if name not in held]
        if kind == "hashi_vault" and lacking:
            raise InputError(
                f"No credential signs a job in to Vault: set {' and '.join(lacking)} in awx_setup_vault, or name a "
                f"credential that injects {' and '.join(f'VAULT_{name.upper()}' for name in lacking)} in "
                "awx_setup_credentials."
            )

    # The objects, in the order in which they are created

    def objects(self) -> list[AwxObject]:
        """All of them."""
        types = _asset("credential_types")
        kinds = {"": types["bitbucket"], ": Vault": types["vault"], ": notifications": types["notify"]}
        credentials = [
            self._object("credentials", end, credential_type=kinds[end]["name"], inputs=inputs, **self._organization)
            for end, inputs in self._inputs.items()
        ]
        needed = [AwxObject("credential_types", kinds[end]["name"], kinds[end]["fields"]) for end in self._inputs]
        return [*needed, *credentials, *self._sources(), *self._templates(), *self._schedules()]

    def _object(self, kind: str, end: str = "", /, **fields: t.Any) -> AwxObject:
        given = {field: plain(value) for field, value in fields.items() if value is not None}
        return AwxObject(kind, f"{self._name}{end}", given)

    def _sources(self) -> list[AwxObject]:
        params, name, organization = self._params, self._name, self._organization
        return [
            self._object(
                "execution_environments", image=params["image"], credential=params["image_credential"], **organization
            ),
            self._object(
                "projects",
                scm_type="git",
                scm_url=params["project_url"],
                scm_branch=params["project_branch"],
                credential=params["project_credential"],
                scm_update_on_launch=True,
                default_environment=name,
                **organization,
            ),
            self._object("inventories", **organization),
            self._object(
                "inventory_sources",
                inventory=name,
                source="scm",
                source_project=name,
                source_path=params["inventory_file"],
                credential=name,
                execution_environment=name,
                # Projects that are deleted in Bitbucket are removed from the inventory.
                overwrite=True,
                overwrite_vars=True,
                update_on_launch=True,
            ),
        ]

    def _templates(self) -> list[AwxObject]:
        params, owners = self._params, (self._projects, self._params["repositories"])
        sliced = {
            "job_slice_count": params["slices"],
            "forks": params["forks"],
            "extra_vars": self.variables.for_projects(params["repositories"]),
        }
        audit = {"extra_vars": self.variables.on_localhost(*owners)}
        revoking = {"extra_vars": self.variables.revoking(*owners)}
        return [
            self._template("provision", "provision.yml", sliced),
            self._template("rotate", "rotate.yml", sliced, _asset("surveys")["rotate"]),
            self._template("audit", "audit.yml", audit),
            self._template("revoke leaked", "revoke_leaked.yml", revoking, self._revoke_survey()),
        ]

    def _template(self, end: str, playbook: str, more: Json, survey: Json | None = None) -> AwxObject:
        template = self._object(
            "job_templates",
            f": {end}",
            **self._organization,
            job_type="run",
            project=self._name,
            inventory=self._name,
            execution_environment=self._name,
            # A launch may be a run in check mode.
            ask_job_type_on_launch=True,
            playbook=playbook,
            survey_enabled=True if survey else None,
            **more,
        )
        names = [f"{self._name}{ending}" for ending in self._inputs]
        credentials = [*names, *self._params["credentials"]]
        return template._replace(credentials=credentials, survey=survey)

    def _revoke_survey(self) -> Json:
        survey: Json = _asset("surveys")["revoke_leaked"]
        then = "Declared tokens are reissued." if self._projects else "Run provision next: it reissues declared tokens."
        survey["description"] += f" {then}"
        verify = boolean(self.variables.get("revoke_leaked_verify", False), strict=False)
        most = str(self.variables.get("revoke_leaked_max_revocations", 10))
        defaults = {"revoke_leaked_verify": "yes" if verify else "no", "revoke_leaked_max_revocations": most}
        for question in survey["spec"]:
            if question["variable"] in defaults:
                question["default"] = defaults[question["variable"]]
        return survey

    def _schedules(self) -> list[AwxObject]:
        return [
            self._object(
                "schedules",
                f": {job} daily",
                unified_job_template=f"{self._name}: {job}",
                rrule=self._params[f"{job}_rrule"],
            )
            for job in ("provision", "audit")
        ]


def _asset(name: str) -> t.Any:
    return yaml.safe_load((_ASSETS / f"{name}.yml").read_text(encoding="utf-8"))


def _bitbucket(params: c.Mapping[str, t.Any], environ: c.Mapping[str, str]) -> Json:
    """The inputs of the credential. An option for one kind of login hides the other kind in the environment."""
    given = {name: params[f"bitbucket_{name}"] for name in ("url", "username", "password", "token", "ca")}
    fallback = {name: environ.get(f"BITBUCKET_{name.upper()}") for name in ("url", "username", "password", "token")}
    if given["token"]:
        fallback.update(username=None, password=None)
    if given["username"] or given["password"]:
        fallback["token"] = None
    inputs = {name: value or fallback.get(name) for name, value in given.items()}
    return {name: value for name, value in inputs.items() if value}


def _require_owners_of_the_inventory(names: c.Iterable[str]) -> None:
    if {"project_tokens_projects", "project_tokens_repositories"} & set(names):
        raise InputError(
            "On AWX every host of the inventory stands for a project. So remove project_tokens_projects and "
            "project_tokens_repositories, and name the projects as `include` in the inventory's file of your "
            "repository (bitbucket.yml). For their repositories, set awx_setup_repositories to true. With the same "
            "projects in awx_setup_projects, audit compares and revoke leaked reissues."
        )
