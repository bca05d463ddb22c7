# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two variables of a vaulted file, changed without touching anything else that the file holds."""

from __future__ import annotations

import collections
import copy
import typing as t

import yaml

from ...module_utils.core._model import is_reference

#: Reference to secret.
SECRETS = "bitbucket_tokens"
#: Reference to token id.
IDS = "bitbucket_token_ids"

# libyaml if PyYAML has it: a file of 30,000 secrets is read in seconds instead of half a minute.
_Loader: t.Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper: t.Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


#: Ansible never evaluates a value with this tag as a template.
_UNSAFE = "!unsafe"
_TEXT = "tag:yaml.org,2002:str"


class _Value(str):
    """A secret or an id. Always quoted: other YAML readers take an id with leading zeros for a number."""


class _Dumper(_BaseDumper):
    """Writes the two variables."""


def _unsafe(dumper: t.Any, value: _Value) -> t.Any:
    # libyaml takes no subclass of str.
    text = str.__str__(value)
    # Ansible looks past the quotes of what has its tag: an id would become a number. Such a text is no template anyway.
    tag = _UNSAFE if dumper.resolve(yaml.ScalarNode, text, (True, False)) == _TEXT else _TEXT
    return dumper.represent_scalar(tag, text, style='"')


_Dumper.add_representer(_Value, _unsafe)


_Entries = list[tuple[t.Any, t.Any]]
#: The usual cause is a merge of two branches. Which of the two is right, only a person can tell.
_TWICE = "contains {} twice, perhaps after a merge: decrypt it, keep the right one, encrypt it and run again."
_OWN_FILE = "holds something that would not stay as it is next to these variables: give the store a file of its own."


class UnfitError(Exception):
    """The file holds something that this store cannot keep as it is. The message continues "FILE …"."""


class Variables:
    """The content of the file.

    :param text: the decrypted file.
    :raises UnfitError: if the two variables cannot be replaced in it without changing what else it means.
    """

    def __init__(self, text: str) -> None:
        entries = _entries(text)
        blocks = [(key.value, value) for key, value in entries if _is_ours(key)]
        values = {name: _plain(value, name) for name, value in blocks}
        if len(values) < len(blocks):
            raise UnfitError(_TWICE.format(" and ".join(_repeated(name for name, _value in blocks))))
        self.secrets = values.get(SECRETS, {})
        self.ids = values.get(IDS, {})
        self._others = _without_ours(text, entries)
        if self._others.strip():
            self._prove(entries)

    def merged(self, new: dict[str, tuple[str, str]]) -> Variables:
        """The same with ``new`` (reference to secret and id) merged in."""
        result = copy.copy(self)
        result.secrets = {**self.secrets, **{reference: secret for reference, (secret, _id) in new.items()}}
        result.ids = {**self.ids, **{reference: token_id for reference, (_secret, token_id) in new.items()}}
        return result

    def without(self, references: t.Collection[str]) -> Variables:
        """The same without the entries of ``references``."""
        result = copy.copy(self)
        result.secrets = {key: value for key, value in self.secrets.items() if key not in references}
        result.ids = {key: value for key, value in self.ids.items() if key not in references}
        return result

    @property
    def text(self) -> str:
        """The file's text: the two variables after everything else, which is as it was."""
        head = self._others if not self._others or self._others.endswith("\n") else f"{self._others}\n"
        both = ((SECRETS, self.secrets), (IDS, self.ids))
        ours = {name: {key: _Value(value) for key, value in values.items()} for name, values in both}
        block: str = yaml.dump(ours, Dumper=_Dumper, default_flow_style=False, width=4096)
        return head + block

    def _prove(self, before: _Entries) -> None:
        """Make sure, before any token is created, that writing keeps everything else."""
        try:
            after = _entries(self.text)
        except UnfitError:
            raise UnfitError(_OWN_FILE) from None
        ours = {key.value: _plain(value, key.value) for key, value in after if _is_ours(key)}
        if _meaning(before) != _meaning(after) or ours != {SECRETS: self.secrets, IDS: self.ids}:
            raise UnfitError(_OWN_FILE)


def _entries(text: str) -> _Entries:
    """The top-level variables, unread, in their order."""
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError:
        # The library's message would quote the line, and so perhaps a secret.
        raise UnfitError("does not hold one valid YAML document once decrypted.") from None
    if node is None:
        return []
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        raise UnfitError(_OWN_FILE)
    entries: _Entries = node.value
    return entries


def _is_ours(key: t.Any) -> bool:
    return key.value in (SECRETS, IDS)


def _without_ours(text: str, entries: _Entries) -> str:
    lines = text.splitlines(keepends=True)
    drop = {
        number
        for key, value in entries
        if _is_ours(key)
        for number in range(key.start_mark.line, max(key.end_mark.line, _last_line(value)) + 1)
    }
    return "".join(line for number, line in enumerate(lines) if number not in drop)


def _last_line(node: t.Any) -> int:
    """The line that a value ends on; a block's own end mark already stands at whatever comes next."""
    if isinstance(node, yaml.ScalarNode) or not node.value or node.flow_style:
        end = node.end_mark
        return int(end.line if end.column or end.line == node.start_mark.line else end.line - 1)
    last = node.value[-1]
    return _last_line(last[1] if isinstance(last, tuple) else last)


def _meaning(entries: _Entries) -> list[t.Any]:
    """What the variables that are not ours say."""
    return [(_shape(key), _shape(value)) for key, value in entries if not _is_ours(key)]


def _shape(node: t.Any, above: tuple[int, ...] = ()) -> t.Any:
    """What a node means, without its position. One that contains itself is cut there."""
    if id(node) in above:
        return above.index(id(node))
    if isinstance(node, yaml.ScalarNode):
        return node.tag, node.value
    above = (*above, id(node))
    if isinstance(node, yaml.MappingNode):
        return node.tag, [(_shape(key, above), _shape(value, above)) for key, value in node.value]
    return node.tag, [_shape(item, above) for item in node.value]


def _plain(node: t.Any, name: str) -> dict[str, str]:
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null":
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise UnfitError(f"holds a {name} that is not a mapping of references.")
    if not all(isinstance(key, yaml.ScalarNode) and _is_text(value) for key, value in node.value):
        raise UnfitError(f"holds a {name} with something else than plain text in it.")
    found = {key.value: value.value for key, value in node.value}
    if len(found) < len(node.value):
        twice = [key for key in _repeated(key.value for key, _value in node.value) if is_reference(key)]
        raise UnfitError(_TWICE.format(f"an entry of {name}{f', {twice[0]}' if twice else ''}"))
    return found


def _is_text(node: t.Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and (node.tag == _UNSAFE or not node.tag.startswith("!"))


def _repeated(names: t.Iterable[str]) -> list[str]:
    return sorted(name for name, count in collections.Counter(names).items() if count > 1)
