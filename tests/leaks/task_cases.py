"""The cases that are tasks: modules, and the lookup."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

from tests.doubles.loopback import Answer, Request
from tests.leaks.cases import ADMIN, Data, Table, cut_echoes, echoes, elsewhere, with_userinfo
from tests.leaks.sandbox import CREDENTIALS, WORKSPACE, Scenario

#: Each a whole task; they run one after another in one play.
TASKS = Table()
PREFIX = "tokensmith.bitbucket"
DECLARED = {"name": "ci", "permissions": "REPO_READ", "expires_in_days": 10, "rotate_before_days": 3, "grace_days": 0}
CAPTCHA = "com.atlassian.bitbucket.auth.CaptchaRequiredAuthenticationException"
LEAKED, VARIABLE = "modules/leaked_secret_info", "modules/pipeline_variable"
ONE, SET, INFO = "modules/access_token", "modules/access_token_set", "modules/access_token_info"
API_TOKEN, API_TOKENS = "modules/api_token", "modules/api_token_info"
AUDIT = "modules/access_token_audit"
LOOKUP, COPY, CREDENTIAL = "lookup/secret", "modules/store_copy", "modules/credential_info"
AWX = "modules/awx_setup"


def one(scenario: Scenario, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.access_token": {"project": scenario.key, **login, **DECLARED, **more}}


def many(scenario: Scenario, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.access_token_set": {"projects": [scenario.key], "set": [DECLARED], **login, **more}}


def info(scenario: Scenario, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.access_token_info": {"projects": [scenario.key], **login, **more}}


def audit(scenario: Scenario, login: Data = ADMIN, **more: object) -> Data:
    only = {"projects": [scenario.key], "repositories": [], "users": [], "output_dir": scenario.reports}
    return {f"{PREFIX}.access_token_audit": {**only, **login, **more}}


def credential(secret: str, **more: object) -> Data:
    return {f"{PREFIX}.credential_info": {"secret": secret, **more}}


def copy(scenario: Scenario, **more: object) -> Data:
    named = {"references": [f"{scenario.owner}/tokens/ci"], "source": scenario.file, **more}
    return {f"{PREFIX}.store_copy": named}


def awx_options(scenario: Scenario) -> Data:
    """Options of awx_setup. Everything has a name of its own, so that runs do not meet."""
    return {
        "name": scenario.key,
        "url": scenario.sandbox.awx_url,
        "token": "{{ controller_token }}",
        "organization": "Payments",
        "project_url": "https://git.example.com/tokens.git",
        "image": "registry.example.com/tokens:1",
        "bitbucket_url": scenario.sandbox.url,
        "bitbucket_username": "automation",
        "bitbucket_password": "{{ password }}",
        "vault": {"url": scenario.sandbox.vault_url, "token": "{{ vault_token }}"},
    }


def awx_variables(scenario: Scenario) -> Data:
    """Variables for jobs. Neither of the passwords is for a job template, where everybody could read it."""
    declared = {"project_tokens_set": [{"name": "ci", "permissions": "PROJECT_READ", "expires_in_days": 90}]}
    options = {"project_tokens_store": scenario.hashi, "project_tokens_store_options": scenario.hashi_options}
    withheld = {"project_tokens_password": "{{ password }}", "notify_mail_password": "{{ password }}"}
    return {**declared, **options, **withheld}


def awx(scenario: Scenario, **more: object) -> Data:
    options = {**awx_options(scenario), "update_secrets": True, **more}
    return {f"{PREFIX}.awx_setup": options, "vars": awx_variables(scenario)}


def looked_up(scenario: Scenario, reference: str, store: str, **options: object) -> Data:
    given = ", ".join(f"{name}={value!r}" for name, value in {"store": store, **options}.items())
    query = f"lookup('{PREFIX}.secret', '{reference}', {given})"
    return {"ansible.builtin.assert": {"that": [f"{query} is string"]}}


def repeats(request: Request) -> Answer:
    """A service that quotes all it was sent, as some do in what they refuse."""
    quoted = json.dumps({"headers": request.headers, "body": request.body})
    return Answer(400, {"errors": [quoted], "detail": quoted, "warnings": [quoted]})


def refuses_writes(request: Request) -> Answer | None:
    asks = "capabilities" in request.path
    return repeats(request) if request.method in ("POST", "PUT", "PATCH") and not asks else None


def seals(request: Request) -> Answer | None:
    return Answer(503, {"errors": ["Vault is sealed"]}) if request.method in ("POST", "PUT") else None


def found(scenario: Scenario, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.leaked_secret_info": {"projects": [scenario.key], **login, **more}}


def variable(scenario: Scenario, **more: object) -> Data:
    login = {"email": "{{ email }}", "api_token": "{{ api_token }}", "api_url": scenario.sandbox.cloud_url}
    place = {
        "workspace": WORKSPACE,
        "repository": scenario.key.lower(),
        "key": "TOKEN",
        "value": "{{ pipeline_value }}",
    }
    return {f"{PREFIX}.pipeline_variable": {**login, **place, **more}}


def api_tokens(scenario: Scenario, **more: object) -> Data:
    return {f"{PREFIX}.api_token_info": {**_administrator(scenario), "organization": "{{ organization }}", **more}}


def api_token(scenario: Scenario, **more: object) -> Data:
    """Of the token with the scenario's own label, which is made here."""
    account = scenario.sandbox.cloud.model.accounts["ada"]
    scenario.sandbox.cloud.add_api_token(account, scenario.key)
    named = {"account_id": "{{ account_id }}", "label": scenario.key}
    return {f"{PREFIX}.api_token": {**_administrator(scenario), **named, **more}}


def _administrator(scenario: Scenario) -> Data:
    return {"admin_api_key": "{{ admin_api_key }}", "admin_url": scenario.sandbox.cloud_url}


# What works


@TASKS.works(ONE, returns=True)
def returns_the_secret_where_no_store_is_set(scenario: Scenario) -> Data:
    return {**one(scenario), "register": "returned"}


@TASKS.works(ONE)
def returns_it_under_no_log(scenario: Scenario) -> Data:
    return {**one(scenario), "no_log": True}


@TASKS.works(ONE)
def delivers_to_a_file(scenario: Scenario) -> Data:
    return one(scenario, store=scenario.file)


@TASKS.works(ONE)
def rotates_in_a_file_and_registers(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return {**one(scenario, store=scenario.file), "register": "delivered"}


@TASKS.works(ONE)
def shows_what_was_registered(scenario: Scenario) -> Data:
    return {"ansible.builtin.debug": {"var": "delivered"}}


@TASKS.works(ONE)
def caches_it_as_a_fact(scenario: Scenario) -> Data:
    return {"ansible.builtin.set_fact": {"delivered_fact": "{{ delivered }}", "cacheable": True}}


@TASKS.works(ONE)
def signs_in_with_a_bearer_from_a_variable(scenario: Scenario) -> Data:
    return one(scenario, {"token": "{{ bearer }}"}, store=scenario.vaulted)


@TASKS.works(ONE, environment=True)
def signs_in_with_the_environment(scenario: Scenario) -> Data:
    return one(scenario, {}, store=scenario.vaulted)


@TASKS.works(ONE)
def predicts(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return {**one(scenario, store=scenario.file), "check_mode": True}


@TASKS.works(ONE)
def loops_over_names(scenario: Scenario) -> Data:
    return {**one(scenario, name="{{ item }}", store=scenario.vaulted), "loop": ["one", "two"]}


@TASKS.works(ONE)
def loops_over_secrets_under_no_log(scenario: Scenario) -> Data:
    tokens = [scenario.plant().secret, scenario.plant().secret]
    task = one(scenario, state="absent", secret="{{ item }}", name=None, permissions=None)
    return {**task, "loop": scenario.variable("tokens", tokens), "no_log": True}


@TASKS.works(ONE)
def revokes_by_the_secret(scenario: Scenario) -> Data:
    secret = scenario.variable("secret", scenario.plant().secret)
    return one(scenario, state="absent", secret=secret, name=None, permissions=None)


@TASKS.works(SET, returns=True)
def a_set_returns_secrets_where_no_store_is_set(scenario: Scenario) -> Data:
    return many(scenario)


@TASKS.works(SET)
def a_set_goes_to_a_vaulted_file(scenario: Scenario) -> Data:
    scenario.plant()
    return many(scenario, store=scenario.vaulted, missing_secret="reissue", prune=["old-*"])


@TASKS.works(SET)
def a_set_goes_to_vault(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@TASKS.works(SET)
def a_set_goes_to_vault_by_an_approle(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.hashi, store_options=scenario.hashi_by_approle)


@TASKS.works(SET)
def a_set_goes_to_vault_by_a_jwt(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.hashi, store_options=scenario.hashi_by_jwt)


@TASKS.works(SET)
def a_set_goes_to_the_controller(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.controller, store_options=scenario.controller_options)


@TASKS.works(SET)
def a_set_goes_to_a_helper(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.helper())


@TASKS.works(INFO)
def lists_tokens(scenario: Scenario) -> Data:
    scenario.plant()
    return info(scenario)


@TASKS.works(INFO)
def lists_tokens_in_the_background(scenario: Scenario) -> Data:
    return {**info(scenario), "async": 60, "poll": 1}


@TASKS.works(CREDENTIAL)
def tells_a_token_by_its_shape(scenario: Scenario) -> Data:
    return credential(scenario.variable("secret", scenario.plant().secret))


@TASKS.works(CREDENTIAL)
def tells_that_a_token_works(scenario: Scenario) -> Data:
    return credential(scenario.variable("secret", scenario.plant().secret), verify=True)


@TASKS.works(CREDENTIAL)
def tells_that_a_password_works(scenario: Scenario) -> Data:
    return credential("{{ password }}", username="admin", verify=True)


@TASKS.works(CREDENTIAL)
def tells_that_a_token_does_not_work(scenario: Scenario) -> Data:
    return credential("{{ nobodys_token }}", verify=True)


@TASKS.works(COPY)
def copies_to_a_vaulted_file(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return copy(scenario, destination=scenario.vaulted)


@TASKS.works(COPY)
def copies_to_vault(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return copy(scenario, destination=scenario.hashi, destination_options=scenario.hashi_options)


@TASKS.works(AWX)
def credentials_in_awx(scenario: Scenario) -> Data:
    return awx(scenario)


@TASKS.works(LOOKUP)
def looks_a_secret_up(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return looked_up(scenario, f"{scenario.owner}/tokens/ci", scenario.file)


@TASKS.works(LOOKUP)
def shows_a_secret_under_no_log(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    query = f"lookup('{PREFIX}.secret', '{scenario.owner}/tokens/ci', store='{scenario.file}')"
    return {"ansible.builtin.debug": {"msg": f"{{{{ {query} }}}}"}, "no_log": True}


@TASKS.works(LEAKED)
def finds_secrets_in_a_text(scenario: Scenario) -> Data:
    tokens = [scenario.plant().secret, CREDENTIALS["cloud_token"], CREDENTIALS["nobodys_token"]]
    return found(scenario, text=scenario.variable("text", " and ".join(tokens)), verify=True)


@TASKS.works(LEAKED)
def finds_secrets_in_files(scenario: Scenario) -> Data:
    return found(scenario, files=[scenario.leaked(scenario.plant().secret)])


@TASKS.works(VARIABLE)
def sets_a_variable(scenario: Scenario) -> Data:
    return variable(scenario)


@TASKS.works(VARIABLE)
def sets_a_variable_that_is_not_secured(scenario: Scenario) -> Data:
    return variable(scenario, secured=False)


@TASKS.works(VARIABLE)
def predicts_a_variable(scenario: Scenario) -> Data:
    return {**variable(scenario), "check_mode": True}


@TASKS.works(API_TOKENS)
def lists_api_tokens(scenario: Scenario) -> Data:
    return api_tokens(scenario)


@TASKS.works(API_TOKEN)
def asserts_an_api_token(scenario: Scenario) -> Data:
    return api_token(scenario)


@TASKS.works(API_TOKEN)
def revokes_an_api_token(scenario: Scenario) -> Data:
    return api_token(scenario, state="absent")


@TASKS.works(CREDENTIAL)
def tells_that_a_token_works_in_the_cloud(scenario: Scenario) -> Data:
    return credential("{{ api_token }}", email="{{ email }}", api_url=scenario.sandbox.cloud_url, verify=True)


# A server that says no, and more than it should


@TASKS.fails(ONE, says="password is wrong")
def a_wrong_password(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_user("somebody", roles=("ADMIN",))
    return one(scenario, {"username": "somebody", "password": "{{ wrong_password }}"}, store=scenario.file)


@TASKS.fails(ONE, says="token is wrong")
def a_wrong_token(scenario: Scenario) -> Data:
    return one(scenario, {"token": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="CAPTCHA")
def a_captcha_that_quotes_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", status=403, exception_name=CAPTCHA, message=echoes(CREDENTIALS["password"]))
    return one(scenario, store=scenario.file)


@TASKS.fails(ONE, says="not permitted")
def a_403_that_quotes_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", status=403, message=echoes(CREDENTIALS["password"]), body="message")
    return one(scenario, store=scenario.file)


@TASKS.fails(ONE, says="The server said")
def a_401_that_quotes_the_bearer(scenario: Scenario) -> Data:
    scenario.arm("status", status=401, message=echoes(CREDENTIALS["bearer"]))
    return one(scenario, {"token": "{{ bearer }}"}, store=scenario.file)


@TASKS.fails(ONE)
def a_404_that_quotes_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", status=404, message=echoes(CREDENTIALS["password"]))
    return one(scenario)


@TASKS.fails(ONE, says="does not exist")
def a_project_that_is_not_there(scenario: Scenario) -> Data:
    return one(scenario, project="NOSUCH")


@TASKS.fails(ONE, says="Received")
def a_400_that_quotes_the_header(scenario: Scenario) -> Data:
    login = base64.b64encode(f"admin:{CREDENTIALS['password']}".encode()).decode()
    scenario.arm("status", method="PUT", status=400, message=echoes(login))
    return one(scenario, store=scenario.file)


@TASKS.fails(ONE, says="Received")
def a_400_that_quotes_the_password_in_base64(scenario: Scenario) -> Data:
    scenario.arm("status", method="PUT", status=400, message=echoes(_base64(CREDENTIALS["password"])))
    return one(scenario, store=scenario.file)


@TASKS.fails(ONE, says="Received")
def a_page_that_quotes_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", method="PUT", status=400, body="html", message=echoes(CREDENTIALS["password"]))
    return one(scenario)


@TASKS.fails(SET, says="Received")
def a_page_that_quotes_the_bearer(scenario: Scenario) -> Data:
    scenario.arm("status", method="PUT", status=400, body="html", message=echoes(CREDENTIALS["bearer"]))
    return many(scenario, {"token": "{{ bearer }}"}, store=scenario.file)


@TASKS.fails(ONE, says="The server said")
def a_gateway_that_quotes_an_issued_secret(scenario: Scenario) -> Data:
    token = scenario.plant()
    scenario.arm("status", method="PUT", status=400, message=f"upstream said: {{'token': '{token.secret}'}}")
    return one(scenario, state="present", missing_secret="reissue", store=scenario.file)


@TASKS.fails(ONE)
def a_login_page_in_place_of_json(scenario: Scenario) -> Data:
    scenario.arm("html")
    return one(scenario)


@TASKS.fails(ONE, says="redirects")
def a_redirect_with_credentials(scenario: Scenario) -> Data:
    scenario.arm("redirect", location=elsewhere(CREDENTIALS["password"]))
    return one(scenario, store=scenario.file)


@TASKS.fails(SET, says="redirects")
def a_redirect_with_a_bearer(scenario: Scenario) -> Data:
    scenario.arm("redirect", location=elsewhere(CREDENTIALS["bearer"]))
    return many(scenario, {"token": "{{ bearer }}"})


@TASKS.fails(ONE)
def an_answer_cut_in_the_secret(scenario: Scenario) -> Data:
    scenario.arm("cut_json", method="PUT", at="in_secret")
    return one(scenario)


@TASKS.fails(SET)
def a_broken_answer_with_half_a_secret(scenario: Scenario) -> Data:
    scenario.arm("broken_json", method="PUT", at="in_secret")
    return many(scenario, store=scenario.file)


@TASKS.fails(ONE)
def a_secret_of_another_token(scenario: Scenario) -> Data:
    scenario.arm("wrong_secret", method="PUT", secret="other_id")
    return one(scenario, store=scenario.file)


@TASKS.works(ONE)
def an_answer_that_is_lost_once(scenario: Scenario) -> Data:
    scenario.arm("drop_after", method="PUT", times=1)
    return one(scenario, store=scenario.file)


@TASKS.works(SET)
def a_gateway_that_fails_once_after_the_create(scenario: Scenario) -> Data:
    scenario.arm("status", status=502, when="after", method="PUT", times=1, message=echoes(CREDENTIALS["password"]))
    return many(scenario, store=scenario.vaulted)


@TASKS.works(ONE)
def a_rate_limit_that_ends(scenario: Scenario) -> Data:
    scenario.arm("status", status=429, retry_after=1, times=1, message=echoes(CREDENTIALS["password"]))
    return one(scenario, store=scenario.file)


@TASKS.fails(ONE)
def answers_that_are_all_lost(scenario: Scenario) -> Data:
    scenario.arm("drop_after", method="PUT")
    return one(scenario, store=scenario.file)


@TASKS.fails(SET)
def a_gateway_that_fails_after_each_create(scenario: Scenario) -> Data:
    scenario.arm("status", status=503, when="after", method="PUT", message=echoes(CREDENTIALS["password"]))
    return many(scenario, store=scenario.file)


@TASKS.fails(ONE)
def connections_that_are_all_cut(scenario: Scenario) -> Data:
    scenario.arm("drop_before")
    return one(scenario, store=scenario.file)


@TASKS.fails(ONE, says="No connection to ")
def a_port_that_nobody_listens_on(scenario: Scenario) -> Data:
    return one(scenario, url="http://127.0.0.1:1", store=scenario.file)


@TASKS.fails(SET, says="certificate")
def a_certificate_that_nobody_trusts(scenario: Scenario) -> Data:
    return many(scenario, url=scenario.sandbox.tls_url, store=scenario.file)


@TASKS.fails(INFO, says="does not exist")
def certificates_that_are_not_there(scenario: Scenario) -> Data:
    return info(scenario, url=scenario.sandbox.tls_url, ca_path=f"{scenario.reports}/none.pem")


@TASKS.works(ONE)
def a_certificate_of_a_ca_that_is_named(scenario: Scenario) -> Data:
    return one(scenario, url=scenario.sandbox.tls_url, ca_path=scenario.sandbox.certificates.ca, store=scenario.file)


@TASKS.works(AUDIT)
def writes_reports(scenario: Scenario) -> Data:
    scenario.plant()
    return audit(scenario)


@TASKS.fails(AUDIT, says="Findings of severity medium or worse")
def finds_something(scenario: Scenario) -> Data:
    scenario.plant()
    return audit(scenario, {"token": "{{ bearer }}"}, fail_on="medium")


@TASKS.fails(AUDIT, says="Received")
def an_audit_of_a_server_that_quotes_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return audit(scenario)


@TASKS.fails(AUDIT, says="redirects")
def an_audit_that_is_redirected(scenario: Scenario) -> Data:
    scenario.arm("redirect", location=elsewhere(CREDENTIALS["password"]))
    return audit(scenario)


@TASKS.fails(AUDIT)
def an_audit_with_the_password_in_the_url(scenario: Scenario) -> Data:
    return audit(scenario, url=scenario.variable("url", with_userinfo(scenario.sandbox.url)))


@TASKS.fails(INFO, says="Received")
def a_listing_that_quotes_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return info(scenario)


@TASKS.fails(INFO, says="withheld")
def a_listing_that_quotes_parts_of_the_password(scenario: Scenario) -> Data:
    scenario.arm("status", status=400, message=cut_echoes(CREDENTIALS["password"]))
    return info(scenario)


# Of some tokens a part is so common that the whole message is withheld.
@TASKS.fails(INFO, says="The server said: ")
def a_listing_that_quotes_parts_of_a_token(scenario: Scenario) -> Data:
    token = scenario.plant().secret
    scenario.arm("status", status=400, message=cut_echoes(token))
    return info(scenario, {"token": scenario.variable("token", token)})


@TASKS.fails(INFO, says="password is wrong")
def a_listing_with_a_wrong_password(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_user("anybody", roles=("ADMIN",))
    return info(scenario, {"username": "anybody", "password": "{{ wrong_password }}"})


@TASKS.fails(CREDENTIAL, says="Bitbucket Cloud")
def a_secret_of_cloud_is_not_sent_to_data_center(scenario: Scenario) -> Data:
    return credential("{{ cloud_token }}", verify=True)


@TASKS.fails(CREDENTIAL, says="http://")
def a_credential_is_not_sent_in_the_clear(scenario: Scenario) -> Data:
    return credential("{{ nobodys_token }}", verify=True, url="http://bitbucket.example.com")


@TASKS.fails(LEAKED, says="password is wrong")
def a_search_with_a_wrong_password(scenario: Scenario) -> Data:
    scenario.sandbox.sim.add_user("everybody", roles=("ADMIN",))
    login = {"username": "everybody", "password": "{{ wrong_password }}"}
    return found(scenario, login, text=scenario.variable("text", scenario.plant().secret))


@TASKS.works(LEAKED)
def a_search_on_a_server_that_quotes(scenario: Scenario) -> Data:
    token = scenario.plant()
    scenario.arm("status", status=400, message=f"{echoes(CREDENTIALS['password'])} {echoes(token.secret)}")
    return found(scenario, files=[scenario.leaked(token.secret)])


@TASKS.fails(LEAKED, says="nothing to search")
def a_search_for_nothing(scenario: Scenario) -> Data:
    return found(scenario)


@TASKS.fails(VARIABLE)
def a_cloud_that_quotes(scenario: Scenario) -> Data:
    token = scenario.sandbox.variables["api_token"]
    scenario.arm_cloud("status", status=400, message=echoes(token))
    return variable(scenario)


@TASKS.fails(VARIABLE, says="Received")
def a_cloud_that_quotes_the_value_it_shall_create(scenario: Scenario) -> Data:
    scenario.arm_cloud("status", method="POST", status=400, message=echoes(CREDENTIALS["pipeline_value"]))
    return variable(scenario)


@TASKS.fails(VARIABLE, says="Received")
def a_cloud_that_quotes_the_value_it_shall_replace(scenario: Scenario) -> Data:
    scenario.sandbox.cloud.add_variable(f"{WORKSPACE}/{scenario.key.lower()}", "TOKEN", "before")
    scenario.arm_cloud("status", method="PUT", status=400, message=echoes(CREDENTIALS["pipeline_value"]))
    return variable(scenario, update_secret="always")


@TASKS.fails(VARIABLE)
def a_cloud_that_redirects_with_credentials(scenario: Scenario) -> Data:
    scenario.arm_cloud("redirect", location=elsewhere(scenario.sandbox.variables["api_token"]))
    return variable(scenario)


@TASKS.fails(VARIABLE)
def a_wrong_token_in_the_cloud(scenario: Scenario) -> Data:
    return variable(scenario, api_token="{{ cloud_token }}")


@TASKS.fails(VARIABLE)
def a_variable_of_an_environment_that_is_not_there(scenario: Scenario) -> Data:
    return variable(scenario, environment="Nowhere")


@TASKS.fails(VARIABLE)
def a_value_that_is_missing(scenario: Scenario) -> Data:
    return variable(scenario, value=None)


@TASKS.fails(VARIABLE)
def an_address_of_the_cloud_with_a_credential(scenario: Scenario) -> Data:
    return variable(scenario, api_url=scenario.variable("url", with_userinfo(scenario.sandbox.cloud_url)))


@TASKS.fails(API_TOKENS, says="does not accept this key")
def a_wrong_key_of_an_organization(scenario: Scenario) -> Data:
    return api_tokens(scenario, admin_api_key="{{ nobodys_token }}")


@TASKS.fails(API_TOKENS, says="is an API token")
def an_api_token_in_place_of_the_key(scenario: Scenario) -> Data:
    return api_tokens(scenario, admin_api_key="{{ api_token }}")


@TASKS.fails(API_TOKENS, says="status 400")
def an_administration_that_quotes(scenario: Scenario) -> Data:
    key = scenario.sandbox.variables["admin_api_key"]
    scenario.sandbox.cloud.faults.arm(
        "status", path=f"/orgs/{scenario.key}/", status=400, message=echoes(key), times=None
    )
    return api_tokens(scenario, organization=scenario.key)


@TASKS.fails(API_TOKEN, says="No API creates API tokens")
def an_api_token_that_is_not_there(scenario: Scenario) -> Data:
    return api_token(scenario, label="nobodys")


@TASKS.fails(API_TOKEN)
def the_key_also_in_the_address(scenario: Scenario) -> Data:
    return api_token(scenario, admin_url=scenario.variable("url", with_userinfo(scenario.sandbox.cloud_url)))


# Stores that fail


@TASKS.fails(ONE, says="cannot be")
def a_directory_that_vanishes_before_the_write(scenario: Scenario) -> Data:
    place = Path(scenario.file.partition(":")[2])
    scenario.arm("call", method="PUT", when="after", times=1, run=lambda: shutil.rmtree(place))
    return one(scenario, store=scenario.file)


@TASKS.fails(SET, says="cannot be decrypted")
def a_file_of_another_vault_password(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.encrypted_by_another())


@TASKS.fails(SET, says="does not exist")
def a_directory_that_is_not_there(scenario: Scenario) -> Data:
    return many(scenario, store="file:/no/such/directory")


@TASKS.fails(SET, says="revoke it manually")
def the_server_and_the_store_fail_at_once(scenario: Scenario) -> Data:
    scenario.arm("wrong_secret", method="PUT", secret="other_id")
    scenario.arm("status", method="DELETE", status=500, message=echoes(CREDENTIALS["password"]))
    return many(scenario, store=scenario.file)


def _helper(kind: str) -> None:
    @TASKS.fails(ONE, says="is not known")
    def a_helper_that(scenario: Scenario) -> Data:
        return one(scenario, store=scenario.helper(kind))

    @TASKS.fails(LOOKUP)
    def a_lookup_by_a_helper_that(scenario: Scenario) -> Data:
        return looked_up(scenario, f"{scenario.owner}/tokens/ci", scenario.helper(kind))


for kind in ("shouts", "echoes", "complains"):
    _helper(kind)


@TASKS.fails(ONE, says="is not known")
def vault_quotes_what_it_refuses(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"/{scenario.key}/"] = refuses_writes
    return one(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@TASKS.fails(SET, says="is sealed")
def vault_is_sealed_before_the_write(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"/data/{scenario.key}/"] = seals
    return many(scenario, store=scenario.hashi, store_options=scenario.hashi_options)


@TASKS.fails(ONE, says="does not permit")
def vault_does_not_know_the_token(scenario: Scenario) -> Data:
    return one(scenario, store=scenario.hashi, store_options={**scenario.hashi_options, "token": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="refused to log in")
def vault_quotes_a_login_that_it_refuses(scenario: Scenario) -> Data:
    login = {"auth_method": "approle", "role_id": "somebody", "secret_id": "{{ nobodys_token }}"}
    return one(scenario, store=scenario.hashi, store_options={"url": scenario.sandbox.vault_url, **login})


@TASKS.fails(SET, says="refused to log in with this role")
def vault_does_not_know_the_secret_id(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.hashi, store_options={**scenario.hashi_by_approle, "role_id": "another"})


@TASKS.fails(SET, says="refused to log in with this JWT")
def vault_does_not_know_the_jwt(scenario: Scenario) -> Data:
    return many(scenario, store=scenario.hashi, store_options={**scenario.hashi_by_jwt, "role": "another"})


@TASKS.fails(ONE, says="status 400")
def the_controller_quotes_what_it_refuses(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[f"{scenario.owner}/tokens/ci"] = refuses_writes
    return one(scenario, store=scenario.controller, store_options=scenario.controller_options)


@TASKS.fails(SET, says="refuses this login")
def the_controller_does_not_know_the_token(scenario: Scenario) -> Data:
    options = {**scenario.controller_options, "token": "{{ nobodys_token }}"}
    return many(scenario, store=scenario.controller, store_options=options)


@TASKS.fails(COPY, says="is not known")
def a_copy_to_a_vault_that_quotes(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    scenario.sandbox.spoilt[f"/{scenario.key}/"] = refuses_writes
    return copy(scenario, destination=scenario.hashi, destination_options=scenario.hashi_options)


@TASKS.fails(COPY, says="is not known")
def a_copy_to_a_helper_that_shouts(scenario: Scenario) -> Data:
    scenario.keep(scenario.plant())
    return copy(scenario, destination=scenario.helper("shouts"))


@TASKS.fails(AWX, says="with status 400")
def an_awx_that_quotes(scenario: Scenario) -> Data:
    scenario.sandbox.spoilt[scenario.key] = refuses_writes
    return awx(scenario)


@TASKS.fails(AWX, says="refuses this login")
def a_wrong_token_for_awx(scenario: Scenario) -> Data:
    return awx(scenario, token="{{ nobodys_token }}")


@TASKS.fails(LOOKUP, says="holds no secret")
def a_lookup_of_nothing(scenario: Scenario) -> Data:
    return looked_up(scenario, "projects/NOSUCH/tokens/ci", scenario.file)


# What cannot be right


@TASKS.fails(ONE, says="KIND:PLACE")
def a_secret_for_a_store(scenario: Scenario) -> Data:
    return one(scenario, store="{{ wrong_password }}")


@TASKS.fails(ONE)
def a_secret_for_the_options_of_a_store(scenario: Scenario) -> Data:
    return one(scenario, store=scenario.hashi, store_options="{{ vault_token }}")


@TASKS.fails(ONE, says="has no tokn")
def an_option_of_a_store_spelt_wrongly(scenario: Scenario) -> Data:
    return one(
        scenario, store=scenario.hashi, store_options={"url": scenario.sandbox.vault_url, "tokn": "{{ nobodys_token }}"}
    )


@TASKS.fails(ONE, says="must be a number")
def a_secret_for_a_time_limit_of_a_store(scenario: Scenario) -> Data:
    return one(scenario, store=scenario.file, store_options={"lock_timeout": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="Unsupported parameters")
def an_option_spelt_wrongly(scenario: Scenario) -> Data:
    return one(scenario, {"username": "admin", "pasword": "{{ password }}"}, store=scenario.file)


@TASKS.fails(ONE, says="Unsupported parameters")
def an_option_spelt_wrongly_where_no_store_is_set(scenario: Scenario) -> Data:
    return one(scenario, {"username": "admin", "pasword": "{{ password }}"})


@TASKS.fails(SET, says="pasword")
def an_option_of_an_entry_spelt_wrongly(scenario: Scenario) -> Data:
    return many(scenario, set=[{**DECLARED, "pasword": "{{ password }}"}], store=scenario.file)


@TASKS.fails(ONE)
def the_token_also_in_place_of_a_number(scenario: Scenario) -> Data:
    return one(scenario, {"token": "{{ nobodys_token }}"}, timeout="{{ nobodys_token }}")


@TASKS.fails(ONE)
def the_token_also_in_place_of_a_choice(scenario: Scenario) -> Data:
    return one(scenario, {"token": "{{ nobodys_token }}"}, missing_secret="{{ nobodys_token }}")


@TASKS.fails(ONE)
def the_token_also_in_place_of_a_choice_where_a_store_is_set(scenario: Scenario) -> Data:
    return one(scenario, {"token": "{{ nobodys_token }}"}, missing_secret="{{ nobodys_token }}", store=scenario.file)


@TASKS.fails(ONE)
def the_password_also_in_the_url(scenario: Scenario) -> Data:
    return one(scenario, url=scenario.variable("url", with_userinfo(scenario.sandbox.url)), store=scenario.file)


@TASKS.fails(INFO)
def a_listing_with_the_password_in_the_url(scenario: Scenario) -> Data:
    return info(scenario, url=scenario.variable("url", with_userinfo(scenario.sandbox.url)))


@TASKS.fails(CREDENTIAL, says="plain base URL")
def a_look_at_a_credential_with_the_password_in_the_url(scenario: Scenario) -> Data:
    return credential(
        "{{ nobodys_token }}", verify=True, url=scenario.variable("url", with_userinfo(scenario.sandbox.url))
    )


@TASKS.fails(ONE)
def a_mapping_in_place_of_a_password(scenario: Scenario) -> Data:
    return one(scenario, {"username": "admin", "password": {"value": "{{ wrong_password }}"}})


@TASKS.fails(SET)
def a_list_in_place_of_a_token(scenario: Scenario) -> Data:
    return many(scenario, {"token": ["{{ nobodys_token }}", "{{ wrong_password }}"]})


@TASKS.fails(INFO)
def a_mapping_in_place_of_a_token(scenario: Scenario) -> Data:
    return info(scenario, {"token": {"value": "{{ nobodys_token }}"}})


@TASKS.fails(CREDENTIAL)
def a_list_in_place_of_a_secret(scenario: Scenario) -> Data:
    return credential(scenario.variable("secrets", [CREDENTIALS["cloud_token"]]), verify=True, url="nowhere")


@TASKS.fails(COPY, says="has no such option")
def a_secret_in_place_of_the_options_of_the_source(scenario: Scenario) -> Data:
    return copy(scenario, destination=scenario.vaulted, source_options="{{ nobodys_token }}")


@TASKS.fails(COPY)
def a_secret_in_place_of_a_reference(scenario: Scenario) -> Data:
    return copy(
        scenario, destination=scenario.vaulted, references=[scenario.variable("secret", scenario.plant().secret)]
    )


@TASKS.fails(ONE)
def a_template_that_fails_beside_the_password(scenario: Scenario) -> Data:
    return one(scenario, {"username": "admin", "password": "{{ password }}{{ password.nothing_there }}"})


@TASKS.fails(ONE)
def a_filter_that_fails_on_the_password(scenario: Scenario) -> Data:
    return one(scenario, {"username": "admin", "password": "{{ (password | from_json).value }}"})


@TASKS.fails(SET)
def a_template_that_fails_in_overrides(scenario: Scenario) -> Data:
    overrides = {scenario.key: [{"name": "ci", "permissions": "{{ password | int / 0 }}"}]}
    return many(scenario, overrides=overrides, store=scenario.file)


@TASKS.fails(SET, says="must be a list of tokens")
def a_secret_in_place_of_overrides(scenario: Scenario) -> Data:
    return many(scenario, overrides={scenario.key: "{{ password }}"}, store=scenario.file)


@TASKS.fails(ONE)
def a_task_in_the_background(scenario: Scenario) -> Data:
    return {**one(scenario, store=scenario.file), "async": 60, "poll": 1}


@TASKS.fails(ONE)
def a_task_in_the_background_that_would_return_a_secret(scenario: Scenario) -> Data:
    return {**one(scenario), "async": 60, "poll": 1}


@TASKS.fails(ONE)
def a_host_that_cannot_be_reached(scenario: Scenario) -> Data:
    return {**one(scenario), "delegate_to": "gone"}


@TASKS.works(ONE)
def a_host_that_cannot_be_reached_and_is_not_needed_for_a_store(scenario: Scenario) -> Data:
    return {**one(scenario, store=scenario.file), "delegate_to": "gone"}


@TASKS.fails(INFO)
def a_listing_on_a_host_that_cannot_be_reached(scenario: Scenario) -> Data:
    return {**info(scenario), "delegate_to": "gone"}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@TASKS.works(INFO)
def lists_tokens_to_a_file(scenario: Scenario) -> Data:
    scenario.plant()
    return info(scenario, output_file=f"{scenario.reports}.csv")
