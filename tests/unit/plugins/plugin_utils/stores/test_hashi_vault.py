"""The store in Vault: races, lost answers and refusals on a double; logins, policies and seals on a real OpenBao."""

from __future__ import annotations

import base64
import json
import time
import typing as t

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.module_utils.http import _body
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores import _vault_server
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.doubles import proxy
from tests.doubles.loopback import DROP, Answer
from tests.doubles.vault_kv2 import JWT, ROLE_ID, SECRET_ID, TOKEN, VaultDouble, errors, lose_answers, running
from tests.unit.plugins.plugin_utils.stores import openbao
from tests.unit.plugins.plugin_utils.stores.places import CI, DEPLOY, ONE, THREE, TWO, entry, play_vault, secret_of
from tests.unit.plugins.slow_servers import ANSWERS, raw_server

PATH = f"team/{CI}"
SENTINELS = [TOKEN, SECRET_ID, JWT, openbao.ROOT_TOKEN, *(secret_of(token_id) for token_id in (ONE, TWO, THREE))]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("ADDR", "TOKEN", "NAMESPACE", "CACERT", "ROLE_ID", "SECRET_ID"):
        monkeypatch.delenv(f"VAULT_{name}", raising=False)


@pytest.fixture
def vault():
    """A double, and how to open a store on it."""
    with running() as (double, url):
        yield double, lambda place="kv/team", **options: opened(place, url=url, **{"token": TOKEN, **options})


def opened(place: str, **options: t.Any) -> Store:
    return open_store(f"hashi_vault:{place}", options, play_vault(), single=False)


def failure(act: t.Callable[[], object]) -> str:
    """The sentence of a failure: one, and none of its words are secret."""
    with pytest.raises(StoreError) as caught:
        act()
    text = str(caught.value)
    assert_clean(text)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return text


def assert_clean(text: str) -> None:
    assert not [sentinel for sentinel in SENTINELS if sentinel in text]
    assert "\n" not in text


# One write, by version and by id.


def test_secret_and_id_are_in_one_write_by_version(vault):
    double, store = vault
    assert store().write([entry(ONE)]) == {CI: "written"}
    assert store().write([entry(TWO, ONE)]) == {CI: "written"}
    writes = [request.body for request in double.requests if request.method == "POST" and "/data/" in request.path]
    assert writes == [
        {"data": {"secret": secret_of(token_id), "id": token_id}, "options": {"cas": version}}
        for version, token_id in enumerate((ONE, TWO))
    ]


def test_fields_of_others_stay(vault):
    double, store = vault
    double.put(PATH, {"note": "ask Kim", "owner": {"team": 7}})
    assert store().read([CI]) == {CI: None}
    assert store().write([entry(ONE)]) == {CI: "written"}
    assert double.versions[PATH][-1] == {"note": "ask Kim", "owner": {"team": 7}, "secret": secret_of(ONE), "id": ONE}


def test_removing_an_entry_keeps_the_fields_of_others_and_loses_no_race(vault):
    double, store = vault
    double.put(PATH, {"note": "ask Kim", "secret": secret_of(ONE), "id": ONE})
    assert store().remove({CI: ONE}) == {CI: "removed"}
    assert double.versions[PATH][-1] == {"note": "ask Kim"}
    newer = {"secret": secret_of(TWO), "id": TWO}
    double.put(PATH, {"secret": secret_of(ONE), "id": ONE})

    racing(double, newer)
    assert store().remove({CI: ONE}) == {CI: "refused"}
    assert double.versions[PATH][-1] == newer


def test_a_deleted_secret_is_nothing_and_written_over_by_its_version(vault):
    double, store = vault
    double.put(PATH, {"secret": secret_of(ONE), "id": ONE})
    double.put(PATH, None)
    assert store().read([CI]) == {CI: None}
    assert store().write([entry(TWO)]) == {CI: "written"}


def test_a_secret_that_does_not_tell_its_id_has_the_one_beside_it(vault):
    double, store = vault
    double.put(PATH, {"secret": "opaque", "id": ONE})
    assert store().read([CI]) == {CI: ONE}
    double.put(PATH, {"secret": "opaque", "id": 12345670123})
    assert store().read([CI]) == {CI: "unknown"}


def racing(double: VaultDouble, *others: dict[str, str]) -> None:
    """Somebody else writes just before each write."""
    left = list(others)

    def before(request: t.Any) -> None:
        if request.method == "POST" and "/data/" in request.path and left:
            double.put(PATH, left.pop(0))

    double.before = before


@pytest.mark.parametrize(
    ("others", "answer", "holds"),
    [
        ([{"secret": secret_of(THREE), "id": THREE}], "refused", THREE),
        ([{"secret": secret_of(TWO), "id": TWO}], "written", TWO),
        ([{"secret": secret_of(ONE), "id": ONE, "note": "touched"}], "written", TWO),
        ([{"secret": secret_of(ONE), "id": ONE, "note": str(number)} for number in range(9)], "unknown", ONE),
    ],
    ids=["another id", "our id", "the same id, touched", "touched for ever"],
)
def test_a_version_that_moved_on_is_read_again(vault, others, answer, holds):
    double, store = vault
    double.put(PATH, {"secret": secret_of(ONE), "id": ONE})
    racing(double, *others)
    assert store().write([entry(TWO, ONE)]) == {CI: answer}
    double.before = lambda _request: None
    assert store().read([CI]) == {CI: holds}


def test_a_lost_answer_to_a_write_is_settled_by_reading(vault):
    double, store = vault
    double.after = lose_answers("POST")
    one = store()
    assert one.write([entry(ONE)]) == {CI: "written"}
    assert one.reasons == {}


def test_a_lost_answer_to_a_write_that_was_not_done_is_unknown(vault):
    double, store = vault
    double.before = lambda request: DROP if request.method == "POST" and "/data/" in request.path else None
    one = store()
    assert one.write([entry(ONE)]) == {CI: "unknown"}
    assert "does not answer" in one.reasons[CI]
    assert_clean(str(one.reasons))


def test_a_write_is_never_repeated_after_a_lost_answer(vault):
    double, store = vault
    double.after = lose_answers("POST")
    store().write([entry(ONE)])
    assert len([request for request in double.requests if request.method == "POST" and "/data/" in request.path]) == 1


def test_once_the_server_is_gone_the_other_entries_are_not_tried(vault):
    double, store = vault
    store().read([CI])
    double.before = lambda _request: DROP
    seen = len(double.requests)
    many = [entry(ONE, reference=f"projects/P{number}/tokens/ci") for number in range(200)]
    one = store()
    assert set(one.write(many).values()) == {"unknown"}
    # Those that were under way when the first one failed.
    assert len(double.requests) - seen <= 24


def test_many_are_read_at_once(vault):
    double, store = vault
    references = [f"projects/P{number}/tokens/ci" for number in range(120)]
    for reference in references[::2]:
        double.put(f"team/{reference}", {"secret": secret_of(ONE), "id": ONE})
    assert store().read(references) == {name: None if n % 2 else ONE for n, name in enumerate(references)}


# What stands in the way is one sentence, before anything is created.


@pytest.mark.parametrize(
    ("place", "state", "say"),
    [
        ("nope/team", {}, "does not permit this login to look at the mount nope"),
        ("old/team", {}, "is not a KV engine of version 2 but kv 1"),
        ("pki/team", {"mounts": {"pki": ("pki", "")}}, "is not a KV engine of version 2 but pki 1"),
        ("kv/team", {"allowed": ("read", "update")}, "does not allow create on kv/data/team/projects/PAY/tokens/ci"),
        ("kv/team", {"allowed": ("create", "read")}, "does not allow update"),
        ("kv/team", {"allowed": ("deny",)}, "does not allow create"),
        ("kv/team", {"sealed": True}, "is sealed: unseal it, then run again"),
        ("kv/team", {"namespace": "team-a"}, "Check the name of the mount"),
    ],
    ids=["mount", "version", "engine", "create", "update", "deny", "sealed", "namespace"],
)
def test_preparing_says_what_stands_in_the_way(place, state, say):
    with running(**state) as (double, url):
        store = opened(place, url=url, token=TOKEN)
        for check_mode in (False, True):
            assert say in failure(lambda mode=check_mode: store.prepare([CI], mode))
        assert not double.versions


@pytest.mark.parametrize(
    ("answer", "say"),
    [
        (errors(403, "permission denied"), "does not permit this login to read kv/team/projects/PAY/tokens/ci"),
        (errors(404, 'no handler for route "kv/". route entry not found.'), "Check the name of the mount"),
        (errors(500, f"internal error: {TOKEN}"), "failed"),
        (errors(502), "failed"),
        (errors(503, "Vault is sealed"), "is sealed"),
        (errors(503), "is down or on standby"),
        (errors(429, "slow down"), "has had too many requests"),
        (errors(418, f"{TOKEN}"), "failed"),
        (errors(400, f"what is {TOKEN}"), "refused to read"),
        (Answer(307, None, {"Location": "http://127.0.0.1:1/v1/elsewhere"}), "does not come from Vault"),
        (Answer(200, "<html>sign in</html>"), "does not come from Vault"),
        (Answer(200, "[1, 2"), "does not come from Vault"),
        (Answer(200, []), "does not come from Vault"),
        (Answer(200, {"data": None}), "does not come from Vault"),
        (Answer(200, {"data": {"data": {}, "metadata": {"version": "x"}}}), "does not come from Vault"),
        (Answer(200, {"data": {"data": "no", "metadata": {"version": 1}}}), "does not come from Vault"),
        (Answer(200, {"data": {"data": {"secret": 7}, "metadata": {"version": 1}}}), "is not a string"),
        (Answer(204), "does not come from Vault"),
        (DROP, "does not answer"),
    ],
    ids=str,
)
def test_no_answer_is_never_nothing(vault, answer, say):
    double, store = vault
    double.before = lambda request: answer if "/data/" in request.path else None
    assert say in failure(lambda: store().read([CI]))
    one = store()
    assert one.write([entry(ONE)]) == {CI: "unknown"}
    assert_clean(str(one.reasons))
    assert not double.versions


def test_a_server_that_is_not_there_is_told():
    assert "does not answer" in failure(lambda: opened("kv/team", url="http://127.0.0.1:1", token=TOKEN).read([CI]))


@pytest.mark.parametrize(
    ("options", "say"),
    [
        ({"url": None}, "VAULT_ADDR"),
        ({"url": "vault.example.com"}, "VAULT_ADDR"),
        ({"url": "http://[::1"}, "VAULT_ADDR"),
        ({"url": "ftp://vault.example.com"}, "VAULT_ADDR"),
        ({"url": f"https://u:{TOKEN}@vault.example.com"}, "must hold neither a credential nor a query"),
        ({"url": f"https://u:12/{TOKEN}@vault.example.com"}, "must hold neither a credential nor a query"),
        ({"url": "https://vault.example.com?"}, "must hold neither a credential nor a query"),
        ({"url": "https://vault.example.com/#"}, "must hold neither a credential nor a query"),
        ({"url": "https://va\nult.example.com"}, "VAULT_ADDR"),
        ({"url": "https://vault.example.com\\x"}, "VAULT_ADDR"),
        ({"url": "http://vault.example.com"}, "would cross the network unencrypted"),
        ({"token": None}, "VAULT_TOKEN"),
        ({"token": f"{TOKEN}\nX-Other: 1"}, "characters that are not allowed in it"),
        ({"auth_method": "ldap"}, "token, approle or jwt"),
        ({"auth_method": "approle", "role_id": "x"}, "needs `store_options.secret_id` or VAULT_SECRET_ID."),
        ({"auth_method": "approle", "secret_id": "x"}, "needs `store_options.role_id` or VAULT_ROLE_ID."),
        ({"auth_method": "jwt", "jwt": JWT}, "role"),
        ({"ca_path": "/nowhere/ca.pem"}, "is not a file with certificates"),
        ({"ca_path": "~nobody-of-that-name/ca.pem"}, "is not a file with certificates"),
        ({"mount": "other"}, "begins with"),
        ({"timeout": "soon"}, "timeout"),
        ({"colour": "red"}, "it knows"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_options_that_cannot_be_right_are_refused_before_anything_is_sent(options, say):
    given = {"url": "https://127.0.0.1:1", "token": TOKEN, **options}
    assert say in failure(lambda: opened("kv/team", **given))


@pytest.mark.parametrize("place", ["kv", "kv/", "/kv", "kv//team", "kv/../team", "kv/."])
def test_a_place_without_mount_or_prefix_is_refused(place):
    assert "hashi_vault:MOUNT/PREFIX" in failure(lambda: opened(place, url="https://127.0.0.1:1", token=TOKEN))


def test_http_is_taken_where_it_is_asked_for():
    assert opened("kv/team", url="http://vault.example.com", token=TOKEN, allow_insecure=True).name


def test_a_term_that_is_no_reference_is_not_asked_for(vault):
    double, store = vault
    assert "is not a reference" in failure(lambda: store().read(["../../sys/raw"]))
    assert not double.requests


def test_without_hvac_the_package_is_named(monkeypatch):
    monkeypatch.setattr(_vault_server, "HAS_HVAC", False)
    assert "pip install hvac" in failure(lambda: opened("kv/team", url="https://127.0.0.1:1", token=TOKEN))


def test_the_environment_fills_in_what_the_options_leave_out(monkeypatch):
    with running(namespace="team-a") as (double, url):
        for name, value in {"ADDR": url, "TOKEN": TOKEN, "NAMESPACE": "team-a"}.items():
            monkeypatch.setenv(f"VAULT_{name}", value)
        assert opened("kv/team").read([CI]) == {CI: None}
        monkeypatch.setenv("VAULT_TOKEN", "another")
        assert opened("kv/team", token=TOKEN).read([CI]) == {CI: None}
        assert double.requests


# Logins.

APPROLE = {"auth_method": "approle", "role_id": ROLE_ID, "secret_id": SECRET_ID, "token": None}
WITH_JWT = {"auth_method": "jwt", "role": "ci", "jwt": JWT, "token": None}


@pytest.mark.parametrize("login", [APPROLE, WITH_JWT], ids=["approle", "jwt"])
def test_a_role_signs_in_once_for_many_requests(vault, login):
    double, store = vault
    references = [f"projects/P{number}/tokens/ci" for number in range(40)]
    store(**login).read(references)
    assert logins(double) == 1


def logins(double: VaultDouble) -> int:
    return len([request for request in double.requests if "/auth/" in request.path])


@pytest.mark.parametrize("login", [APPROLE, WITH_JWT], ids=["approle", "jwt"])
def test_a_login_whose_time_is_over_is_made_once_more_for_all_workers(vault, login):
    double, store = vault
    double.lease = 0.2
    one = store(**login)
    one.read([CI])
    time.sleep(0.3)
    double.lease = 3600
    references = [f"projects/P{number}/tokens/ci" for number in range(40)]
    assert set(one.write([entry(ONE, reference=reference) for reference in references]).values()) == {"written"}
    assert logins(double) == 2
    assert {len(versions) for versions in double.versions.values()} == {1}


def outlived(vault: t.Any, login: dict[str, t.Any]) -> tuple[VaultDouble, Store]:
    """The double, and a store whose login there is over."""
    double, store = vault
    double.lease = 0.1
    one = store(**login)
    one.read([CI])
    time.sleep(0.2)
    return double, one


def test_a_login_that_is_refused_once_its_time_is_over_is_not_tried_without_end(vault):
    double, one = outlived(vault, APPROLE)
    double.before = lambda request: errors(400, "invalid secret id") if "/auth/" in request.path else None
    assert "refused to log in with this role and secret id" in failure(lambda: one.read([CI]))
    assert logins(double) == 2


def test_one_odd_answer_to_a_write_stops_no_other(vault):
    double, store = vault
    one, odd = store(), iter([Answer(200, "<html>")])
    one.read([CI])
    double.before = lambda request: next(odd, None) if "/data/" in request.path and request.method != "GET" else None
    many = [entry(ONE, reference=f"projects/P{number}/tokens/ci") for number in range(60)]
    answers = list(one.write(many).values())
    assert (answers.count("written"), answers.count("unknown")) == (59, 1)


def test_a_login_that_something_else_answers_is_tried_again_by_the_next_write(vault):
    """A balancer's page says nothing of the role."""
    double, one = outlived(vault, APPROLE)
    double.before = lambda request: Answer(200, "<html>") if "/auth/" in request.path else None
    assert one.write([entry(ONE), entry(TWO, reference=DEPLOY)]) == {CI: "unknown", DEPLOY: "unknown"}
    double.before = lambda _request: None
    assert one.write([entry(ONE)]) == {CI: "written"}


@pytest.mark.parametrize("login", [APPROLE, WITH_JWT], ids=["approle", "jwt"])
@pytest.mark.parametrize("refusal", [errors(400, "invalid secret id"), errors(403, "permission denied")], ids=str)
def test_a_login_that_is_refused_once_its_time_is_over_is_tried_once_for_all_entries(vault, login, refusal):
    double, one = outlived(vault, login)
    double.before = lambda request: refusal if "/auth/" in request.path else None
    many = [entry(ONE, reference=f"projects/P{number}/tokens/ci") for number in range(200)]
    for _time in range(2):
        assert set(one.write(many).values()) == {"unknown"}
        assert len(one.reasons) == 200
        assert all("log in with this" in trouble for trouble in one.reasons.values())
    assert logins(double) == 2
    # Those that were under way when the first one failed.
    assert len(double.requests) <= 24


def test_a_first_login_that_is_refused_is_tried_once_for_all_workers(vault):
    double, store = vault
    one = store(**{**APPROLE, "secret_id": f"{SECRET_ID}-wrong"})
    references = [f"projects/P{number}/tokens/ci" for number in range(40)]
    assert "refused to log in" in failure(lambda: one.read(references))
    assert logins(double) == 1


def test_a_login_that_is_not_answered_may_be_tried_by_the_next_write(vault):
    double, store = vault
    one = store(**APPROLE)
    double.before = lambda _request: errors(503)
    assert one.write([entry(ONE)]) == {CI: "unknown"}
    double.before = lambda _request: None
    assert one.write([entry(ONE)]) == {CI: "written"}


@pytest.mark.parametrize("login", [APPROLE, WITH_JWT, {"token": TOKEN}], ids=["approle", "jwt", "token"])
def test_a_login_that_somebody_revoked_before_its_time_is_not_made_again(vault, login):
    double, store = vault
    one = store(**login)
    one.read([CI])
    made, double.over = logins(double), 0.0
    assert "does not permit this login to read" in failure(lambda: one.read([CI]))
    assert logins(double) == made


@pytest.mark.parametrize("lease", ["soon", None, [], {"a": 1}])
def test_a_lease_that_is_no_number_is_told(vault, lease):
    double, store = vault
    body = {"auth": {"client_token": TOKEN, "lease_duration": lease}}
    double.before = lambda request: Answer(200, body) if "/auth/" in request.path else None
    assert "does not come from Vault" in failure(lambda: store(**APPROLE).read([CI]))


def test_an_approle_comes_from_the_environment_where_the_options_leave_it_out(vault, monkeypatch):
    _double, store = vault
    monkeypatch.setenv("VAULT_ROLE_ID", ROLE_ID)
    monkeypatch.setenv("VAULT_SECRET_ID", SECRET_ID)
    assert store(auth_method="approle", token=None).read([CI]) == {CI: None}
    monkeypatch.setenv("VAULT_ROLE_ID", "another")
    assert store(auth_method="approle", token=None, role_id=ROLE_ID).read([CI]) == {CI: None}
    monkeypatch.setenv("VAULT_SECRET_ID", f"{SECRET_ID}-wrong")
    assert store(**APPROLE).read([CI]) == {CI: None}
    failure(lambda: store(auth_method="approle", token=None, role_id=ROLE_ID).read([CI]))


def test_the_environment_of_an_approle_is_nothing_to_a_login_by_token(monkeypatch):
    monkeypatch.setenv("VAULT_ROLE_ID", ROLE_ID)
    monkeypatch.setenv("VAULT_SECRET_ID", SECRET_ID)
    assert "VAULT_TOKEN" in failure(lambda: opened("kv/team", url="https://127.0.0.1:1"))


@pytest.mark.parametrize(
    ("login", "say"),
    [
        ({**APPROLE, "secret_id": f"{SECRET_ID}-wrong"}, "refused to log in with this role and secret id"),
        ({**WITH_JWT, "jwt": f"{JWT}-wrong"}, "refused to log in with this JWT"),
        ({**APPROLE, "auth_mount": "elsewhere"}, "does not permit this login to log in with this role and secret id"),
        ({"token": f"{TOKEN}-wrong"}, "does not permit this login"),
    ],
    ids=["approle", "jwt", "mount", "token"],
)
def test_a_login_that_is_refused_is_told_without_what_it_gave(vault, login, say):
    _double, store = vault
    assert say in failure(lambda: store(**login).prepare([CI], check_mode=False))


# A real server.


@pytest.fixture
def server(bao):
    """A policy for one prefix, with what is needed to log in under it."""
    root = bao.root
    policy = 'path "secret/data/mine/*" { capabilities = ["create", "read", "update"] }'
    root.sys.create_or_update_policy("mine", policy)
    root.sys.create_or_update_policy("looks", 'path "secret/data/mine/*" { capabilities = ["read"] }')
    return bao


def limited(bao: openbao.OpenBao, policy: str) -> str:
    return str(bao.root.auth.token.create(policies=[policy])["auth"]["client_token"])


def test_a_policy_for_the_prefix_is_enough_for_everything(server):
    store = opened("secret/mine", url=server.url, token=limited(server, "mine"))
    odd = "projects/PAY/tokens/a%2Fb%20%C3%BC%25.."
    store.prepare([CI, DEPLOY, odd], check_mode=False)
    held = store.read([CI, odd])
    assert store.write([entry(ONE, held[CI]), entry(TWO, held[odd], odd)]) == {CI: "written", odd: "written"}
    assert (store.read([CI, odd]), store.secret(odd)) == ({CI: ONE, odd: TWO}, secret_of(TWO))


@pytest.mark.parametrize(
    ("place", "policy", "say"),
    [
        ("secret/mine", "looks", "does not allow create on secret/data/mine/projects/PAY/tokens/ci"),
        ("secret/yours", "mine", "does not allow create on secret/data/yours/"),
        ("nope/mine", "mine", "does not permit this login to look at the mount nope"),
        ("secret/mine", "default", "does not permit this login to look at the mount secret"),
    ],
)
def test_a_real_policy_that_does_not_fit_is_found_out_beforehand(server, place, policy, say):
    store = opened(place, url=server.url, token=limited(server, policy))
    assert say in failure(lambda: store.prepare([CI], check_mode=False))


def test_a_real_approle_signs_in(server):
    root = server.root
    mount = f"approle-{time.monotonic_ns()}"
    root.sys.enable_auth_method("approle", path=mount)
    root.auth.approle.create_or_update_approle("ci", token_policies=["mine"], mount_point=mount)
    role_id = root.auth.approle.read_role_id("ci", mount_point=mount)["data"]["role_id"]
    secret_id = root.auth.approle.generate_secret_id("ci", mount_point=mount)["data"]["secret_id"]
    login = {"auth_method": "approle", "auth_mount": mount, "role_id": role_id}
    opened("secret/mine", url=server.url, secret_id=secret_id, **login).prepare([CI], check_mode=False)
    wrong = opened("secret/mine", url=server.url, secret_id=f"{secret_id}x", **login)
    assert "refused to log in with this role and secret id" in failure(lambda: wrong.prepare([CI], check_mode=False))


def test_a_real_jwt_signs_in(server):
    key, public = signing_key()
    root = server.root
    mount = f"jwt-{time.monotonic_ns()}"
    root.sys.enable_auth_method("jwt", path=mount)
    root.auth.jwt.configure(jwt_validation_pubkeys=[public], path=mount)
    role = {"role_type": "jwt", "user_claim": "sub", "allowed_redirect_uris": [], "bound_audiences": ["vault"]}
    root.auth.jwt.create_role("ci", token_policies=["mine"], path=mount, **role)
    login = {"auth_method": "jwt", "auth_mount": mount, "role": "ci"}
    opened("secret/mine", url=server.url, jwt=signed(key, "vault"), **login).prepare([CI], check_mode=False)
    wrong = opened("secret/mine", url=server.url, jwt=signed(key, "others"), **login)
    assert "refused to log in with this JWT" in failure(lambda: wrong.prepare([CI], check_mode=False))


def signing_key() -> tuple[t.Any, str]:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key, key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def signed(key: t.Any, audience: str) -> str:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    def encoded(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    claims = {"sub": "ci", "aud": audience, "iat": int(time.time()), "exp": int(time.time()) + 300}
    text = ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": "ES256", "typ": "JWT"}, claims))
    r, s = utils.decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def test_a_real_namespace_keeps_apart(server):
    root = server.root
    name = f"team-{time.monotonic_ns()}"
    root.adapter.post(f"/v1/sys/namespaces/{name}")
    inside = openbao.hvac.Client(server.url, token=openbao.ROOT_TOKEN, namespace=name)
    inside.sys.enable_secrets_engine("kv", path="kv", options={"version": "2"})
    store = opened("kv/team", url=server.url, token=openbao.ROOT_TOKEN, namespace=name)
    store.prepare([CI], check_mode=False)
    assert store.write([entry(ONE)]) == {CI: "written"}
    outside = opened("kv/team", url=server.url, token=openbao.ROOT_TOKEN)
    assert "look at the mount kv" in failure(lambda: outside.prepare([CI], check_mode=False))


def test_a_real_mount_with_a_slash_and_one_of_version_1(server):
    number = time.monotonic_ns()
    server.root.sys.enable_secrets_engine("kv", path=f"team-{number}/kv", options={"version": "2"})
    server.root.sys.enable_secrets_engine("kv", path=f"old-{number}", options={"version": "1"})
    login = {"url": server.url, "token": openbao.ROOT_TOKEN}
    store = opened(f"team-{number}/kv/x", mount=f"team-{number}/kv", **login)
    store.prepare([CI], check_mode=False)
    assert store.write([entry(ONE)]) == {CI: "written"}
    old = opened(f"old-{number}/x", **login)
    assert "version 2 but kv 1" in failure(lambda: old.prepare([CI], check_mode=False))


def test_a_real_server_that_is_sealed_half_way_says_so():
    with openbao.running() as bao:
        store = opened("secret/mine", url=bao.url, token=openbao.ROOT_TOKEN)
        store.prepare([CI], check_mode=False)
        bao.root.sys.seal()
        assert store.write([entry(ONE)]) == {CI: "unknown"}
        assert "is sealed" in str(store.reasons)
        assert "is sealed" in failure(lambda: store.read([CI]))


def test_a_server_that_drips_is_not_waited_for_without_end(monkeypatch):
    monkeypatch.setattr(_body, "FACTOR", 2)
    started = time.monotonic()
    with raw_server(ANSWERS["body"]) as url:
        store = opened("kv/team", url=url, token=TOKEN, timeout=0.4)
        assert "does not answer" in failure(lambda: store.read([CI]))
        assert time.monotonic() - started < 15


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy"])
def test_plain_text_to_this_machine_goes_through_no_proxy(monkeypatch, variable):
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with running() as (_double, url), proxy.running() as between:
        monkeypatch.setenv(variable, between.url)
        assert opened("kv/team", url=url, token=TOKEN).write([entry(ONE)]) == {CI: "written"}
        assert (between.targets, bytes(between.passed)) == ([], b"")
