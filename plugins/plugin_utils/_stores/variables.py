# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two variables of a vaulted file, changed without touching anything else that the file holds."""

from __future__ import annotations

import typing as t

import yaml

#: Reference to secret.
SECRETS = "bitbucket_tokens"
#: Reference to token id.
IDS = "bitbucket_token_ids"

# libyaml where PyYAML has it: a file of 30,000 secrets is read in seconds instead of half a minute.
_Loader: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper: t.Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Id(str):
    """A token id: always quoted, since other YAML readers than ours take one with leading zeros for a number."""


class _Dumper(_BaseDumper):
    """Writes the two variables."""


def _quoted(dumper: t.Any, value: _Id) -> t.Any:
    # libyaml takes no subclass of str.
    return dumper.represent_scalar("tag:yaml.org,2002:str", str.__str__(value), style='"')


_Dumper.add_representer(_Id, _quoted)


class UnfitError(Exception):
    """The file holds something that this store cannot keep as it is. The message continues "FILE …"."""


class Variables:
    """The content of the file.

    :param text: the decrypted file.
    :raises UnfitError: where it is not a mapping in which the two variables can be replaced.
    """

    def __init__(self, text: str) -> None:
        self._others, blocks = _parts(text)
        self.secrets = _mapping(blocks, SECRETS)
        self.ids = _mapping(blocks, IDS)

    def with_secrets(self, new: dict[str, tuple[str, str]]) -> str:
        """The file's text with ``new`` (reference to secret and id) merged in; all else as it was."""
        secrets = {**self.secrets, **{reference: secret for reference, (secret, _id) in new.items()}}
        ids = {**self.ids, **{reference: token_id for reference, (_secret, token_id) in new.items()}}
        quoted = {reference: _Id(token_id) for reference, token_id in ids.items()}
        head = self._others if not self._others or self._others.endswith("\n") else f"{self._others}\n"
        block: str = yaml.dump({SECRETS: secrets, IDS: quoted}, Dumper=_Dumper, default_flow_style=False, width=4096)
        return head + block


def _parts(text: str) -> tuple[str, dict[str, t.Any]]:
    """Everything but our two variables, as it is written, and the values of those two."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:
        # The library's message would quote the line, and so perhaps a secret.
        raise UnfitError("does not hold valid YAML once decrypted.") from None
    if node is None:
        return text, {}
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise UnfitError("does not hold variables, one per line, once decrypted: give the store a file of its own.")
    lines = text.splitlines(keepends=True)
    if any(line.startswith(("---", "...")) for line in lines[1:]):
        raise UnfitError("holds more than one YAML document once decrypted: give the store a file of its own.")
    drop: set[int] = set()
    values: dict[str, t.Any] = {}
    for key, value in node.value:
        if key.value in (SECRETS, IDS):
            drop.update(range(key.start_mark.line, _last_line(value) + 1))
            values[key.value] = _plain(value, key.value)
    return "".join(line for number, line in enumerate(lines) if number not in drop), values


def _last_line(node: t.Any) -> int:
    """The line that a value ends on; a block's own end mark already stands at whatever comes next."""
    if isinstance(node, yaml.ScalarNode) or not node.value or node.flow_style:
        end = node.end_mark
        return int(end.line if end.column or end.line == node.start_mark.line else end.line - 1)
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _plain(node: t.Any, name: str) -> t.Any:
    if isinstance(node, yaml.ScalarNode) and not node.value.strip("~"):
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise UnfitError(f"holds a {name} that is not a mapping of references.")
    pairs = [(key.value, value) for key, value in node.value]
    if any(not isinstance(value, yaml.ScalarNode) or value.tag == "!vault" for _key, value in pairs):
        raise UnfitError(f"holds a {name} with something else than plain text in it.")
    return {key: value.value for key, value in pairs}


def _mapping(blocks: dict[str, t.Any], name: str) -> dict[str, str]:
    return dict(blocks.get(name) or {})
