# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Types of options that hold names and keys.

YAML reads ``NO`` without quotes as a boolean and ``007`` as the number 7; Ansible's type ``str`` makes ``False`` and
``7`` of them. These types refuse both. Each is callable, as Ansible requires of a custom type, and equals the name of
Ansible's type, which ansible-test compares with the documentation.
"""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.validation import check_type_dict

_KINDS = {bool: "a boolean", int: "a number", float: "a number", type(None): "empty"}


def text(value: t.Any, what: str = "this") -> str:
    """``value``, if it is a text.

    :param what: what the error calls it; the value is not part of it.
    :raises TypeError: with the advice to quote.
    """
    if isinstance(value, str):
        return value
    raise TypeError(
        f"{what} is {_KINDS.get(type(value), 'a list or mapping')}, and must be a text. Put it in quotes: without them "
        "YAML reads yes, no, on, off, true and false as a boolean, and 007 as the number 7."
    )


def name(value: t.Any, what: str = "this") -> str:
    """As :func:`text`, without blanks at its ends."""
    return text(value, what).strip()


def names(value: t.Any) -> list[str]:
    """A list of names, also from a text that separates them by commas.

    :raises TypeError: for anything else.
    """
    entries = value if isinstance(value, (list, tuple)) else filter(str.strip, text(value).split(","))
    return [name(entry, f"entry {number}") for number, entry in enumerate(entries, 1)]


def by_name(value: t.Any) -> dict[str, t.Any]:
    """A mapping whose keys are names.

    :raises TypeError: for anything else.
    """
    return {name(key, "a key"): entry for key, entry in check_type_dict(value).items()}


class _Type(str):
    """The type of an option."""

    __slots__ = ()

    @property
    def __name__(self) -> str:
        """What Ansible calls it in errors."""
        return str(self)


# Ansible passes more than the value to a type that has the name of one of its own.
class _Text(_Type):
    def __call__(self, value: t.Any, **_context: t.Any) -> str:
        return text(value)


class _Name(_Type):
    def __call__(self, value: t.Any, **_context: t.Any) -> str:
        return name(value)


class _Names(_Type):
    def __call__(self, value: t.Any) -> list[str]:
        return names(value)


class _ByName(_Type):
    def __call__(self, value: t.Any) -> dict[str, t.Any]:
        return by_name(value)


TEXT = _Text("str")
NAME = _Name("str")
NAMES = _Names("list")
BY_NAME = _ByName("dict")
