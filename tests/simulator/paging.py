"""D26 [doc]: pages with ``start`` and ``limit``, and a ``nextPageStart`` that is not ``start + size``."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Sequence

from .errors import invalid
from .switches import Switches

DEFAULT_LIMIT = 25
Item = t.TypeVar("Item")


def page(
    items: Sequence[Item], parameters: dict[str, str], switches: Switches, describe: Callable[[Item], object]
) -> dict[str, object]:
    """One page; with ``page_gaps`` an item's position is a multiple of gap + 1, as if others were filtered out."""
    start = _number(parameters, "start", 0, least=0)
    limit = min(_number(parameters, "limit", DEFAULT_LIMIT, least=1), switches.page_cap)
    stride = switches.page_gaps + 1
    first = -(-start // stride)
    chosen = items[first : first + limit]
    following = first + limit
    last = following >= len(items)
    answer: dict[str, object] = {"size": len(chosen), "limit": limit, "isLastPage": last}
    answer["values"] = [describe(item) for item in chosen]
    answer["start"] = start
    if not last:
        answer["nextPageStart"] = max(first + 1, following - switches.page_overlap) * stride
    return answer


def _number(parameters: dict[str, str], name: str, default: int, *, least: int) -> int:
    text = parameters.get(name)
    if text is None:
        return default
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise invalid(name, f"{name} must be a number of at least {least}")
    return number
