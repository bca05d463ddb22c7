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
import re
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
    b"PACK\0\0\0": "git pack",
}
_COMPRESSED = {b"\x1f\x8b\x08": "gzip", b"\xfd7zXZ\x00": "xz", b"]\0\0": "lzma"}
# The size of the blocks, and what the first of them begins with; an empty file has none.
_BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")
_SKIPPABLE_ZSTD = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_TAR_BLOCK = 512
_ZIP_MEMBER = b"PK\x03\x04"
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
        kind = _kind(stream.read(_HEAD))
        # A zip archive is read from its end, so anything may stand before it.
        if kind == "zip" or (not kind and zipfile.is_zipfile(stream)):
            # Its list of members is at the end; no copy is needed to read that.
            self._reported(lambda: self._zip_file(stream, place, 0), place)
            return True
        if not kind:
            return False
        stream.seek(0)
        self._guarded(iter(lambda: stream.read(_CHUNK), b""), place, 0)
        return True

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
            advice = "; search the output of `git log -p --all`" if kind == "git pack" else ""
            why = f"its format is {kind}, which Python cannot read{advice}"
            self._skip(Unsearched(place, "unsupported", why))
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
        hidden = False

        def readable() -> Chunks:
            nonlocal hidden
            before = b""
            try:
                for chunk in chunks:
                    hidden = hidden or _ZIP_MEMBER in before + chunk
                    before = chunk[-len(_ZIP_MEMBER) :]
                    yield chunk
            except (TooMuchError, *_BROKEN) as error:
                failure.append(error)

        self._search(place, readable())
        if failure:
            raise failure[0]
        if hidden:
            self._skip(Unsearched(place, "unsupported", "it contains a zip archive behind other content"))

    def _tar(self, chunks: Chunks, place: str, depth: int) -> None:
        stream = _Stream(chunks)
        stream.allowed = _MOST_HEADERS
        # A stream, since an archive that is read at random can send the library back for ever.
        # Read by blocks, so that what follows the archive is still in the stream at its end.
        with tarfile.open(fileobj=t.cast("t.IO[bytes]", stream), mode="r|", bufsize=_TAR_BLOCK) as archive:
            while True:
                stream.allowed = _MOST_HEADERS
                member = archive.next()
                if member is None:
                    break
                inside = self._member(place, member.name)
                content = archive.extractfile(member) if member.isreg() else None
                if content is not None:
                    stream.allowed = None
                    self._guarded(iter(lambda source=content: source.read(_CHUNK), b""), inside, depth + 1)  # type: ignore[misc]

        self._behind_tar(stream, place, depth)

    def _behind_tar(self, stream: _Stream, place: str, depth: int) -> None:
        """What follows an archive: the library ends as quietly at a damaged header as at the end."""
        stream.allowed = None
        if len(stream.last) == _TAR_BLOCK and not stream.last.strip(b"\0"):
            rest = _without_zeros(stream)
            first = next(rest, b"")
            if first:
                self._guarded(itertools.chain([first], rest), f"{place} (after the archive)", depth + 1)
            return
        self._plain(itertools.chain([stream.last], _through(stream)), place)
        raise EOFError

    def _zip(self, chunks: Chunks, place: str, depth: int) -> None:
        with tempfile.TemporaryFile() as copy:
            for chunk in chunks:
                copy.write(chunk)
            self._zip_file(copy, place, depth)

    def _zip_file(self, stream: t.IO[bytes], place: str, depth: int) -> None:
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            begin = min((member.header_offset for member in members), default=archive.start_dir)
            for member in members:
                inside = self._member(place, member.filename)
                if not member.is_dir():
                    self._zipped(archive, member, inside, depth + 1)
            if begin:
                # A program that unpacks itself, or another archive.
                stream.seek(0)
                self._guarded(_first(stream, begin), f"{place} (before the archive)", depth + 1)

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
        #: What was read last.
        self.last = b""

    def read(self, size: int = -1) -> bytes:
        """At most ``size`` bytes; none at the end."""
        while not self._held:
            chunk = next(self._chunks, None)
            if chunk is None:
                return b""
            self._held = chunk
        # A block of an archive in one piece.
        while 0 < len(self._held) < size <= _TAR_BLOCK:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._held += chunk
        size = len(self._held) if size < 0 else size
        found, self._held = self._held[:size], self._held[size:]
        if self.allowed is not None:
            self.allowed -= len(found)
            if self.allowed < 0:
                raise TooMuchError("it has a header of a size that no archive needs")
        self.last = found
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
    if _BZIP2.match(head):
        return "bzip2"
    if _SKIPPABLE_ZSTD.match(head):
        return "Zstandard"
    for known in (_COMPRESSED, _UNSUPPORTED):
        for start, kind in known.items():
            if head.startswith(start):
                return kind
    return "zlib" if _is_zlib(head) else ""


def _is_zlib(head: bytes) -> bool:
    """Whether a piece is a zlib stream, as git's objects are. Two bytes do not tell: a text may begin with ``x^``."""
    if head[:1] != b"x" or head[1:2] not in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        return False
    unpack = zlib.decompressobj()
    try:
        unpack.decompress(head)
    except zlib.error:
        return False
    return unpack.eof or len(head) == _HEAD


def _first(stream: t.IO[bytes], size: int) -> Chunks:
    """So many bytes of a file."""
    while size > 0:
        chunk = stream.read(min(size, _CHUNK))
        if not chunk:
            return
        size -= len(chunk)
        yield chunk


def _without_zeros(stream: _Stream) -> Chunks:
    """What is left of a stream, without the zeros at its beginning."""
    for chunk in _through(stream):
        rest = chunk.lstrip(b"\0")
        if rest:
            yield rest
            yield from _through(stream)


def _through(opened: t.Any) -> Chunks:
    return iter(lambda: t.cast("bytes", opened.read(_CHUNK)), b"")


def _streams(stream: _Stream, new: t.Callable[[], t.Any]) -> Chunks:
    """One compressed stream after another, where the library's own file objects drop what they do not know."""
    data = stream.read(_CHUNK)
    while data:
        unpack = new()
        while not unpack.eof:
            if unpack.needs_input and not data:
                raise EOFError
            yield unpack.decompress(data, _CHUNK)
            data = b""
            if unpack.needs_input and not unpack.eof:
                data = stream.read(_CHUNK)
        data = unpack.unused_data.lstrip(b"\0") or stream.read(_CHUNK)


def _zlib(stream: _Stream) -> Chunks:
    unpack = zlib.decompressobj()
    data = stream.read(_CHUNK)
    while data and not unpack.eof:
        yield unpack.decompress(data, _CHUNK)
        data = unpack.unconsumed_tail or stream.read(_CHUNK)
    if not unpack.eof or unpack.unused_data or data:
        raise EOFError


_DECOMPRESS: dict[str, t.Callable[[t.Any], Chunks]] = {
    "gzip": lambda stream: _through(gzip.GzipFile(fileobj=stream)),
    "bzip2": lambda stream: _streams(stream, bz2.BZ2Decompressor),
    "xz": lambda stream: _streams(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY)),
    "lzma": lambda stream: _streams(stream, lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, _XZ_MEMORY)),
    "zlib": _zlib,
}
