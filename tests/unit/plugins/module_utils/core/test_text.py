"""Text of others, made safe for terminals, spreadsheets and editors."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._text import csv_of, visible, visible_json


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("名前 ci", "名前 ci"),
        ("a\u00a0b\u3000c", "a\u00a0b\u3000c"),
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("\x00\x7f\x9b", "⟨U+0000⟩⟨U+007F⟩⟨U+009B⟩"),
        ("a\u202eb\u2066c\u200ed", "a⟨U+202E⟩b⟨U+2066⟩c⟨U+200E⟩d"),
        ("a\nb\tc\u2028d", "a⟨U+000A⟩b⟨U+0009⟩c⟨U+2028⟩d"),
        ("\U000e0041", "⟨U+E0041⟩"),
    ],
    ids=ascii,
)
def test_a_character_that_cannot_be_seen_becomes_a_mark(text, shown):
    assert visible(text) == shown


@given(st.text())
def test_what_is_visible_stays_as_it_is(text):
    once = visible(text)
    assert visible(once) == once


def test_a_message_shows_control_characters_of_a_name_and_stays_one_line():
    assert str(InputError("No project\n \x1b[31mPAY\u202e.")) == "No project ⟨U+001B⟩[31mPAY⟨U+202E⟩."


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=5))
def test_json_says_the_same_and_prints_safely(data):
    text = visible_json(data, indent=1)
    assert json.loads(text) == data
    assert all(visible(line) == line for line in text.split("\n"))


def test_json_keeps_readable_text_and_escapes_the_rest():
    assert visible_json({"name": "é\x7f\u202e\U000e0041\x1b"}) == ('{"name":"é\\u007f\\u202e\\udb40\\udc41\\u001b"}')


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ('"=1"', '\'"=1"'),
        ("\uff1d1", "'\uff1d1"),
        # What a spreadsheet reads that takes semicolons for the separator.
        ("a;=1;b", "a;'=1;b"),
        ("a; +1", "a;' +1"),
        ("a-b=c", "a-b=c"),
        ("a;b", "a;b"),
        ("\t=1", "⟨U+0009⟩=1"),
        (-5, "-5"),
        (None, ""),
        (True, "True"),
    ],
    ids=ascii,
)
def test_a_cell_is_no_formula_and_a_number_stays_one(value, cell):
    header, row = csv.reader(io.StringIO(csv_of(["a", "b"], [{"a": value, "other": 1}]), newline=""))
    assert (header, row) == (["a", "b"], [cell, ""])
