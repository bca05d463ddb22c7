"""The net itself: what it is made to catch, it catches, in every place and by every way."""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path

import pytest

from tests.leaks import runs
from tests.leaks.net import ENOUGH, Net, forms
from tests.leaks.stage import CREDENTIALS, stage

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
syslog.syslog("issued " + secret)
subprocess.run(["true", "--password", secret])
module.exit_json(changed=True, told=secret)
"""


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


def test_a_playbook_that_leaks_in_every_way_is_caught_in_every_place(tmp_path):
    programs = Path(sys.executable).parent
    with stage(tmp_path) as place:
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
        assert place.exposed() == [str(place.stores / "x"), str(place.written / "tmp" / "gone")]
