"""The lookup, over real stores."""

from __future__ import annotations

import base64

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleLookupError
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultSecret

from ansible_collections.tokensmith.bitbucket.plugins.lookup import secret as plugin
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store

NAME = "tokensmith.bitbucket.secret"
CI = "projects/PAY/tokens/ci"
DEPLOY = "projects/PAY/repos/ledger/tokens/deploy"
IDS = {CI: "012345670123", DEPLOY: "000000000002"}
SECRETS = {ref: base64.b64encode(f"{token_id}:".encode() + b"s" * 20).decode() for ref, token_id in IDS.items()}


@pytest.fixture
def lookup(monkeypatch):
    monkeypatch.delenv("BITBUCKET_TOKEN_STORE", raising=False)
    # What the plugin loader does with the documentation of a plugin that it has found.
    options = yaml.safe_load(plugin.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", NAME, options)
    loader = DataLoader()
    loader.set_vault_secrets([("default", VaultSecret(b"a-vault-password"))])
    made = plugin.LookupModule(loader=loader)
    made._load_name = NAME
    return made


@pytest.fixture(params=["file", "ansible_vault"])
def store(request, lookup, tmp_path):
    """The name of a store that holds both secrets."""
    place = tmp_path if request.param == "file" else tmp_path / "v.yml"
    name = f"{request.param}:{place}"
    opened = open_store(name, {}, lookup._loader._vault, single=False)
    opened.write([Entry(reference, token_id, SECRETS[reference]) for reference, token_id in IDS.items()])
    return name


def test_secrets_come_in_the_order_of_the_references(lookup, store):
    assert lookup.run([DEPLOY, CI], {}, store=store) == [SECRETS[DEPLOY], SECRETS[CI]]


def test_the_environment_names_the_store_where_the_caller_does_not(lookup, store, monkeypatch):
    monkeypatch.setenv("BITBUCKET_TOKEN_STORE", store)
    assert lookup.run([CI], {}) == [SECRETS[CI]]


def test_a_store_that_the_caller_names_beats_the_environment(lookup, store, monkeypatch, tmp_path):
    monkeypatch.setenv("BITBUCKET_TOKEN_STORE", f"file:{tmp_path}/elsewhere")
    assert lookup.run([CI], {}, store=store) == [SECRETS[CI]]


def test_reading_changes_nothing(lookup, store, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    lookup.run([CI], {}, store=store)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_reference_without_a_secret_is_named(lookup, store):
    with pytest.raises(AnsibleLookupError, match=f"{store} holds no secret of projects/PAY/tokens/other"):
        lookup.run([CI, "projects/PAY/tokens/other"], {}, store=store)


def test_an_unknown_kind_of_store_is_answered_with_the_kinds(lookup):
    with pytest.raises(AnsibleLookupError, match="ansible_vault, file"):
        lookup.run([CI], {}, store="paper:desk")


def test_an_unknown_option_is_refused(lookup, store):
    with pytest.raises(AnsibleLookupError, match="store_options"):
        lookup.run([CI], {}, store=store, store_options={"colour": "red"})


def test_a_wrong_vault_password_is_told_without_quoting_anything(lookup, tmp_path):
    path = tmp_path / "v.yml"
    path.write_bytes(lookup._loader._vault.encrypt("a: 1\n"))
    lookup._loader.set_vault_secrets([("default", VaultSecret(b"another-password"))])
    with pytest.raises(AnsibleLookupError, match="cannot be decrypted") as caught:
        lookup.run([CI], {}, store=f"ansible_vault:{path}")
    assert "another-password" not in str(caught.value)


def test_no_store_at_all_is_an_error(lookup):
    with pytest.raises(Exception, match="store"):
        lookup.run([CI], {})


@pytest.mark.parametrize("reference", ["../outside", "projects/../../outside", "{}/outside"])
def test_a_term_that_is_no_reference_reads_no_file(lookup, tmp_path, reference):
    (tmp_path / "outside.token").write_text("not-a-token-of-the-store", encoding="utf-8")
    (tmp_path / "store" / "projects").mkdir(parents=True)
    with pytest.raises(AnsibleLookupError):
        lookup.run([reference.format(tmp_path)], {}, store=f"file:{tmp_path}/store")


def test_the_secret_is_marked_where_ansible_can_mask_it(lookup, store, monkeypatch):
    marked = []
    monkeypatch.setattr(plugin._secret, "register_secret", marked.append)
    lookup.run([CI], {}, store=store)
    assert marked == [SECRETS[CI]]
