# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""The files that a configuration of git names: by ``include.path``, and in the command of a ``credential.helper``.

Git runs a helper with a shell, so its command is read here as a shell reads it, without running anything.
"""

from __future__ import annotations

import re
import typing as t

#: Where the path of a reference starts.
CONFIG, HOME, WORK_TREE, UNKNOWN = "config", "home", "work tree", "unknown"

# Signs that no value of git's configuration can hold, for what only the shell knows.
_HOME, _OTHER = "\0", "\1"
_PIECE = re.compile(
    r"(?P<blank>[ \t]+)|(?P<end>[;&|()<>\r\n])|'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\""
    r"|\\(?P<escaped>.)|(?P<variable>\$(?:HOME(?![A-Za-z0-9_])|\{HOME\}))|(?P<other>[$`])"
    r"|(?P<tilde>~(?P<user>[A-Za-z0-9_.-]*)(?=[/ \t]|\Z))|(?P<plain>.)",
    re.DOTALL,
)
_IN_QUOTES = re.compile(r"\\([$`\"\\\n])|(\$(?:HOME(?![A-Za-z0-9_])|\{HOME\}))|[$`]")
_COMMANDS = ("git-credential-store", "git-credential-store.exe", "credential-store")
# Where the store looks otherwise, by the variable that a command may set for it.
_BELOW = {"HOME=": ".git-credentials", "XDG_CONFIG_HOME=": "git/credentials"}
# Git accepts the beginning of an option too.
_FILE = re.compile(r"--f(?:i(?:le?)?)?(?:=(.*))?", re.DOTALL)


class Reference(t.NamedTuple):
    """A file that a configuration names.

    :param written: as the configuration names it, for messages.
    :param path: relative to ``start``, unless it is absolute.
    :param start: ``CONFIG`` is the directory of the configuration; ``WORK_TREE`` is the directory in which git runs a
        helper; ``UNKNOWN`` is for a path that only a shell, or git itself, could tell.
    """

    written: str
    path: str
    start: str = CONFIG


def of_include(path: str) -> Reference:
    """The file that ``include.path`` names."""
    if path.startswith("~/"):
        return Reference(path, path[2:], HOME)
    return Reference(path, path, UNKNOWN if path.startswith(("~", "%")) else CONFIG)


def of_helper(helper: str) -> list[Reference]:
    """The files that a helper has ``git credential-store`` use in place of its own."""
    if helper.startswith("!"):
        command = helper[1:]
    else:
        command = helper if helper.startswith("/") else f"git credential-{helper}"
    return [_reference(word) for words in _commands(command) for word in _files(words)]


def _reference(word: str) -> Reference:
    written = word.replace(_HOME, "~").replace(_OTHER, "$")
    below_home = word.startswith(f"{_HOME}/")
    path = word[2:] if below_home else word
    if _HOME in path or _OTHER in path or not path:
        return Reference(written, "", UNKNOWN)
    return Reference(written, path, HOME if below_home else WORK_TREE)


def _files(words: list[str]) -> t.Iterator[str]:
    """The files of the store that a command runs: those of ``--file``, or those below another home that it sets."""
    store = next((number for number, word in enumerate(words) if word.rpartition("/")[2] in _COMMANDS), len(words))
    named = False
    options = iter(words[store + 1 :])
    for option in options:
        match = _FILE.fullmatch(option)
        value = match and (match[1] if match[1] is not None else next(options, None))
        if value is not None:
            named = True
            yield value
    for variable, file in _BELOW.items() if store < len(words) and not named else ():
        yield from (f"{word[len(variable) :]}/{file}" for word in words[:store] if word.startswith(variable))


def _commands(text: str) -> list[list[str]]:
    """The words of each command, with a sign in place of the home directory and of whatever else a shell puts in."""
    commands: list[list[str]] = [[]]
    word: str | None = None
    for piece in _PIECE.finditer(text):
        if piece.lastgroup in ("blank", "end"):
            commands[-1] += [word] if word is not None else []
            word = None
            if piece.lastgroup == "end":
                commands.append([])
        else:
            word = (word or "") + _expanded(piece, word is None or word in _BELOW)
    commands[-1] += [word] if word is not None else []
    return commands


def _expanded(piece: re.Match[str], begins: bool) -> str:
    """What a piece stands for. ``begins``: at the beginning of a word or a value, where a tilde means something."""
    kind = piece.lastgroup or ""
    if kind == "double":
        return _IN_QUOTES.sub(lambda found: found[1] or (_HOME if found[2] else _OTHER), piece["double"])
    if kind == "tilde":
        return piece["tilde"] if not begins else _OTHER + piece["user"] if piece["user"] else _HOME
    signs = {"variable": _HOME, "other": _OTHER}
    return signs.get(kind) or piece[kind]
