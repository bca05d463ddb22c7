"""What must be there once a page was followed: a command that ends with status 0 may still have done nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.documented.sandbox import Sandbox
from tests.doubles import awx

Result = Callable[[Sandbox], None]
_RESULTS: dict[str, Result] = {}


def check(page: str, sandbox: Sandbox) -> None:
    """Fail unless a page had the result that its text promises."""
    if page in _RESULTS:
        _RESULTS[page](sandbox)


def _page(name: str) -> Callable[[Result], Result]:
    def register(result: Result) -> Result:
        _RESULTS[name] = result
        return result

    return register


def _names(sandbox: Sandbox, owner: str) -> set[str]:
    return {token.name for token in sandbox.bitbucket.tokens(owner)}


def _exist(sandbox: Sandbox, *names: str) -> None:
    assert [name for name in names if not (sandbox.directory / name).is_file()] == []


@_page("README.md")
def _readme(sandbox: Sandbox) -> None:
    assert {"ci-read", "ci-write", "ci"} <= _names(sandbox, "projects/PAY")
    assert "release" not in _names(sandbox, "projects/PAY"), "it was revoked"
    assert _names(sandbox, "projects/SHOP") == {"ci-read", "ci-write"}, "the leaked token was revoked"
    assert _names(sandbox, "users/automation") == {"laptop"}
    assert [token.name for token in sandbox.bitbucket.tokens("projects/PAY")].count("ci") == 2, "one replaced the other"
    clones = ("ledger/README.md", "ledger-of-ci/README.md")
    _exist(sandbox, *clones, "ci.token", "laptop.token", "audit/audit.html", "app_passwords.csv")
    secrets = [token.secret for token in sandbox.bitbucket.model.all_tokens()]
    for clone in ("ledger", "ledger-of-ci"):
        config = (sandbox.directory / clone / ".git" / "config").read_text(encoding="utf-8")
        assert not [secret[:12] for secret in secrets if secret in config]


@_page("docs/docsite/rst/guide_leaked.rst")
def _leaked(sandbox: Sandbox) -> None:
    assert _names(sandbox, "projects/PAY") == {"ci-read", "ci-write"}
    assert _names(sandbox, "projects/SHOP") == {"ci-read", "ci-write"}


@_page("docs/docsite/rst/guide_audit.rst")
def _audit(sandbox: Sandbox) -> None:
    _exist(sandbox, *(f"audit/audit.{ending}" for ending in ("csv", "html", "json", "junit.xml")))


@_page("docs/docsite/rst/guide_stores.rst")
def _stores(sandbox: Sandbox) -> None:
    controller = next(double for double in sandbox.doubles if isinstance(double, awx.AwxDouble))
    references = {f"projects/{key}/tokens/{name}" for key in ("PAY", "SHOP") for name in ("ci-read", "ci-write")}
    assert {f"Bitbucket {reference}" for reference in references} <= {
        credential["name"] for credential in controller.credentials.values()
    }


@_page("docs/docsite/rst/guide_awx.rst")
def _awx(sandbox: Sandbox) -> None:
    controller = next(double for double in sandbox.doubles if isinstance(double, awx.AwxDouble))
    assert len(controller.objects["job_templates"]) == 4
    assert len(controller.objects["schedules"]) == 2


@_page("docs/docsite/rst/guide_app_passwords.rst")
def _app_passwords(sandbox: Sandbox) -> None:
    _exist(sandbox, "app_passwords.csv", "app_passwords.json")
    stored = (sandbox.home / ".git-credentials").read_text(encoding="utf-8")
    assert "ATATT3xFf" in stored
    assert "ATBB" not in stored


@_page("docs/docsite/rst/guide_slices.rst")
def _slices(sandbox: Sandbox) -> None:
    for owner in ("projects/PAY", "projects/PAY/repos/ledger", "projects/TEAM1", "projects/TEAM1/repos/tools"):
        assert "ci-read" in _names(sandbox, owner)
    assert not _names(sandbox, "projects/SANDBOX")


@_page("plugins/lookup/secret.py")
def _lookup(sandbox: Sandbox) -> None:
    assert (sandbox.home / "ledger" / "README.md").is_file()
    assert "Bearer" not in (sandbox.home / "ledger" / ".git" / "config").read_text(encoding="utf-8")
