# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""A listing in a file, as CSV or JSON, on the host where a module runs."""

from __future__ import annotations

import os
import re
import stat
import typing as t
from pathlib import Path

from ._names import NAMES, TEXT
from .core import _files, _text
from .core._errors import InputError
from .core._files import FileError

_MODE = re.compile(r"0?[0-7]{3}", re.ASCII)


def options(columns: t.Sequence[str]) -> dict[str, dict[str, t.Any]]:
    """The options of a module that writes rows with these keys."""
    return {
        "output_file": {"type": "path"},
        "format": {"type": "str", "choices": ["csv", "json"], "default": "csv"},
        "columns": {"type": NAMES, "elements": "str", "default": list(columns)},
        "mode": {"type": TEXT, "default": "0600"},
    }


class Existing(t.NamedTuple):
    """A file as it is: its bytes and its permissions."""

    data: bytes
    mode: int


def existing(path: Path) -> Existing | None:
    """The file, or ``None`` if it does not exist. Proves that it can be replaced, as far as that can be known.

    :raises BitbucketError: for anything but a plain file, and for a directory that is missing or not writable.
    """
    try:
        status = path.lstat() if os.path.lexists(path) else None
        if status and not stat.S_ISREG(status.st_mode):
            raise FileError("It is not a plain file.")
        _files.require_writable(path.parent)
        return Existing(path.read_bytes(), stat.S_IMODE(status.st_mode)) if status else None
    except FileError as error:
        raise FileError(f"{path} cannot be written. {error}") from None
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror}.") from None


class Export:
    """The file that the options of a task name.

    :raises BitbucketError: if it cannot be written, which is known before anything is requested.
    """

    def __init__(self, params: t.Mapping[str, t.Any], columns: t.Sequence[str]) -> None:
        unknown = [column for column in params["columns"] if column not in columns]
        if unknown or not params["columns"]:
            raise InputError(f"`columns` has {unknown[0] if unknown else 'no column'}: use {', '.join(columns)}.")
        if not _MODE.fullmatch(params["mode"]):
            raise InputError("`mode` must be three octal digits, such as '0640', in quotes.")
        self._path = Path(params["output_file"])
        self._format = params["format"]
        self._columns = params["columns"]
        self._mode = int(params["mode"], 8)
        self._before = existing(self._path)

    def write(self, rows: t.Sequence[t.Mapping[str, t.Any]], check_mode: bool) -> dict[str, t.Any]:
        """Write the rows if the file does not hold them yet; the part of the result that is about the file."""
        text = self._text(rows)
        after = Existing(text.encode("utf-8"), self._mode)
        changed = after != self._before
        if changed and not check_mode:
            _files.replace_unlocked(self._path, after.data, after.mode)
        before = self._before
        diff = {
            "before": before.data.decode("utf-8", "replace") if before else "",
            "after": text,
            "before_header": f"{self._path} ({before.mode:04o})" if before else f"{self._path} (absent)",
            "after_header": f"{self._path} ({self._mode:04o})",
        }
        return {"changed": changed, "output_file": str(self._path), "diff": diff}

    def _text(self, rows: t.Sequence[t.Mapping[str, t.Any]]) -> str:
        if self._format == "json":
            return _text.visible_json([{key: row[key] for key in self._columns} for row in rows], indent=2) + "\n"
        return _text.csv_of(self._columns, [{key: _plain(row[key]) for key in self._columns} for row in rows])


def _plain(value: t.Any) -> t.Any:
    """One cell: what is several values is separated by blanks."""
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
