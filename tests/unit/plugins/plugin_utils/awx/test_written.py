"""Objects on a double of AWX: what is looked up, created, changed and left, and the messages."""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
import yaml

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.awx import _written as written
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.awx._objects import AwxObject
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._controller import Controller
from tests.doubles.awx import CONTROLLER_TYPE, ORGANIZATION, TOKEN, running
from tests.unit.plugins.plugin_utils.stores.places import recorded_waits

NAME = "Tokens & more: 100 % of +them"
PASSWORD = "the-password-of-bitbucket-4711"
INJECTED = "{{ password }}"
TYPE = {
    "kind": "credential_types",
    "name": NAME,
    "fields": {
        "kind": "cloud",
        "inputs": {
            "fields": [
                {"id": "url", "type": "string", "label": "URL"},
                {"id": "password", "type": "string", "label": "Password", "secret": True},
            ],
            "required": ["url"],
        },
        "injectors": {"env": {"BITBUCKET_PASSWORD": INJECTED}},
    },
}
CREDENTIAL = {
    "kind": "credentials",
    "name": NAME,
    "fields": {
        "organization": "Payments",
        "credential_type": NAME,
        "inputs": {"url": "https://bitbucket.example.com", "password": PASSWORD},
    },
}
PROJECT = {
    "kind": "projects",
    "name": NAME,
    "fields": {"organization": "Payments", "scm_type": "git", "scm_url": "https://git.example.com/tokens.git"},
}
QUESTION = {"question_name": "What?", "variable": "x", "type": "text", "required": True}
TEMPLATE = {
    "kind": "job_templates",
    "name": NAME,
    "fields": {
        "organization": "Payments",
        "project": NAME,
        "playbook": "provision.yml",
        "extra_vars": {"project_tokens_store": "hashi_vault:secret/b", "options": {"token": PASSWORD}},
    },
    "credentials": [NAME],
    "survey": {"name": "Ask", "description": "", "spec": [QUESTION]},
}
SCHEDULE = {
    "kind": "schedules",
    "name": NAME,
    "fields": {
        "unified_job_template": NAME,
        "rrule": "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1",
    },
}
ALL = [TYPE, CREDENTIAL, PROJECT, TEMPLATE, SCHEDULE]


@pytest.fixture
def awx(monkeypatch):
    """A double, and a way to bring objects to their state on it, whose result never holds the secret."""
    monkeypatch.setattr(written, "_PAUSE", 0.0)
    for name in ("HOST", "OAUTH_TOKEN", "USERNAME", "PASSWORD", "VERIFY_SSL"):
        monkeypatch.delenv(f"CONTROLLER_{name}", raising=False)
    with running() as (double, url):

        def run(*objects, check_mode=False, **more):
            given = {"timeout": 30, "sync_timeout": 300, "update_secrets": False}
            params = {"url": url, "token": TOKEN, **given, **more}
            declared = [AwxObject(**entry) for entry in copy.deepcopy(list(objects))]
            try:
                result = written.bring(params, declared, check_mode)
            except BitbucketError as error:
                result = {"failed": True, "changed": False, "msg": str(error)}
            text = json.dumps(result)
            assert PASSWORD not in text
            assert TOKEN not in text
            return result

        yield double, run


def states(result):
    return [entry["state"] for entry in result["objects"]]


def writes(double):
    return [(request.method, request.path) for request in double.requests if request.method != "GET"]


def changed(entry, **fields):
    return {**entry, "fields": {**entry["fields"], **fields}}


def test_everything_is_created_in_order_and_found_again(awx):
    double, run = awx
    first = run(*ALL)
    assert "msg" not in first
    assert (first["changed"], states(first)) == (True, ["created"] * 5)
    double.requests.clear()
    second = run(*ALL)
    assert (second["changed"], states(second), second["diff"]) == (False, ["unchanged"] * 5, [])
    assert writes(double) == []
    assert [entry["id"] for entry in first["objects"]] == [entry["id"] for entry in second["objects"]]


@pytest.mark.parametrize("kind", ["credential_types", "credentials", "projects", "job_templates", "schedules"])
def test_what_another_run_makes_meanwhile_is_brought_to_its_state(awx, monkeypatch, kind):
    _double, run = awx
    create, others = Controller.create, []

    def late(controller, made, fields):
        if made == kind and not others:
            others.append(None)
            others[0] = run(*ALL)
        return create(controller, made, fields)

    monkeypatch.setattr(Controller, "create", late)
    first = run(*ALL)
    assert "msg" not in first
    assert "msg" not in others[0]
    assert [entry["id"] for entry in first["objects"]] == [entry["id"] for entry in others[0]["objects"]]
    assert run(*ALL)["changed"] is False


def test_names_become_ids_and_mappings_become_text(awx):
    double, run = awx
    ids = [entry["id"] for entry in run(*ALL)["objects"]]
    template = double.objects["job_templates"][ids[3]]
    assert (template["project"], json.loads(template["extra_vars"])) == (ids[2], TEMPLATE["fields"]["extra_vars"])
    assert "organization" not in template, "AWX derives it from the project"
    assert double.attached == {ids[3]: [ids[1]]}
    assert double.surveys == {ids[3]: TEMPLATE["survey"]}
    assert double.objects["schedules"][ids[4]]["unified_job_template"] == ids[3]
    assert double.credentials[ids[1]]["inputs"] == CREDENTIAL["fields"]["inputs"]
    assert double.credentials[ids[1]]["organization"] == ORGANIZATION
    assert double.objects["credential_types"][ids[0]]["injectors"] == TYPE["fields"]["injectors"]


def test_check_mode_tells_the_same_of_an_empty_awx_and_writes_nothing(awx):
    double, run = awx
    predicted = run(*ALL, check_mode=True)
    assert writes(double) == []
    real = run(*ALL)
    assert (predicted["changed"], predicted["diff"], states(predicted)) == (True, real["diff"], states(real))
    assert [entry["id"] for entry in predicted["objects"]] == [None] * 5
    assert run(*ALL, check_mode=True)["changed"] is False


def test_a_write_is_waited_for_as_long_as_the_task_says(awx, monkeypatch):
    _double, run = awx
    waits = recorded_waits(monkeypatch)
    assert states(run(*ALL, timeout=45)) == ["created"] * 5
    assert {("GET", 45), ("POST", 45)} <= set(waits)
    assert {seconds for _method, seconds in waits} == {45}


def test_only_what_differs_is_written_and_the_difference_shows_names(awx):
    double, run = awx
    run(*ALL)
    other = {**PROJECT, "name": "Other"}
    wanted = changed(TEMPLATE, project="Other", forks=7)
    double.requests.clear()
    predicted = run(other, wanted, check_mode=True)
    assert writes(double) == []
    result = run(other, wanted)
    assert (states(result), result["diff"]) == (["created", "changed"], predicted["diff"])
    sent = [request.body for request in double.requests if request.method == "PATCH"]
    assert sent == [{"project": result["objects"][0]["id"], "forks": 7}]
    shown = result["diff"][1]
    assert yaml.safe_load(shown["before"]) == {"project": NAME, "forks": None}
    assert yaml.safe_load(shown["after"]) == {"project": "Other", "forks": 7}
    assert shown["before_header"] == f"job_templates {NAME}"


def test_extra_variables_are_compared_as_data_and_shown_without_secrets(awx):
    double, run = awx
    number = run(*ALL)["objects"][3]["id"]
    text = yaml.safe_dump(TEMPLATE["fields"]["extra_vars"])
    double.objects["job_templates"][number]["extra_vars"] = f"# by hand\n{text}"
    assert run(*ALL)["changed"] is False
    result = run(*ALL[:3], changed(TEMPLATE, extra_vars={"options": {"token": "another", "mount": "kv"}}))
    assert yaml.safe_load(result["diff"][0]["after"]) == {
        "extra_vars": {"options": {"token": "(hidden)", "mount": "kv"}}
    }


def test_credentials_of_a_template_are_exactly_the_declared_ones(awx):
    double, run = awx
    number = run(*ALL)["objects"][3]["id"]
    by_hand = double.put("By hand", "x", credential_type=CONTROLLER_TYPE, inputs={"host": "https://awx.example.com"})
    double.attached[number].append(by_hand)
    another = {**CREDENTIAL, "name": "Another"}
    # AWX takes one of each type only, so the one before must go first.
    result = run(*ALL[:3], another, {**TEMPLATE, "credentials": ["Another"]})
    assert states(result)[3:] == ["created", "changed"]
    assert double.attached[number] == [result["objects"][3]["id"]]
    assert yaml.safe_load(result["diff"][1]["before"]) == {"credentials": ["By hand", NAME]}
    undeclared = {key: value for key, value in TEMPLATE.items() if key != "credentials"}
    assert run(*ALL[:3], undeclared)["changed"] is False


def test_a_secret_that_awx_has_is_left_until_it_shall_be_written(awx):
    double, run = awx
    number = run(*ALL)["objects"][1]["id"]
    double.credentials[number]["inputs"]["password"] = "older"
    double.credentials[number]["inputs"]["url"] = "https://old.example.com"
    result = run(TYPE, CREDENTIAL)
    assert states(result) == ["unchanged", "changed"]
    assert double.credentials[number]["inputs"] == {**CREDENTIAL["fields"]["inputs"], "password": "older"}
    assert run(TYPE, CREDENTIAL)["changed"] is False
    result = run(TYPE, CREDENTIAL, update_secrets=True)
    assert double.credentials[number]["inputs"]["password"] == PASSWORD
    shown = yaml.safe_load(result["diff"][0]["after"])
    assert shown == {"inputs": {"url": "(hidden)", "password": "(hidden)"}}


def test_an_input_that_somebody_else_declared_stays(awx):
    double, run = awx
    number = run(*ALL)["objects"][1]["id"]
    fewer = changed(CREDENTIAL, inputs={"url": "https://new.example.com"})
    run(TYPE, fewer)
    assert double.credentials[number]["inputs"] == {"url": "https://new.example.com", "password": PASSWORD}


def test_a_name_like_ours_in_another_organization_is_another_object(awx):
    double, run = awx
    run(*ALL)
    elsewhere = changed(PROJECT, organization="Search & Rescue", scm_url="https://git.example.com/other.git")
    assert states(run(elsewhere)) == ["created"]
    assert len(double.objects["projects"]) == 2
    assert run(*ALL)["changed"] is False


def test_several_of_a_name_are_not_guessed_at(awx):
    double, run = awx
    run(*ALL)
    double.objects["projects"][9] = {**next(iter(double.objects["projects"].values())), "id": 9}
    result = run(PROJECT)
    assert result["msg"] == f"projects {NAME}: The controller has 2 projects named {NAME}: rename all but one."


def test_a_project_is_awaited_since_templates_name_its_playbooks(awx):
    double, run = awx
    double.syncing = 4
    assert states(run(*ALL)) == ["created"] * 5
    assert [request.path for request in double.requests].count(
        f"/api/v2/projects/{next(iter(double.objects['projects']))}/"
    ) == 4


def test_a_project_that_cannot_be_synced_ends_it_and_what_was_made_is_told(awx):
    double, run = awx
    double.synced = "failed"
    result = run(*ALL)
    assert (result["failed"], result["changed"], states(result)) == (True, True, ["created"] * 2)
    assert "could not be synced (its status is failed): look at its last job" in result["msg"]


def test_a_project_that_syncs_for_ever_is_given_up(awx, monkeypatch):
    monkeypatch.setattr(written, "_PAUSE", 0.01)
    double, run = awx
    double.syncing = 10**6
    assert "is not synced after 0 seconds" in run(PROJECT, sync_timeout=0)["msg"]


def test_a_refusal_names_the_field_and_quotes_nothing(awx):
    double, run = awx
    result = run(*ALL[:3], changed(TEMPLATE, playbook="nowhere.yml"))
    assert result["msg"].endswith("answered POST job_templates/ with status 400, because of playbook.")
    result = run(*ALL[:3], changed(TEMPLATE, colour=PASSWORD))
    assert result["msg"].endswith("because of colour.")
    double.edits = False
    result = run(*ALL[:3], TEMPLATE, changed(SCHEDULE, unified_job_template="nowhere"))
    assert "`unified_job_template`: there is no nowhere among job_templates." in result["msg"]


UNFIT_INJECTORS: list[dict[str, t.Any]] = [
    {"environment": {}},
    {"env": {"A-B": "1"}},
    {"env": {"A": 1}},
    {"env": {"A": "\u00fc"}},
    {"env": {"ANSIBLE_CONFIG": "x"}},
    {"env": {"PYTHONPATH": "x"}},
    {"env": {"A": "{{ y }}"}},
    {"env": {"A": "{{ x"}},
    {"env": {"A": "{{ tower.filename }}"}},
    {"env": {"A": "{{ tower.filename.key }}"}, "file": {"template.ca": "{{ x }}"}},
    {"file": {"template": "{{ x }}", "template.ca": "{{ x }}"}},
    {"file": {"ca": "{{ x }}"}},
]
RULE = "DTSTART:20260101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"


def of_type(injectors=None, **differences):
    """A credential type with one input, which differs, and with injectors."""
    inputs = {"fields": [{"id": "x", "type": "string", "label": "X", **differences}]}
    return changed(TYPE, inputs=inputs, injectors=injectors or {})


@pytest.mark.parametrize(
    "rrule",
    [
        "",
        "RRULE:FREQ=DAILY;INTERVAL=1",
        "DTSTART:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1",
        f"DTSTART:20260101T020000Z {RULE}",
        "DTSTART:20260101T020000Z",
        f"{RULE} EXDATE:20260401",
        f"{RULE} RDATE:20260401",
        "DTSTART:20260101T020000Z RRULE:FREQ=DAILY",
        f"{RULE} RRULE:FREQ=WEEKLY",
        "DTSTART:20260101T020000Z RRULE:FREQ=SECONDLY;INTERVAL=5",
        f"{RULE};BYDAY=5MO",
        f"{RULE};COUNT=5;UNTIL=20270101T000000Z",
        f"{RULE};COUNT=1000",
    ],
)
def test_a_recurrence_that_awx_refuses_is_told_by_its_field(awx, rrule):
    _double, run = awx
    result = run(*ALL[:4], changed(SCHEDULE, rrule=rrule))
    assert result["msg"].endswith("answered POST schedules/ with status 400, because of rrule.")


@pytest.mark.parametrize(
    "survey",
    [
        {"name": "Ask", "spec": [QUESTION]},
        {"name": "Ask", "description": None, "spec": [QUESTION]},
        {"name": "Ask", "description": "", "spec": []},
        {"name": "Ask", "description": "", "spec": ["x"]},
        *(
            {"name": "Ask", "description": "", "spec": [{**QUESTION, **wrong}]}
            for wrong in (
                {"question_name": None},
                {"required": "yes"},
                {"type": "number"},
                {"type": "multiplechoice"},
                {"min": "1"},
                {"type": "password", "default": "$encrypted$"},
            )
        ),
        {"name": "Ask", "description": "", "spec": [QUESTION, QUESTION]},
    ],
    ids=str,
)
def test_a_survey_that_awx_refuses_is_told_by_its_address(awx, survey):
    _double, run = awx
    result = run(*ALL[:3], {**TEMPLATE, "survey": survey})
    assert "/survey_spec/ with status 400" in result["msg"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (changed(TYPE, kind="token"), "kind"),
        (changed(TYPE, inputs={"fields": [], "dependencies": {}}), "inputs"),
        *(
            (of_type(**unfit), "inputs")
            for unfit in (
                {"id": "a-b"},
                {"id": "tower"},
                {"label": None},
                {"type": "number"},
                {"colour": "red"},
                {"secret": "yes"},
                {"type": "boolean", "secret": True},
                {"ask_at_runtime": True},
            )
        ),
        (changed(TYPE, inputs={"fields": [{"id": "x", "label": "X"}] * 2}), "inputs"),
        *((of_type(injectors=injectors), "injectors") for injectors in UNFIT_INJECTORS),
    ],
    ids=str,
)
def test_a_credential_type_that_awx_refuses_is_told_by_its_field(awx, given, field):
    _double, run = awx
    assert run(given)["msg"].endswith(f"answered POST credential_types/ with status 400, because of {field}.")


@pytest.mark.parametrize("inputs", [{"colour": "red"}, {"url": 7}, {"password": "$encrypted$"}, {"url": True}], ids=str)
def test_inputs_that_awx_refuses_are_told(awx, inputs):
    _double, run = awx
    result = run(TYPE, changed(CREDENTIAL, inputs=inputs))
    assert result["msg"].endswith("answered POST credentials/ with status 400, because of inputs.")


def test_the_inputs_of_a_type_in_use_stay_and_its_injectors_change(awx):
    _double, run = awx
    number = run(TYPE, CREDENTIAL)["objects"][0]["id"]
    fields = TYPE["fields"]["inputs"]["fields"]
    result = run(changed(TYPE, inputs={"fields": fields[:1]}))
    assert f"does not permit this login to PATCH credential_types/{number}/" in result["msg"]
    assert states(run(changed(TYPE, injectors={"env": {"BITBUCKET_URL": "{{ url }}"}}))) == ["changed"]
    # What AWX fills in is declared, else this would be a difference each time.
    assert run(TYPE, CREDENTIAL)["objects"][0]["state"] == "changed"
    assert run(TYPE, CREDENTIAL)["changed"] is False


def test_a_credential_for_webhooks_is_for_no_job(awx):
    double, run = awx
    double.put("By hand", "x")
    result = run(*ALL[:3], {**TEMPLATE, "credentials": ["By hand"]})
    assert "/credentials/ with status 400" in result["msg"]


def test_a_job_template_is_the_only_one_of_its_name_in_an_organization(awx):
    double, run = awx
    ids = [entry["id"] for entry in run(*ALL)["objects"]]
    elsewhere = [changed(PROJECT, organization="Search & Rescue"), changed(TEMPLATE, organization="Search & Rescue")]
    elsewhere[1] = {name: value for name, value in elsewhere[1].items() if name != "credentials"}
    result = run(*elsewhere)
    assert states(result) == ["created", "created"]
    assert double.objects["job_templates"][result["objects"][1]["id"]]["project"] != ids[2]
    assert run(*ALL)["changed"] is False


def test_a_login_that_may_not_is_told_so(awx):
    double, run = awx
    double.creates = False
    assert "does not permit this login to POST credential_types/" in run(*ALL)["msg"]


@pytest.mark.parametrize(
    ("given", "options", "say"),
    [
        (changed(PROJECT, organization="Nobody"), {}, "`organization`: there is no Nobody among"),
        (PROJECT, {"timeout": 0}, "`timeout` must be at least 1 second"),
        (PROJECT, {"sync_timeout": -1}, "and `sync_timeout` at least 0."),
        (PROJECT, {"url": None}, "The server has no valid URL. Set `url` or CONTROLLER_HOST"),
        (PROJECT, {"token": None}, "Signing in to the controller needs `token` or CONTROLLER_OAUTH_TOKEN"),
        (PROJECT, {"token": "wrong"}, "refuses this login"),
        (PROJECT, {"url": "http://awx.example.com"}, "or set `allow_insecure` to true"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_right_is_one_sentence(awx, given, options, say):
    double, run = awx
    result = run(given, **options)
    assert (result["failed"], result["changed"]) == (True, False)
    assert say in result["msg"]
    assert "\n" not in result["msg"]
    assert writes(double) == []
