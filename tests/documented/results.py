"""What must be there once a page was followed: a command that ends with status 0 may still have done nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.documented.stage import Stage
from tests.doubles import awx

Result = Callable[[Stage], None]
_RESULTS: dict[str, Result] = {}


def check(page: str, stage: Stage) -> None:
    """Fail unless a page had the result that its text promises."""
    if page in _RESULTS:
        _RESULTS[page](stage)


def _page(name: str) -> Callable[[Result], Result]:
    def register(result: Result) -> Result:
        _RESULTS[name] = result
        return result

    return register


def _names(stage: Stage, owner: str) -> set[str]:
    return {token.name for token in stage.bitbucket.tokens(owner)}


def _exist(stage: Stage, *names: str) -> None:
    assert [name for name in names if not (stage.directory / name).is_file()] == []


@_page("README.md")
def _readme(stage: Stage) -> None:
    assert {"ci-read", "ci-write", "ci"} <= _names(stage, "projects/PAY")
    assert "release" not in _names(stage, "projects/PAY"), "it was revoked"
    assert _names(stage, "projects/SHOP") == {"ci-read", "ci-write"}, "the leaked token was revoked"
    assert _names(stage, "users/automation") == {"laptop"}
    assert [token.name for token in stage.bitbucket.tokens("projects/PAY")].count("ci") == 2, "one replaced the other"
    clones = ("ledger/README.md", "ledger-of-ci/README.md")
    _exist(stage, *clones, "ci.token", "laptop.token", "audit/audit.html", "app_passwords.csv")
    secrets = [token.secret for token in stage.bitbucket.world.all_tokens()]
    for clone in ("ledger", "ledger-of-ci"):
        config = (stage.directory / clone / ".git" / "config").read_text(encoding="utf-8")
        assert not [secret[:12] for secret in secrets if secret in config]


@_page("docs/docsite/rst/guide_leaked.rst")
def _leaked(stage: Stage) -> None:
    assert _names(stage, "projects/PAY") == {"ci-read", "ci-write"}
    assert _names(stage, "projects/SHOP") == {"ci-read", "ci-write"}


@_page("docs/docsite/rst/guide_audit.rst")
def _audit(stage: Stage) -> None:
    _exist(stage, *(f"audit/audit.{ending}" for ending in ("csv", "html", "json", "junit.xml")))


@_page("docs/docsite/rst/guide_stores.rst")
def _stores(stage: Stage) -> None:
    controller = next(double for double in stage.doubles if isinstance(double, awx.AwxDouble))
    references = {f"projects/{key}/tokens/{name}" for key in ("PAY", "SHOP") for name in ("ci-read", "ci-write")}
    assert {f"Bitbucket {reference}" for reference in references} <= {
        credential["name"] for credential in controller.credentials.values()
    }


@_page("docs/docsite/rst/guide_awx.rst")
def _awx(stage: Stage) -> None:
    controller = next(double for double in stage.doubles if isinstance(double, awx.AwxDouble))
    assert len(controller.objects["job_templates"]) == 4
    assert len(controller.objects["schedules"]) == 2


@_page("docs/docsite/rst/guide_app_passwords.rst")
def _app_passwords(stage: Stage) -> None:
    _exist(stage, "app_passwords.csv", "app_passwords.json")
    stored = (stage.home / ".git-credentials").read_text(encoding="utf-8")
    assert "ATATT3xFf" in stored
    assert "ATBB" not in stored


@_page("docs/docsite/rst/guide_slices.rst")
def _slices(stage: Stage) -> None:
    for owner in ("projects/PAY", "projects/PAY/repos/ledger", "projects/TEAM1", "projects/TEAM1/repos/tools"):
        assert "ci-read" in _names(stage, owner)
    assert not _names(stage, "projects/SANDBOX")


@_page("plugins/filter/to_csv.py")
def _csv(stage: Stage) -> None:
    assert (stage.directory / "tokens.csv").read_text(encoding="utf-8").startswith("reference,expires")


@_page("plugins/lookup/secret.py")
def _lookup(stage: Stage) -> None:
    assert (stage.home / "ledger" / "README.md").is_file()
    assert "Bearer" not in (stage.home / "ledger" / ".git" / "config").read_text(encoding="utf-8")
