# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""Text that servers, files and people wrote, made safe for terminals, spreadsheets and editors."""

from __future__ import annotations

import csv
import io
import json
import re
import typing as t
import unicodedata

# A spreadsheet runs a cell that begins like this, in the full-width form too. Where it takes semicolons for the
# separator, as in many countries, so does what follows one.
_FORMULA = re.compile(r"(\A|;)(?=[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20])")
_OTHER = re.compile(r"[^ -~]")
# In JSON, line breaks of texts are escaped; the others are between the texts, and there are many.
_OTHER_IN_JSON = re.compile(r"[^ -~\n]")


def visible(text: str) -> str:
    """``text`` with a mark such as ``⟨U+202E⟩`` in place of each control character, direction mark or other character
    that cannot be seen. ``audit.html`` shows them in the same way.
    """
    return _OTHER.sub(lambda found: found[0] if _is_visible(found[0]) else f"\u27e8U+{ord(found[0]):04X}\u27e9", text)


def visible_json(data: t.Any, indent: int | None = None) -> str:
    """``data`` as JSON that is safe to print: characters that cannot be seen are escaped, all others stay readable."""
    encoder = json.JSONEncoder(ensure_ascii=False, indent=indent, separators=None if indent else (",", ":"))
    text = _in_pieces(encoder, data) if indent else encoder.encode(data)
    return _OTHER_IN_JSON.sub(lambda found: _in_json(found[0]), text)


def _in_pieces(encoder: json.JSONEncoder, data: t.Any) -> str:
    """The text of ``data``, without the list of all pieces that ``encode`` makes if there is an indent."""
    stream = io.StringIO()
    for piece in encoder.iterencode(data):
        stream.write(piece)
    return stream.getvalue()


def csv_of(columns: t.Sequence[str], rows: t.Iterable[t.Mapping[str, t.Any]]) -> str:
    """Rows as CSV (RFC 4180) with a header. Nothing in it moves a cursor or is a formula."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return stream.getvalue()


def shortened(lines: t.Sequence[str], most: int, what: str = "more") -> list[str]:
    """The first lines, and how many there are after them."""
    left = len(lines) - most
    return [*lines[:most], *([f"and {left:,} {what}"] if left > 0 else [])]


def _is_visible(char: str) -> bool:
    # Blanks other than the usual one are not printable, and harmless.
    return char.isprintable() or unicodedata.category(char) == "Zs"


def _in_json(char: str) -> str:
    if _is_visible(char):
        return char
    digits = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{digits[start : start + 4]}" for start in range(0, len(digits), 4))


def _cell(value: t.Any) -> str:
    if value is None:
        return ""
    text = str(value)
    return _FORMULA.sub(r"\1'", visible(text)) if isinstance(value, str) else text
