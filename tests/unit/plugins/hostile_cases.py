"""Whole modules against a server that lies, and what must hold whatever it says."""

from __future__ import annotations

import base64
import datetime
import email.utils
import gzip
import json
import math
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import yaml
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader

from ansible_collections.tokensmith.bitbucket.plugins.inventory import projects
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._model import DAY
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._progress import Progress
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _connection
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from ansible_collections.tokensmith.bitbucket.plugins.modules import (
    access_token,
    access_token_audit,
    access_token_info,
    access_token_set,
    credential_info,
    leaked_secret_info,
)
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._auditor import Auditor, audited
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.audit._observe import observe
from tests.simulator.exchange import Request, Response
from tests.unit.plugins.company import LOGIN, PASSWORD, PAY, SHOP, URL, Company, checked, entry, new_company, set_params
from tests.unit.plugins.company import token_params as one_token
from tests.unit.plugins.hostile_server import Liar, Lie
from tests.unit.plugins.inventory_options import define

Result = dict[str, t.Any]
LONGEST_MESSAGE = 2_001
LONGEST_FAILURE = 3 * LONGEST_MESSAGE + 100
BASIC = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
REFERENCES = [f"{owner}/tokens/{name}" for owner in (PAY, SHOP) for name in ("ci", "deploy")]


@dataclass
class HostileCase:
    """A company with something of everything, and the module's client of it through a liar."""

    lies: t.Sequence[Lie]
    company: Company = field(default_factory=new_company)

    def __post_init__(self) -> None:
        # Half of them in pages of two, where a listing can go round in circles.
        if sum(lie.where for lie in self.lies) % 2:
            self.company.sim.switches.update({"page_cap": 2})
        add = self.company.sim.add_token
        current = add(PAY, "ci", ["REPO_ADMIN"], created_days_ago=20, expires_in_days=70)
        add(PAY, "ci", created_days_ago=80, expires_in_days=10)
        add(PAY, "ci", created_days_ago=19, expires_in_days=71)
        due = add(PAY, "renamed", ["REPO_WRITE"], created_days_ago=80, expires_in_days=10, last_used_days_ago=1)
        for owner, name in ((PAY, "old-1"), (SHOP, "old-2"), (SHOP, "mine"), ("projects/PAY/repos/ledger", "x")):
            add(owner, name)
        self.stored = {**dict.fromkeys(REFERENCES), REFERENCES[0]: current.id, REFERENCES[1]: due.id}
        self.secrets = [current.secret, due.secret]
        self.before = {token.id: token for token in self.company.sim.model.all_tokens()}
        self.old = next(token for token in self.before.values() if token.name == "old-1")
        self.liar = Liar(self.company, self.lies, kept=list(filter(None, self.stored.values())))

    def client(self, **credential: str) -> Client:
        given = Credential(**credential) if credential else Credential("admin", PASSWORD)
        transport = Transport(Settings(use_proxy=False), adapters={"http://": self.liar.adapter()})
        return Client(URL, given, transport, self.company.sleeps.append)


def _access_token(case: HostileCase) -> Result:
    return access_token.run(one_token(id=case.stored[REFERENCES[0]], missing_secret="reissue"), case.client(), False)


def _own_token(case: HostileCase) -> Result:
    # Logins ignore case, the lookup of a user does not: so the server is asked who this is.
    client = case.client(username="ADMIN", password=PASSWORD)
    return access_token.run(one_token(project=...), client, False)


def _absent(case: HostileCase) -> Result:
    return access_token.run(one_token(state="absent", id=case.old.id), case.client(), False)


def _access_token_set(case: HostileCase) -> Result:
    given: Result = {"projects": ["PAY", "S*"], "prune": ["old-*"], "stored": case.stored, "concurrency": 1}
    return access_token_set.run(set_params(**given), case.client(), False)


def _many_owners(case: HostileCase) -> Result:
    owners: Result = {"projects": ["*"], "repositories": ["PAY/*"], "users": ["admin"], "set": [entry()]}
    return access_token_set.run(set_params(**owners, concurrency=4), case.client(), False)


def _access_token_info(case: HostileCase) -> Result:
    given = {**LOGIN, "projects": ["*"], "repositories": ["PAY/*"], "users": ["Joe Doe"], "concurrency": 1}
    params = checked(access_token_info.SPEC, access_token_info.CONSTRAINTS, {**given, "expired": False})
    return access_token_info.run(params, case.client(), False)


def _credential_info(case: HostileCase) -> Result:
    asked = checked(credential_info.SPEC, {}, {"secret": PASSWORD, "username": "admin", "url": URL, "verify": True})
    given = _connection.credential_from(credential_info.connection(asked), {})
    return credential_info.run(asked, case.client(username=given.username, password=given.password), False)


def _leaked_secret_info(case: HostileCase, verify: bool = False) -> Result:
    given = {**LOGIN, "text": " ".join(case.secrets), "verify": verify, "concurrency": 1}
    params = checked(leaked_secret_info.SPEC, leaked_secret_info.CONSTRAINTS, given)
    return leaked_secret_info.run(params, case.client(), False)


def _access_token_audit(case: HostileCase) -> Result:
    """What the action plugin does."""
    given = {**LOGIN, "repositories": ["PAY/*"], "concurrency": 1, "fail_on": "none"}
    with tempfile.TemporaryDirectory() as place:
        params = checked(access_token_audit.SPEC, access_token_audit.CONSTRAINTS, {**given, "output_dir": place})
        progress = Progress(lambda _line: None, "audit")
        return audited(lambda: Auditor(params, lambda: observe(case.client(), params, progress)), check_mode=False)


def _projects(case: HostileCase, each: str) -> Result:
    """The inventory plugin with Ansible's own inventory, loader and templates."""
    define()
    given = {**LOGIN, "plugin": projects.InventoryModule.NAME, "host_for_each": each, "concurrency": 1}
    groups = {"keyed_groups": [{"key": "bitbucket_key", "prefix": "of"}], "compose": {"title": "bitbucket_name"}}
    warned: list[str] = []
    client = mock.patch.object(projects, "client_from", return_value=case.client())
    with tempfile.TemporaryDirectory() as place, client:
        path = Path(place, "bitbucket.yml")
        path.write_text(yaml.safe_dump({**given, **groups}), encoding="utf-8")
        inventory, plugin = InventoryData(), projects.InventoryModule()
        plugin._load_name, plugin._redirected_names = plugin.NAME, [plugin.NAME]
        try:
            with mock.patch.object(plugin.display, "warning", lambda text, *_more, **_options: warned.append(text)):
                plugin.parse(inventory, DataLoader(), str(path), cache=False)
        except AnsibleParserError as error:
            assert not inventory.hosts, "a failure left hosts behind"
            raise BitbucketError(error.message) from None
    found = {name: host.get_vars() for name, host in inventory.hosts.items()}
    return {"hosts": json.loads(json.dumps(found, default=str)), "warned": warned}


MODULES: dict[str, t.Callable[[HostileCase], Result]] = {
    "access_token": _access_token,
    "access_token of its own user": _own_token,
    "access_token absent": _absent,
    "access_token_set": _access_token_set,
    "access_token_set of many owners": _many_owners,
    "access_token_info": _access_token_info,
    "access_token_audit": _access_token_audit,
    "credential_info": _credential_info,
    "leaked_secret_info": _leaked_secret_info,
    "leaked_secret_info that verifies": lambda case: _leaked_secret_info(case, verify=True),
    "inventory of projects": lambda case: _projects(case, "project"),
    "inventory of repositories": lambda case: _projects(case, "repository"),
}
#: They do much besides asking the server, so fewer lies are told to them.
SLOW = ("access_token_audit", "inventory of projects", "inventory of repositories")


def run_case(module: str, lies: t.Sequence[Lie]) -> str:
    """Run ``module`` against the lies and check all that must hold; how it ended, for tests of the tests."""
    case = HostileCase(lies)
    result: Result = {}
    try:
        result = MODULES[module](case)
    except BitbucketError as error:
        result = {"msg": str(error)}
        ended = type(error).__name__
    else:
        ended = "failed" if result.get("failed") else "ok"
    _check_words(result, case)
    _check_requests(case)
    _check_secrets(result, case, module)
    for owner, token_id in case.liar.deleted:
        assert _may_go(case, owner, token_id) or (module == "access_token absent" and token_id == case.old.id)
    return ended


def _check_words(result: Result, case: HostileCase) -> None:
    """Sentences, each a line that is safe on any terminal, and nothing secret in them."""
    failure = [result["msg"]] if "msg" in result else []
    others = [item["msg"] for item in result.get("failures", ())] + list(result.get("warned", ()))
    others += [result["problem"]] if result.get("problem") else []
    for text in failure + others:
        assert text.isprintable(), text
        assert len(text) > 20, text
    assert all(len(text) <= LONGEST_FAILURE for text in failure)
    assert all(len(text) <= LONGEST_MESSAGE for text in others)
    written = json.dumps({**result, "secret": None, "secrets": None}, ensure_ascii=False, allow_nan=False)
    written.encode()
    words = json.dumps([*failure, *others], ensure_ascii=False)
    assert not [leak for leak in (PASSWORD, BASIC) if leak in words]
    issued = [token.secret for token in case.company.sim.model.all_tokens()]
    assert not [leak for leak in issued if leak in written]


def _check_requests(case: HostileCase) -> None:
    assert all(0 <= seconds <= 600 and math.isfinite(seconds) for seconds in case.company.sleeps)
    assert {request.path.partition("/latest")[0] for request in case.liar.asked} <= {
        "/rest/access-tokens",
        "/rest/api",
    }
    assert not any({"", ".", ".."} & set(request.path.split("/")[1:]) for request in case.liar.asked)


def _check_secrets(result: Result, case: HostileCase, module: str) -> None:
    """What the store holds stays alive; what is handed over is alive where no answer to a create was a lie."""
    sim = case.company.sim
    assert all(sim.authenticates(secret) for secret in case.secrets), "a stored secret died"
    handed_over = [*result.get("secrets", {}).values(), *filter(None, [result.get("secret")])]
    if not any(_lied_about(case, number) for number, request in _requests(case, "PUT")):
        assert all(sim.authenticates(secret) for secret in handed_over), f"{module} handed over a dead secret"


def _requests(case: HostileCase, method: str) -> list[tuple[int, Request]]:
    return [(number, request) for number, request in enumerate(case.liar.asked) if request.method == method]


def _lied_about(case: HostileCase, number: int) -> bool:
    return any(lie.meets(number) for lie in case.lies)


def _may_go(case: HostileCase, owner: str, token_id: str) -> bool:
    """Whether a token was this run's own to take back, or what the server said of it really condemns it."""
    if token_id not in case.before:
        return True
    if token_id in case.stored.values():
        return False
    pages = [case.liar.said[number] for number, request in _requests(case, "GET") if _lists(request, owner)]
    # A listing may come in several pages, of which any may tell the time, and one the stored token.
    listed = {value["id"]: value for page in pages for value in _values(page) if isinstance(value.get("id"), str)}
    told = [value for page in pages for value in _values(page) if value.get("id") == token_id]
    return any(_condemned(case, value, listed, _clock(page)) for value in told for page in pages)


def _lists(request: Request, owner: str) -> bool:
    return request.path.endswith(f"/latest/{owner}")


def _condemned(case: HostileCase, token: Result, listed: dict[str, Result], now: int | None) -> bool:
    """Whether a token may go by what was said of it, at this time."""
    if str(token.get("name")).startswith("old-"):
        return True
    created, expires = (_number(token.get(key)) for key in ("createdDate", "expiryDate"))
    if now is None or created is None:
        return False
    expired = expires is not None and expires <= now
    orphan = token.get("lastAuthenticated") is None and created <= now - 7 * DAY
    return expired or orphan or _has_aged_successor(case, listed, created, now)


def _has_aged_successor(case: HostileCase, listed: dict[str, Result], created: float, now: int) -> bool:
    """A stored token that is newer, and out of its grace."""
    ids = [token_id for token_id in case.stored.values() if token_id]
    # A stored token that the listing leaves out is asked for by its id, and tells the truth there.
    times = [
        _number(listed[token_id].get("createdDate")) if token_id in listed else case.before[token_id].created
        for token_id in ids
    ]
    return any(time is not None and created < time <= now - 7 * DAY for time in times)


def _number(value: t.Any) -> float | None:
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return value if usable else None


def _values(response: Response) -> list[Result]:
    body = response.body
    try:
        data = json.loads(gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body)
    except (ValueError, RecursionError):
        return []
    values = data.get("values") if isinstance(data, dict) else None
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def _clock(response: Response) -> int | None:
    try:
        moment = email.utils.parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return int(zoned.timestamp() * 1000)
