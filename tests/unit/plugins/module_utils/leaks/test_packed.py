"""Compressed and archived files: read within limits, and what is not read is reported."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.leaks import _packed
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.leaks._leaks import Leaks

EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
TEXT = f"first\ntoken={EXAMPLE}\n".encode()


def zipped(content=TEXT, name="build.log", **options):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **options) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def tarred(content=TEXT, name="build.log", mode="w"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def searched(tmp_path, content):
    leaks = Leaks()
    (tmp_path / "a").write_bytes(content)
    leaks.search_path(str(tmp_path / "a"))
    return leaks


PACKED = {
    "gzip": gzip.compress(TEXT),
    "two gzips": gzip.compress(b"x" * 9) + gzip.compress(TEXT),
    "bzip2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "lzma": lzma.compress(TEXT, format=lzma.FORMAT_ALONE),
    "zlib, as an object of git": zlib.compress(b"blob 99\0" + TEXT),
    "two bzip2": bz2.compress(b"x" * 9) + bz2.compress(TEXT),
    "two tars": gzip.compress(tarred(b"x" * 600) + tarred()),
    "behind a tar": gzip.compress(tarred(b"x" * 600) + b"\0" + TEXT),
    "zip behind a script": b"#!/bin/sh\n" + zipped(compression=zipfile.ZIP_DEFLATED),
    "two zips": gzip.compress(zipped(compression=zipfile.ZIP_DEFLATED) + zipped(b"x" * 99)),
    "two xz": lzma.compress(b"x" * 9) + lzma.compress(TEXT),
    "zip": zipped(),
    "deflated zip": zipped(compression=zipfile.ZIP_DEFLATED),
    "tar": tarred(),
    "tar.gz": tarred(mode="w:gz"),
    "zip in tar.xz in gzip": gzip.compress(lzma.compress(tarred(zipped(compression=zipfile.ZIP_BZIP2)))),
}


@pytest.mark.parametrize("content", PACKED.values(), ids=PACKED)
def test_what_is_packed_is_searched_and_each_secret_counted_once(tmp_path, content):
    leaks = searched(tmp_path, content)
    assert leaks.unread == []
    (leak,) = leaks.all
    assert (leak.secret, leak.times) == (EXAMPLE, 1)
    (place,) = leak.found_in
    assert place.startswith(f"{tmp_path}/a")
    assert place.endswith(":2")


def test_a_member_is_named_without_the_secret_in_its_name(tmp_path):
    (leak,) = searched(tmp_path, tarred(b"nothing", name=f"x/{EXAMPLE}")).all
    assert leak.secret == EXAMPLE
    assert f"{tmp_path}/a!x/[{fingerprint(EXAMPLE)}] (its name)" in leak.found_in


def encrypted():
    # The first bit of the flags, in the member's header and in the list at the end.
    content = bytearray(zipped())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def two_members():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in (("a", b"x" * 600), ("b", TEXT)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def broken_tar():
    """The checksum of the second header, which is at 512 + 1024, is wrong."""
    content = bytearray(two_members())
    content[1536 + 148 : 1536 + 150] = b"99"
    return bytes(content)


UNREAD = {
    "zstd": (b"\x28\xb5\x2f\xfd" + b"x" * 99, "unsupported", "Zstandard, which Python cannot read"),
    "zstd that begins with a skippable frame": (b"\x50\x2a\x4d\x18" + b"x" * 99, "unsupported", "Zstandard"),
    "a pack of git": (b"PACK\0\0\0\x02" + b"x" * 99, "unsupported", "search the output of `git log -p --all`"),
    "a zip behind a script in gzip": (gzip.compress(b"#!/bin/sh\n" + zipped()), "unsupported", "behind other content"),
    "something behind bzip2": (bz2.compress(b"x") + b"zz" + bz2.compress(TEXT), "damaged", "it is damaged"),
    "something behind zlib": (zlib.compress(b"x" * 99) + TEXT, "damaged", "it is damaged"),
    "a tar with a damaged header": (gzip.compress(broken_tar()), "damaged", "it is damaged"),
    "a tar that breaks off in a header": (gzip.compress(two_members()[:1736]), "damaged", "it is damaged"),
    "a tar without an end": (gzip.compress(two_members()[:1536]), "damaged", "it is damaged"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + b"x" * 99, "unsupported", "7z, which Python cannot read"),
    "encrypted": (encrypted(), "encrypted", "it is encrypted"),
    "lzma in zip": (zipped(compression=zipfile.ZIP_LZMA), "unsupported", "a way that Python cannot read safely"),
    "cut gzip": (gzip.compress(bytes(range(256)) * 99)[:-20], "damaged", "it is damaged"),
    "cut zip": (zipped()[:-30], "damaged", "it is damaged"),
    "no gzip at all": (b"\x1f\x8b\x08" + b"x" * 99, "damaged", "it is damaged"),
    "cut xz": (lzma.compress(b"x" * 10_000)[:-8], "damaged", "it is damaged"),
    "too deep": (
        gzip.compress(gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT))))),
        "too_large",
        "4 times",
    ),
}


@pytest.mark.parametrize(("content", "reason", "why"), UNREAD.values(), ids=UNREAD)
def test_what_cannot_be_read_is_reported(tmp_path, content, reason, why):
    leaks = searched(tmp_path, content)
    (item,) = leaks.doubtful
    assert (item["reason"], item["path"].partition("!")[0]) == (reason, f"{tmp_path}/a")
    assert why in item["msg"]


def test_what_stands_before_the_damage_is_found(tmp_path):
    content = gzip.compress(TEXT + bytes(range(256)) * 999, compresslevel=0)[:-3000]
    leaks = searched(tmp_path, content)
    assert [item["reason"] for item in leaks.doubtful] == ["damaged"]
    assert [leak.secret for leak in leaks.all] == [EXAMPLE]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress], ids=["gzip", "bzip2", "xz"])
def test_a_bomb_is_given_up(tmp_path, monkeypatch, pack):
    monkeypatch.setattr(_packed, "LEAST_UNPACKED", 1 << 20)
    monkeypatch.setattr(_packed, "RATIO", 1)
    leaks = searched(tmp_path, pack(TEXT + b"\0" * (4 << 20)))
    assert [item["reason"] for item in leaks.doubtful] == ["too_large"]
    assert [leak.secret for leak in leaks.all] == [EXAMPLE], "what came before the limit is searched"


def test_more_members_than_an_archive_needs_are_not_searched(tmp_path, monkeypatch):
    monkeypatch.setattr(_packed, "MOST_MEMBERS", 3)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(5):
            archive.writestr(str(number), "x")
    (item,) = searched(tmp_path, file.getvalue()).doubtful
    assert "more than 3 members" in item["msg"]


def test_a_header_that_claims_too_much_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(_packed, "_MOST_HEADERS", 100_000)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a")
        member.pax_headers = {"comment": "x" * 300_000}
        archive.addfile(member)
    (item,) = searched(tmp_path, file.getvalue()).doubtful
    assert (item["reason"], "header of a size" in item["msg"]) == ("too_large", True)


def test_what_follows_a_damaged_header_is_searched_all_the_same(tmp_path):
    assert [leak.secret for leak in searched(tmp_path, gzip.compress(broken_tar())).all] == [EXAMPLE]


@pytest.mark.parametrize("start", [b"BZhello ", b"x^2 + 1 ", b"PACKAGE ", b"]\n"])
def test_a_text_that_begins_like_something_packed_is_a_text(tmp_path, start):
    leaks = searched(tmp_path, start + TEXT)
    assert leaks.unread == []
    assert [leak.secret for leak in leaks.all] == [EXAMPLE]
