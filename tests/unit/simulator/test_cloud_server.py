"""The cloud as a process, its seed and its control endpoints."""

from __future__ import annotations

import hashlib
import json
import signal
import stat
from pathlib import Path

import pytest
import yaml

from tests.simulator import Request, seed
from tests.simulator.cloud import Cloud, planting

from .cloud_client import cloud_client
from .test_server import process, session

COMPANY = Path(seed.__file__).parent / "seeds" / "cloud.yml"


def ask(cloud, method, resource, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    response = cloud.handle(Request(method, f"/__simulator__/{resource}", body=content))
    return response.status, response.json()


def test_it_serves_the_seeded_company(tmp_path):
    credentials = tmp_path / "credentials.json"
    flags = ["--product", "cloud", "--seed", COMPANY, "--credentials", credentials, "--switch", "rest_user=username"]
    with process(*flags) as (started, url), session() as client:
        made = json.loads(credentials.read_text())
        assert stat.S_IMODE(credentials.stat().st_mode) == 0o600
        secret = made["api_tokens"]["ada/automation"]["secret"]
        user = client.get(f"{url}/2.0/user", auth=(made["accounts"]["ada"]["username"], secret), timeout=5)
        assert user.json()["uuid"] == made["accounts"]["ada"]["uuid"]
        company = made["organizations"]["company"]
        listed = client.get(
            f"{url}/admin/api-access/v1/orgs/{company['id']}/api-tokens",
            headers={"Authorization": f"Bearer {company['admin_key']}"},
            timeout=5,
        )
        assert len(listed.json()["data"]) == 6
        gone = client.get(f"{url}/2.0/user", auth=("petrapay", made["app_passwords"]["petra"]), timeout=5)
        assert gone.status_code == 401
        assert client.get(f"{url}/__simulator__/state", timeout=5).json()["disasters"] == []
        started.send_signal(signal.SIGTERM)
        assert started.wait(5) == 0
        assert (started.stdout.read(), started.stderr.read()) == ("", "")


@pytest.mark.parametrize(
    "flags", [["--profile", "10.4"], ["--context-path", "/x"], ["--switch", "basic_auth=1"], ["--switch", "page_cap"]]
)
def test_a_flag_that_is_not_the_clouds_ends_it_with_a_sentence(flags):
    with process("--product", "cloud", *flags) as (started, line):
        assert line == ""
        assert started.wait(10) == 2
        assert "Traceback" not in started.stderr.read()


def test_the_company_is_what_its_readers_are_told():
    cloud = Cloud(seed=1)
    document = yaml.safe_load(COMPANY.read_text(encoding="utf-8"))
    planted = planting.plant(cloud, document)
    assert planted.counts["api_tokens"] == len(planted.credentials["api_tokens"]) == 7
    assert {"petra/laptop", "petra/laptop#2"} < set(planted.credentials["api_tokens"])
    families = {token.family for token in cloud.model.tokens}
    assert families == {"bitbucket", "foreign", "unscoped"}
    assert set(planted.credentials) == {*planting.SECTIONS[1:3], *planting.SECTIONS[-4:]}
    assert not [path for path, _holder in cloud.model.holders() if path.startswith("freelancer")]
    assert "ATATT" not in COMPANY.read_text(encoding="utf-8")


def test_the_same_seed_makes_the_same_cloud():
    def secrets(number) -> str:
        cloud = Cloud(seed=number)
        return json.dumps(ask(cloud, "POST", "seed", {**document, "return_secrets": True})[1])

    document = yaml.safe_load(COMPANY.read_text(encoding="utf-8"))
    assert secrets(1) == secrets(1) != secrets(2)


def test_the_state_shows_everything_but_secrets():
    with cloud_client() as client:
        cloud = client.cloud
        variable = cloud.add_variable("acme/ledger/Production", "KEY", "hidden-4711")
        dead = cloud.add_app_password(client.ada)
        status, state = ask(cloud, "GET", "state")
        assert status == 200
        assert state["variables"] == [
            {
                "holder": "acme/ledger/Production",
                "uuid": variable.uuid,
                "key": "KEY",
                "secured": True,
                "value_sha256": hashlib.sha256(b"hidden-4711").hexdigest(),
            }
        ]
        assert [(token["label"], token["account"], token["alive"]) for token in state["tokens"]] == [
            ("all", "ada", True)
        ]
        assert state["counts"]["repositories"] == 2
        text = json.dumps(state)
        for secret in ("hidden-4711", dead, client.token.secret, client.company.admin_key):
            assert secret not in text


def test_a_secret_is_recognised_without_being_used():
    with cloud_client() as client:
        cloud = client.cloud
        assert ask(cloud, "POST", "authenticate", {"secret": client.token.secret})[1]["alive"] is True
        assert client.token.last_active is None
        client("GET", "user")
        known = ask(cloud, "POST", "authenticate", {"secret": client.token.secret})[1]
        assert (known["id"], known["presented"]) == (client.token.id, 1)
        dead = cloud.add_app_password(client.ada)
        nothing = {"id": None, "alive": False, "presented": 0}
        assert ask(cloud, "POST", "authenticate", {"secret": dead})[1] == nothing
        assert ask(cloud, "POST", "authenticate", {"secret": client.company.admin_key})[1]["alive"] is True


@pytest.mark.parametrize(
    ("resource", "body"),
    [
        ("seed", {"users": []}),
        ("seed", {"repositories": [{"workspace": "none", "slug": "x"}]}),
        ("switches", {"basic_auth": True}),
        ("authenticate", {}),
    ],
)
def test_a_control_call_that_is_not_right_says_so(resource, body):
    status, answer = ask(Cloud(), "POST", resource, body)
    assert status == 400
    assert answer["error"]


def test_clock_faults_requests_and_switches_are_those_of_every_product():
    with cloud_client() as client:
        ask(client.cloud, "POST", "faults", {"kind": "drop_after", "method": "POST"})
        ask(client.cloud, "POST", "clock", {"advance_days": 1})
        assert client("GET", "user").headers["Date"] == "Tue, 03 Nov 2026 09:00:00 GMT"
        (entry,) = ask(client.cloud, "GET", "requests")[1]["requests"]
        assert (entry["user"], entry["host"], entry["status"]) == ("ada", "api.bitbucket.org", 200)
        assert ask(client.cloud, "POST", "switches", {"page_cap": 7})[1]["page_cap"] == 7
