"""The harness itself: a page that does not work fails, and nothing on a page is passed over."""

from __future__ import annotations

import pytest

from tests.documented.blocks import blocks_of
from tests.documented.page import PageError, follow, kind
from tests.documented.sandbox import VAULT_PASSWORD, sandbox

WORKS = """\
```yaml
# play.yml
- hosts: localhost
  gather_facts: false
  tasks: []
```

```yaml
# Add to play.yml, once there are more hosts
- hosts: all
  tasks: []
```

```console
$ ansible-playbook play.yml --syntax-check \\
    --verbose
$ export WHERE=here
```

<!-- not run: a reason -->
```console
$ false
```

```text
$WHERE
```

```console
$ test "$WHERE" = here && grep 'Add to' play.yml
```
"""


@pytest.fixture
def place():
    with sandbox() as made:
        yield made


@pytest.fixture
def page(tmp_path):
    def write(text, name="page.md"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return blocks_of(path, tmp_path)

    return write


def test_a_page_that_works_is_followed_in_order_in_one_shell(page, place):
    outcome = follow(page(WORKS), place)
    assert (outcome.run, dict(outcome.not_run)) == (5, {"a reason": 1})


@pytest.mark.parametrize(
    ("text", "say"),
    [
        ("```console\n$ true\n$ ls nothing-is-here\n```\n", "page.md:1: status 2 of\n$ ls nothing-is-here"),
        ("```console\n$ false | true; exit 3\n```\n", "status 3"),
        ("```console\nls\n```\n", "without a command"),
        ("```yaml\nname: value\n```\n", "say which file this is"),
        ("```yaml\n# unused.yml\nname: value\n```\n", "page.md:1: no command uses unused.yml"),
        ("```console\n$ ls\n```\n```yaml\n# late.yml\nname: value\n```\n", "page.md:4: no command uses late.yml"),
        ("```yaml\n- no.such.module:\n```\n", "no.such.module"),
        ("<!-- not run: a reason -->\n\nText\n```console\n$ false\n```\n", "status 1"),
        ("```console\n$ curl --silent --show-error https://elsewhere.example.com\n```\n", "502"),
    ],
)
def test_a_page_that_does_not_work_fails_and_says_where(page, place, text, say):
    with pytest.raises(PageError, match=r"page\.md:\d+: ") as raised:
        follow(page(text), place)
    assert say in str(raised.value)


def test_a_prompt_is_answered_and_a_silent_one_too(page, place):
    ask = "import getpass; print(getpass.getpass('Vault password: '))"
    text = f'```console\n$ read -rs P && export P\n$ echo "$P" >silent; python -c "{ask}" >asked\n```\n'
    follow(page(text), place)
    assert (place.directory / "silent").read_text(encoding="utf-8") == f"{place.passwords['automation']}\n"
    assert (place.directory / "asked").read_text(encoding="utf-8") == f"{VAULT_PASSWORD}\n"


def test_secrets_have_what_breaks_a_url_and_a_page_that_puts_one_there_fails(page, place):
    token = place.bitbucket.add_token("projects/PAY", "ci", ["PROJECT_READ"])
    assert {"/", "+"} <= set(token.secret)
    place.write("ci.token", token.secret)
    clone = "$ git clone 'https://x-token-auth:'$(cat ci.token)'@bitbucket.example.com/scm/pay/ledger.git'"
    with pytest.raises(PageError, match="status 128"):
        follow(page(f"```console\n{clone}\n```\n"), place)


RST = """\
Page
====

.. code-block:: yaml

  # first.yml
  a: 1

#. Item

   .. not run: a reason

   .. code-block:: console

     $ one \\
         two

     $ three

Text.

.. code-block:: text

  $ no command
"""

EXAMPLES = '''\
EXAMPLES = r"""
# bitbucket.yml. A comment.
plugin: first

---
# other.bitbucket.yml
plugin: second
"""
'''

HEADER = """\
---
# Do it: ansible-playbook tokensmith.bitbucket.provision
# Or over hosts:
#   ansible-playbook -i hosts tokensmith.bitbucket.rotate -e @tokens.yml \\
#     -e moment=now
- name: Not ansible-playbook tokensmith.bitbucket.here
"""


def test_blocks_are_found_in_every_kind_of_page(page):
    found = page(RST, "page.rst")
    assert [(block.line, block.language, block.reason) for block in found] == [
        (4, "yaml", ""),
        (13, "console", "a reason"),
        (22, "text", ""),
    ]
    assert found[1].commands == ["one \\\n    two", "three"]
    assert [block.name["name"] for block in page(EXAMPLES, "plugin.py")] == ["bitbucket.yml", "other.bitbucket.yml"]
    assert page(HEADER, "playbook.yml")[0].commands == [
        "ansible-playbook tokensmith.bitbucket.provision",
        "ansible-playbook -i hosts tokensmith.bitbucket.rotate -e @tokens.yml \\\n     -e moment=now",
    ]


def test_a_block_is_a_play_or_tasks_by_what_is_in_it(page):
    text = "```yaml\n- hosts: all\n```\n```yaml\n- name: A task\n  ping:\n```\n```yaml\n- import_playbook: x\n```\n"
    assert [kind(block) for block in page(text)] == ["play", "tasks", "play"]
