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
from tests.unit.plugins.hostile import Liar, Lie
from tests.unit.plugins.ordeals import LONGEST_FAILURE, LONGEST_MESSAGE
from tests.unit.plugins.stand import checked

Result = dict[str, t.Any]
URL = "http://bitbucket.test"
VALUE = "value/of+a=variable&4711"


class CloudLiar(Liar):
    def _shift(self, request: Request, lie: Lie) -> None:
        """Nothing: what Cloud lists is only read."""

    def _somebodys(self, request: Request) -> str:
        return t.cast("CloudCompany", self.stand).ada.account_id


@dataclass
class CloudOrdeal:
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


def _variable(ordeal: CloudOrdeal, key: str = "NEW", **more: t.Any) -> Result:
    given: Result = {
        "workspace": WORKSPACE,
        "repository": "ledger",
        "environment": "Production",
        "key": key,
        "value": VALUE,
    }
    asked = params(pipeline_variable.SPEC, pipeline_variable.CONSTRAINTS, **{**given, **more})
    return pipeline_variable.run(asked, ordeal.user(), False)


def _known_variable(ordeal: CloudOrdeal, **more: t.Any) -> Result:
    return _variable(ordeal, "KEY_4", environment=None, update_secret="always", **more)


def _token(ordeal: CloudOrdeal, **more: t.Any) -> Result:
    named = {"account_id": ordeal.cloud.ada.account_id, "label": "laptop", **more}
    return api_token.run(token_params(**named), ordeal.administrator(), False)


def _tokens(ordeal: CloudOrdeal) -> Result:
    asked = info_params(organization=ordeal.cloud.company.id)
    return api_token_info.run(asked, ordeal.administrator(), False)


def _credential(ordeal: CloudOrdeal) -> Result:
    given: Result = {"secret": ordeal.mine.secret, "email": ordeal.cloud.ada.email, "verify": True}
    return credential_info.run(params(credential_info.SPEC, **given), ordeal.user(), False)


def _workspaces(ordeal: CloudOrdeal) -> Result:
    return {"workspaces": Api(ordeal.user()).workspaces()}


def _found(ordeal: CloudOrdeal) -> Result:
    """Secrets of every kind in files, and a server that is asked about each."""
    access = ordeal.cloud.sim.add_access_token("repository", REPOSITORY, ["repository"])
    lines = [
        (ordeal.cloud.ada.email, ordeal.mine.secret),
        ("x-token-auth", access.secret),
        ("ada", "some-password-4711"),
    ]
    with tempfile.TemporaryDirectory() as home:
        path = Path(home, ".netrc")
        path.write_text("".join(f"machine bitbucket.org login {user} password {word}\n" for user, word in lines))
        asked = checked(app_password_info.SPEC, {}, {"homes": [], "paths": [str(path)]})
        inquiry = Inquiry(lambda credential: ordeal._client(credential, _cloud_answers.CLOUD), ordeal.cloud.ada.email)
        result = app_password_info.run(asked, inquiry, False)
    for found, (_user, secret) in zip(result["findings"], lines[:2], strict=False):
        # The server knows both: nothing but a lie about them can make them dead.
        assert found["dead"] is not True or _lied_about(ordeal, secret), found
    return {**result, "problems": [found["verified"]["problem"] for found in result["findings"]]}


def _lied_about(ordeal: CloudOrdeal, secret: str) -> bool:
    """Whether an answer was a lie to somebody who signed in with this."""
    numbers = [
        number
        for number, request in enumerate(ordeal.liar.asked)
        if secret.encode() in _decoded(request.headers.get("authorization", ""))
    ]
    return any(lie.meets(number) for lie in ordeal.lies for number in numbers)


def _decoded(header: str) -> bytes:
    kind, _blank, value = header.partition(" ")
    return base64.b64decode(value) if kind == "Basic" else value.encode()


MODULES: dict[str, t.Callable[[CloudOrdeal], Result]] = {
    "api_token": _token,
    "api_token absent": lambda ordeal: _token(ordeal, state="absent"),
    "api_token_info": _tokens,
    "app_password_info that verifies": _found,
    "credential_info": _credential,
    "pipeline_variable": _variable,
    "pipeline_variable that is there": _known_variable,
    "pipeline_variable absent": lambda ordeal: _known_variable(ordeal, state="absent"),
    "listing of workspaces by link": _workspaces,
}


def endured(module: str, lies: t.Sequence[Lie]) -> str:
    """Run ``module`` against the lies and check all that must hold; how it ended."""
    ordeal = CloudOrdeal(lies)
    try:
        result = MODULES[module](ordeal)
        ended = "failed" if result.get("failed") else "ok"
    except BitbucketError as error:
        result, ended = {"msg": str(error)}, type(error).__name__
    _check_words(result, ordeal)
    assert all(0 <= seconds <= 600 for seconds in ordeal.cloud.sleeps)
    assert not any({".", ".."} & set(request.path.split("/")) for request in ordeal.liar.asked)
    _check_deleted(ordeal, module)
    return ended


def _check_words(result: Result, ordeal: CloudOrdeal) -> None:
    for key, most in (("msg", LONGEST_FAILURE), ("problem", LONGEST_MESSAGE)):
        text = result.get(key)
        assert text is None or (text.isprintable() and 20 < len(text) <= most), text
    for text in filter(None, result.get("problems", ())):
        assert text.isprintable(), text
        assert 20 < len(text) <= LONGEST_MESSAGE, text
    written = json.dumps(result, ensure_ascii=False, allow_nan=False)
    written.encode()
    assert not [secret for secret in [*ordeal.cloud.secrets(), VALUE] if secret in written]


def _check_deleted(ordeal: CloudOrdeal, module: str) -> None:
    """Only where that is asked for, one thing at most, and one that an answer named together with what is meant."""
    paths = {unquote(request.path.rpartition("/")[2]) for request in ordeal.liar.asked if request.method == "DELETE"}
    assert len(paths) <= (1 if module.endswith("absent") else 0)
    meant = b"KEY_4" if module.startswith("pipeline") else b"laptop"
    # Half a surrogate pair is read as a question mark.
    bodies = [re.sub(rb"\\ud[89a-f]..", b"?", _plain(response.body)) for response in ordeal.liar.said]
    for name in paths:
        written = json.dumps(name)[1:-1].encode()
        assert any(meant in body and written in body for body in bodies), f"{name} was not meant"


def _plain(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
