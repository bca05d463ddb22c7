"""The cases that are tasks: modules, and the lookup."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

from tests.doubles.loopback import Answer, Request
from tests.leaks.cases import ADMIN, Data, Table, cut_echoes, echoes, elsewhere, with_userinfo
from tests.leaks.stage import CREDENTIALS, WORKSPACE, Scene

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
OBJECTS = "modules/awx_objects"


def one(scene: Scene, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.access_token": {"project": scene.key, **login, **DECLARED, **more}}


def many(scene: Scene, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.access_token_set": {"projects": [scene.key], "set": [DECLARED], **login, **more}}


def info(scene: Scene, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.access_token_info": {"projects": [scene.key], **login, **more}}


def audit(scene: Scene, login: Data = ADMIN, **more: object) -> Data:
    only = {"projects": [scene.key], "repositories": [], "users": [], "output_dir": scene.reports}
    return {f"{PREFIX}.access_token_audit": {**only, **login, **more}}


def credential(secret: str, **more: object) -> Data:
    return {f"{PREFIX}.credential_info": {"secret": secret, **more}}


def copy(scene: Scene, **more: object) -> Data:
    named = {"references": [f"{scene.owner}/tokens/ci"], "source": scene.file, **more}
    return {f"{PREFIX}.store_copy": named}


def objects(scene: Scene, login: Data | None = None, **inputs: object) -> Data:
    """A credential in AWX that holds secrets, of the one type that its double has from the start."""
    fields = {"organization": "Payments", "credential_type": "Bitbucket Data Center HTTP Access Token"}
    wanted = {"kind": "credentials", "name": scene.key, "fields": {**fields, "inputs": inputs}}
    login = {"token": "{{ controller_token }}"} if login is None else login
    return {f"{PREFIX}.awx_objects": {"url": scene.stage.awx_url, "objects": [wanted], "update_secrets": True, **login}}


def looked_up(scene: Scene, reference: str, store: str, **options: object) -> Data:
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


def found(scene: Scene, login: Data = ADMIN, **more: object) -> Data:
    return {f"{PREFIX}.leaked_secret_info": {"projects": [scene.key], **login, **more}}


def variable(scene: Scene, **more: object) -> Data:
    login = {"email": "{{ email }}", "api_token": "{{ api_token }}", "api_url": scene.stage.cloud_url}
    place = {"workspace": WORKSPACE, "repository": scene.key.lower(), "key": "TOKEN", "value": "{{ pipeline_value }}"}
    return {f"{PREFIX}.pipeline_variable": {**login, **place, **more}}


def api_tokens(scene: Scene, **more: object) -> Data:
    return {f"{PREFIX}.api_token_info": {**_administrator(scene), "organization": "{{ organization }}", **more}}


def api_token(scene: Scene, **more: object) -> Data:
    """Of the token with the scene's own label, which is made here."""
    account = scene.stage.cloud.world.accounts["ada"]
    scene.stage.cloud.add_api_token(account, scene.key)
    named = {"account_id": "{{ account_id }}", "label": scene.key}
    return {f"{PREFIX}.api_token": {**_administrator(scene), **named, **more}}


def _administrator(scene: Scene) -> Data:
    return {"admin_api_key": "{{ admin_api_key }}", "admin_url": scene.stage.cloud_url}


# What works


@TASKS.works(ONE, returns=True)
def returns_the_secret_where_no_store_is_set(scene: Scene) -> Data:
    return {**one(scene), "register": "returned"}


@TASKS.works(ONE)
def returns_it_under_no_log(scene: Scene) -> Data:
    return {**one(scene), "no_log": True}


@TASKS.works(ONE)
def delivers_to_a_file(scene: Scene) -> Data:
    return one(scene, store=scene.file)


@TASKS.works(ONE)
def rotates_in_a_file_and_registers(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return {**one(scene, store=scene.file), "register": "delivered"}


@TASKS.works(ONE)
def shows_what_was_registered(scene: Scene) -> Data:
    return {"ansible.builtin.debug": {"var": "delivered"}}


@TASKS.works(ONE)
def caches_it_as_a_fact(scene: Scene) -> Data:
    return {"ansible.builtin.set_fact": {"delivered_fact": "{{ delivered }}", "cacheable": True}}


@TASKS.works(ONE)
def signs_in_with_a_bearer_from_a_variable(scene: Scene) -> Data:
    return one(scene, {"token": "{{ bearer }}"}, store=scene.vaulted)


@TASKS.works(ONE, environment=True)
def signs_in_with_the_environment(scene: Scene) -> Data:
    return one(scene, {}, store=scene.vaulted)


@TASKS.works(ONE)
def predicts(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return {**one(scene, store=scene.file), "check_mode": True}


@TASKS.works(ONE)
def loops_over_names(scene: Scene) -> Data:
    return {**one(scene, name="{{ item }}", store=scene.vaulted), "loop": ["one", "two"]}


@TASKS.works(ONE)
def loops_over_secrets_under_no_log(scene: Scene) -> Data:
    tokens = [scene.plant().secret, scene.plant().secret]
    task = one(scene, state="absent", secret="{{ item }}", name=None, permissions=None)
    return {**task, "loop": scene.variable("tokens", tokens), "no_log": True}


@TASKS.works(ONE)
def revokes_by_the_secret(scene: Scene) -> Data:
    secret = scene.variable("secret", scene.plant().secret)
    return one(scene, state="absent", secret=secret, name=None, permissions=None)


@TASKS.works(SET, returns=True)
def a_set_returns_secrets_where_no_store_is_set(scene: Scene) -> Data:
    return many(scene)


@TASKS.works(SET)
def a_set_goes_to_a_vaulted_file(scene: Scene) -> Data:
    scene.plant()
    return many(scene, store=scene.vaulted, missing_secret="reissue", prune=["old-*"])


@TASKS.works(SET)
def a_set_goes_to_vault(scene: Scene) -> Data:
    return many(scene, store=scene.hashi, store_options=scene.hashi_options)


@TASKS.works(SET)
def a_set_goes_to_vault_by_an_approle(scene: Scene) -> Data:
    return many(scene, store=scene.hashi, store_options=scene.hashi_by_approle)


@TASKS.works(SET)
def a_set_goes_to_vault_by_a_jwt(scene: Scene) -> Data:
    return many(scene, store=scene.hashi, store_options=scene.hashi_by_jwt)


@TASKS.works(SET)
def a_set_goes_to_the_controller(scene: Scene) -> Data:
    return many(scene, store=scene.controller, store_options=scene.controller_options)


@TASKS.works(SET)
def a_set_goes_to_a_helper(scene: Scene) -> Data:
    return many(scene, store=scene.helper())


@TASKS.works(INFO)
def lists_tokens(scene: Scene) -> Data:
    scene.plant()
    return info(scene)


@TASKS.works(INFO)
def lists_tokens_in_the_background(scene: Scene) -> Data:
    return {**info(scene), "async": 60, "poll": 1}


@TASKS.works(CREDENTIAL)
def tells_a_token_by_its_shape(scene: Scene) -> Data:
    return credential(scene.variable("secret", scene.plant().secret))


@TASKS.works(CREDENTIAL)
def tells_that_a_token_works(scene: Scene) -> Data:
    return credential(scene.variable("secret", scene.plant().secret), verify=True)


@TASKS.works(CREDENTIAL)
def tells_that_a_password_works(scene: Scene) -> Data:
    return credential("{{ password }}", username="admin", verify=True)


@TASKS.works(CREDENTIAL)
def tells_that_a_token_does_not_work(scene: Scene) -> Data:
    return credential("{{ nobodys_token }}", verify=True)


@TASKS.works(COPY)
def copies_to_a_vaulted_file(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return copy(scene, destination=scene.vaulted)


@TASKS.works(COPY)
def copies_to_vault(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return copy(scene, destination=scene.hashi, destination_options=scene.hashi_options)


@TASKS.works(OBJECTS)
def a_credential_in_awx(scene: Scene) -> Data:
    return objects(scene, token="{{ password }}")


@TASKS.works(LOOKUP)
def looks_a_secret_up(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return looked_up(scene, f"{scene.owner}/tokens/ci", scene.file)


@TASKS.works(LOOKUP)
def shows_a_secret_under_no_log(scene: Scene) -> Data:
    scene.keep(scene.plant())
    query = f"lookup('{PREFIX}.secret', '{scene.owner}/tokens/ci', store='{scene.file}')"
    return {"ansible.builtin.debug": {"msg": f"{{{{ {query} }}}}"}, "no_log": True}


@TASKS.works(LEAKED)
def finds_secrets_in_a_text(scene: Scene) -> Data:
    tokens = [scene.plant().secret, CREDENTIALS["cloud_token"], CREDENTIALS["nobodys_token"]]
    return found(scene, text=scene.variable("text", " and ".join(tokens)), verify=True)


@TASKS.works(LEAKED)
def finds_secrets_in_files(scene: Scene) -> Data:
    return found(scene, files=[scene.leaked(scene.plant().secret)])


@TASKS.works(VARIABLE)
def sets_a_variable(scene: Scene) -> Data:
    return variable(scene)


@TASKS.works(VARIABLE)
def sets_a_variable_that_is_not_secured(scene: Scene) -> Data:
    return variable(scene, secured=False)


@TASKS.works(VARIABLE)
def predicts_a_variable(scene: Scene) -> Data:
    return {**variable(scene), "check_mode": True}


@TASKS.works(API_TOKENS)
def lists_api_tokens(scene: Scene) -> Data:
    return api_tokens(scene)


@TASKS.works(API_TOKEN)
def asserts_an_api_token(scene: Scene) -> Data:
    return api_token(scene)


@TASKS.works(API_TOKEN)
def revokes_an_api_token(scene: Scene) -> Data:
    return api_token(scene, state="absent")


@TASKS.works(CREDENTIAL)
def tells_that_a_token_works_in_the_cloud(scene: Scene) -> Data:
    return credential("{{ api_token }}", email="{{ email }}", api_url=scene.stage.cloud_url, verify=True)


# A server that says no, and more than it should


@TASKS.fails(ONE, says="password is wrong")
def a_wrong_password(scene: Scene) -> Data:
    scene.stage.sim.add_user("somebody", roles=("ADMIN",))
    return one(scene, {"username": "somebody", "password": "{{ wrong_password }}"}, store=scene.file)


@TASKS.fails(ONE, says="token is wrong")
def a_wrong_token(scene: Scene) -> Data:
    return one(scene, {"token": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="CAPTCHA")
def a_captcha_that_quotes_the_password(scene: Scene) -> Data:
    scene.arm("status", status=403, exception_name=CAPTCHA, message=echoes(CREDENTIALS["password"]))
    return one(scene, store=scene.file)


@TASKS.fails(ONE, says="not permitted")
def a_403_that_quotes_the_password(scene: Scene) -> Data:
    scene.arm("status", status=403, message=echoes(CREDENTIALS["password"]), body="message")
    return one(scene, store=scene.file)


@TASKS.fails(ONE, says="The server said")
def a_401_that_quotes_the_bearer(scene: Scene) -> Data:
    scene.arm("status", status=401, message=echoes(CREDENTIALS["bearer"]))
    return one(scene, {"token": "{{ bearer }}"}, store=scene.file)


@TASKS.fails(ONE)
def a_404_that_quotes_the_password(scene: Scene) -> Data:
    scene.arm("status", status=404, message=echoes(CREDENTIALS["password"]))
    return one(scene)


@TASKS.fails(ONE, says="does not exist")
def a_project_that_is_not_there(scene: Scene) -> Data:
    return one(scene, project="NOSUCH")


@TASKS.fails(ONE, says="Received")
def a_400_that_quotes_the_header(scene: Scene) -> Data:
    login = base64.b64encode(f"admin:{CREDENTIALS['password']}".encode()).decode()
    scene.arm("status", method="PUT", status=400, message=echoes(login))
    return one(scene, store=scene.file)


@TASKS.fails(ONE, says="Received")
def a_400_that_quotes_the_password_in_base64(scene: Scene) -> Data:
    scene.arm("status", method="PUT", status=400, message=echoes(_base64(CREDENTIALS["password"])))
    return one(scene, store=scene.file)


@TASKS.fails(ONE, says="Received")
def a_page_that_quotes_the_password(scene: Scene) -> Data:
    scene.arm("status", method="PUT", status=400, body="html", message=echoes(CREDENTIALS["password"]))
    return one(scene)


@TASKS.fails(SET, says="Received")
def a_page_that_quotes_the_bearer(scene: Scene) -> Data:
    scene.arm("status", method="PUT", status=400, body="html", message=echoes(CREDENTIALS["bearer"]))
    return many(scene, {"token": "{{ bearer }}"}, store=scene.file)


@TASKS.fails(ONE, says="The server said")
def a_gateway_that_quotes_an_issued_secret(scene: Scene) -> Data:
    token = scene.plant()
    scene.arm("status", method="PUT", status=400, message=f"upstream said: {{'token': '{token.secret}'}}")
    return one(scene, state="present", missing_secret="reissue", store=scene.file)


@TASKS.fails(ONE)
def a_login_page_in_place_of_json(scene: Scene) -> Data:
    scene.arm("html")
    return one(scene)


@TASKS.fails(ONE, says="redirects")
def a_redirect_with_credentials(scene: Scene) -> Data:
    scene.arm("redirect", location=elsewhere(CREDENTIALS["password"]))
    return one(scene, store=scene.file)


@TASKS.fails(SET, says="redirects")
def a_redirect_with_a_bearer(scene: Scene) -> Data:
    scene.arm("redirect", location=elsewhere(CREDENTIALS["bearer"]))
    return many(scene, {"token": "{{ bearer }}"})


@TASKS.fails(ONE)
def an_answer_cut_in_the_secret(scene: Scene) -> Data:
    scene.arm("cut_json", method="PUT", at="in_secret")
    return one(scene)


@TASKS.fails(SET)
def a_broken_answer_with_half_a_secret(scene: Scene) -> Data:
    scene.arm("broken_json", method="PUT", at="in_secret")
    return many(scene, store=scene.file)


@TASKS.fails(ONE)
def a_secret_of_another_token(scene: Scene) -> Data:
    scene.arm("wrong_secret", method="PUT", secret="other_id")
    return one(scene, store=scene.file)


@TASKS.works(ONE)
def an_answer_that_is_lost_once(scene: Scene) -> Data:
    scene.arm("drop_after", method="PUT", times=1)
    return one(scene, store=scene.file)


@TASKS.works(SET)
def a_gateway_that_fails_once_after_the_create(scene: Scene) -> Data:
    scene.arm("status", status=502, when="after", method="PUT", times=1, message=echoes(CREDENTIALS["password"]))
    return many(scene, store=scene.vaulted)


@TASKS.works(ONE)
def a_rate_limit_that_ends(scene: Scene) -> Data:
    scene.arm("status", status=429, retry_after=1, times=1, message=echoes(CREDENTIALS["password"]))
    return one(scene, store=scene.file)


@TASKS.fails(ONE)
def answers_that_are_all_lost(scene: Scene) -> Data:
    scene.arm("drop_after", method="PUT")
    return one(scene, store=scene.file)


@TASKS.fails(SET)
def a_gateway_that_fails_after_each_create(scene: Scene) -> Data:
    scene.arm("status", status=503, when="after", method="PUT", message=echoes(CREDENTIALS["password"]))
    return many(scene, store=scene.file)


@TASKS.fails(ONE)
def connections_that_are_all_cut(scene: Scene) -> Data:
    scene.arm("drop_before")
    return one(scene, store=scene.file)


@TASKS.fails(ONE, says="No connection to ")
def a_port_that_nobody_listens_on(scene: Scene) -> Data:
    return one(scene, url="http://127.0.0.1:1", store=scene.file)


@TASKS.fails(SET, says="certificate")
def a_certificate_that_nobody_trusts(scene: Scene) -> Data:
    return many(scene, url=scene.stage.tls_url, store=scene.file)


@TASKS.fails(INFO, says="does not exist")
def certificates_that_are_not_there(scene: Scene) -> Data:
    return info(scene, url=scene.stage.tls_url, ca_path=f"{scene.reports}/none.pem")


@TASKS.works(ONE)
def a_certificate_of_a_ca_that_is_named(scene: Scene) -> Data:
    return one(scene, url=scene.stage.tls_url, ca_path=scene.stage.certificates.ca, store=scene.file)


@TASKS.works(AUDIT)
def writes_reports(scene: Scene) -> Data:
    scene.plant()
    return audit(scene)


@TASKS.fails(AUDIT, says="Findings of severity medium or worse")
def finds_something(scene: Scene) -> Data:
    scene.plant()
    return audit(scene, {"token": "{{ bearer }}"}, fail_on="medium")


@TASKS.fails(AUDIT, says="Received")
def an_audit_of_a_server_that_quotes_the_password(scene: Scene) -> Data:
    scene.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return audit(scene)


@TASKS.fails(AUDIT, says="redirects")
def an_audit_that_is_redirected(scene: Scene) -> Data:
    scene.arm("redirect", location=elsewhere(CREDENTIALS["password"]))
    return audit(scene)


@TASKS.fails(AUDIT)
def an_audit_with_the_password_in_the_url(scene: Scene) -> Data:
    return audit(scene, url=scene.variable("url", with_userinfo(scene.stage.url)))


@TASKS.fails(INFO, says="Received")
def a_listing_that_quotes_the_password(scene: Scene) -> Data:
    scene.arm("status", status=400, message=echoes(CREDENTIALS["password"]))
    return info(scene)


@TASKS.fails(INFO, says="withheld")
def a_listing_that_quotes_parts_of_the_password(scene: Scene) -> Data:
    scene.arm("status", status=400, message=cut_echoes(CREDENTIALS["password"]))
    return info(scene)


# Of some tokens a part is so common that the whole message is withheld.
@TASKS.fails(INFO, says="The server said: ")
def a_listing_that_quotes_parts_of_a_token(scene: Scene) -> Data:
    token = scene.plant().secret
    scene.arm("status", status=400, message=cut_echoes(token))
    return info(scene, {"token": scene.variable("token", token)})


@TASKS.fails(INFO, says="password is wrong")
def a_listing_with_a_wrong_password(scene: Scene) -> Data:
    scene.stage.sim.add_user("anybody", roles=("ADMIN",))
    return info(scene, {"username": "anybody", "password": "{{ wrong_password }}"})


@TASKS.fails(CREDENTIAL, says="Bitbucket Cloud")
def a_secret_of_cloud_is_not_sent_to_data_center(scene: Scene) -> Data:
    return credential("{{ cloud_token }}", verify=True)


@TASKS.fails(CREDENTIAL, says="http://")
def a_credential_is_not_sent_in_the_clear(scene: Scene) -> Data:
    return credential("{{ nobodys_token }}", verify=True, url="http://bitbucket.example.com")


@TASKS.fails(LEAKED, says="password is wrong")
def a_search_with_a_wrong_password(scene: Scene) -> Data:
    scene.stage.sim.add_user("everybody", roles=("ADMIN",))
    login = {"username": "everybody", "password": "{{ wrong_password }}"}
    return found(scene, login, text=scene.variable("text", scene.plant().secret))


@TASKS.works(LEAKED)
def a_search_on_a_server_that_quotes(scene: Scene) -> Data:
    token = scene.plant()
    scene.arm("status", status=400, message=f"{echoes(CREDENTIALS['password'])} {echoes(token.secret)}")
    return found(scene, files=[scene.leaked(token.secret)])


@TASKS.fails(LEAKED, says="nothing to search")
def a_search_for_nothing(scene: Scene) -> Data:
    return found(scene)


@TASKS.fails(VARIABLE)
def a_cloud_that_quotes(scene: Scene) -> Data:
    token = scene.stage.variables["api_token"]
    scene.arm_cloud("status", status=400, message=echoes(token))
    return variable(scene)


@TASKS.fails(VARIABLE, says="Received")
def a_cloud_that_quotes_the_value_it_shall_create(scene: Scene) -> Data:
    scene.arm_cloud("status", method="POST", status=400, message=echoes(CREDENTIALS["pipeline_value"]))
    return variable(scene)


@TASKS.fails(VARIABLE, says="Received")
def a_cloud_that_quotes_the_value_it_shall_replace(scene: Scene) -> Data:
    scene.stage.cloud.add_variable(f"{WORKSPACE}/{scene.key.lower()}", "TOKEN", "before")
    scene.arm_cloud("status", method="PUT", status=400, message=echoes(CREDENTIALS["pipeline_value"]))
    return variable(scene, update_secret="always")


@TASKS.fails(VARIABLE)
def a_cloud_that_redirects_with_credentials(scene: Scene) -> Data:
    scene.arm_cloud("redirect", location=elsewhere(scene.stage.variables["api_token"]))
    return variable(scene)


@TASKS.fails(VARIABLE)
def a_wrong_token_in_the_cloud(scene: Scene) -> Data:
    return variable(scene, api_token="{{ cloud_token }}")


@TASKS.fails(VARIABLE)
def a_variable_of_an_environment_that_is_not_there(scene: Scene) -> Data:
    return variable(scene, environment="Nowhere")


@TASKS.fails(VARIABLE)
def a_value_that_is_missing(scene: Scene) -> Data:
    return variable(scene, value=None)


@TASKS.fails(VARIABLE)
def an_address_of_the_cloud_with_a_credential(scene: Scene) -> Data:
    return variable(scene, api_url=scene.variable("url", with_userinfo(scene.stage.cloud_url)))


@TASKS.fails(API_TOKENS, says="does not accept this key")
def a_wrong_key_of_an_organization(scene: Scene) -> Data:
    return api_tokens(scene, admin_api_key="{{ nobodys_token }}")


@TASKS.fails(API_TOKENS, says="holds an API token")
def an_api_token_in_place_of_the_key(scene: Scene) -> Data:
    return api_tokens(scene, admin_api_key="{{ api_token }}")


@TASKS.fails(API_TOKENS, says="status 400")
def an_administration_that_quotes(scene: Scene) -> Data:
    key = scene.stage.variables["admin_api_key"]
    scene.stage.cloud.faults.arm("status", path=f"/orgs/{scene.key}/", status=400, message=echoes(key), times=None)
    return api_tokens(scene, organization=scene.key)


@TASKS.fails(API_TOKEN, says="No API makes one")
def an_api_token_that_is_not_there(scene: Scene) -> Data:
    return api_token(scene, label="nobodys")


@TASKS.fails(API_TOKEN)
def the_key_also_in_the_address(scene: Scene) -> Data:
    return api_token(scene, admin_url=scene.variable("url", with_userinfo(scene.stage.cloud_url)))


# Stores that fail


@TASKS.fails(ONE, says="cannot be")
def a_directory_that_vanishes_before_the_write(scene: Scene) -> Data:
    place = Path(scene.file.partition(":")[2])
    scene.arm("call", method="PUT", when="after", times=1, run=lambda: shutil.rmtree(place))
    return one(scene, store=scene.file)


@TASKS.fails(SET, says="cannot be decrypted")
def a_file_of_another_vault_password(scene: Scene) -> Data:
    return many(scene, store=scene.encrypted_by_another())


@TASKS.fails(SET, says="does not exist")
def a_directory_that_is_not_there(scene: Scene) -> Data:
    return many(scene, store="file:/no/such/directory")


@TASKS.fails(SET, says="revoke it manually")
def the_server_and_the_store_fail_at_once(scene: Scene) -> Data:
    scene.arm("wrong_secret", method="PUT", secret="other_id")
    scene.arm("status", method="DELETE", status=500, message=echoes(CREDENTIALS["password"]))
    return many(scene, store=scene.file)


def _helper(kind: str) -> None:
    @TASKS.fails(ONE, says="is not known")
    def a_helper_that(scene: Scene) -> Data:
        return one(scene, store=scene.helper(kind))

    @TASKS.fails(LOOKUP)
    def a_lookup_by_a_helper_that(scene: Scene) -> Data:
        return looked_up(scene, f"{scene.owner}/tokens/ci", scene.helper(kind))


for kind in ("shouts", "echoes", "complains"):
    _helper(kind)


@TASKS.fails(ONE, says="is not known")
def vault_quotes_what_it_refuses(scene: Scene) -> Data:
    scene.stage.spoilt[f"/{scene.key}/"] = refuses_writes
    return one(scene, store=scene.hashi, store_options=scene.hashi_options)


@TASKS.fails(SET, says="is sealed")
def vault_is_sealed_before_the_write(scene: Scene) -> Data:
    scene.stage.spoilt[f"/data/{scene.key}/"] = seals
    return many(scene, store=scene.hashi, store_options=scene.hashi_options)


@TASKS.fails(ONE, says="does not permit")
def vault_does_not_know_the_token(scene: Scene) -> Data:
    return one(scene, store=scene.hashi, store_options={**scene.hashi_options, "token": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="refused to log in")
def vault_quotes_a_login_that_it_refuses(scene: Scene) -> Data:
    login = {"auth_method": "approle", "role_id": "somebody", "secret_id": "{{ nobodys_token }}"}
    return one(scene, store=scene.hashi, store_options={"url": scene.stage.vault_url, **login})


@TASKS.fails(SET, says="refused to log in with this role")
def vault_does_not_know_the_secret_id(scene: Scene) -> Data:
    return many(scene, store=scene.hashi, store_options={**scene.hashi_by_approle, "role_id": "another"})


@TASKS.fails(SET, says="refused to log in with this JWT")
def vault_does_not_know_the_jwt(scene: Scene) -> Data:
    return many(scene, store=scene.hashi, store_options={**scene.hashi_by_jwt, "role": "another"})


@TASKS.fails(ONE, says="status 400")
def the_controller_quotes_what_it_refuses(scene: Scene) -> Data:
    scene.stage.spoilt[f"{scene.owner}/tokens/ci"] = refuses_writes
    return one(scene, store=scene.controller, store_options=scene.controller_options)


@TASKS.fails(SET, says="refuses this login")
def the_controller_does_not_know_the_token(scene: Scene) -> Data:
    options = {**scene.controller_options, "token": "{{ nobodys_token }}"}
    return many(scene, store=scene.controller, store_options=options)


@TASKS.fails(COPY, says="is not known")
def a_copy_to_a_vault_that_quotes(scene: Scene) -> Data:
    scene.keep(scene.plant())
    scene.stage.spoilt[f"/{scene.key}/"] = refuses_writes
    return copy(scene, destination=scene.hashi, destination_options=scene.hashi_options)


@TASKS.fails(COPY, says="is not known")
def a_copy_to_a_helper_that_shouts(scene: Scene) -> Data:
    scene.keep(scene.plant())
    return copy(scene, destination=scene.helper("shouts"))


@TASKS.fails(OBJECTS, says="with status 400")
def an_awx_that_quotes(scene: Scene) -> Data:
    scene.stage.spoilt[scene.key] = refuses_writes
    return objects(scene, token="{{ password }}")


@TASKS.fails(OBJECTS, says="refuses this login")
def a_wrong_token_for_awx(scene: Scene) -> Data:
    return objects(scene, {"token": "{{ nobodys_token }}"}, token="{{ password }}")


@TASKS.fails(LOOKUP, says="holds no secret")
def a_lookup_of_nothing(scene: Scene) -> Data:
    return looked_up(scene, "projects/NOSUCH/tokens/ci", scene.file)


# What cannot be right


@TASKS.fails(ONE, says="KIND:PLACE")
def a_secret_for_a_store(scene: Scene) -> Data:
    return one(scene, store="{{ wrong_password }}")


@TASKS.fails(ONE)
def a_secret_for_the_options_of_a_store(scene: Scene) -> Data:
    return one(scene, store=scene.hashi, store_options="{{ vault_token }}")


@TASKS.fails(ONE, says="has no tokn")
def an_option_of_a_store_spelt_wrongly(scene: Scene) -> Data:
    return one(scene, store=scene.hashi, store_options={"url": scene.stage.vault_url, "tokn": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="must be a number")
def a_secret_for_a_time_limit_of_a_store(scene: Scene) -> Data:
    return one(scene, store=scene.file, store_options={"lock_timeout": "{{ nobodys_token }}"})


@TASKS.fails(ONE, says="Unsupported parameters")
def an_option_spelt_wrongly(scene: Scene) -> Data:
    return one(scene, {"username": "admin", "pasword": "{{ password }}"}, store=scene.file)


@TASKS.fails(ONE, says="Unsupported parameters")
def an_option_spelt_wrongly_where_no_store_is_set(scene: Scene) -> Data:
    return one(scene, {"username": "admin", "pasword": "{{ password }}"})


@TASKS.fails(SET, says="pasword")
def an_option_of_an_entry_spelt_wrongly(scene: Scene) -> Data:
    return many(scene, set=[{**DECLARED, "pasword": "{{ password }}"}], store=scene.file)


@TASKS.fails(ONE)
def the_token_also_in_place_of_a_number(scene: Scene) -> Data:
    return one(scene, {"token": "{{ nobodys_token }}"}, timeout="{{ nobodys_token }}")


@TASKS.fails(ONE)
def the_token_also_in_place_of_a_choice(scene: Scene) -> Data:
    return one(scene, {"token": "{{ nobodys_token }}"}, missing_secret="{{ nobodys_token }}")


@TASKS.fails(ONE)
def the_token_also_in_place_of_a_choice_where_a_store_is_set(scene: Scene) -> Data:
    return one(scene, {"token": "{{ nobodys_token }}"}, missing_secret="{{ nobodys_token }}", store=scene.file)


@TASKS.fails(ONE)
def the_password_also_in_the_url(scene: Scene) -> Data:
    return one(scene, url=scene.variable("url", with_userinfo(scene.stage.url)), store=scene.file)


@TASKS.fails(INFO)
def a_listing_with_the_password_in_the_url(scene: Scene) -> Data:
    return info(scene, url=scene.variable("url", with_userinfo(scene.stage.url)))


@TASKS.fails(CREDENTIAL, says="plain base URL")
def a_look_at_a_credential_with_the_password_in_the_url(scene: Scene) -> Data:
    return credential("{{ nobodys_token }}", verify=True, url=scene.variable("url", with_userinfo(scene.stage.url)))


@TASKS.fails(ONE)
def a_mapping_in_place_of_a_password(scene: Scene) -> Data:
    return one(scene, {"username": "admin", "password": {"value": "{{ wrong_password }}"}})


@TASKS.fails(SET)
def a_list_in_place_of_a_token(scene: Scene) -> Data:
    return many(scene, {"token": ["{{ nobodys_token }}", "{{ wrong_password }}"]})


@TASKS.fails(INFO)
def a_mapping_in_place_of_a_token(scene: Scene) -> Data:
    return info(scene, {"token": {"value": "{{ nobodys_token }}"}})


@TASKS.fails(CREDENTIAL)
def a_list_in_place_of_a_secret(scene: Scene) -> Data:
    return credential(scene.variable("secrets", [CREDENTIALS["cloud_token"]]), verify=True, url="nowhere")


@TASKS.fails(COPY, says="has no such option")
def a_secret_in_place_of_the_options_of_the_source(scene: Scene) -> Data:
    return copy(scene, destination=scene.vaulted, source_options="{{ nobodys_token }}")


@TASKS.fails(COPY)
def a_secret_in_place_of_a_reference(scene: Scene) -> Data:
    return copy(scene, destination=scene.vaulted, references=[scene.variable("secret", scene.plant().secret)])


@TASKS.fails(ONE)
def a_template_that_fails_beside_the_password(scene: Scene) -> Data:
    return one(scene, {"username": "admin", "password": "{{ password }}{{ password.nothing_there }}"})


@TASKS.fails(ONE)
def a_filter_that_fails_on_the_password(scene: Scene) -> Data:
    return one(scene, {"username": "admin", "password": "{{ (password | from_json).value }}"})


@TASKS.fails(SET)
def a_template_that_fails_in_overrides(scene: Scene) -> Data:
    overrides = {scene.key: [{"name": "ci", "permissions": "{{ password | int / 0 }}"}]}
    return many(scene, overrides=overrides, store=scene.file)


@TASKS.fails(SET, says="must be a list of tokens")
def a_secret_in_place_of_overrides(scene: Scene) -> Data:
    return many(scene, overrides={scene.key: "{{ password }}"}, store=scene.file)


@TASKS.fails(ONE)
def a_task_in_the_background(scene: Scene) -> Data:
    return {**one(scene, store=scene.file), "async": 60, "poll": 1}


@TASKS.fails(ONE)
def a_task_in_the_background_that_would_return_a_secret(scene: Scene) -> Data:
    return {**one(scene), "async": 60, "poll": 1}


@TASKS.fails(ONE)
def a_host_that_cannot_be_reached(scene: Scene) -> Data:
    return {**one(scene, store=scene.file), "delegate_to": "gone"}


@TASKS.fails(INFO)
def a_listing_on_a_host_that_cannot_be_reached(scene: Scene) -> Data:
    return {**info(scene), "delegate_to": "gone"}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@TASKS.works(INFO)
def lists_tokens_to_a_file(scene: Scene) -> Data:
    scene.plant()
    return info(scene, output_file=f"{scene.reports}.csv")
