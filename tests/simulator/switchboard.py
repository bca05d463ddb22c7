"""What all products' switches have in common: setting an unknown switch, or a value outside its choices, raises, so
that a test cannot pass by a typo.
"""

from __future__ import annotations

import dataclasses
import typing as t
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass
class Switchboard:
    date_header: str = "server"
    """Open question 10: ``server``, ``missing``, ``absurd``, or the text to send."""
    date_age_seconds: float = 0.0
    """Open question 10: a Date that a cache in front of the server has kept for so long."""
    latency_ms: float = 0.0
    """Only the HTTP front waits; the in-process one compares it with the read timeout."""

    def __setattr__(self, name: str, value: object) -> None:
        object.__setattr__(self, name, self.checked(name, value))

    def update(self, values: Mapping[str, object]) -> None:
        checked = {name: self.checked(name, value) for name, value in values.items()}
        for name, value in checked.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, t.Any]:
        return dataclasses.asdict(self)

    @classmethod
    def parse(cls, text: str) -> tuple[str, object]:
        """``NAME=VALUE`` of the command line."""
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{text!r} is not NAME=VALUE")
        return name, cls.checked(name, value)

    @classmethod
    def checked(cls, name: str, value: object) -> object:
        hint = _hints(cls).get(name)
        if hint is None:
            raise AttributeError(f"there is no switch {name!r}")
        if t.get_origin(hint) is t.Literal:
            return _choice(name, value, t.get_args(hint))
        if t.get_origin(hint) is tuple:
            return _words(value)
        if hint is bool:
            return _boolean(name, value)
        if type(None) in t.get_args(hint):
            return None if value in (None, "", "none") else _number(name, value, int)
        return str(value) if hint is str else _number(name, value, hint)


_HINTS: dict[str, dict[str, t.Any]] = {}


def _hints(board: type[Switchboard]) -> dict[str, t.Any]:
    name = f"{board.__module__}.{board.__qualname__}"
    if name not in _HINTS:
        _HINTS[name] = t.get_type_hints(board)
    return _HINTS[name]


def _choice(name: str, value: object, choices: tuple[object, ...]) -> object:
    for choice in choices:
        if str(choice) == str(value):
            return choice
    raise ValueError(f"{name} must be one of {', '.join(map(str, choices))}, not {value!r}")


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(word for word in value.split(",") if word)
    return tuple(str(word) for word in t.cast("Iterable[object]", value))


def _boolean(name: str, value: object) -> bool:
    known = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}
    if str(value).lower() not in known:
        raise ValueError(f"{name} must be true or false, not {value!r}")
    return known[str(value).lower()]


def _number(name: str, value: object, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(t.cast("str", value))
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, not {value!r}") from None
