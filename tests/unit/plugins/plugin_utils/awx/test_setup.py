"""What AWX is to hold so that jobs can run this collection, made from options, variables and the environment."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.core._errors import InputError
from ansible_collections.tokensmith.bitbucket.plugins.modules.awx_setup import SPEC
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils._action import validated
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.awx._setup import Setup

Data = dict[str, t.Any]

PASSWORD, SECRET_ID = "the-password-of-automation-4711", "a-secret-id-of-an-approle-0815"
SET = [{"name": "ci", "permissions": "PROJECT_READ", "expires_in_days": 90}]
VARIABLES: Data = {
    "project_tokens_password": PASSWORD,
    "project_tokens_store": "hashi_vault:secret/bitbucket",
    "project_tokens_store_options": {"auth_method": "approle", "role_id": "r-1", "secret_id": SECRET_ID},
    "project_tokens_set": SET,
    "inventory_hostname": "localhost",
}
OPTIONS: Data = {
    "organization": "Payments",
    "project_url": "https://git.example.com/tokens.git",
    "image": "registry.example.com/tokens:1",
    "vault": {"url": "https://vault.example.com", "secret_id": SECRET_ID},
}
ENVIRONMENT = {
    "BITBUCKET_URL": "https://bitbucket.example.com/git",
    "BITBUCKET_USERNAME": "automation",
    "BITBUCKET_PASSWORD": PASSWORD,
}
PLAIN: Data = {
    "token_audit_policy": {"unused_days": 180},
    "token_audit_fail_on": "high",
    "token_audit_output_dir": "/mnt/audit",
    "token_audit_notify": "notify_jira.yml",
    "project_tokens_missing_secret": "fail",
    "project_tokens_concurrency": 4,
    "revoke_leaked_ignore": ["0123456789ab"],
    "notify_jira_url": "https://jira.example.com",
    "notify_jira_project": "OPS",
    "notify_mail_to": ["kim@example.com"],
}
#: Credentials, addresses that are secret, paths on this machine, and what belongs to one run.
NOT_FOR_JOBS: Data = {
    "notify_jira_token": PASSWORD,
    "notify_mail_password": PASSWORD,
    "notify_slack_url": "https://hooks.slack.example.com/services/x",
    "notify_dsn": SECRET_ID,
    "notify_pw": PASSWORD,
    "project_tokens_client_key": "/etc/ssl/me.key",
    "token_audit_hosts": "all",
    "token_audit_token": SECRET_ID,
    "revoke_leaked_text": SECRET_ID,
    "revoke_leaked_files": ["/var/log/ci"],
}


def setup(variables: Data | None = None, environment: dict[str, str] | None = None, **options: t.Any) -> Setup:
    """``None`` takes a usual option or variable away. Only variables for jobs are evaluated."""
    given = {name: value for name, value in {**OPTIONS, **options}.items() if value is not None}
    known = {name: value for name, value in {**VARIABLES, **(variables or {})}.items() if value is not None}

    def value_of(name: str) -> t.Any:
        assert name not in NOT_FOR_JOBS
        return known[name]

    params = validated("awx_setup", SPEC, {}, given)
    return Setup(params, known, value_of, ENVIRONMENT if environment is None else environment)


def extra_vars(made: Setup) -> dict[str, Data]:
    """By the job templates' last words."""
    templates = [item for item in made.objects() if item.kind == "job_templates"]
    return {item.name.partition(": ")[2]: item.fields["extra_vars"] for item in templates}


def inputs(made: Setup) -> dict[str, Data]:
    return {item.name: item.fields["inputs"] for item in made.objects() if item.kind == "credentials"}


def test_objects_come_after_those_that_they_name():
    names = [f"{item.kind} {item.name}" for item in setup().objects()]
    assert names == [
        "credential_types Bitbucket Data Center",
        "credential_types HashiCorp Vault for the store hashi_vault",
        "credentials Bitbucket tokens",
        "credentials Bitbucket tokens: Vault",
        "execution_environments Bitbucket tokens",
        "projects Bitbucket tokens",
        "inventories Bitbucket tokens",
        "inventory_sources Bitbucket tokens",
        "job_templates Bitbucket tokens: provision",
        "job_templates Bitbucket tokens: rotate",
        "job_templates Bitbucket tokens: audit",
        "job_templates Bitbucket tokens: revoke leaked",
        "schedules Bitbucket tokens: provision daily",
        "schedules Bitbucket tokens: audit daily",
    ]


def test_each_job_gets_what_it_can_use():
    extra = extra_vars(setup())
    assert extra["provision"] == extra["rotate"]
    assert extra["provision"] == {
        "project_tokens_hosts": "all",
        "project_tokens_set": SET,
        "project_tokens_store": "hashi_vault:secret/bitbucket",
        "project_tokens_store_options": {"auth_method": "approle", "role_id": "r-1"},
    }
    # A job on localhost does not see which projects the inventory has, so nothing is declared there.
    assert set(extra["audit"]) == {"project_tokens_store", "project_tokens_store_options"}
    assert extra["revoke leaked"] == {**extra["audit"], "revoke_leaked_reissue": False}


def test_variables_are_passed_on_but_for_credentials_paths_and_what_belongs_to_one_run():
    made = setup({**PLAIN, **NOT_FOR_JOBS})
    assert made.variables.withheld == [
        *sorted({*NOT_FOR_JOBS, "project_tokens_password"}),
        "project_tokens_store_options.secret_id",
    ]
    for extra in extra_vars(made).values():
        assert PLAIN.items() <= extra.items()
        assert not NOT_FOR_JOBS.keys() & extra.keys()


def test_extra_variables_win_in_all_job_templates():
    own = {
        "project_tokens_store_options": {"auth_method": "approle"},
        "project_tokens_hosts": "payments",
        "project_tokens_set": [{"name": "ci", "permissions": "REPO_READ"}],
        "revoke_leaked_reissue": True,
        "notify_channel": "#tokens",
    }
    made = setup({**PLAIN, "notify_channel": "#other", "project_tokens_password": None}, extra_vars=own)
    assert made.variables.withheld == []
    for extra in extra_vars(made).values():
        assert own.items() <= extra.items()


@pytest.mark.parametrize("named", [["PAY", "OPS*"], "PAY, OPS*"], ids=["list", "text"])
def test_named_projects_make_the_audit_compare_and_the_revocation_reissue(named):
    extra = extra_vars(setup(projects=named, repositories=True))
    assert extra["audit"] == extra["revoke leaked"]
    owners = [extra["audit"][f"project_tokens_{kind}"] for kind in ("projects", "repositories")]
    assert owners == [["PAY", "OPS*"], ["PAY/*", "OPS*/*"]]
    assert extra["audit"]["project_tokens_set"] == SET
    # Each host fills in its own key.
    assert extra["provision"]["project_tokens_repositories"] == ["{{ bitbucket_key }}/*"]
    assert "project_tokens_projects" not in extra["provision"]


@pytest.mark.parametrize(
    ("projects", "then"),
    [(["PAY"], "Declared tokens are reissued."), ([], "Run provision next: it reissues declared tokens.")],
)
def test_the_survey_has_the_given_defaults_and_says_what_comes_next(projects, then):
    made = setup({"revoke_leaked_max_revocations": 3, "revoke_leaked_verify": "yes"}, projects=projects)
    surveys = [item.survey for item in made.objects() if item.survey]
    assert [survey["name"] for survey in surveys] == ["Rotate", "Revoke leaked tokens"]
    assert surveys[1]["description"] == f"Revokes the tokens whose secrets leaked. {then}"
    assert {question["variable"]: question.get("default") for question in surveys[1]["spec"]} == {
        "revoke_leaked_text": None,
        "revoke_leaked_files": None,
        "revoke_leaked_verify": "yes",
        "revoke_leaked_max_revocations": "3",
    }


@pytest.mark.parametrize(
    ("environment", "options", "held"),
    [
        (ENVIRONMENT, {}, {"username": "automation", "password": PASSWORD}),
        (ENVIRONMENT, {"bitbucket_token": "t"}, {"token": "t"}),
        (
            {**ENVIRONMENT, "BITBUCKET_TOKEN": "t"},
            {"bitbucket_username": "kim"},
            {"username": "kim", "password": PASSWORD},
        ),
        (ENVIRONMENT, {"bitbucket_ca": "PEM"}, {"username": "automation", "password": PASSWORD, "ca": "PEM"}),
    ],
    ids=["environment", "token", "user name", "certificates"],
)
def test_a_login_in_the_options_hides_the_other_kind_in_the_environment(environment, options, held):
    made = setup(environment=environment, **options)
    assert inputs(made)["Bitbucket tokens"] == {"url": ENVIRONMENT["BITBUCKET_URL"], **held}


def test_secrets_of_notifications_have_a_credential_of_their_own():
    made = setup(notify={"slack_url": "https://hooks.slack.example.com/x"}, credentials=["Theirs"])
    assert inputs(made)["Bitbucket tokens: notifications"] == {"slack_url": "https://hooks.slack.example.com/x"}
    (template, *_more) = [item for item in made.objects() if item.kind == "job_templates"]
    assert template.credentials == [
        "Bitbucket tokens",
        "Bitbucket tokens: Vault",
        "Bitbucket tokens: notifications",
        "Theirs",
    ]


@pytest.mark.parametrize(
    ("login", "options"),
    [
        ({"auth_method": "approle"}, {"vault": {"role_id": "r-1", "secret_id": SECRET_ID}}),
        ({"auth_method": "approle", "role_id": "r-1"}, {"vault": {"secret_id": SECRET_ID}}),
        ({"token": SECRET_ID}, {"vault": {"token": SECRET_ID}}),
        ({"auth_method": "approle"}, {"vault": None, "credentials": ["Theirs"]}),
        (
            {"auth_method": "jwt", "jwt": SECRET_ID},
            {"vault": None, "extra_vars": {"project_tokens_store_options": {"auth_method": "jwt", "jwt": "x"}}},
        ),
    ],
    ids=["approle", "role id in the options", "token", "a credential of theirs", "options of their own"],
)
def test_a_store_that_a_job_can_sign_in_to_is_accepted(login, options):
    assert setup({"project_tokens_store_options": login}, **options).objects()


def test_the_store_may_be_in_the_environment():
    made = setup({"project_tokens_store": None}, {**ENVIRONMENT, "BITBUCKET_TOKEN_STORE": "helper:keep"})
    assert extra_vars(made)["audit"]["project_tokens_store"] == "helper:keep"


@pytest.mark.parametrize(
    ("variables", "options", "environment", "say"),
    [
        ({"project_tokens_store": "file:/etc/ci"}, {}, None, "It is file:/etc/ci."),
        ({"project_tokens_store": "ansible_vault:tokens.yml"}, {}, None, "are deleted when the job ends"),
        ({"project_tokens_store": None}, {}, None, "It is not set."),
        ({}, {"organization": ""}, None, "Set the organization (awx_setup_organization)"),
        ({}, {}, {}, "and Bitbucket (awx_setup_bitbucket_url or BITBUCKET_URL)."),
        ({"project_tokens_set": None}, {}, None, "Set project_tokens_set."),
        ({}, {}, {"BITBUCKET_URL": "https://x"}, "No credential signs a job in to Bitbucket: set awx_setup_bitbucket"),
        ({}, {}, {"BITBUCKET_URL": "https://x", "BITBUCKET_USERNAME": "kim"}, "or awx_setup_bitbucket_token"),
        (
            {},
            {"bitbucket_username": "kim"},
            {"BITBUCKET_URL": "https://x", "BITBUCKET_TOKEN": "of-somebody-else"},
            "No credential signs a job in to Bitbucket",
        ),
        ({"project_tokens_projects": ["PAY"]}, {}, None, "name the projects as `include` in the inventory's file"),
        ({"project_tokens_repositories": []}, {}, None, "On AWX every host of the inventory"),
        (
            {},
            {"vault": {"url": "https://vault.example.com"}},
            None,
            "No credential signs a job in to Vault: set secret_id in awx_setup_vault, or name a credential that "
            "injects VAULT_SECRET_ID in awx_setup_credentials.",
        ),
        (
            {"project_tokens_store_options": {"auth_method": "approle"}},
            {"vault": None},
            None,
            "set role_id and secret_id in awx_setup_vault, or name a credential that injects VAULT_ROLE_ID and VAULT_",
        ),
        ({"project_tokens_store_options": {"token": SECRET_ID}}, {}, None, "that injects VAULT_TOKEN in"),
        ({"project_tokens_store_options": {"auth_method": "jwt", "jwt": SECRET_ID}}, {}, None, "it is jwt."),
        (
            {"project_tokens_store": "awx_credential:{reference}", "project_tokens_store_options": {}},
            {},
            None,
            "set awx_setup_credentials to the name of a credential for AWX itself.",
        ),
    ],
    ids=str,
)
def test_what_a_job_needs_and_lacks_is_one_sentence(variables, options, environment, say):
    with pytest.raises(InputError) as caught:
        setup(variables, environment, **options)
    assert say in str(caught.value)
    assert SECRET_ID not in str(caught.value)
