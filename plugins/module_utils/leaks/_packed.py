# Copyright (c) 2026, Tokensmith
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause
"""What compressed and archived files contain, known by their first bytes and read within limits.

The files come from strangers: each limit here is one that a file made for the purpose would exceed.
"""

from __future__ import annotations

import bz2
import gzip
import itertools
import lzma
import tarfile
import tempfile
import typing as t
import zipfile
import zlib

#: Archives inside of archives are read this deep.
MOST_DEEP = 4
#: Members of one file, at all depths together.
MOST_MEMBERS = 10_000
#: Bytes that one file may unpack to: so many times its size, within these bounds.
RATIO, LEAST_UNPACKED, MOST_UNPACKED = 100, 64 << 20, 512 << 20

_CHUNK = 1 << 16
_HEAD = 512
_XZ_MEMORY = 256 << 20
# Headers of a tar archive may claim any size, and are read as a whole.
_MOST_HEADERS = 16 << 20
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_UNSUPPORTED = {
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x04\x22\x4d\x18": "LZ4",
    b"LZIP": "lzip",
    b"\x1f\x9d": "compress",
}
_COMPRESSED = {b"\x1f\x8b\x08": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
# What the libraries raise for damaged content.
_DAMAGED = (OSError, EOFError, ValueError, OverflowError, NotImplementedError, RuntimeError, tarfile.TarError)
_BROKEN = (*_DAMAGED, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


class TooMuchError(Exception):
    """A limit was reached; its text says which."""


class Unsearched(t.NamedTuple):
    """A place that was not searched. ``reason``: ``unsupported``, ``encrypted``, ``too_large`` or ``damaged``."""

    place: str
    reason: str
    why: str


Chunks = t.Iterator[bytes]
#: Gets the place and the content of each plain piece.
Search = t.Callable[[str, Chunks], None]


class Unpacker:
    """Reads one file.

    :param size: of the file in bytes, which its content may exceed by :data:`RATIO` only.
    :param search: gets every piece that is not packed itself.
    :param skip: gets every piece that is not searched.
    :param name: makes the name of a member fit for a message, after it was searched for secrets.
    """

    def __init__(
        self, size: int, search: Search, skip: t.Callable[[Unsearched], None], name: t.Callable[[str, str], str]
    ) -> None:
        self._left = min(MOST_UNPACKED, max(LEAST_UNPACKED, RATIO * size))
        self._members = MOST_MEMBERS
        self._search, self._skip, self._name = search, skip, name

    def unpack(self, stream: t.BinaryIO, place: str) -> bool:
        """Search what a file contains.

        :returns: whether it is packed; one that is not was not searched.
        """
        head = stream.read(_HEAD)
        stream.seek(0)
        if not _kind(head):
            return False
        if _kind(head) == "zip":
            # Its list of members is at the end; no copy is needed to read that.
            self._guarded_zip(stream, place)
            return True
        self._guarded(iter(lambda: stream.read(_CHUNK), b""), place, 0)
        return True

    def _guarded_zip(self, stream: t.BinaryIO, place: str) -> None:
        self._reported(lambda: self._zip_file(stream, place, 0), place)

    def _guarded(self, chunks: Chunks, place: str, depth: int) -> None:
        self._reported(lambda: self._piece(chunks, place, depth), place)

    def _reported(self, read: t.Callable[[], None], place: str) -> None:
        """One packed piece; what is wrong with it does not stop the others."""
        try:
            read()
        except TooMuchError as error:
            self._skip(Unsearched(place, "too_large", str(error)))
        except _BROKEN:
            self._skip(Unsearched(place, "damaged", "it is damaged, or not what its first bytes say"))

    def _piece(self, chunks: Chunks, place: str, depth: int) -> None:
        head, chunks = _peeked(chunks)
        kind = _kind(head)
        if not kind:
            self._plain(chunks, place)
        elif kind in _UNSUPPORTED.values():
            self._skip(Unsearched(place, "unsupported", f"it is compressed with {kind}, which Python cannot read"))
        elif depth >= MOST_DEEP:
            raise TooMuchError(f"it is packed more than {MOST_DEEP} times")
        elif kind == "tar":
            self._tar(chunks, place, depth)
        elif kind == "zip":
            self._zip(chunks, place, depth)
        else:
            self._piece(self._counted(_DECOMPRESS[kind](_Stream(chunks))), place, depth + 1)

    def _plain(self, chunks: Chunks, place: str) -> None:
        """Search what can be read of a piece, also if it breaks off."""
        failure: list[Exception] = []

        def readable() -> Chunks:
            try:
                yield from chunks
            except (TooMuchError, *_BROKEN) as error:
                failure.append(error)

        self._search(place, readable())
        if failure:
            raise failure[0]

    def _tar(self, chunks: Chunks, place: str, depth: int) -> None:
        stream = _Stream(chunks)
        stream.allowed = _MOST_HEADERS
        # A stream, since an archive that is read at random can send the library back for ever.
        with tarfile.open(fileobj=t.cast("t.IO[bytes]", stream), mode="r|") as archive:
            while True:
                stream.allowed = _MOST_HEADERS
                member = archive.next()
                if member is None:
                    return
                inside = self._member(place, member.name)
                content = archive.extractfile(member) if member.isreg() else None
                if content is not None:
                    stream.allowed = None
                    self._guarded(iter(lambda source=content: source.read(_CHUNK), b""), inside, depth + 1)  # type: ignore[misc]

    def _zip(self, chunks: Chunks, place: str, depth: int) -> None:
        with tempfile.TemporaryFile() as copy:
            for chunk in chunks:
                copy.write(chunk)
            self._zip_file(copy, place, depth)

    def _zip_file(self, stream: t.IO[bytes], place: str, depth: int) -> None:
        with zipfile.ZipFile(stream) as archive:
            for member in archive.infolist():
                inside = self._member(place, member.filename)
                if not member.is_dir():
                    self._zipped(archive, member, inside, depth + 1)

    def _zipped(self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, place: str, depth: int) -> None:
        if member.flag_bits & 1:
            self._skip(Unsearched(place, "encrypted", "it is encrypted"))
        elif member.compress_type not in _ZIP_METHODS:
            self._skip(Unsearched(place, "unsupported", "it is compressed in a way that Python cannot read safely"))
        else:
            try:
                with archive.open(member) as content:
                    self._guarded(self._counted(iter(lambda: content.read(_CHUNK), b"")), place, depth)
            except _BROKEN:
                self._skip(Unsearched(place, "damaged", "it is damaged"))

    def _member(self, place: str, name: str) -> str:
        self._members -= 1
        if self._members < 0:
            raise TooMuchError(f"it has more than {MOST_MEMBERS:,} members; the rest was not searched")
        return self._name(place, name)

    def _counted(self, chunks: Chunks) -> Chunks:
        for chunk in chunks:
            self._left -= len(chunk)
            if self._left < 0:
                raise TooMuchError("it unpacks to more than can be searched; the rest was not searched")
            yield chunk


class _Stream:
    """Chunks as a file that is read from its beginning to its end.

    ``allowed`` is how many more bytes may be read, for a reader that believes what an archive claims.
    """

    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._held = b""
        self.allowed: int | None = None

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; none at the end."""
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._held = chunk
        size = len(self._held) if size < 0 else size
        found, self._held = self._held[:size], self._held[size:]
        if self.allowed is not None:
            self.allowed -= len(found)
            if self.allowed < 0:
                raise TooMuchError("it has a header of a size that no archive needs")
        return found

    def readable(self) -> bool:
        """As of a file."""
        return True

    def seekable(self) -> bool:
        """As of a file that cannot go back."""
        return False


def _peeked(chunks: Chunks) -> tuple[bytes, Chunks]:
    """The first bytes, and all of them again."""
    head: list[bytes] = []
    while sum(map(len, head)) < _HEAD:
        chunk = next(chunks, None)
        if chunk is None:
            break
        head.append(chunk)
    return b"".join(head)[:_HEAD], itertools.chain(head, chunks)


def _kind(head: bytes) -> str:
    """How a piece is packed, by its first bytes; nothing for a plain one."""
    if head[257:262] == b"ustar":
        return "tar"
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    for known in (_COMPRESSED, _UNSUPPORTED):
        for start, kind in known.items():
            if head.startswith(start):
                return kind
    return ""


def _through(opened: t.Any) -> Chunks:
    return iter(lambda: t.cast("bytes", opened.read(_CHUNK)), b"")


def _xz(stream: _Stream) -> Chunks:
    """With a limit of memory, which the library's own file object does not have. One stream may follow another."""
    data = stream.read(_CHUNK)
    while data:
        unpack = lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        while not unpack.eof:
            if unpack.needs_input and not data:
                raise EOFError
            yield unpack.decompress(data, _CHUNK)
            data = b""
            if unpack.needs_input and not unpack.eof:
                data = stream.read(_CHUNK)
        data = unpack.unused_data.lstrip(b"\0") or stream.read(_CHUNK)


_DECOMPRESS: dict[str, t.Callable[[t.Any], Chunks]] = {
    "gzip": lambda stream: _through(gzip.GzipFile(fileobj=stream)),
    "bzip2": lambda stream: _through(bz2.BZ2File(stream)),
    "xz": _xz,
}
