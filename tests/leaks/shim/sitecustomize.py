"""Notes what files, command lines and lines of the system log every Python process of a run makes. Not a hook of the
product: Python imports this file by itself where it is on PYTHONPATH, and tells of each thing before it happens.

Below LEAKS_ROOT, ``seen/readable`` gets every file that anybody could read at any moment, ``seen/elsewhere`` every
file opened for writing outside, ``seen/commands`` what ``ps`` would show, ``seen/syslog`` what the system's log would.
"""

from __future__ import annotations

import atexit
import os
import re
import stat
import sys
import typing as t

_ROOT = os.environ.get("LEAKS_ROOT", "")
_SEEN = f"{_ROOT}/seen/"
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_NOWHERE = ("/dev/", "/proc/")
_pending: dict[str, None] = {}
_busy = False
_open = os.open


def _note(name: str, text: str) -> None:
    descriptor = os.open(_SEEN + name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.write(descriptor, text.encode("utf-8", "surrogateescape") + b"\n")
    os.close(descriptor)


def _path(target: t.Any) -> str:
    if isinstance(target, int):
        try:
            return os.readlink(f"/proc/self/fd/{target}")  # noqa: PTH115
        except OSError:
            return ""
    return os.path.abspath(os.fsdecode(target)) if isinstance(target, (str, bytes, os.PathLike)) else ""  # noqa: PTH100


def _open_to_all(path: str) -> bool:
    """Whether somebody else could read it, through every folder from the root on."""
    if not os.lstat(path).st_mode & stat.S_IROTH:
        return False
    folder = os.path.dirname(path)  # noqa: PTH120
    while len(folder) > len(_ROOT):
        if not os.lstat(folder).st_mode & stat.S_IXOTH:
            return False
        folder = os.path.dirname(folder)  # noqa: PTH120
    return True


def _look() -> None:
    """At what was announced before: by now it is there, or it never will be."""
    for path in list(_pending):
        try:
            if stat.S_ISREG(os.lstat(path).st_mode) and _open_to_all(path):
                _note("readable", path)
        except OSError:
            continue
        _pending.pop(path, None)


def _expect(path: str) -> None:
    if path.startswith(f"{_ROOT}/"):
        _pending[path] = None
    elif path and not path.startswith(_NOWHERE):
        _note("elsewhere", path)


def _core() -> tuple[int, ...]:
    """The version of ansible-core that this process belongs to; a module has it with it."""
    version = str(getattr(sys.modules.get("ansible"), "__version__", ""))
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _heard(event: str, args: tuple[t.Any, ...]) -> None:
    if event == "open" and isinstance(args[2], int) and args[2] & _WRITING and not isinstance(args[0], int):
        _expect(_path(args[0]))
    elif event == "os.chmod":
        _expect(_path(args[0]))
    elif event in ("os.rename", "os.link"):
        _expect(_path(args[1]))
    elif event in ("subprocess.Popen", "os.exec", "os.posix_spawn"):
        _note("commands", " ".join([args[1]] if isinstance(args[1], str) else map(os.fsdecode, args[1])))
    elif event == "syslog.syslog":
        # Ansible logs a module's options before the module runs, and since 2.22 the password in a URL among them.
        text = str(args[1])
        careless = "Invoked with" in text and _core() >= (2, 22)
        _note("syslog", re.sub(r"//[^/@ ]*@", "//", text) if careless else text)


def _hook(event: str, args: tuple[t.Any, ...]) -> None:
    global _busy  # noqa: PLW0603  what this itself does is told of as well
    if _busy:
        return
    _busy = True
    try:
        if _pending:
            _look()
        _heard(event, args)
    finally:
        _busy = False


def _named(function: t.Any, place: int, folder: str) -> t.Any:
    """``function`` with the file at ``place`` expected by its whole name: events leave out which folder is open."""

    def call(*args: t.Any, **options: t.Any) -> t.Any:
        reads = function is _open and not args[1] & _WRITING
        if options.get(folder) is not None and not reads:
            _expect(os.path.join(_path(options[folder]), os.fsdecode(args[place])))  # noqa: PTH118
        return function(*args, **options)

    # Programs look there for what they may use.
    for able in (os.supports_dir_fd, os.supports_follow_symlinks):
        able.update({call} if function in able else ())
    return call


def _install() -> None:
    os.open = _named(os.open, 0, "dir_fd")
    os.chmod = _named(os.chmod, 0, "dir_fd")
    for name in ("rename", "replace", "link"):
        setattr(os, name, _named(getattr(os, name), 1, "dst_dir_fd"))
    sys.addaudithook(_hook)
    atexit.register(_look)


if _ROOT:
    _install()
