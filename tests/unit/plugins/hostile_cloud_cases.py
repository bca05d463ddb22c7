"""Modules of Bitbucket Cloud against a server that lies, and what must hold whatever it says."""

from __future__ import annotations

import base64
import gzip
import json
import re
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.cloud._cloud import Cloud as Api
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import BitbucketError
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.credential_files._inquiry import Inquiry
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _cloud_answers
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._answers import Product
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._client import Client, Credential
from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http._transport import Settings, Transport
from ansible_collections.tokensmith.bitbucket.plugins.modules import (
    api_token,
    api_token_info,
    app_password_info,
    credential_info,
    pipeline_variable,
)
from tests.simulator.exchange import Request
from tests.unit.plugins.cloud_company import (
    PIPELINES,
    REPOSITORY,
    WORKSPACE,
    CloudCompany,
    cloud_company,
    info_params,
    params,
    token_params,
)
from tests.unit.plugins.company import checked
from tests.unit.plugins.hostile_cases import LONGEST_FAILURE, LONGEST_MESSAGE
from tests.unit.plugins.hostile_server import Liar, Lie

Result = dict[str, t.Any]
URL = "http://bitbucket.test"
VALUE = "value/of+a=variable&4711"


class CloudLiar(Liar):
    def _shift(self, request: Request, lie: Lie) -> None:
        """Nothing: what Cloud lists is only read."""

    def _somebodys(self, request: Request) -> str:
        return t.cast("CloudCompany", self.company).ada.account_id


@dataclass
class HostileCloudCase:
    """A company in the cloud, and the modules' client of it through a liar."""

    lies: t.Sequence[Lie]
    cloud: CloudCompany = field(default_factory=lambda: cloud_company(page_cap=2, admin_page_cap=2))

    def __post_init__(self) -> None:
        self.meant = self.cloud.add("laptop")
        self.others = [self.cloud.add(f"other-{number}") for number in range(5)]
        self.mine = self.cloud.add("pipelines", scopes=[*PIPELINES, "read:workspace:bitbucket"])
        for number in range(5):
            self.cloud.sim.add_variable(REPOSITORY, f"KEY_{number}", "something")
            self.cloud.sim.add_workspace(f"team-{number}", members=[self.cloud.ada])
        self.liar = CloudLiar(t.cast("t.Any", self.cloud), self.lies)

    def user(self) -> Client:
        return self._client(Credential(self.cloud.ada.email, self.mine.secret), _cloud_answers.CLOUD)

    def administrator(self) -> Client:
        return self._client(Credential(token=self.cloud.company.admin_key), _cloud_answers.ORGANIZATION)

    def _client(self, credential: Credential, product: Product) -> Client:
        transport = Transport(Settings(use_proxy=False), adapters={"http://": self.liar.adapter()})
        return Client(URL, credential, transport, self.cloud.sleeps.append, product)


def _variable(case: HostileCloudCase, key: str = "NEW", **more: t.Any) -> Result:
    given: Result = {
        "workspace": WORKSPACE,
        "repository": "ledger",
        "environment": "Production",
        "key": key,
        "value": VALUE,
    }
    asked = params(pipeline_variable.SPEC, pipeline_variable.CONSTRAINTS, **{**given, **more})
    return pipeline_variable.run(asked, case.user(), False)


def _known_variable(case: HostileCloudCase, **more: t.Any) -> Result:
    return _variable(case, "KEY_4", environment=None, update_secret="always", **more)


def _token(case: HostileCloudCase, **more: t.Any) -> Result:
    named = {"account_id": case.cloud.ada.account_id, "label": "laptop", **more}
    return api_token.run(token_params(**named), case.administrator(), False)


def _tokens(case: HostileCloudCase) -> Result:
    asked = info_params(organization=case.cloud.company.id)
    return api_token_info.run(asked, case.administrator(), False)


def _credential(case: HostileCloudCase) -> Result:
    given: Result = {"secret": case.mine.secret, "email": case.cloud.ada.email, "verify": True}
    return credential_info.run(params(credential_info.SPEC, **given), case.user(), False)


def _workspaces(case: HostileCloudCase) -> Result:
    return {"workspaces": Api(case.user()).workspaces()}


def _found(case: HostileCloudCase) -> Result:
    """Secrets of every kind in files, and a server that is asked about each."""
    access = case.cloud.sim.add_access_token("repository", REPOSITORY, ["repository"])
    lines = [
        (case.cloud.ada.email, case.mine.secret),
        ("x-token-auth", access.secret),
        ("ada", "some-password-4711"),
    ]
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, ".netrc")
        path.write_text("".join(f"machine bitbucket.org login {user} password {word}\n" for user, word in lines))
        asked = checked(app_password_info.SPEC, {}, {"homes": [], "paths": [str(path)]})
        inquiry = Inquiry(lambda credential: case._client(credential, _cloud_answers.CLOUD), case.cloud.ada.email)
        result = app_password_info.run(asked, inquiry, False)
    for found, (_user, secret) in zip(result["findings"], lines[:2], strict=False):
        # The server knows both: nothing but a lie about them can make them dead.
        assert found["dead"] is not True or _lied_about(case, secret), found
    return {**result, "problems": [found["verified"]["problem"] for found in result["findings"]]}


def _lied_about(case: HostileCloudCase, secret: str) -> bool:
    """Whether an answer was a lie to somebody who signed in with this."""
    numbers = [
        number
        for number, request in enumerate(case.liar.asked)
        if secret.encode() in _decoded(request.headers.get("authorization", ""))
    ]
    return any(lie.meets(number) for lie in case.lies for number in numbers)


def _decoded(header: str) -> bytes:
    kind, _blank, value = header.partition(" ")
    return base64.b64decode(value) if kind == "Basic" else value.encode()


MODULES: dict[str, t.Callable[[HostileCloudCase], Result]] = {
    "api_token": _token,
    "api_token absent": lambda case: _token(case, state="absent"),
    "api_token_info": _tokens,
    "app_password_info that verifies": _found,
    "credential_info": _credential,
    "pipeline_variable": _variable,
    "pipeline_variable that is there": _known_variable,
    "pipeline_variable absent": lambda case: _known_variable(case, state="absent"),
    "listing of workspaces by link": _workspaces,
}


def run_case(module: str, lies: t.Sequence[Lie]) -> str:
    """Run ``module`` against the lies and check all that must hold; how it ended."""
    case = HostileCloudCase(lies)
    try:
        result = MODULES[module](case)
        ended = "failed" if result.get("failed") else "ok"
    except BitbucketError as error:
        result, ended = {"msg": str(error)}, type(error).__name__
    _check_words(result, case)
    assert all(0 <= seconds <= 600 for seconds in case.cloud.sleeps)
    assert not any({".", ".."} & set(request.path.split("/")) for request in case.liar.asked)
    _check_deleted(case, module)
    return ended


def _check_words(result: Result, case: HostileCloudCase) -> None:
    for key, most in (("msg", LONGEST_FAILURE), ("problem", LONGEST_MESSAGE)):
        text = result.get(key)
        assert text is None or (text.isprintable() and 20 < len(text) <= most), text
    for text in filter(None, result.get("problems", ())):
        assert text.isprintable(), text
        assert 20 < len(text) <= LONGEST_MESSAGE, text
    written = json.dumps(result, ensure_ascii=False, allow_nan=False)
    written.encode()
    assert not [secret for secret in [*case.cloud.secrets(), VALUE] if secret in written]


def _check_deleted(case: HostileCloudCase, module: str) -> None:
    """Only where that is asked for, one thing at most, and one that an answer named together with what is meant."""
    paths = {unquote(request.path.rpartition("/")[2]) for request in case.liar.asked if request.method == "DELETE"}
    assert len(paths) <= (1 if module.endswith("absent") else 0)
    meant = b"KEY_4" if module.startswith("pipeline") else b"laptop"
    # Half a surrogate pair is read as a question mark.
    bodies = [re.sub(rb"\\ud[89a-f]..", b"?", _plain(response.body)) for response in case.liar.said]
    for name in paths:
        written = json.dumps(name)[1:-1].encode()
        assert any(meant in body and written in body for body in bodies), f"{name} was not meant"


def _plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
