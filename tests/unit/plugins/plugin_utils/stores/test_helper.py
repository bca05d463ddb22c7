"""The store that is a program: what it is told and how, and whatever else a program may do than answer."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._helper import HelperStore
from tests.unit.plugins.plugin_utils.stores.places import (
    CI,
    DEPLOY,
    ONE,
    ROOT,
    TWO,
    Helper,
    entry,
    play_vault,
    secret_of,
)

EXAMPLE = ROOT / "playbooks" / "files" / "store_with_pass.py"
SECRET = "a-secret-that-a-helper-blurts-out"
VERBS = ["prepare", "read", "secret"]


@pytest.fixture
def program(tmp_path):
    """Opens a store over a helper with the given source."""

    def opened(source: str, timeout: float = 10) -> HelperStore:
        path = tmp_path / "helper.py"
        path.write_text("import json, os, sys, time\n" + textwrap.dedent(source), encoding="utf-8")
        return HelperStore(shlex.join([sys.executable, str(path)]), timeout)

    return opened


def failure(store: HelperStore, verb: str) -> str:
    """The sentence that a verb fails with, which never quotes the helper."""
    with pytest.raises(StoreError) as caught:
        ask(store, verb)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def ask(store: HelperStore, verb: str) -> object:
    if verb == "prepare":
        store.prepare([CI], check_mode=False)
        return None
    return store.read([CI]) if verb == "read" else store.secret(CI)


# What it is told.

RECORDING = """
    place = {place!r}
    lines = [json.loads(line) for line in sys.stdin]
    said = {{"argv": sys.argv, "environment": dict(os.environ), "lines": lines}}
    with open(place, "a") as log:
        log.write(json.dumps(said) + "\\n")
    for line in lines:
        print(json.dumps({{"reference": line.get("reference"), "ready": True, "id": None, "secret": None,
                           "answer": "unknown"}}))
"""


def test_each_verb_is_one_run_with_one_line_for_each_entry(program, tmp_path):
    log = tmp_path / "log"
    store = program(RECORDING.format(place=str(log)))
    store.prepare([CI, DEPLOY], check_mode=True)
    store.read([CI, DEPLOY])
    runs = [json.loads(line)["lines"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert runs == [
        [{"protocol": 1, "verb": "prepare", "references": [CI, DEPLOY], "check_mode": True}],
        [{"protocol": 1, "verb": "read", "reference": reference} for reference in (CI, DEPLOY)],
    ]


def test_a_secret_goes_through_the_pipe_and_nowhere_else(program, tmp_path, monkeypatch):
    monkeypatch.setenv("BITBUCKET_PASSWORD", "the-password-of-the-module")
    monkeypatch.setenv("BITBUCKET_TOKEN", "the-token-of-the-module")
    log = tmp_path / "log"
    store = program(RECORDING.format(place=str(log)))
    assert store.write([entry(ONE, None)]) == {CI: "unknown"}
    runs = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    (write,) = [run for run in runs if run["lines"][0]["verb"] == "write"]
    assert write["lines"] == [
        {"protocol": 1, "verb": "write", "reference": CI, "id": ONE, "secret": secret_of(ONE), "replaces": None}
    ]
    outside = json.dumps([[run["argv"], run["environment"]] for run in runs])
    assert not [text for text in (secret_of(ONE), "-of-the-module") if text in outside]


def test_no_shell_is_involved(tmp_path):
    marker = tmp_path / "marker"
    with pytest.raises(StoreError):
        HelperStore(f"true ; touch {marker}").read([CI])
    assert not marker.exists()


def test_reading_nothing_runs_nothing(program, tmp_path):
    log = tmp_path / "log"
    assert program(RECORDING.format(place=str(log))).read([]) == {}
    assert not log.exists()


# What it may do instead of answering.


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("source", "say"),
    [
        ("", "did not answer with one line of JSON for each request."),
        (f"print({SECRET!r})", "did not answer with one line of JSON for each request."),
        (f"print(json.dumps([{SECRET!r}]))", "did not answer with one line of JSON for each request."),
        ("print('[' * 60000)", "did not answer with one line of JSON for each request."),
        ("print('{}\\n{}')", "did not answer with one line of JSON for each request."),
        ("sys.stdout.buffer.write(b'\\xff\\xfe{')", "did not answer with one line of JSON for each request."),
        (f"sys.exit({SECRET!r})", "ended with status 1; run it manually to see why."),
        ("os.abort()", "ended with status -6; run it manually to see why."),
        ("while True: print('x' * 10000)", "did not come to an end with its answers."),
    ],
    ids=["nothing", "text", "a list", "deep", "too many", "bytes", "failure", "crash", "endless"],
)
def test_what_is_no_answer_is_told_in_one_sentence(program, verb, source, say):
    store = program(source)
    assert failure(store, verb) == f"{store.name} {say}"


def answering(text: str) -> str:
    return f"print(json.dumps({text}))"


@pytest.mark.parametrize(
    "text",
    [
        {"reference": CI},
        {"reference": CI, "id": 12345670123},
        {"reference": CI, "id": ""},
        {"reference": CI, "id": "1" * 21},
        {"reference": CI, "id": "١٢٣"},
        {"reference": CI, "id": SECRET},
        {"reference": CI, "id": [SECRET]},
        {"reference": DEPLOY, "id": ONE},
        {"id": ONE},
    ],
    ids=str,
)
def test_an_answer_that_names_no_id_is_never_nothing(program, text):
    failure(program(answering(repr(text))), "read")


@pytest.mark.parametrize("word", ["denied", "locked", "unavailable", SECRET, 7, None, {"a": SECRET}], ids=str)
@pytest.mark.parametrize("verb", VERBS)
def test_an_error_is_told_by_its_word_and_never_in_the_helpers_own(program, verb, word):
    store = program(f"""
        asked = json.loads(sys.stdin.readline())
        print({SECRET!r}, file=sys.stderr)
        print(json.dumps({{"reference": asked.get("reference"), "error": {word!r}}}))
    """)
    known = {"denied": "permitted", "locked": "locked", "unavailable": "does not answer"}
    assert known.get(str(word), "run it manually") in failure(store, verb)


def test_what_it_writes_to_standard_error_goes_nowhere(program, capfd):
    failure(program(f"print({SECRET!r}, file=sys.stderr)"), "read")
    assert SECRET not in "".join(capfd.readouterr())


def test_one_that_hangs_is_ended_with_all_that_it_started(program, tmp_path):
    marker = tmp_path / "marker"
    store = program(
        f"""
        import subprocess
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1.5); open({str(marker)!r}, 'w')"])
        time.sleep(60)
        """,
        timeout=0.7,
    )
    begun = time.monotonic()
    assert "did not end within 0.7 seconds (`store_options.timeout`)" in failure(store, "read")
    assert time.monotonic() - begun < 5
    time.sleep(1.5)
    assert not marker.exists()


def test_one_that_does_not_read_what_it_is_told_is_no_deadlock(program):
    store = program("print(json.dumps({'reference': None}))")
    failure(store, "read")
    assert store.write([]) == {}
    many = [f"projects/P{number}/tokens/ci" for number in range(20_000)]
    with pytest.raises(StoreError):
        store.read(many)


@pytest.mark.parametrize(
    ("command", "say"),
    [("/nowhere/at/all", "cannot be started: No such file or directory."), ("'open", "quotes"), ("''", "helper")],
)
def test_a_program_that_is_not_there_is_named(command, say):
    with pytest.raises(StoreError, match=say):
        open_store(f"helper:{command}", {}, play_vault(), single=False).prepare([CI], check_mode=False)


def test_its_arguments_are_in_no_message():
    with pytest.raises(StoreError) as caught:
        HelperStore(f"/nowhere/at/all --password {SECRET}").read([CI])
    assert SECRET not in str(caught.value)


# What it says of a write is believed as far as reading back bears it out.

LYING = """
    held = {held!r}
    for line in map(json.loads, sys.stdin):
        path = {place!r}
        if line["verb"] == "write":
            open(path, "w").write(json.dumps({after!r}))
            print(json.dumps({{"reference": line["reference"], **{said!r}}}))
            continue
        now = json.load(open(path)) if os.path.exists(path) else held
        print(json.dumps({{"reference": line["reference"], **now}}))
"""
OLD, NEW = {"id": ONE, "secret": secret_of(ONE)}, {"id": TWO, "secret": secret_of(TWO)}
OTHER = {"id": "000000000099", "secret": secret_of("000000000099")}


@pytest.mark.parametrize(
    ("after", "said", "answer"),
    [
        (NEW, {"answer": "written"}, "written"),
        (OLD, {"answer": "written"}, "unknown"),
        (OTHER, {"answer": "written"}, "unknown"),
        ({**NEW, "secret": secret_of(ONE)}, {"answer": "written"}, "unknown"),
        ({**NEW, "secret": None}, {"answer": "written"}, "unknown"),
        ({"id": None, "secret": None}, {"answer": "written"}, "unknown"),
        ({"id": 7, "secret": None}, {"answer": "written"}, "unknown"),
        (OTHER, {"answer": "refused"}, "refused"),
        (OLD, {"answer": "refused"}, "unknown"),
        (NEW, {"answer": "refused"}, "written"),
        (NEW, {"answer": "unknown"}, "written"),
        (NEW, {"error": "unavailable"}, "written"),
        (OLD, {"error": "denied"}, "unknown"),
        (OTHER, {"answer": SECRET}, "unknown"),
        (OTHER, {"reference": DEPLOY, "answer": "refused"}, "unknown"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_only_a_refusal_that_is_true_is_one(program, tmp_path, after, said, answer):
    store = program(LYING.format(held=OLD, place=str(tmp_path / "now"), after=after, said=said))
    assert store.write([entry(TWO, ONE)]) == {CI: answer}
    assert not [text for text in (SECRET, secret_of(ONE), secret_of(TWO)) if text in str(store.reasons)]


def test_one_that_dies_half_way_has_written_what_reading_shows(tmp_path, program):
    """The first of two entries lands, and then the program is killed before it answers."""
    kept = tmp_path / "kept"
    store = program(f"""
        held = json.load(open({str(kept)!r})) if os.path.exists({str(kept)!r}) else {{}}
        for line in map(json.loads, sys.stdin):
            name = line["reference"]
            if line["verb"] == "write":
                json.dump({{name: [line["id"], line["secret"]]}}, open({str(kept)!r}, "w"))
                os._exit(9)
            token_id, secret = held.get(name, [None, None])
            print(json.dumps({{"reference": name, "id": token_id, "secret": secret}}))
    """)
    answers = store.write([entry(ONE), entry(TWO, reference=DEPLOY)])
    assert answers == {CI: "written", DEPLOY: "unknown"}
    assert "ended with status 9" in str(store.reasons)


def test_one_that_cannot_show_secrets_is_believed_by_its_ids(program, tmp_path):
    kept = tmp_path / "kept"
    store = program(f"""
        read = lambda: open({str(kept)!r}).read() if os.path.exists({str(kept)!r}) else None
        for line in map(json.loads, sys.stdin):
            name = {{"reference": line["reference"]}}
            if line["verb"] == "write":
                open({str(kept)!r}, "w").write(line["id"])
                print(json.dumps({{**name, "answer": "written"}}))
            elif line["verb"] == "secret":
                print(json.dumps({{**name, "error": "write_only"}}))
            else:
                print(json.dumps({{**name, "id": read()}}))
    """)
    assert store.write([entry(ONE)]) == {CI: "written"}
    assert "cannot show a secret" in failure(store, "secret")


@pytest.mark.parametrize("value", ["soon", -1, 3601])
def test_a_timeout_that_is_no_time_is_refused(value, tmp_path):
    with pytest.raises(StoreError, match=r"store_options\.timeout"):
        Helper(tmp_path).open(timeout=value)


# The example, with the real pass and the real GnuPG.


@pytest.fixture
def password_store(tmp_path, monkeypatch):
    missing = [name for name in ("pass", "gpg") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)} (Debian packages pass and gnupg)")
    # gpg-agent's socket must have a short path.
    home = Path(subprocess.run(["mktemp", "-d", "/tmp/gXXXXXX"], stdout=subprocess.PIPE, text=True).stdout.strip())
    home.chmod(0o700)
    monkeypatch.setenv("GNUPGHOME", str(home))
    monkeypatch.setenv("PASSWORD_STORE_DIR", str(tmp_path / "store"))
    identity = ["--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
    for command in (
        ["gpg", *identity, "--quick-generate-key", "ci@example.com", "rsa2048", "encr", "never"],
        ["pass", "init", "ci@example.com"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    yield tmp_path / "store"
    subprocess.run(["gpgconf", "--kill", "all"], check=False)
    shutil.rmtree(home, ignore_errors=True)


def test_the_guide_shows_the_example_as_it_is():
    guide = (ROOT / "docs" / "docsite" / "rst" / "guide_stores.rst").read_text(encoding="utf-8")
    code = EXAMPLE.read_text(encoding="utf-8").partition("\n\n")[2].rstrip()
    assert textwrap.indent(code, "  ") in guide


def test_the_example_keeps_secrets_with_the_real_pass(password_store):
    store = HelperStore(shlex.join([sys.executable, str(EXAMPLE)]))
    store.prepare([CI, DEPLOY], check_mode=False)
    assert store.read([CI, DEPLOY]) == {CI: None, DEPLOY: None}
    assert store.write([entry(ONE), entry(TWO, reference=DEPLOY)]) == {CI: "written", DEPLOY: "written"}
    assert store.write([entry(TWO, None)]) == {CI: "refused"}
    assert store.write([entry(TWO, ONE)]) == {CI: "written"}
    assert store.read([CI, DEPLOY]) == {CI: TWO, DEPLOY: TWO}
    shown = subprocess.run(["pass", "show", f"bitbucket/{CI}"], check=True, stdout=subprocess.PIPE, text=True)
    assert shown.stdout == f"{secret_of(TWO)}\n{TWO}\n"
    kept = [path for path in password_store.rglob("*") if path.is_file()]
    assert not [path for path in kept if secret_of(TWO).encode() in path.read_bytes()]


def test_the_example_sees_what_was_put_there_manually(password_store):
    insert = ["pass", "insert", "--multiline", f"bitbucket/{CI}"]
    subprocess.run(insert, check=True, capture_output=True, input=b"a-password\nlogin: ci\n")
    store = HelperStore(shlex.join([sys.executable, str(EXAMPLE)]))
    assert store.read([CI]) == {CI: "unknown"}
    assert store.write([entry(ONE, "unknown")]) == {CI: "written"}


def test_a_password_store_that_cannot_be_opened_is_not_an_empty_one(password_store):
    store = HelperStore(shlex.join([sys.executable, str(EXAMPLE)]))
    store.write([entry(ONE)])
    subprocess.run(["gpgconf", "--kill", "all"], check=True)
    shutil.rmtree(Path(os.environ["GNUPGHOME"]) / "private-keys-v1.d")
    with pytest.raises(StoreError, match="ended with status 1; run it manually"):
        store.read([CI])
