"""The stores in files, on a real file system: what they refuse, and what a crash or another run does to them."""

from __future__ import annotations

import fcntl
import json
import multiprocessing
import os
import stat
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.tokens._delivery import Entry
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.promises import FULL
from tests.readonly import read_only
from tests.unit.plugins.plugin_utils.stores.places import CI, DEPLOY, ONE, THREE, TWO, entry, secret_of
from tests.vault_variables import variables_of

PASSWORD = "a-vault-password-long-enough-4711"
WRITERS, EACH = 8, 25 if FULL else 8


def vault(*labels: str, password: str = PASSWORD) -> VaultLib:
    return VaultLib([(label, VaultSecret(password.encode())) for label in labels or ("default",)])


class Place:
    """Where a kind of store keeps things in this test, and how to open it there."""

    def __init__(self, kind: str, directory: Path) -> None:
        self.kind = kind
        self.directory = directory
        self.path = {"file": directory / "tokens", "one file": directory / "ci.token"}.get(kind, directory / "v.yml")
        if kind == "file":
            self.path.mkdir()

    def open(self, **options: t.Any) -> Store:
        kind = "ansible_vault" if self.kind == "ansible_vault" else "file"
        return open_store(f"{kind}:{self.path}", options, vault(), single=self.kind == "one file")

    @property
    def lock(self) -> Path:
        names = {"file": self.path / ".token.lock", "one file": self.directory / ".ci.token.lock"}
        return names.get(self.kind, self.directory / ".v.yml.lock")

    @property
    def temporary(self) -> Path:
        return self.target.with_name(f".{self.target.name}.tmp")

    @property
    def target(self) -> Path:
        return self.path / f"{CI}.token" if self.kind == "file" else self.path

    def put(self, text: str) -> None:
        """Something that somebody has put there by hand."""
        if self.kind == "ansible_vault":
            plain = yaml.safe_dump({"bitbucket_tokens": {CI: text}})
            encrypt(self.target, plain)
            return
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self.target.write_text(text, encoding="utf-8")


@pytest.fixture(params=["file", "one file", "ansible_vault"])
def place(request, tmp_path):
    return Place(request.param, tmp_path)


@pytest.fixture
def vaulted(tmp_path):
    return Place("ansible_vault", tmp_path)


def outcome_of(store: Store, item: Entry) -> str:
    """The answer, or the error's sentence."""
    try:
        return store.write([item])[item.reference]
    except StoreError as error:
        return str(error)


# How a store is named.


@pytest.mark.parametrize("text", ["vault:x", "file", "file:", "file: ", ":x", "", "hashi-vault:kv/x"])
def test_an_unknown_kind_is_answered_with_the_kinds_there_are(text):
    with pytest.raises(StoreError) as caught:
        open_store(text, {}, vault(), single=False)
    assert "KIND:PLACE" in str(caught.value)
    assert "ansible_vault, file" in str(caught.value)


@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_an_unknown_option_is_answered_with_the_options_there_are(kind, tmp_path):
    with pytest.raises(StoreError, match=r"has no owner: it knows .*lock_timeout"):
        open_store(f"{kind}:{tmp_path}/x", {"owner": "ci"}, vault(), single=False)


@pytest.mark.parametrize("text", ["hvs.CAESIJ4711", "s3cret", "QUFBQUFB", "a" * 40])
def test_an_option_that_may_be_part_of_a_secret_is_not_repeated(text, tmp_path):
    with pytest.raises(StoreError, match="has no such option: it knows lock_timeout, mode") as caught:
        open_store(f"file:{tmp_path}/x", {text: "="}, vault(), single=False)
    assert text not in str(caught.value)


@pytest.mark.parametrize("value", ["soon", -1, 3601, None, "nan"])
def test_a_lock_timeout_that_is_no_time_is_refused(value, tmp_path):
    with pytest.raises(StoreError, match=r"lock_timeout.* seconds"):
        open_store(f"file:{tmp_path}", {"lock_timeout": value}, vault(), single=False)


@pytest.mark.parametrize("mode", ["0644", "0604", "0602", "0601", "0777"])
def test_files_that_everybody_may_read_are_refused(mode, tmp_path):
    with pytest.raises(StoreError, match="readable for every user"):
        open_store(f"file:{tmp_path}", {"mode": mode}, vault(), single=False)


@pytest.mark.parametrize("mode", [0o640, 640, "u=rw", "", "9", "0o640"])
def test_a_mode_that_is_not_octal_in_quotes_is_refused(mode, tmp_path):
    with pytest.raises(StoreError, match="octal"):
        open_store(f"file:{tmp_path}", {"mode": mode}, vault(), single=False)


def test_a_relative_path_starts_where_ansible_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_store("file:tokens", {}, vault(), single=False).name == f"file:{tmp_path}/tokens"


def test_a_path_may_hold_a_colon(tmp_path):
    assert open_store(f"file:{tmp_path}/a:b", {}, vault(), single=True).name == f"file:{tmp_path}/a:b"


# Files: permissions, atomicity, locks.


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_is_readable_by_its_owner_only(place):
    before = os.umask(0)
    try:
        place.open().write([entry(ONE)])
    finally:
        os.umask(before)
    made = [path for path in place.directory.rglob("*") if path.is_file()]
    assert {path: mode_of(path) for path in made} == dict.fromkeys(made, 0o600)


def test_directories_made_for_references_are_private(tmp_path):
    before = os.umask(0)
    try:
        Place("file", tmp_path).open().write([entry(ONE, reference=DEPLOY)])
    finally:
        os.umask(before)
    made = [path for path in (tmp_path / "tokens").rglob("*") if path.is_dir()]
    assert made
    assert {path.name: oct(mode_of(path)) for path in made} == {path.name: "0o700" for path in made}


@pytest.mark.parametrize("kind", ["file", "one file"])
def test_a_declared_mode_is_given_to_new_files_and_to_those_there(kind, tmp_path):
    place = Place(kind, tmp_path)
    place.open().write([entry(ONE)])
    place.open(mode="0640").write([entry(TWO, ONE)])
    assert mode_of(place.target) == 0o640


def test_a_vaulted_file_keeps_its_permissions(vaulted):
    vaulted.put("x")
    vaulted.target.chmod(0o660)
    vaulted.open().write([entry(ONE, "unknown")])
    assert mode_of(vaulted.target) == 0o660


def test_a_write_leaves_nothing_but_the_file_and_its_lock(place):
    place.open().write([entry(ONE)])
    assert {path for path in place.directory.rglob("*") if path.is_file()} == {place.target, place.lock}


def test_preparing_sweeps_what_a_killed_run_has_left(place):
    place.temporary.parent.mkdir(parents=True, exist_ok=True)
    place.temporary.write_text(secret_of(ONE), encoding="utf-8")
    place.open().prepare([CI], check_mode=False)
    assert not place.temporary.exists()


def test_check_mode_neither_sweeps_nor_locks(place):
    place.temporary.parent.mkdir(parents=True, exist_ok=True)
    place.temporary.write_text("left", encoding="utf-8")
    place.open().prepare([CI], check_mode=True)
    assert place.temporary.exists()
    assert not place.lock.exists()


def test_a_leftover_does_not_get_in_the_way_of_a_write(place):
    place.temporary.parent.mkdir(parents=True, exist_ok=True)
    place.temporary.write_text("left", encoding="utf-8")
    assert place.open().write([entry(ONE)]) == {CI: "written"}
    assert not place.temporary.exists()


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_secret_and_no_temporary_file(place, step, monkeypatch):
    place.open().write([entry(ONE)])
    before = place.target.read_bytes()

    def broken(*_arguments: t.Any, **_options: t.Any) -> t.NoReturn:
        raise OSError(28, "No space left on device")

    # The operating system's own failure cannot be had in a test that may run as root.
    monkeypatch.setattr(os, step, broken)
    said = outcome_of(place.open(), entry(TWO, ONE))
    monkeypatch.undo()
    assert said == "unknown" or "No space left on device" in said
    assert place.target.read_bytes() == before
    assert not place.temporary.exists()


def test_an_interrupted_write_removes_its_temporary_file(place, monkeypatch):
    def interrupted(*_arguments: t.Any) -> t.NoReturn:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place.open().write([entry(ONE)])
    monkeypatch.undo()
    assert not place.temporary.exists()
    assert place.open().read([CI]) == {CI: None}


def test_a_reader_never_meets_a_torn_file(place):
    """The file is replaced at once: a descriptor opened before keeps the whole old one."""
    place.open().write([entry(ONE)])
    with place.target.open("rb") as before:
        inode = place.target.stat().st_ino
        old = place.target.read_bytes()
        place.open().write([entry(TWO, ONE)])
        assert place.target.stat().st_ino != inode
        assert before.read() == old


def hold(lock: Path) -> t.IO[bytes]:
    stream = lock.open("wb")
    fcntl.flock(stream, fcntl.LOCK_EX)
    return stream


@pytest.mark.parametrize("verb", ["prepare", "write"])
def test_a_lock_that_is_not_given_up_is_told_in_one_sentence(place, verb):
    store = place.open(lock_timeout=0.2)
    with hold(place.lock), pytest.raises(StoreError) as caught:
        store.prepare([CI], check_mode=False) if verb == "prepare" else store.write([entry(ONE)])
    assert str(caught.value) == f"{place.lock} is locked by another run for more than 0.2 seconds."
    assert place.open().read([CI]) == {CI: None}


def test_a_lock_that_is_given_up_in_time_is_waited_for(place):
    context = multiprocessing.get_context("fork")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold_for, args=(place.lock, held, done))
    other.start()
    try:
        assert held.wait(10)
        begun = time.monotonic()
        done.set()
        assert place.open(lock_timeout=10).write([entry(ONE)]) == {CI: "written"}
        assert 0.15 < time.monotonic() - begun < 9
    finally:
        other.join(10)


def hold_for(lock: Path, held: t.Any, done: t.Any) -> None:
    with hold(lock):
        held.set()
        done.wait(10)
        time.sleep(0.2)


def test_reading_needs_no_lock(place):
    place.open().write([entry(ONE)])
    with hold(place.lock):
        assert place.open(lock_timeout=0).read([CI]) == {CI: ONE}


def test_a_missing_directory_is_named_before_anything_is_created(place):
    place.path = place.directory / "nowhere" / "at" / "x.yml"
    for check_mode in (False, True):
        with pytest.raises(StoreError, match=r"nowhere.* does not exist: create it first"):
            place.open().prepare([CI], check_mode)
    assert not (place.directory / "nowhere").exists()


def test_a_directory_is_created_for_its_owner_only_if_its_parent_exists(place):
    new = place.directory / "new"
    place.path = new if place.kind == "file" else new / "x.yml"
    place.open().prepare([CI], check_mode=True)
    assert not new.exists()
    assert place.open().read([CI]) == {CI: None}
    store = place.open()
    store.prepare([CI], check_mode=False)
    assert stat.S_IMODE(new.stat().st_mode) == 0o700
    assert store.write([entry(ONE)]) == {CI: "written"}


def test_a_single_token_may_be_kept_in_a_directory_that_is_yet_to_be_created(tmp_path):
    store = open_store(f"file:{tmp_path}/tokens/", {}, vault(), single=True)
    store.prepare([CI], check_mode=False)
    assert store.write([entry(ONE)]) == {CI: "written"}
    assert (tmp_path / "tokens" / f"{CI}.token").is_file()


def test_a_link_in_a_directory_stays_a_link_and_its_target_is_written(tmp_path):
    place = Place("file", tmp_path)
    place.put(secret_of(ONE))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    place.target.rename(elsewhere / "ci")
    place.target.symlink_to(elsewhere / "ci")
    store = place.open()
    store.prepare([CI], check_mode=False)
    assert store.write([entry(TWO, ONE)]) == {CI: "written"}
    assert place.target.is_symlink()
    assert (elsewhere / "ci").read_text(encoding="utf-8") == f"{secret_of(TWO)}\n"


def test_a_link_whose_directory_is_missing_is_named_and_nothing_is_created_outside_the_store(tmp_path):
    place = Place("file", tmp_path)
    place.target.parent.mkdir(parents=True)
    place.target.symlink_to(tmp_path / "a" / "b" / "c")
    with pytest.raises(StoreError, match=f"is a symbolic link to {tmp_path}/a/b/c, whose directory does not exist"):
        place.open().prepare([CI], check_mode=False)
    assert place.open().write([entry(ONE)]) == {CI: "unknown"}
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("what", ["link", "dangling link", "FIFO"])
def test_a_lock_file_that_is_a_link_or_a_fifo_is_refused_and_nothing_is_written_through_it(place, what):
    victim = place.directory / "victim"
    if what == "FIFO":
        os.mkfifo(place.lock)
    else:
        place.lock.symlink_to(victim)
    if what == "link":
        victim.write_text("keep", encoding="utf-8")
    for attempt in (lambda store: store.prepare([CI], check_mode=False), lambda store: store.write([entry(ONE)])):
        with pytest.raises(StoreError, match="so it cannot be the lock: remove it and run again"):
            attempt(place.open())
    assert (victim.read_text(encoding="utf-8") if victim.exists() else None) == ("keep" if what == "link" else None)


def test_a_file_in_place_of_the_directory_is_refused(place):
    blocked = place.directory / "blocked"
    blocked.write_text("", encoding="utf-8")
    place.path = blocked if place.kind == "file" else blocked / "x.yml"
    with pytest.raises(StoreError, match=f"{blocked} is not a directory"):
        place.open().prepare([CI], check_mode=False)


def test_a_directory_in_place_of_the_vaulted_file_is_refused(vaulted):
    vaulted.path.mkdir()
    with pytest.raises(StoreError):
        vaulted.open().prepare([CI], check_mode=False)


def test_a_directory_in_place_of_a_references_file_is_refused(tmp_path):
    place = Place("file", tmp_path)
    place.target.mkdir(parents=True)
    with pytest.raises(StoreError, match="is a directory"):
        place.open().prepare([CI], check_mode=False)


def test_a_directory_named_for_one_token_keeps_it_where_a_set_would(tmp_path):
    one = Place("one file", tmp_path)
    one.path.mkdir()
    one.open().prepare([CI], check_mode=False)
    assert one.open().write([entry(ONE)]) == {CI: "written"}
    assert open_store(f"file:{one.path}", {}, vault(), single=False).read([CI]) == {CI: ONE}


def test_an_unwritable_directory_is_found_out_before_anything_is_created(place):
    with read_only(place.path if place.kind == "file" else place.directory):
        for check_mode in (False, True):
            with pytest.raises(StoreError, match="not writable"):
                place.open().prepare([CI], check_mode)


def test_a_link_stays_a_link_and_its_target_is_written(place):
    if place.kind == "file":
        pytest.skip("references are files of the store's own making")
    real = place.directory / "elsewhere"
    real.mkdir()
    place.open().write([entry(ONE)])
    place.path.rename(real / place.path.name)
    place.path.symlink_to(real / place.path.name)
    assert place.open().write([entry(TWO, ONE)]) == {CI: "written"}
    assert place.path.is_symlink()
    assert place.open().read([CI]) == {CI: TWO}
    assert [path.name for path in real.iterdir() if path.suffix == ".tmp"] == []


def test_runs_that_reach_a_file_by_two_names_share_its_lock(place):
    if place.kind == "file":
        pytest.skip("see the directory's own test")
    place.open().write([entry(ONE)])
    link = place.directory / "links"
    link.mkdir()
    (link / place.path.name).symlink_to(place.path)
    by_link = Place.open(with_path(place, link / place.path.name), lock_timeout=0.1)
    with hold(place.lock), pytest.raises(StoreError, match="is locked by another run"):
        by_link.write([entry(TWO, ONE)])


def with_path(place: Place, path: Path) -> Place:
    other = object.__new__(Place)
    other.kind, other.directory, other.path = place.kind, place.directory, path
    return other


def test_a_directory_reached_by_a_link_has_one_lock(tmp_path):
    place = Place("file", tmp_path)
    (tmp_path / "link").symlink_to(place.path)
    with hold(place.lock), pytest.raises(StoreError, match="is locked by another run"):
        with_path(place, tmp_path / "link").open(lock_timeout=0.1).write([entry(ONE)])


def test_a_link_to_another_file_system_is_written_there(place):
    memory = Path("/dev/shm")
    if place.kind == "file":
        pytest.skip("references are files of the store's own making")
    if not memory.is_dir() or memory.stat().st_dev == place.directory.stat().st_dev or not os.access(memory, os.W_OK):
        pytest.skip("there is no second writable file system at /dev/shm")
    target = memory / f"tokensmith-{os.getpid()}-{place.path.name}"
    try:
        place.open().write([entry(ONE)])
        target.write_bytes(place.path.read_bytes())
        place.path.unlink()
        place.path.symlink_to(target)
        place.open().prepare([CI], check_mode=False)
        assert place.open().write([entry(TWO, ONE)]) == {CI: "written"}
        assert (place.path.is_symlink(), place.open().read([CI])) == (True, {CI: TWO})
    finally:
        target.unlink(missing_ok=True)


def test_references_keep_apart_what_names_could_mix_up(tmp_path):
    store = Place("file", tmp_path).open()
    references = ["projects/PAY/tokens/a", "projects/PAY/tokens/A", "projects/PAY/tokens/a%2Fb", "users/a/tokens/a"]
    ids = {reference: f"00000000000{number}" for number, reference in enumerate(references)}
    store.write([entry(token_id, reference=reference) for reference, token_id in ids.items()])
    assert store.read(references) == ids


def test_names_that_are_too_long_for_a_file_are_found_out_and_harm_no_other(tmp_path):
    store = Place("file", tmp_path).open()
    long = f"projects/PAY/tokens/{'%C3%A4' * 120}"
    assert store.write([entry(ONE, reference=long), entry(TWO)]) == {long: "unknown", CI: "written"}


def test_binary_rubbish_in_a_secrets_place_is_an_error_not_nothing(place):
    place.target.parent.mkdir(parents=True, exist_ok=True)
    place.target.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(StoreError):
        place.open().read([CI])


# The vaulted file.


def decrypted(path: Path, password: str = PASSWORD) -> str:
    return vault(password=password).decrypt(path.read_text(encoding="utf-8")).decode()


def encrypt(path: Path, plain: str, label: str | None = None) -> None:
    text = vault().encrypt(plain, VaultSecret(PASSWORD.encode()), vault_id=label)
    path.write_bytes(text)


OTHERS = """---
# What the team keeps here.
database_password: "pö*ssword"   # with a comment

list:
  - 1
  - {a: b}
text: |
  # not a comment

  last line
"""


@pytest.mark.parametrize("step", ["encrypt", "decrypt_and_get_vault_id"])
def test_a_vault_that_fails_at_a_write_is_a_sentence_that_quotes_nothing(vaulted, monkeypatch, step):
    store = vaulted.open()
    store.prepare([CI], check_mode=False)
    secret = entry(ONE).secret

    def broken(*_args: object, **_options: object) -> bytes:
        raise AnsibleError(f"cannot do this with {secret}")

    monkeypatch.setattr(VaultLib, step, broken)
    assert store.write([entry(ONE)]) == {CI: "unknown"}
    assert ("could not be encrypted" if step == "encrypt" else "cannot be decrypted") in store.reasons[CI]
    assert secret not in store.reasons[CI]


def test_a_new_file_is_encrypted_and_usable_as_variables(vaulted):
    vaulted.open().write([entry(ONE), entry(TWO, reference=DEPLOY)])
    assert vaulted.path.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    assert variables_of(decrypted(vaulted.path)) == {
        "bitbucket_tokens": {CI: secret_of(ONE), DEPLOY: secret_of(TWO)},
        "bitbucket_token_ids": {CI: ONE, DEPLOY: TWO},
    }
    written = decrypted(vaulted.path)
    assert f'{CI}: !unsafe "{secret_of(ONE)}"' in written
    assert f'{CI}: "{ONE}"' in written, "an id with the tag would be a number for Ansible"


@pytest.mark.parametrize("tag", ["!unsafe ", ""], ids=["as written", "without the tag"])
def test_ansible_evaluates_nothing_in_the_file_because_of_the_tag(vaulted, tmp_path, tag):
    vaulted.open().write([entry(ONE)])
    marker = tmp_path / "evaluated"
    template = f"{{{{ lookup('pipe', 'touch {marker}') }}}}"
    written = decrypted(vaulted.path)
    assert f'{CI}: !unsafe "{secret_of(ONE)}"' in written
    vaulted.path.write_text(written.replace(f'!unsafe "{secret_of(ONE)}"', f'{tag}"{template}"'), encoding="utf-8")
    show = [
        "ansible",
        "localhost",
        "-m",
        "ansible.builtin.debug",
        "-a",
        "var=bitbucket_tokens",
        "-e",
        f"@{vaulted.path}",
    ]
    shown = subprocess.run(
        [Path(sys.executable).with_name(show[0]), *show[1:]], capture_output=True, text=True, check=True
    )
    assert (template in shown.stdout, marker.exists()) == ((True, False) if tag else (False, True))


def test_a_secret_that_looks_like_another_type_is_a_text_for_ansible(vaulted):
    secrets = ["000000000000001234567", "1.5", "2001-01-01", "null", "yes", "~", "0x1F", "1e5", secret_of(TWO)]
    entries = [Entry(f"projects/P{number}/tokens/ci", ONE, secret) for number, secret in enumerate(secrets[:-1])]
    vaulted.open().write([*entries, entry(TWO)])
    assert vaulted.open().secret("projects/P0/tokens/ci") == secrets[0]
    vaulted.path.write_text(decrypted(vaulted.path), encoding="utf-8")
    msg = "{{ bitbucket_tokens.values() | map('type_debug') | unique }} {{ bitbucket_token_ids.values() | unique }}"
    query = json.dumps({"msg": msg})
    command = ["ansible", "localhost", "-m", "ansible.builtin.debug", "-a", query, "-e", f"@{vaulted.path}"]
    shown = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]], capture_output=True, text=True, check=True
    )
    assert "int" not in shown.stdout
    assert "float" not in shown.stdout
    assert f"['{ONE}', '{TWO}']" in shown.stdout


def test_other_variables_comments_and_order_are_kept_byte_for_byte(vaulted):
    encrypt(vaulted.path, OTHERS)
    vaulted.open().write([entry(ONE)])
    vaulted.open().write([entry(TWO, ONE), entry(THREE, reference=DEPLOY)])
    plain = decrypted(vaulted.path)
    assert plain.startswith(OTHERS)
    assert variables_of(plain)["bitbucket_token_ids"] == {CI: TWO, DEPLOY: THREE}


@pytest.mark.parametrize("where", ["before", "between", "after"])
def test_others_are_kept_wherever_our_variables_stand(vaulted, where):
    ours = f"bitbucket_tokens:\n  {CI}: {secret_of(ONE)}\nbitbucket_token_ids:\n  {CI}: {ONE}\n"
    first, second = "a: 1  # one\n\n# above b\n", "b:\n- 2\n\n# the end\n"
    texts = {"before": ours + first + second, "between": first + ours + second, "after": first + second + ours}
    encrypt(vaulted.path, texts[where])
    assert vaulted.open().read([CI]) == {CI: ONE}
    assert vaulted.open().write([entry(TWO, ONE)]) == {CI: "written"}
    plain = decrypted(vaulted.path)
    assert plain.startswith(first + second)
    assert variables_of(plain) == {
        "a": 1,
        "b": [2],
        "bitbucket_tokens": {CI: secret_of(TWO)},
        "bitbucket_token_ids": {CI: TWO},
    }


def test_a_directory_also_serves_a_single_token(tmp_path):
    store = open_store(f"file:{tmp_path}", {}, vault(), single=True)
    store.prepare([CI], check_mode=False)
    assert store.write([entry(ONE)]) == {CI: "written"}
    assert open_store(f"file:{tmp_path}", {}, vault(), single=False).read([CI]) == {CI: ONE}


def test_a_file_that_keeps_another_tokens_secret_is_refused_before_anything_is_created(tmp_path):
    one = open_store(f"file:{tmp_path / 'x'}", {}, vault(), single=True)
    one.prepare([CI], check_mode=False)
    one.write([entry(ONE)])
    one.prepare([CI], check_mode=False)
    with pytest.raises(StoreError, match=rf"has the secret of {CI}\. Use another file for projects/SHOP/tokens/ci"):
        open_store(f"file:{tmp_path / 'x'}", {}, vault(), single=True).prepare(["projects/SHOP/tokens/ci"], True)


def test_a_file_keeps_its_permissions_less_what_everybody_may(tmp_path):
    store = open_store(f"file:{tmp_path / 'x'}", {}, vault(), single=True)
    store.write([entry(ONE)])
    (tmp_path / "x").chmod(0o644)
    assert store.write([entry(TWO, ONE)]) == {CI: "written"}
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(not Path("/dev/null").is_char_device(), reason="no /dev/null here")
def test_a_device_is_no_place_for_a_secret():
    with pytest.raises(StoreError, match="not a plain file"):
        open_store("file:/dev/null", {}, vault(), single=True).prepare([CI], check_mode=True)


def test_unquoted_ids_written_manually_keep_their_zeros(vaulted):
    encrypt(vaulted.path, f"bitbucket_tokens:\n  {CI}: opaque\nbitbucket_token_ids:\n  {CI}: {ONE}\n")
    assert vaulted.open().read([CI]) == {CI: ONE}


def test_the_secret_itself_says_more_of_its_id_than_what_is_noted_beside_it(vaulted):
    encrypt(vaulted.path, f"bitbucket_tokens:\n  {CI}: {secret_of(TWO)}\nbitbucket_token_ids:\n  {CI}: '{ONE}'\n")
    assert vaulted.open().read([CI]) == {CI: TWO}


def test_a_plaintext_file_is_refused_and_left_as_it_is(vaulted):
    vaulted.path.write_text("a: 1\n", encoding="utf-8")
    with pytest.raises(StoreError, match="is not encrypted with ansible-vault"):
        vaulted.open().prepare([CI], check_mode=False)
    assert vaulted.path.read_text(encoding="utf-8") == "a: 1\n"


def test_a_wrong_password_is_told_in_one_sentence(vaulted):
    encrypt(vaulted.path, OTHERS)
    store = open_store(f"ansible_vault:{vaulted.path}", {}, vault(password="another-password"), single=False)
    with pytest.raises(StoreError, match=r"cannot be decrypted: none of the vault secrets given .* opens it\.$"):
        store.prepare([CI], check_mode=False)


@pytest.mark.parametrize("there", [False, True], ids=["new file", "old file"])
def test_a_missing_password_is_told_before_anything_is_created(vaulted, there):
    if there:
        encrypt(vaulted.path, OTHERS)
    store = open_store(f"ansible_vault:{vaulted.path}", {}, VaultLib(None), single=False)
    with pytest.raises(StoreError, match="--vault-"):
        store.prepare([CI], check_mode=True)


UNFIT = {
    "a flow mapping": "{a: 1}\n",
    "a list": "- a\n- b\n",
    "text": "just text\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "an ended document": "a: 1\n...\n",
    "no YAML": "a: [1\n",
    "no mapping in ours": "bitbucket_tokens:\n- x\n",
    "more than text in ours": "bitbucket_tokens:\n  x: {y: z}\n",
    "a vaulted string in ours": "bitbucket_tokens:\n  x: !vault abc\n",
    "ours twice": f"bitbucket_tokens:\n  {CI}: one\nbitbucket_tokens:\n  {DEPLOY}: two\n",
    "the ids twice": f"bitbucket_token_ids:\n  {CI}: '{ONE}'\na: 1\nbitbucket_token_ids: {{}}\n",
    "one reference twice": f"bitbucket_tokens:\n  {CI}: one\n  {CI}: two\n",
}


@pytest.mark.parametrize("plain", UNFIT.values(), ids=UNFIT)
def test_content_that_cannot_be_kept_is_refused_and_never_quoted(vaulted, plain):
    encrypt(vaulted.path, plain)
    before = vaulted.path.read_bytes()
    with pytest.raises(StoreError) as caught:
        vaulted.open().prepare([CI], check_mode=False)
    assert plain.strip() not in str(caught.value)
    assert str(caught.value).startswith(str(vaulted.path))
    assert vaulted.path.read_bytes() == before


ODD = {
    "an indented mapping": "  a: 1\n  b: 2\n",
    "an alias to ours": f"bitbucket_tokens: &t\n  {CI}: {secret_of(ONE)}\ncopy: *t\n",
    "an alias from ours": f"one: &s {secret_of(ONE)}\nbitbucket_tokens:\n  {CI}: *s\n",
    "a comment above the document": "# ours\n---\na: 1\n",
    "a directive": "%YAML 1.1\n---\na: 1\n",
    "no final newline": "a: 1",
    "text with no final newline": "a: |\n  text",
    "kept newlines": "a: |+\n  text\n\n\n",
    "windows lines": "a: 1\r\nb: 2\r\n",
    "a byte order mark": "\ufeffa: 1\n",
    "ours in quotes": f"'bitbucket_tokens':\n  {CI}: {secret_of(ONE)}\nz: 1\n",
    "ours in a flow": "bitbucket_tokens: {" + f"{CI}: {secret_of(ONE)}" + "}\nz: 1\n",
    "ours with a folded secret": f"bitbucket_tokens:\n  {CI}: >-\n    {secret_of(ONE)}\n\n# about z\nz: 1\n",
    "ours empty": "bitbucket_tokens:\nbitbucket_token_ids: {}\nz: 1\n",
    "ours as an explicit key": f"? bitbucket_tokens\n: {CI}: {secret_of(ONE)}\nz: 1\n",
    "a tagged value": "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\nz: 1\n",
    "a merge": "base: &b {x: 1}\nderived:\n  <<: *b\n",
    "only a comment": "# nothing yet\n",
}


def others(plain: str) -> t.Any:
    """Everything that is not ours, as a YAML reader sees it; tags of Ansible's own are taken as text."""
    return {
        key: value
        for key, value in variables_of(plain).items()
        if key not in ("bitbucket_tokens", "bitbucket_token_ids")
    }


def assert_kept_or_refused(path: Path, plain: str) -> bool:
    """The rule of this store: other content is kept, or the file is refused before anything is created."""
    encrypt(path, plain)
    store = open_store(f"ansible_vault:{path}", {}, vault(), single=False)
    try:
        store.prepare([CI], check_mode=False)
    except StoreError:
        assert decrypted(path) == plain
        return False
    held = store.read([CI])[CI]
    assert store.write([entry(TWO, held)]) == {CI: "written"}
    assert others(decrypted(path)) == others(plain)
    assert open_store(f"ansible_vault:{path}", {}, vault(), single=False).read([CI]) == {CI: TWO}
    return True


@pytest.mark.parametrize("plain", ODD.values(), ids=ODD)
def test_odd_content_is_kept_or_refused_but_never_broken(vaulted, plain):
    assert_kept_or_refused(vaulted.path, plain)


@pytest.mark.parametrize("name", ["no final newline", "a comment above the document", "ours empty", "a merge"])
def test_common_content_is_not_refused(vaulted, name):
    assert assert_kept_or_refused(vaulted.path, ODD[name])


@pytest.mark.parametrize(
    ("labels", "label", "header"),
    [
        (("default",), None, b"$ANSIBLE_VAULT;1.1;AES256\n"),
        (("prod",), "prod", b"$ANSIBLE_VAULT;1.2;AES256;prod\n"),
        (("dev", "prod"), "prod", b"$ANSIBLE_VAULT;1.2;AES256;prod\n"),
        (("default",), "prod", b"$ANSIBLE_VAULT;1.2;AES256;prod\n"),
        (("prod",), None, b"$ANSIBLE_VAULT;1.1;AES256\n"),
    ],
    ids=["no label", "its label", "its label of two", "a label opened without it", "no label opened with one"],
)
def test_the_files_vault_id_label_is_kept(vaulted, labels, label, header):
    encrypt(vaulted.path, OTHERS, label)
    store = open_store(f"ansible_vault:{vaulted.path}", {}, vault(*labels), single=False)
    store.write([entry(ONE)])
    assert vaulted.path.read_bytes().startswith(header)


def test_the_files_own_password_is_kept_where_several_are_given(vaulted):
    both = VaultLib([("dev", VaultSecret(b"dev-password")), ("prod", VaultSecret(PASSWORD.encode()))])
    encrypt(vaulted.path, OTHERS, "prod")
    open_store(f"ansible_vault:{vaulted.path}", {}, both, single=False).write([entry(ONE)])
    assert "bitbucket_tokens" in decrypted(vaulted.path)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t\x85\u2028"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=8,
)


@st.composite
def documents(draw):
    """YAML as people and programs write it: any data, in several styles, with comments and blank lines."""
    data = draw(st.dictionaries(TEXT.filter(lambda key: not key.startswith("bitbucket_")), VALUES, max_size=4))
    chunks = []
    for key, value in data.items():
        # Other values would get tags that not every reader takes.
        style = draw(st.sampled_from([None, "'", '"', "|", ">"])) if isinstance(value, str) else None
        comment = draw(st.sampled_from(["", "# a comment\n", "\n", "\n\n  # further in\n"]))
        chunks.append(comment + yaml.safe_dump({key: value}, default_style=style, allow_unicode=True))
    if draw(st.booleans()):
        ours = yaml.safe_dump({"bitbucket_tokens": {CI: secret_of(ONE)}, "bitbucket_token_ids": {CI: ONE}})
        chunks.insert(draw(st.integers(0, len(chunks))), ours)
        return "".join(chunks), ours
    return "".join(chunks), ""


@settings(max_examples=150 if FULL else 40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(document=(OTHERS, ""))
@example(document=("a: 'x\u2028  y'\nb: 1\n", ""))
@given(document=documents())
def test_whatever_else_the_file_holds_stays_byte_identical(tmp_path, document):
    plain, ours = document
    path = tmp_path / "v.yml"
    if not assert_kept_or_refused(path, plain):
        return
    kept = plain.replace(ours, "", 1) if ours else plain
    assert decrypted(path).startswith(kept)
    rest = decrypted(path)[len(kept) :]
    assert set(variables_of(rest)) == {"bitbucket_tokens", "bitbucket_token_ids"}


# Writers at once.


def write_many(kind: str, path: Path, writer: int) -> None:
    store = open_store(f"{kind}:{path}", {}, vault(), single=False)
    for number in range(EACH):
        token_id = f"{writer:03}{number:09}"
        reference = f"projects/W{writer}/tokens/t{number}"
        assert store.write([entry(token_id, reference=reference)]) == {reference: "written"}


@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_processes_that_write_at_once_lose_nothing(kind, tmp_path):
    place = Place(kind, tmp_path)
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(kind, place.path, writer)) for writer in range(WRITERS)]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
    assert [process.exitcode for process in writers] == [0] * WRITERS
    wanted = {f"projects/W{w}/tokens/t{n}": f"{w:03}{n:09}" for w in range(WRITERS) for n in range(EACH)}
    assert place.open().read(wanted) == wanted


def race(path: Path, kind: str, writer: int, answers: t.Any) -> None:
    store = open_store(f"{kind}:{path}", {}, vault(), single=False)
    answers.put((f"{writer:012}", store.write([entry(f"{writer:012}")])[CI]))


@pytest.mark.parametrize("kind", ["file", "ansible_vault"])
def test_of_processes_that_replace_the_same_one_wins(kind, tmp_path):
    place = Place(kind, tmp_path)
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    racers = [context.Process(target=race, args=(place.path, kind, writer, answers)) for writer in range(WRITERS)]
    for process in racers:
        process.start()
    outcomes = dict(answers.get(timeout=60) for _ in racers)
    for process in racers:
        process.join(10)
    assert sorted(outcomes.values()) == ["refused"] * (WRITERS - 1) + ["written"]
    (winner,) = (token_id for token_id, answer in outcomes.items() if answer == "written")
    assert place.open().read([CI]) == {CI: winner}
