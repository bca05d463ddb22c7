# Copyright (c) 2026, Tokensmith
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit's files on the controller, and the audit that was there before."""

from __future__ import annotations

import collections.abc as c
import json
from pathlib import Path

from ...module_utils.core import _files, _locks
from ...module_utils.core._errors import BitbucketError
from ._document import Fingerprint, fingerprint_of

NAMES = {"json": "audit.json", "csv": "audit.csv", "junit": "audit.junit.xml", "html": "audit.html"}
# The files show who may do what, which helps an attacker.
_FILE_MODE, _DIRECTORY_MODE = 0o640, 0o750
_PATIENCE = 60.0


class Output:
    """A directory for the files. Relative paths start where ansible was started."""

    def __init__(self, directory: str) -> None:
        self._directory = _files.absolute(directory)

    @property
    def files(self) -> dict[str, str]:
        """Where each kind of file is, or would be."""
        return {kind: str(self._directory / name) for kind, name in NAMES.items()}

    def prepare(self, check_mode: bool) -> None:
        """Prove that the files can be written, before thousands of requests are made.

        :raises BitbucketError: if they cannot.
        """
        try:
            if not check_mode:
                self._directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        except OSError as error:
            raise BitbucketError(f"`output_dir`: {self._directory} cannot be created: {error.strerror}.") from None
        if _files.status_of(self._directory):
            _files.require_writable(self._directory)

    def before(self) -> Fingerprint | None:
        """What the audit found that is there; ``None`` if there is none, or it is not complete."""
        try:
            if not all(Path(path).is_file() for path in self.files.values()):
                return None
            return fingerprint_of(json.loads(Path(self.files["json"]).read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, contents: c.Mapping[str, str]) -> None:
        """Put all files in place, each of them at once.

        :raises BitbucketError: if one cannot be written.
        """
        with _locks.locked(self._directory / ".audit.lock", _PATIENCE):
            for kind, text in contents.items():
                path = Path(self.files[kind])
                _files.replace(path, text.encode("utf-8"), None if path.exists() else _FILE_MODE)
