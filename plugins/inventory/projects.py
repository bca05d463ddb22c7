# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: projects
short_description: Projects or repositories of Bitbucket Data Center as hosts
version_added: 0.1.0
author: Tokensmith (@tokensmith)
description:
  - Creates one host for each project, or for each repository. Every host is the controller under another name, so a
    play runs for each of them, on any number of processes and nodes.
  - On such a host, the role P(tokensmith.bitbucket.project_tokens#role) processes the host's project or repository.
  - Uses a configuration file whose name ends with V(bitbucket.yml) or V(bitbucket.yaml).
extends_documentation_fragment:
  - tokensmith.bitbucket.connection
  - tokensmith.bitbucket.connection.credential
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description:
      - The name of this plugin.
    type: str
    required: true
    choices: [tokensmith.bitbucket.projects]
  url:
    env:
      - name: BITBUCKET_URL
  username:
    env:
      - name: BITBUCKET_USERNAME
  password:
    env:
      - name: BITBUCKET_PASSWORD
  token:
    env:
      - name: BITBUCKET_TOKEN
  ca_path:
    env:
      - name: BITBUCKET_CA_PATH
  host_for_each:
    description:
      - Whether each project or each repository is a host. The name of a project's host is its key, that of a
        repository's host is V(KEY.slug).
    type: str
    choices: [project, repository]
    default: project
  administered:
    description:
      - Whether to include only projects that the caller administers, which are those whose tokens it can manage.
        Otherwise all projects that it can see are included.
    type: bool
    default: true
  include:
    description:
      - Only projects whose key matches one of these globs. Case does not matter.
      - A glob matches personal projects only if it begins with V(~), so V(["*", "~*"]) means all projects.
    type: list
    elements: str
    default: ["*"]
  exclude:
    description:
      - Excludes projects whose key matches one of these globs.
    type: list
    elements: str
    default: []
  repositories:
    description:
      - Whether to list the repositories of each project, which needs one request or more for each project.
      - With O(host_for_each=repository) they are always listed.
    type: bool
    default: true
  include_repositories:
    description:
      - Only repositories that match one of these globs, written as V(KEY/slug).
    type: list
    elements: str
    default: ["*"]
  exclude_repositories:
    description:
      - Excludes repositories that match one of these globs, written as V(KEY/slug).
    type: list
    elements: str
    default: []
  archived:
    description:
      - Whether to include archived repositories.
    type: bool
    default: false
  concurrency:
    description:
      - The number of projects whose repositories are listed at the same time.
    type: int
    default: 8
notes:
  - "Each host has the variables C(bitbucket_kind) (V(project) or V(repository)), C(bitbucket_key) (of the project),
    C(bitbucket_name), C(bitbucket_description), C(bitbucket_archived) and C(bitbucket_public). Values that Bitbucket
    does not return are V(null)."
  - "A project's host also has C(bitbucket_repositories), a list of C(slug), C(name), C(description), C(archived) and
    C(public) each; V(null) if they were not listed, or if Bitbucket refused. A repository's host has
    C(bitbucket_repository), its slug."
  - Names and descriptions come from Bitbucket and are never templated.
  - Credentials, including those of the environment, are read on the controller. O(url), O(username), O(password),
    O(token), O(ca_path), O(client_cert) and O(client_key) may be templates or vaulted.
  - If the server refuses or does not answer, there are no hosts, and Ansible only warns. To end the run instead, set
    C(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) to V(true). If a project refuses to list its repositories, a warning
    names it.
  - A cache contains projects and repositories, and no secret.
seealso:
  - module: tokensmith.bitbucket.access_token_set
"""

EXAMPLES = r"""
# bitbucket.yml. The credential comes from BITBUCKET_USERNAME and BITBUCKET_PASSWORD.
plugin: tokensmith.bitbucket.projects
url: https://bitbucket.example.com
exclude: ["SANDBOX*"]
groups:
  public: bitbucket_public
  teams: bitbucket_key is match('TEAM')
keyed_groups:
  - key: bitbucket_key[0]
    prefix: letter
compose:
  project_tokens_concurrency: 1

---
# repositories.bitbucket.yml. Every repository of two projects. The password is decrypted with the vault secret of the
# command.
plugin: tokensmith.bitbucket.projects
url: https://bitbucket.example.com
username: automation
password: "{{ lookup('ansible.builtin.unvault', 'bitbucket.password') | trim }}"
include: [PAY, SHOP]
host_for_each: repository
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/bitbucket
cache_timeout: 3600
"""

import contextlib
import difflib
import os
import typing as t

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable

from ..module_utils import _argspec
from ..module_utils._names import names
from ..module_utils.core._errors import BitbucketError, InputError
from ..module_utils.datacenter._api import DataCenter
from ..module_utils.http._connection import client_from, credential_from
from ..plugin_utils import _inventory

try:
    # Since ansible-core 2.19 a string is a template only if it is marked as one.
    from ansible.template import trust_as_template as _template

    _no_template: t.Any = str
except ImportError:
    # Before, every string is one unless it is marked as unsafe.
    from ansible.utils.unsafe_proxy import wrap_var

    _template, _no_template = str, wrap_var

#: Options that a file may give as templates, since they name places and people that differ between environments.
_TEMPLATES = ("url", "username", "password", "token", "ca_path", "client_cert", "client_key")
#: Names that these options have elsewhere in this collection.
_USUAL = {"projects": "include", "repositories": "include_repositories"}
_CREDENTIAL = ("username", "password", "token")
_SECRET = ("password", "token")
# Errors of filters. Before ansible-core 2.19 a template raises them unchanged, and they may quote their input.
_OF_FILTERS = (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError)


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Adds hosts only after discovery has succeeded, so that a failure leaves none behind."""

    NAME = "tokensmith.bitbucket.projects"

    def verify_file(self, path: str) -> bool:
        """Whether the file is for this plugin, by its name."""
        return bool(super().verify_file(path)) and path.endswith(("bitbucket.yml", "bitbucket.yaml"))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:
        """Add the hosts.

        :raises AnsibleParserError: if the hosts cannot be discovered.
        """
        super().parse(inventory, loader, path, cache)
        try:
            self._require_strings(path)
            config = self._read_config_data(path)
            self._require_known(config)
            found = self._discovered(path, self._connection(config), cache)
            repositories = (self._names("include_repositories"), self._names("exclude_repositories"))
            hosts = _inventory.hosts(found, self.get_option("host_for_each"), *repositories)
        except BitbucketError as error:
            raise AnsibleParserError(str(error)) from None
        for warning in found.warnings:
            self.display.warning(f"{path}: {warning}")
        self._add(hosts)

    def _require_strings(self, path: str) -> None:
        """Check the types of secrets before Ansible does: its message would show the value.

        :raises InputError: for a list or mapping where a secret belongs.
        """
        config = self.loader.load_from_file(path, cache="none")
        for name in _SECRET:
            if isinstance(config, dict) and isinstance(config.get(name), (dict, list)):
                raise InputError(f"`{name}` must be a string.")

    def _require_known(self, config: t.Mapping[str, t.Any]) -> None:
        """A misspelt `include` would mean all projects.

        :raises InputError: for a key that is not an option.
        """
        known = sorted(self.get_options())
        for key in sorted(set(map(str, config)) - set(known)):
            nearest = _USUAL.get(key) or next(iter(difflib.get_close_matches(key, known, n=1)), "")
            hint = f" Did you mean `{nearest}`?" if nearest else ""
            # Something that is no identifier may be part of a secret.
            named = f"`{key}`" if key.isidentifier() else "A key"
            raise InputError(f"{named} is not an option of this inventory.{hint} The options are {', '.join(known)}.")

    def _connection(self, config: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        """The options as modules have them. The credential of the environment is selected as for modules."""
        given = {name: self.get_option(name) for name in _argspec.CONNECTION}
        given.update(dict.fromkeys(_CREDENTIAL))
        given.update({name: self._templated(name, config[name]) for name in _TEMPLATES if name in config})
        given = {name: value for name, value in given.items() if value is not None}
        result = ArgumentSpecValidator(_argspec.CONNECTION).validate(given)
        if result.error_messages:
            raise InputError(f"{result.error_messages[0]}.")
        return dict(result.validated_parameters)

    def _templated(self, name: str, value: t.Any) -> str | None:
        """The value of an option in the file, decrypted or templated."""
        if value is None:
            return None
        try:
            # A plain str, without the tags of ansible-core 2.19.
            return str.__str__(str(self.templar.template(value) if isinstance(value, str) else value))
        except (AnsibleError, *_OF_FILTERS):
            raise InputError(f"`{name}` can be neither decrypted nor templated.") from None

    def _names(self, option: str) -> list[str]:
        """The names or patterns of an option, in which YAML may have read one as a boolean or a number."""
        try:
            return names(self.get_option(option))
        except TypeError as error:
            raise InputError(f"`{option}`: {error}") from None

    def _discovered(self, path: str, connection: dict[str, t.Any], cache: bool) -> _inventory.Discovered:
        wanted = _inventory.Wanted(
            include=tuple(self._names("include")),
            exclude=tuple(self._names("exclude")),
            administered=self.get_option("administered"),
            archived=self.get_option("archived"),
            repositories=self.get_option("repositories") or self.get_option("host_for_each") == "repository",
            concurrency=self.get_option("concurrency"),
        )
        if not self.get_option("cache"):
            return _inventory.discover(DataCenter(client_from(connection)), wanted)
        credential = credential_from(connection, os.environ)
        # An id is no secret, and nothing else of a token is in the key.
        caller = credential.username or credential.token_id or ""
        key = f"{self.get_cache_key(path)}_{wanted.fingerprint(connection['url'], caller)}"
        if cache:
            with contextlib.suppress(KeyError):
                return _inventory.from_plain(self._cache[key])
        found = _inventory.discover(DataCenter(client_from(connection)), wanted)
        self._cache[key] = found.plain()
        return found

    def _add(self, hosts: t.Mapping[str, t.Mapping[str, t.Any]]) -> None:
        """Add all hosts, or none if `strict` makes one of them fail."""
        before = set(self.inventory.hosts)
        try:
            for name, variables in hosts.items():
                self._add_one(name, variables)
        except AnsibleError:
            for name in set(self.inventory.hosts) - before:
                self.inventory.remove_host(self.inventory.hosts[name])
            raise

    def _add_one(self, name: str, variables: t.Mapping[str, t.Any]) -> None:
        self.inventory.add_host(name)
        host = self.inventory.get_host(name)
        self.inventory.set_variable(name, "ansible_connection", _template("local"))
        # Ansible would discover another interpreter, one without the library.
        interpreter = _template("{{ ansible_playbook_python }}")
        self.inventory.set_variable(name, "ansible_python_interpreter", interpreter)
        for variable, value in _untemplated(variables).items():
            self.inventory.set_variable(name, variable, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), host.get_vars(), name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), host.get_vars(), name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), host.get_vars(), name, strict=strict)


def _untemplated(value: t.Any) -> t.Any:
    """``value`` without templates."""
    if isinstance(value, list):
        return [_untemplated(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _untemplated(entry) for name, entry in value.items()}
    if not isinstance(value, str):
        return value
    # Mark only strings that need it: in an export, and so in AWX, a marked one has a longer form.
    return _no_template(value) if _inventory.may_be_template(value) else _template(value)
