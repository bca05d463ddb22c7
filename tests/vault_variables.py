"""Variables of a decrypted vault file, read by a YAML reader that takes Ansible's own tags for plain text."""

from __future__ import annotations

import typing as t

import yaml


class _Reader(yaml.SafeLoader):
    """Knows ``!vault`` and ``!unsafe``."""


for _tag in ("!vault", "!unsafe"):
    _Reader.add_constructor(_tag, lambda _loader, node: node.value)


def variables_of(text: str) -> dict[str, t.Any]:
    """The variables in ``text``; none for an empty file."""
    return t.cast("dict[str, t.Any]", yaml.load(text, Loader=_Reader) or {})  # a SafeLoader
