"""Plain data has none of Ansible's own types, on any core."""

from __future__ import annotations

import yaml
from ansible.utils.unsafe_proxy import wrap_var

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._plain import plain


def test_text_that_ansible_marked_serializes_keys_too():
    marked = wrap_var({"inputs": {"fields": [{"id": "url"}]}, "text": "{{ url }}"})
    made = plain(marked)
    assert made == {"inputs": {"fields": [{"id": "url"}]}, "text": "{{ url }}"}
    assert {type(name) for name in (*made, *made["inputs"], made["text"])} == {str}
    assert yaml.safe_load(yaml.safe_dump(made)) == made
