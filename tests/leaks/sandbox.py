"""A place for one run: a simulated Bitbucket, doubles of Vault and AWX, stores, and every place for output."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import subprocess
import sys
import typing as t
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from tests.doubles import awx, proxy, vault_kv2
from tests.doubles.loopback import Answer, Request
from tests.simulator import Simulator, Token
from tests.simulator.cloud import Cloud
from tests.simulator.server import Tls, running
from tests.simulator.tls import Certificates, make_certificates

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PATIENCE = 600.0
WORKSPACE = "acme"
SCOPES = ["read:user:bitbucket", "read:pipeline:bitbucket", "admin:pipeline:bitbucket"]
#: Every character that some encoding writes in another way.
_ODD = "/+=&%\"'\\<>"
SENTINELS = {
    "password": f"Pw7k{_ODD}qXv0Zr5TnB8yLd2Hc4Js6Wf9",
    "wrong_password": f"Xw3m{_ODD}pKe7Rt1VgN5uAz8Qb0Mh4Di6",
    "bearer": "Oa9t/+=&%~zYc6Uj3KpS0xEv8Gn5Lw2Fq7Br4",
    "vault_password": f"Vp2h{_ODD}mTz8Ck5XrQ1wJd7Sn9Ey3Lg6",
    "other_vault_password": f"Vo5d{_ODD}tBq3Nx9HsW6zPk1Ua8Rc4Ef7",
    "nobodys_token": "Nt4s/+=&%~jGw1Zd6XfM9yTc3Bk8Vp5Qh0Ru2",
    "pipeline_value": "Pv6k/+=&%~sXd3Ng8ZrW1yTm5Cb9Hq0Jf2Lu7",
    "cloud_token": "ATATT3xFfGF0-leaks-Zq7Ws2Xe9Dc4Rf1Vt6Gb8Yh3=1A2B3C4D",
}
_DOUBLES = {
    "vault_token": vault_kv2.TOKEN,
    "vault_secret_id": vault_kv2.SECRET_ID,
    "vault_jwt": vault_kv2.JWT,
    "controller_token": awx.TOKEN,
}
CREDENTIALS = {**SENTINELS, **_DOUBLES}
#: A line of git's store that is none of this collection's business.
ELSEWHERE = f"https://jdoe:{quote(SENTINELS['wrong_password'], safe='')}@example.com\n"
#: Folders where Ansible and the collection write, all of which are searched. Stores and what a case is told are not.
WRITTEN = ("home", "tmp", "local", "remote", "facts", "tree", "junit", "out", "cwd", "artifacts", "reports")

#: How the names of what stores keep end.
STORED = (".token", "tokens.yml", "kept.json", ".lock")


@dataclass
class Sandbox:
    """:param place: a folder of its own."""

    place: Path
    sim: Simulator
    url: str
    vault: vault_kv2.VaultDouble
    vault_url: str
    awx: awx.AwxDouble
    awx_url: str
    cloud: Cloud
    cloud_url: str
    #: To the same cloud under its real name, for git.
    tunnel: str
    #: The simulator's address behind TLS, with a certificate of ``certificates``.
    tls_url: str
    certificates: Certificates
    variables: dict[str, t.Any] = field(default_factory=dict)
    _numbers: t.Iterator[int] = field(default_factory=lambda: itertools.count(1))
    #: By a part of the path: what Vault and the controller do to requests that name it.
    spoilt: dict[str, Callable[[Request], Answer | None]] = field(default_factory=dict)
    #: Files that hold secrets before anything runs.
    left: set[Path] = field(default_factory=set)
    #: Files that a run has made where it is told things.
    odd: set[Path] = field(default_factory=set)

    @property
    def written(self) -> Path:
        return self.place / "written"

    @property
    def stores(self) -> Path:
        return self.place / "stores"

    @property
    def told(self) -> Path:
        return self.place / "told"

    @property
    def seen(self) -> Path:
        return self.place / "seen"

    def scenario(self) -> Scenario:
        """A project that no other case has to do with, and a repository in the cloud."""
        key = f"L{next(self._numbers):03d}"
        self.sim.add_project(key)
        self.cloud.add_repository(WORKSPACE, key.lower())
        return Scenario(self, key)

    def spoil(self, request: Request) -> Answer | None:
        text = request.path + json.dumps(request.body) + json.dumps(request.query)
        for part, spoil in self.spoilt.items():
            if part in text:
                return spoil(request)
        return None

    def secrets(self) -> dict[str, str]:
        """Everything that must not be seen: the credentials, and whatever was issued, revoked or not."""
        issued = [*self.sim.model.all_tokens(), *self.sim.model.revoked.values()]
        named = {f"token {token.id} of {token.owner}": token.secret for token in issued}
        of_cloud = {f"{token.kind} {token.label}": token.secret for token in self.cloud.model.tokens}
        dead = {f"app password {number}": secret for number, secret in enumerate(self.cloud.model.app_passwords, 1)}
        return {**CREDENTIALS, "admin_api_key": self.variables["admin_api_key"], **of_cloud, **dead, **named}

    def credentials(self) -> dict[str, str]:
        """Those of the secrets that no store has any business with."""
        return {name: secret for name, secret in self.secrets().items() if not name.startswith("token ")}

    def tell(self, name: str, data: t.Any) -> Path:
        path = self.told / name
        path.write_text(yaml.safe_dump(data, width=10**6), encoding="utf-8")
        return path

    def environment(self, credential: bool) -> dict[str, str]:
        """Every way to keep what a run says."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "BITBUCKET_"))}
        written = self.written
        named = {
            "CALLBACK_PLUGINS": HERE / "plugins" / "callback",
            "CALLBACKS_ENABLED": "json_results,ansible.builtin.tree,ansible.builtin.junit",
            "CALLBACK_TREE_DIR": written / "tree",
            "CACHE_PLUGIN": "jsonfile",
            "CACHE_PLUGIN_CONNECTION": written / "facts",
            "COLLECTIONS_PATH": ROOT / ".cache" / "collections",
            "CONFIG": ROOT / "tests" / "ansible.cfg",
            "CONNECTION_PLUGINS": HERE / "plugins" / "connection",
            "HOME": written / "home" / ".ansible",
            "LOCAL_TEMP": written / "local",
            "LOG_PATH": written / "out" / "log",
            "REMOTE_TMP": written / "remote",
        }
        mine = {
            "ANSIBLE_ASYNC_DIR": written / "home" / ".ansible_async",
            "BITBUCKET_URL": self.url,
            "GIT_SSL_CAINFO": self.certificates.ca,
            "HOME": written / "home",
            "JUNIT_OUTPUT_DIR": written / "junit",
            "LEAKS_JSON": written / "out" / "results",
            "LEAKS_ROOT": self.place,
            "PWD": written / "cwd",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": HERE / "shim",
            "TMPDIR": written / "tmp",
            "https_proxy": self.tunnel,
            "no_proxy": "127.0.0.1",
        }
        if credential:
            mine |= {"BITBUCKET_USERNAME": "admin", "BITBUCKET_PASSWORD": CREDENTIALS["password"]}
        named_ansible = {f"ANSIBLE_{name}": value for name, value in named.items()}
        return {**clean, **{name: str(value) for name, value in {**named_ansible, **mine}.items()}}

    def play(self, programs: Path, *arguments: str) -> str:
        """Run ansible-playbook as talkative as it gets; what it said."""
        told = ["-e", f"@{self.tell('variables', {**CREDENTIALS, **self.variables})}"]
        vault = ["--vault-password-file", str(self.told / "vault-password")]
        command = [str(programs / "ansible-playbook"), "-vvvv", "--diff", *told, *vault, *arguments]
        return self.run(command, "output", credential=True)

    def look(self, programs: Path, path: str, *arguments: str) -> str:
        """Run ansible-inventory as talkative as it gets; what it said."""
        vault = ["--vault-password-file", str(self.told / "vault-password")]
        before = self.written / "out" / "listed"
        length = before.stat().st_size if before.exists() else 0
        command = [str(programs / "ansible-inventory"), "-vvvv", "-i", path, *vault, *arguments]
        return self.run(command, "listed", credential=True)[length:]

    def run(self, command: list[str], name: str, credential: bool) -> str:
        output = self.written / "out" / name
        before = set(self.told.rglob("*"))
        with output.open("a", encoding="utf-8") as stream:
            subprocess.run(
                command,
                cwd=self.written / "cwd",
                env={**self.environment(credential), "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"},
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                timeout=PATIENCE,
                check=False,
            )
        self.odd |= {path for path in self.told.rglob("*") if path not in before and path.is_file()}
        return output.read_text(encoding="utf-8")

    def results(self) -> list[dict[str, t.Any]]:
        """Every result, as the callback wrote it."""
        path = self.written / "out" / "results"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def exposed(self) -> list[str]:
        """Files that anybody could read at some moment, where that matters: in stores, and those that are gone."""
        # Where Ansible keeps the result of a task in the background; those that return a secret refuse to be one.
        paths = {Path(line) for line in _lines(self.seen / "readable") if "/.ansible_async/" not in line}
        return sorted(str(path) for path in paths if path.is_relative_to(self.stores) or not path.exists())

    def stored(self) -> list[Path]:
        """The files of stores: what the cases have not left there themselves, or beside it."""
        beside = {path.parent for path in self.left if path.parent.parent != self.stores}
        files = (path for path in self.stores.rglob("*") if path.is_file() and path.parent not in beside)
        return sorted(path for path in files if path not in self.left)

    def remains(self) -> list[str]:
        """Files in stores that are no store's own, and temporary files anywhere there."""
        strange = [path for path in self.stored() if not path.name.endswith(STORED)]
        temporary = [path for path in self.stores.rglob("*") if "tmp" in path.name]
        return sorted(map(str, {*strange, *temporary}))

    def elsewhere(self) -> list[str]:
        """Files written where nothing is searched."""
        return sorted(set(_lines(self.seen / "elsewhere")))


@dataclass
class Scenario:
    """What one case has to itself: a project, places in stores, faults."""

    sandbox: Sandbox
    key: str

    @property
    def owner(self) -> str:
        return f"projects/{self.key}"

    @property
    def file(self) -> str:
        return f"file:{self._folder()}"

    @property
    def reports(self) -> str:
        return str(self.sandbox.written / "reports" / self.key)

    @property
    def vaulted(self) -> str:
        return f"ansible_vault:{self._folder() / 'tokens.yml'}"

    @property
    def hashi(self) -> str:
        return f"hashi_vault:kv/{self.key}"

    @property
    def hashi_options(self) -> dict[str, str]:
        return {"url": self.sandbox.vault_url, "token": "{{ vault_token }}"}

    @property
    def hashi_by_approle(self) -> dict[str, str]:
        login = {"auth_method": "approle", "role_id": vault_kv2.ROLE_ID, "secret_id": "{{ vault_secret_id }}"}
        return {"url": self.sandbox.vault_url, **login}

    @property
    def hashi_by_jwt(self) -> dict[str, str]:
        return {"url": self.sandbox.vault_url, "auth_method": "jwt", "role": "ci", "jwt": "{{ vault_jwt }}"}

    @property
    def controller(self) -> str:
        return "awx_credential:{reference}"

    @property
    def controller_options(self) -> dict[str, str]:
        return {"url": self.sandbox.awx_url, "token": "{{ controller_token }}", "organization": "Payments"}

    def helper(self, name: str = "") -> str:
        """A good one, or one of those in ``helpers.py``."""
        good = f"{ROOT}/tests/doubles/helper.py {self._folder() / 'kept.json'}"
        return f"helper:{sys.executable} {f'{HERE}/helpers.py {name}' if name else good}"

    def plant(self, **more: t.Any) -> Token:
        """A token that is due."""
        return self.sandbox.sim.add_token(
            self.owner, "ci", ["REPO_READ"], created_days_ago=8, expires_in_days=2, last_used_days_ago=1, **more
        )

    def keep(self, token: Token) -> None:
        """In the case's ``file`` store."""
        path = self._folder() / f"{token.owner}/tokens/{token.name}.token"
        path.parent.mkdir(parents=True)
        path.touch(0o600)
        path.write_text(f"{token.secret}\n", encoding="utf-8")

    def variable(self, name: str, value: t.Any) -> str:
        """A template for a value that the play has from a file."""
        self.sandbox.variables[f"{self.key}_{name}"] = value
        return f"{{{{ {self.key}_{name} }}}}"

    def arm(self, kind: str, **fault: t.Any) -> None:
        self.sandbox.sim.faults.arm(kind, **{"path": self.key, "times": None, **fault})

    def arm_cloud(self, kind: str, **fault: t.Any) -> None:
        self.sandbox.cloud.faults.arm(kind, **{"path": self.key.lower(), "times": None, **fault})

    def leaked(self, text: str) -> str:
        """A file that somebody should not have written a secret to."""
        return self.leave("leaked.log", f"something\ntoken={text}\n")

    def home(self) -> str:
        """A home directory with dead secrets in every kind of file, and those of another site among them."""
        home = self._folder() / "home"
        remote = f"https://jdoe:{self.dead()}@bitbucket.org/{WORKSPACE}/{self.key.lower()}.git"
        files = {
            ".git-credentials": f"{ELSEWHERE}https://jdoe:{self.dead()}@bitbucket.org\n{ELSEWHERE}",
            ".netrc": f"machine bitbucket.org login jdoe password {self.dead()}\n",
            ".gitconfig": f'[http "https://bitbucket.org"]\n\textraHeader = {_basic("jdoe", self.dead())}\n',
            "src/ledger/.git/config": f'[remote "origin"]\n\turl = {remote}\n',
        }
        for name, text in files.items():
            self.leave(f"home/{name}", text)
        self.repository("home/src/ledger")
        return str(home)

    def repository(self, name: str) -> None:
        """What git knows one by, beside its configuration."""
        self.leave(f"{name}/.git/HEAD", "ref: refs/heads/main\n")
        for folder in ("objects", "refs"):
            (self._folder() / name / ".git" / folder).mkdir(exist_ok=True)

    def leave(self, name: str, text: str) -> str:
        """A file that only its owner may read."""
        path = self._folder() / name
        self.sandbox.left.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def dead(self) -> str:
        """An app password."""
        return self.sandbox.cloud.add_app_password(self.sandbox.cloud.model.accounts["ada"])

    def api_token(self, *scopes: str) -> str:
        """A template for a token that git takes, or that has these scopes instead."""
        account = self.sandbox.cloud.model.accounts["ada"]
        token = self.sandbox.cloud.add_api_token(account, self.key, scopes or ["read:repository:bitbucket"])
        return self.variable("api_token", token.secret)

    def encrypted_by_another(self) -> str:
        vault = VaultLib([("default", VaultSecret(CREDENTIALS["other_vault_password"].encode()))])
        path = self._folder() / "tokens.yml"
        path.write_bytes(vault.encrypt(yaml.safe_dump({"bitbucket_tokens": {}})))
        return f"ansible_vault:{path}"

    def _folder(self) -> Path:
        folder = self.sandbox.stores / self.key
        folder.mkdir(exist_ok=True)
        return folder


@contextlib.contextmanager
def sandbox(place: Path) -> Iterator[Sandbox]:
    # Anybody may enter each folder, so that only what is made in them protects itself.
    for folder in ("told", "stores", "seen", *(f"written/{name}" for name in WRITTEN)):
        (place / folder).mkdir(parents=True)
    (place / "told" / "vault-password").write_text(CREDENTIALS["vault_password"], encoding="utf-8")
    sim = Simulator("9.4", seed=11)
    sim.add_user("admin", CREDENTIALS["password"], roles=("SYS_ADMIN",))
    sim.model.oauth[CREDENTIALS["bearer"]] = "admin"
    cloud = Cloud(seed=7)
    account = cloud.add_account("ada")
    cloud.add_workspace(WORKSPACE, members=[account])
    made_for_git = make_certificates(place / "told", host="bitbucket.org")
    with contextlib.ExitStack() as stack:
        url, cloud_url = stack.enter_context(running(sim)), stack.enter_context(running(cloud))
        tls = Tls(made_for_git.server_certificate, made_for_git.server_key)
        address = urlsplit(stack.enter_context(running(cloud, tls)))
        tunnel = stack.enter_context(proxy.running(destination=(str(address.hostname), int(address.port or 0)))).url
        tls_url = stack.enter_context(running(sim, tls))
        vault, vault_url = stack.enter_context(vault_kv2.running())
        controller, awx_url = stack.enter_context(awx.running())
        doubles = (vault, vault_url, controller, awx_url)
        made = Sandbox(place, sim, url, *doubles, cloud, cloud_url, tunnel, tls_url, made_for_git)
        made.variables["api_token"] = cloud.add_api_token(account, "everything", SCOPES).secret
        made.variables["email"] = account.email
        company = cloud.add_organization("company", [account])
        made.variables.update(organization=company.id, admin_api_key=company.admin_key, account_id=account.account_id)
        vault.before = controller.before = made.spoil
        yield made


def _basic(user: str, secret: str) -> str:
    return f"Authorization: Basic {base64.b64encode(f'{user}:{secret}'.encode()).decode()}"


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="surrogateescape").splitlines() if path.exists() else []
