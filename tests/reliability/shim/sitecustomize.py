"""Stops a process at a chosen step of writing to a store, so that a test can kill it there. Not a hook of the product:
Python imports this file by itself where it is on PYTHONPATH, and the calls are the operating system's.

RELIABILITY_STORE is the directory to watch. RELIABILITY_LOG gets a line for every point passed, such as
``before rename-tmp 3``: the steps of a write that a crash cannot tear, and whatever else would change a file there
(``write-file``, ``truncate-file``, ``link-file``). Flushing a file that is still empty is ``fsync-nothing``. At the
point that RELIABILITY_STOP names the process creates RELIABILITY_FLAG and waits until that is gone. The step that
RELIABILITY_FULL names, such as ``fsync-tmp 2``, fails as on a full disk. With RELIABILITY_SIZE no temporary file can
have more bytes than that.
"""

from __future__ import annotations

import builtins
import collections
import errno
import fcntl
import io
import os
import resource
import time
import typing as t

_DIRECTORY = os.environ.get("RELIABILITY_STORE", "")
_passed: collections.Counter[str] = collections.Counter()
_opened: dict[int, str] = {}
_open, _close, _remove, _open_stream = os.open, os.close, os.unlink, io.open
_SIZES = resource.getrlimit(resource.RLIMIT_FSIZE)


def _note(path: str, text: str) -> None:
    descriptor = _open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, text.encode())
    _close(descriptor)


def _point(when: str, step: str) -> None:
    _passed[f"{when} {step}"] += 1
    name = f"{when} {step} {_passed[f'{when} {step}']}"
    if log := os.environ.get("RELIABILITY_LOG"):
        _note(log, f"{name}\n")
    if name == os.environ.get("RELIABILITY_STOP"):
        _note(os.environ["RELIABILITY_FLAG"], name)
        while os.path.exists(os.environ["RELIABILITY_FLAG"]):  # noqa: PTH110  pathlib is not wanted this early
            time.sleep(0.02)


def _kind(path: t.Any) -> str:
    """What a path is to the store, or nothing where it is not the store's."""
    text = os.fspath(path) if isinstance(path, (str, os.PathLike)) else ""
    if not isinstance(text, str) or not text.startswith(_DIRECTORY):
        return ""
    if text.endswith((".lock", ".tmp")):
        return text.rpartition(".")[2]
    return "directory" if os.path.isdir(text) else "file"  # noqa: PTH112  pathlib is not wanted this early


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, _SIZES[1]))


def _wrapped(function: t.Any, step: str, kind_of: t.Callable[[t.Any], str]) -> t.Any:
    def call(target: t.Any, *args: t.Any, **options: t.Any) -> t.Any:
        kind = kind_of(target)
        if not kind:
            result = function(target, *args, **options)
            if step == "open":
                # The number may have been that of a file whose stream closed it.
                _opened.pop(result, None)
            return result
        _point("before", f"{step}-{kind}")
        if f"{step}-{kind} {_passed[f'before {step}-{kind}']}" == os.environ.get("RELIABILITY_FULL"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        result = function(target, *args, **options)
        if step == "open":
            _opened[result] = kind
            if kind == "tmp" and "RELIABILITY_SIZE" in os.environ:
                _limit(int(os.environ["RELIABILITY_SIZE"]))
        _point("after", f"{step}-{kind}")
        return result

    return call


def _unlock(descriptor: int) -> None:
    """Closing a lock's file releases it."""
    held = _opened.pop(descriptor, "") == "lock"
    if held:
        _point("before", "unlock-lock")
    _close(descriptor)
    if held:
        _point("after", "unlock-lock")


def _flushed(descriptor: int) -> str:
    kind = _opened.get(descriptor, "")
    return "nothing" if kind == "tmp" and not os.fstat(descriptor).st_size else kind


def _stream(file: t.Any, mode: str = "r", *args: t.Any, **options: t.Any) -> t.Any:
    """Opening by name to write, as ``Path.write_text`` does: an existing file is empty from then on."""
    kind = "" if isinstance(file, int) or mode.strip("bt") == "r" else _kind(file)
    if kind:
        _point("before", f"write-{kind}")
    stream = _open_stream(file, mode, *args, **options)
    if kind:
        _point("after", f"write-{kind}")
    return stream


def _unlink(path: t.Any, **options: t.Any) -> None:
    """A temporary file goes away, and with it the limit that was for it alone."""
    _limit(_SIZES[0])
    _remove(path, **options)


def _install() -> None:
    by_descriptor: t.Callable[[t.Any], str] = lambda descriptor: _opened.get(descriptor, "")  # noqa: E731
    os.open = _wrapped(os.open, "open", _kind)
    os.close = t.cast("t.Any", _unlock)
    os.unlink = t.cast("t.Any", _unlink)
    os.mkdir = _wrapped(os.mkdir, "make", lambda path: _kind(path) and "directory")
    os.replace = _wrapped(os.replace, "rename", _kind)
    os.rename = _wrapped(os.rename, "rename", _kind)
    for name in ("truncate", "link", "symlink"):
        setattr(os, name, _wrapped(getattr(os, name), name, _kind))
    io.open = builtins.open = t.cast("t.Any", _stream)
    os.fsync = _wrapped(os.fsync, "fsync", _flushed)
    fcntl.flock = _wrapped(fcntl.flock, "lock", by_descriptor)


if _DIRECTORY:
    _install()
