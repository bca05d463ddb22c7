"""The net itself: what it is made to catch, it catches, in every place and by every way."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest

from tests.leaks import runs
from tests.leaks.cases import Table
from tests.leaks.file_cases import TASKS
from tests.leaks.net import ENOUGH, Net, forms
from tests.leaks.sandbox import CREDENTIALS, Sandbox, sandbox

SECRETS = {"password": CREDENTIALS["password"], "token": "BBDC-MDEyMzQ1NjcwMTIzOmRlZmdoaWprbG1ub3BxcnN0dXZ3"}
#: A module that does all that none should.
LEAKY = """
import os, subprocess, syslog
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule({"secret": {"type": "str"}, "place": {"type": "str"}})
secret, place = module.params["secret"], module.params["place"]
with open(place + "/gone", "w") as stream:
    stream.write(secret)
os.remove(place + "/gone")
folder = os.open(place, os.O_RDONLY)
for name in ("apart", "apart.new"):
    with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=folder), "w") as stream:
        stream.write(secret)
os.rename("apart.new", "moved", src_dir_fd=folder, dst_dir_fd=folder)
os.remove(place + "/apart")
os.remove(place + "/moved")
syslog.syslog("issued " + secret)
syslog.syslog("Invoked with url=https://admin:%s@example.com/" % "in-a-url")
subprocess.run(["true", "--password", secret])
module.exit_json(changed=True, told=secret)
"""


def version(programs: Path) -> tuple[int, ...]:
    """Of ansible-core."""
    command = [str(programs / "python"), "-c", "from ansible.release import __version__; print(__version__)"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(int(part) for part in said.split(".")[:2])


@pytest.mark.parametrize("name", list(SECRETS))
@pytest.mark.parametrize("form", range(len(list(forms("x")))))
@pytest.mark.parametrize("part", ["all", "beginning", "end"])
def test_every_form_is_caught_also_where_it_is_cut(tmp_path, name, form, part):
    _form, text = list(forms(SECRETS[name]))[form]
    text = {"all": text, "beginning": text[: ENOUGH + 4], "end": text[-ENOUGH - 4 :]}[part]
    (tmp_path / "log").write_text(f"something {text} else", encoding="utf-8")
    assert [catch.name for catch in Net(SECRETS).search(tmp_path)] == [name]


@pytest.mark.parametrize("before", ["", "x", "admin:", "someone:"])
def test_base64_is_caught_whatever_is_around(tmp_path, before):
    text = f"{before}{SECRETS['password']} and more"
    (tmp_path / "log").write_bytes(b"Basic " + base64.b64encode(text.encode()))
    assert [catch.name for catch in Net(SECRETS).search(tmp_path)] == ["password"]


def test_names_of_files_are_searched_too(tmp_path):
    (tmp_path / f"token-{SECRETS['token']}").touch()
    assert [catch.name for catch in Net(SECRETS).search(tmp_path)] == ["token"]


def test_a_secret_that_nobody_knows_is_caught_by_its_shape(tmp_path):
    (tmp_path / "log").write_text("BBDC-OTk5OTk5OTk5OTk5OmFiY2RlZmdoaWprbG1ub3BxcnN0", encoding="utf-8")
    assert [catch.form for catch in Net(SECRETS).search(tmp_path)] == ["by its shape"]


def test_a_secret_may_stand_under_the_return_keys_and_nowhere_else(tmp_path):
    token, log = SECRETS["token"], tmp_path / "log"
    for result in ({"secret": token}, {"secrets": {"projects/PAY/tokens/ci": token}}):
        log.write_text(f"{json.dumps(result)} {json.dumps(json.dumps(result))} {result}", encoding="utf-8")
        assert Net(SECRETS).search(tmp_path, returned=[token]) == []
        assert Net(SECRETS).search(tmp_path) != []
    log.write_text(json.dumps({"secret": token, "msg": token}), encoding="utf-8")
    assert Net(SECRETS).search(tmp_path, returned=[token]) != []


def test_what_is_no_secret_is_not_caught(tmp_path):
    (tmp_path / "log").write_text("BBDC- 012345670123 Basic YWRtaW46 Pw7k projects/PAY/tokens/ci", encoding="utf-8")
    assert Net(SECRETS).search(tmp_path) == []


def test_a_playbook_that_leaks_in_every_way_is_caught_in_every_place(tmp_path, programs):
    with sandbox(tmp_path) as place:
        (place.told / "library").mkdir()
        (place.told / "library" / "leaky.py").write_text(LEAKY, encoding="utf-8")
        leak = {"leaky": {"secret": "{{ password }}", "place": str(place.written / "tmp")}, "register": "it"}
        open_to_all = {"content": "x", "dest": f"{place.stores}/x", "mode": "0644"}
        tasks = [
            {"name": "Store", "ansible.builtin.copy": open_to_all},
            {"name": "Leak", **leak},
            {"name": "Keep", "ansible.builtin.set_fact": {"kept": "{{ it.told }}", "cacheable": True}},
        ]
        play = [{"name": "Play", "hosts": "there", "gather_facts": False, "tasks": tasks}]
        path, inventory = place.tell("play.yml", play), place.tell("inventory.yml", runs._inventory(programs))
        output = place.play(programs, str(path), "-i", str(inventory))
        found = {Path(catch.path).name for catch in Net(place.secrets()).search(place.written, place.seen)}
        assert {"output", "log", "results", "commands", "syslog"} <= found, output
        wheres = [catch.path for catch in Net(place.secrets()).search(place.written)]
        for folder in ("facts", "tree", "junit"):
            assert [where for where in wheres if f"/{folder}/" in where], f"{folder}: {output}"
        made = [str(place.written / "tmp" / name) for name in ("apart", "apart.new", "gone", "moved")]
        assert place.exposed() == [str(place.stores / "x"), *made]
        # Ansible's own lines are let off where it is Ansible that writes the password in a URL, and nowhere else.
        logged = (place.seen / "syslog").read_text(encoding="utf-8")
        assert ("admin:in-a-url@" in logged) is (version(programs) < (2, 22))


# What the runs make of it


@pytest.fixture
def alone(monkeypatch):
    """A table of the named cases only."""

    def chosen(*names: str) -> None:
        cases = [case for case in TASKS.cases if case.name in names]
        assert len(cases) == len(names)
        monkeypatch.setattr(runs, "TASKS", Table(cases))

    return chosen


def returns_what_it_stores(place: Sandbox) -> None:
    """The callback's lines, as if the task with a store had returned its secret."""
    (token,) = (token for token in place.sim.model.all_tokens() if token.owner.endswith("L002"))
    path = place.written / "out" / "results"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for line in lines:
        if line["task"].endswith("delivers to a file"):
            line["result"]["secret"] = token.secret
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


@pytest.mark.long
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("leaks", [False, True])
def test_a_secret_that_a_task_with_a_store_returns_is_caught(tmp_path, monkeypatch, alone, leaks):
    alone("returns the secret where no store is set", "delivers to a file")
    with sandbox(tmp_path) as place:
        play = place.play

        def leaky(*arguments: t.Any) -> str:
            output = play(*arguments)
            if leaks:
                returns_what_it_stores(place)
            return output

        monkeypatch.setattr(place, "play", leaky)
        report = runs.tasks(place, Path(sys.executable).parent, runs.TASKS.cases)
        assert bool(report.problems) is leaks, report.problems


@pytest.mark.usefixtures("built")
def test_a_playbook_that_is_not_there_is_noticed_in_check_mode_too(tmp_path, monkeypatch):
    monkeypatch.setattr(runs, "COLLECTION", "no.such")
    with sandbox(tmp_path) as place:
        report = runs.playbook(place, Path(sys.executable).parent, "migrate_store", check=True)
        assert report.problems
        assert all("did not run" in problem for problem in report.problems)


WORDS = f"something {SECRETS['password']} else"


@pytest.mark.long
@pytest.mark.usefixtures("built")
@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("stores/L001/projects/L001/tokens/ci.token", WORDS, "password"),
        ("stores/L001/.ci.token.tmp", "", "is left in a store"),
        ("stores/L001/.ci.token.tmp", WORDS, "is left in a store"),
        ("stores/L001/kept.json.bak", "", "is left in a store"),
        ("written/reports/L001/index.html", WORDS, "password"),
        ("told/copy", WORDS, "password"),
    ],
)
def test_stores_reports_and_what_a_run_was_told_are_searched(tmp_path, monkeypatch, alone, name, text, said):
    alone("delivers to a file")
    with sandbox(tmp_path) as place:
        run = place.run

        def careless(*arguments: t.Any, **more: t.Any) -> str:
            output = run(*arguments, **more)
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            place.odd |= {path} if name.startswith("told") else set()
            return output

        monkeypatch.setattr(place, "run", careless)
        report = runs.tasks(place, Path(sys.executable).parent, runs.TASKS.cases)
        assert [problem for problem in report.problems if name in problem and said in problem], report.problems


def test_a_file_that_a_run_makes_where_it_is_told_things_is_known(tmp_path):
    with sandbox(tmp_path) as place:
        place.run(["/bin/sh", "-c", f"echo x > {place.told}/new"], "output", credential=False)
        assert place.odd == {place.told / "new"}
