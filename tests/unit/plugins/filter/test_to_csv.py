"""The filter as templates call it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.tokensmith.bitbucket.plugins.filter.to_csv import FilterModule

to_csv = FilterModule().filters()["to_csv"]


def test_rows_become_lines_below_a_header():
    assert to_csv([{"b": 2, "a": "x, y"}, {"a": "=1"}], ["a", "b"]) == 'a,b\r\n"x, y",2\r\n\'=1,\r\n'


@pytest.mark.parametrize(
    ("rows", "columns", "say"),
    [("a", ["a"], "a list of mappings"), (["a"], ["a"], "a list of mappings"), ([], "a", "a list of keys")],
)
def test_anything_else_is_refused(rows, columns, say):
    with pytest.raises(AnsibleFilterError, match=say):
        to_csv(rows, columns)
