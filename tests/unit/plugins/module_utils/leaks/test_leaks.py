"""Searching texts and files: every secret, where it stands, and nothing of it in what is told."""

from __future__ import annotations

import base64
import os
import socket

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import GuardError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._secret import fingerprint
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.leaks import _leaks
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.leaks._leaks import Leaks

EXAMPLE = "MjUyOTczNTE1MDY5On2rDbID2EgYpH8AVOECHv0saruQ"
API_TOKEN = "ATATT3xFfGF0nothing-real_in-here" + "=0BADCAFE"


def searched(*paths: object) -> Leaks:
    leaks = Leaks()
    for path in paths:
        leaks.search_path(str(path))
    return leaks


def test_a_secret_is_told_once_with_the_lines_where_it_stands():
    leaks = Leaks()
    leaks.search_text(f"{EXAMPLE}\r\n\nx={API_TOKEN}\n\n a {EXAMPLE} b {EXAMPLE}")
    first, second = leaks.all
    assert (first.secret, first.times, first.found_in) == (EXAMPLE, 3, ["text:1", "text:5"])
    assert (first.token_id, first.kind) == ("252973515069", "http_access_token")
    assert (second.secret, second.found_in) == (API_TOKEN, ["text:3"])
    assert (second.token_id, second.kind) == (None, "api_token")


def test_what_is_told_of_a_secret_does_not_hold_it():
    leaks = Leaks()
    leaks.search_text(EXAMPLE)
    assert EXAMPLE not in repr(leaks.all)
    assert leaks.all[0].fingerprint == fingerprint(EXAMPLE)


def test_more_secrets_than_anybody_leaks_stop_the_search(monkeypatch):
    monkeypatch.setattr(_leaks, "MOST_SECRETS", 2)
    leaks = Leaks()
    leaks.search_text(f"{EXAMPLE} {API_TOKEN} {EXAMPLE}")
    assert len(leaks.all) == 2
    with pytest.raises(GuardError, match="more than 2 different secrets"):
        leaks.search_text(f"{EXAMPLE} {API_TOKEN[:-8]}1BADCAFE")


def test_a_log_that_repeats_a_secret_is_counted_and_not_listed_whole(tmp_path):
    (tmp_path / "log").write_text(f"{EXAMPLE}\n" * 500, encoding="utf-8")
    (leak,) = searched(tmp_path).all
    assert (leak.times, leak.found_in) == (500, [f"{tmp_path}/log:{line}" for line in range(1, 11)])


@pytest.mark.parametrize(
    "carrier",
    ["{}", "TOKEN={}\n", "Authorization: Basic {}", "x\n" * 70 + "{}\n"],
    ids=["alone", "in a line", "Basic", "with lines before"],
)
@pytest.mark.parametrize("secret", [EXAMPLE, f"BBDC-{EXAMPLE}", API_TOKEN])
def test_no_block_boundary_hides_or_doubles_a_secret(tmp_path, monkeypatch, carrier, secret):
    monkeypatch.setattr(_leaks, "_BLOCK", 96)
    monkeypatch.setattr(_leaks, "_OVERLAP", 128)
    shown = base64.b64encode(f"jdoe:{secret}".encode()).decode() if "Basic" in carrier else secret
    for shift in range(100):
        text = "é" * shift + "\n" + carrier.format(shown) + "\nrest" * 60
        path = tmp_path / "a"
        path.write_text(text, encoding="latin-1")
        (leak,) = searched(path).all
        line = text.count("\n", 0, text.index(shown)) + 1
        assert (leak.secret, leak.times, leak.found_in) == (secret, 1, [f"{path}:{line}"])


def test_no_block_boundary_hides_or_doubles_one_inside_base64(tmp_path, monkeypatch):
    monkeypatch.setattr(_leaks, "_BLOCK", 4096)
    for length in (0, 30, 700, 760, 5000):
        for shift in range(0, 4200, 61):
            encoded = base64.b64encode(b"u" * length + f":{EXAMPLE}".encode() + b"x" * (length % 7)).decode()
            (tmp_path / "a").write_text("." * shift + encoded + "." * 9000, encoding="utf-8")
            assert [(leak.secret, leak.times) for leak in searched(tmp_path).all] == [(EXAMPLE, 1)]


def test_a_secret_at_the_edge_is_not_taken_for_a_shorter_one(tmp_path, monkeypatch):
    monkeypatch.setattr(_leaks, "_BLOCK", 64)
    monkeypatch.setattr(_leaks, "_OVERLAP", 64)
    for shift in range(130):
        path = tmp_path / "a"
        path.write_text("." * shift + "PATBBabcdefghijklmnopqrst12345678" + "." * 300, encoding="utf-8")
        assert searched(path).all == []


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "latin-1", "cp1252"],
)
def test_encodings_of_text_files(tmp_path, encoding):
    (tmp_path / "a").write_text(f"für {EXAMPLE}\n{API_TOKEN}", encoding=encoding)
    assert [leak.found_in for leak in searched(tmp_path).all] == [[f"{tmp_path}/a:1"], [f"{tmp_path}/a:2"]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_text_behind_other_text_is_searched_too(tmp_path, encoding):
    (tmp_path / "a").write_bytes(b"a log\n" + f"line\n{EXAMPLE}\n".encode(encoding) + b"\xff and so on")
    (leak,) = searched(tmp_path).all
    assert (leak.secret, leak.times, leak.found_in) == (EXAMPLE, 1, [f"{tmp_path}/a:3"])


def test_wide_text_is_found_across_the_borders_of_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(_leaks, "_BLOCK", 1000)
    monkeypatch.setattr(_leaks, "_OVERLAP", 400)
    for shift in range(0, 200, 7):
        (tmp_path / "a").write_bytes(("x" * (900 + shift) + f" {EXAMPLE} " + "y" * 300).encode("utf-16-le"))
        (leak,) = searched(tmp_path).all
        assert (leak.secret, leak.times) == (EXAMPLE, 1)


def test_a_binary_file_is_searched_as_it_is(tmp_path):
    (tmp_path / "a").write_bytes(bytes(range(256)) * 10 + EXAMPLE.encode() + b"\xff\0" * 10)
    assert [leak.secret for leak in searched(tmp_path).all] == [EXAMPLE]


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    lengths: list[int] = []
    real = _leaks.sightings
    monkeypatch.setattr(_leaks, "sightings", lambda text: lengths.append(len(text)) or real(text))
    with (tmp_path / "a").open("wb") as stream:
        stream.write(EXAMPLE.encode())
        stream.truncate(4 * _leaks._BLOCK)
    assert len(searched(tmp_path).all) == 1
    assert max(lengths) <= _leaks._BLOCK + _leaks._OVERLAP + _leaks._BEFORE


def test_directories_are_searched_whole_and_in_order(tmp_path):
    for name in ("b/.hidden/deep", "b/a", "a"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(EXAMPLE, encoding="utf-8")
    (tmp_path / "c").symlink_to(tmp_path / "a")
    leaks = searched(tmp_path)
    assert leaks.all[0].found_in == [f"{tmp_path}/{name}:1" for name in ("a", "c", "b/a", "b/.hidden/deep")]
    assert (leaks.files, leaks.unread) == (4, [])


def test_what_is_not_searched_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "there")
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        (tmp_path / "z").write_text(EXAMPLE, encoding="utf-8")
        leaks = searched(".")
    assert {(item["path"], item["reason"]) for item in leaks.unread} == {
        ("folder", "link"),
        ("broken", "unreadable"),
        ("pipe", "special"),
        ("socket", "special"),
    }
    assert "broken: not searched, it could not be read: No such file or directory." in str(leaks.unread)
    assert len(leaks.all) == 1


def test_a_file_that_fails_while_it_is_read_is_told_and_the_next_one_searched(tmp_path, monkeypatch):
    for name in ("a", "b"):
        (tmp_path / name).write_text(EXAMPLE, encoding="utf-8")
    real = _leaks._blocks

    def failing(stream):
        if stream.name.endswith("/a"):
            raise OSError(5, "Input/output error", stream.name)
        return real(stream)

    monkeypatch.setattr(_leaks, "_blocks", failing)
    leaks = searched(tmp_path)
    (unread,) = leaks.unread
    assert unread["msg"] == f"{tmp_path}/a: not searched, it could not be read: Input/output error."
    assert leaks.all[0].found_in == [f"{tmp_path}/b:1"]


def test_a_directory_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    def walk(top, onerror):
        onerror(PermissionError(13, "Permission denied", f"{top}/closed"))
        return iter(())

    monkeypatch.setattr(_leaks.os, "walk", walk)
    (unread,) = searched(tmp_path).unread
    assert unread["msg"] == f"{tmp_path}/closed: not searched, it could not be read: Permission denied."


@pytest.mark.parametrize(
    ("name", "reason"), [("nowhere", "missing"), ("pipe", "unreadable"), ("null\0byte", "unreadable")]
)
def test_a_name_with_a_mistake_is_no_clean_file(tmp_path, name, reason):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "a").write_text(EXAMPLE, encoding="utf-8")
    leaks = searched(tmp_path / name, tmp_path / "a")
    assert [item["reason"] for item in leaks.doubtful] == [reason]
    assert [leak.secret for leak in leaks.all] == [EXAMPLE]


def test_names_of_files_are_searched_and_told_without_the_secret(tmp_path):
    folder = tmp_path / API_TOKEN
    folder.mkdir()
    (folder / f"{EXAMPLE}.token").write_text(f"\n{EXAMPLE}", encoding="utf-8")
    (folder / "gone").symlink_to("nowhere")
    leaks = searched(tmp_path)
    place = f"{tmp_path}/[{fingerprint(API_TOKEN)}]/[{fingerprint(EXAMPLE)}].token"
    assert [leak.found_in for leak in leaks.all] == [[f"{place} (its name)"], [f"{place} (its name)", f"{place}:2"]]
    told = str([leaks.unread, leaks.all])
    assert EXAMPLE not in told
    assert API_TOKEN not in told
    assert API_TOKEN not in str(searched(folder / "nowhere").unread)


def test_a_name_that_is_no_text_can_be_told(tmp_path):
    (tmp_path / "a\udcff").write_text(EXAMPLE, encoding="utf-8")
    (leak,) = searched(tmp_path).all
    assert leak.found_in == [f"{tmp_path}/a\\udcff:1"]
