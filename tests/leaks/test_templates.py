"""What servers, stores and files say is never run as a template, wherever a play passes it on."""

from __future__ import annotations

import json
import shutil
import typing as t
from pathlib import Path

import pytest

from tests.doubles.loopback import Answer, Request, serving
from tests.doubles.mail import receiving
from tests.leaks.runs import here
from tests.leaks.sandbox import CREDENTIALS, Sandbox, sandbox
from tests.leaks.template_cases import (
    AUDIT,
    EVALUATED,
    GONE,
    HOSTS,
    MIGRATE,
    NOT_SHOWN,
    PROVISION,
    RETIRE,
    REVOKE,
    TEXTS,
    header,
    holds,
    template,
    titled,
)

pytestmark = pytest.mark.usefixtures("built")

#: Passes all results on in every way that a play has, each of which evaluates a template once more.
PASSED_ON: list[dict[str, t.Any]] = [
    {"name": "show", "ansible.builtin.debug": {"var": "everything"}},
    {"name": "show as a message", "ansible.builtin.debug": {"msg": "{{ everything }}"}},
    {"name": "keep", "ansible.builtin.set_fact": {"kept": "{{ everything }}", "cacheable": True}},
    {"name": "show what was kept", "ansible.builtin.debug": {"var": "kept"}},
    {"name": "join", "ansible.builtin.set_fact": {"joined": "{{ kept | dict2items | map('to_json') | join(' ') }}"}},
    {"name": "show what was joined", "ansible.builtin.debug": {"msg": "It said {{ joined }}"}},
    {"name": "join again", "ansible.builtin.set_fact": {"twice": "{{ 'x' ~ joined ~ kept.values() | list | string }}"}},
    {"name": "show it as a variable", "ansible.builtin.debug": {"var": "twice"}},
    {"name": "leave", "ansible.builtin.set_stats": {"data": {"kept": "{{ kept }}", "joined": "{{ joined }}"}}},
    {"name": "write", "ansible.builtin.template": {"src": "texts.j2", "dest": "{{ out }}/texts", "mode": "0600"}},
    {"name": "copy", "ansible.builtin.copy": {"content": "{{ joined }}", "dest": "{{ out }}/copy", "mode": "0600"}},
    {"name": "loop", "ansible.builtin.debug": {"msg": "{{ item }}"}, "loop": "{{ kept | dict2items }}"},
    {"name": "fail", "ansible.builtin.fail": {"msg": "{{ joined }}"}, "ignore_errors": True},
]
WITHOUT_RESULT = ("leave", "write", "copy", "loop")


NOTIFIED = ("project_tokens", "token_audit")
FILES = Path(__file__).resolve().parents[2] / "playbooks" / "files"


class Listener:
    """Slack and Jira; keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[t.Any] = []

    def handle(self, request: Request) -> Answer:
        self.told.append(request.body)
        return Answer(201 if request.path.startswith("/rest") else 200)


def notification(place: Sandbox) -> str:
    """A task file that uses every one that ships, and passes the summary on."""
    for path in FILES.glob("notify_*"):
        shutil.copy(path, place.told)
    summary = "{{ token_audit_summary | default(project_tokens_summary) }}"
    tasks = [
        {"ansible.builtin.set_fact": {"told": summary}},
        {"ansible.builtin.debug": {"msg": "{{ told.lines | join(' ') }}"}},
        {"ansible.builtin.debug": {"var": "told"}},
        *({"ansible.builtin.include_tasks": f"notify_{kind}.yml"} for kind in ("slack", "jira", "mail")),
    ]
    return str(place.tell("notify.yml", tasks))


def assert_nothing_ran(place: Sandbox) -> None:
    made = [path for path in place.place.parent.glob(f"{place.place.name}.*") if path.name.endswith(EVALUATED)]
    for path in made:
        path.unlink()
    assert made == [], "these were evaluated"


def test_no_text_of_others_is_run_as_a_template(tmp_path, programs):
    with sandbox(tmp_path) as place:
        names, tasks = {}, []
        for case in TEXTS.cases:
            scenario = place.scenario()
            names[scenario.key] = case
            tasks.append({"name": scenario.key, "register": f"r{scenario.key}", **case.build(scenario)})
        everything = {key: f"{{{{ r{key} }}}}" for key in names}
        (place.told / "texts.j2").write_text("{{ kept | to_nice_json }}\n{{ joined }}\n", encoding="utf-8")
        play = {
            "hosts": "here",
            "gather_facts": False,
            "ignore_errors": True,
            "vars": {"everything": everything, "out": str(place.written / "out")},
            "tasks": [*tasks, *PASSED_ON],
        }
        inventory = place.tell("inventory.yml", {"all": {"hosts": {"here": here(programs)}}})
        output = place.play(programs, str(place.tell("play.yml", [play])), "-i", str(inventory))
        results = {line["task"]: line for line in place.results() if not line["outcome"].startswith("item")}
        assert_nothing_ran(place)
        surprises = [
            f"{case.name}: {json.dumps(results.get(key), indent=1)}"
            for key, case in names.items()
            if key not in results
            or (results[key]["outcome"] == "ok") != case.succeeds
            or holds(results[key]["result"], template(key)) == (NOT_SHOWN in case.covers)
        ]
        assert not surprises, "\n".join(surprises) + output[-3000:]
        texts = [template(key) for key, case in names.items() if NOT_SHOWN not in case.covers]
        for task in PASSED_ON:
            if task["name"] not in WITHOUT_RESULT:
                lost = [text for text in texts if not holds(results[task["name"]]["result"], text)]
                assert lost == [], task["name"]
        for name in ("texts", "copy"):
            written = (place.written / "out" / name).read_text(encoding="utf-8")
            assert [text for text in texts if not holds(json.loads(json.dumps(written)), text)] == [], name


def outcomes(place: Sandbox) -> dict[str, t.Any]:
    """Results by the names of their tasks, without those of single items."""
    return {line["task"]: line["result"] for line in place.results() if not line["outcome"].startswith("item")}


@pytest.mark.parametrize("written", [template, header], ids=["braces", "a header"])
def test_no_text_of_others_is_run_as_a_template_of_an_inventory(tmp_path, programs, written):
    with sandbox(tmp_path) as place:
        scenario = place.scenario()
        text = written(scenario.key)
        titled(scenario, text)
        configured = {
            "plugin": "tokensmith.bitbucket.projects",
            "username": "admin",
            "password": CREDENTIALS["password"],
            "compose": {"composed": "bitbucket_name", "joined": "bitbucket_name ~ ' ' ~ bitbucket_description"},
            "keyed_groups": [{"key": "bitbucket_description", "prefix": "about"}],
            "groups": {"lookups": "'lookup' in bitbucket_name"},
        }
        inventory = place.told / "bitbucket.yml"
        inventory.write_text(json.dumps(configured), encoding="utf-8")
        listed = place.look(programs, str(inventory), "--list")
        assert scenario.key in listed
        wanted = {
            "composed": text,
            "joined": f"{text} {text}",
            "bitbucket_name": text,
            "kept": text,
        }
        shown = [{"name": name, "ansible.builtin.debug": {"var": name}} for name in wanted]
        keep = {"ansible.builtin.set_fact": {"kept": "{{ bitbucket_repositories[0].description }}"}}
        groups = {"name": "groups", "ansible.builtin.debug": {"msg": "{{ group_names | join(' ') }}"}}
        play = {"hosts": scenario.key, "gather_facts": False, "tasks": [keep, *shown, groups]}
        output = place.play(programs, str(place.tell("play.yml", [play])), "-i", str(inventory))
        assert_nothing_ran(place)
        found = outcomes(place)
        assert {name: found.get(name, output)[name] for name in wanted} == wanted
        assert found["groups"]["msg"].split()[-1] == "lookups"


@pytest.mark.parametrize(
    "name",
    [
        PROVISION,
        AUDIT,
        *(pytest.param(name, marks=pytest.mark.long) for name in (MIGRATE, RETIRE, GONE, REVOKE)),
    ],
)
def test_no_text_of_others_is_run_as_a_template_of_a_playbook(tmp_path, programs, name):
    listener = Listener()
    with sandbox(tmp_path) as place, serving(listener.handle) as url, receiving() as box:
        hosts, variables = {}, {}
        for case in HOSTS.cases:
            if name in case.covers:
                scenario = place.scenario()
                hosts[scenario.key] = case
                variables[scenario.key] = {**here(programs), **case.build(scenario)}
        given = {
            **{f"{role}_notify": notification(place) for role in NOTIFIED},
            **{"notify_slack_url": f"{url}/hook", "notify_jira_url": url, "notify_jira_project": "OPS"},
            **{"notify_mail_to": "a@example.com", "notify_mail_from": "b@example.com"},
            **{"notify_mail_port": box.port, "notify_mail_tls": "none"},
            "retire_app_passwords_output_dir": str(place.written / "out"),
        }
        playbook = name.partition(",")[0]
        prefix = {PROVISION: "project_tokens", AUDIT: "token_audit"}.get(playbook, playbook)
        more = ["-e", f"@{place.tell('given', given)}", "-e", f"{prefix}_hosts=all"]
        inventory = place.tell("inventory.yml", {"all": {"hosts": variables}})
        output = place.play(programs, f"tokensmith.bitbucket.{playbook}", "-i", str(inventory), *more)
        assert_nothing_ran(place)
        for host, case in hosts.items():
            results = [line["result"] for line in place.results() if line["host"] == host]
            assert holds(results, template(host)) != (NOT_SHOWN in case.covers), f"{case.name}: {output[-3000:]}"
        failed = [host for host, case in hosts.items() if not case.succeeds]
        if name in (PROVISION, AUDIT):
            mails = [message.get_content() for message in box.messages]
            for told, number in ((listener.told, 2), (mails, 1)):
                assert sum(holds(entry, template(failed[0])) for entry in told) == number
