"""The stores behind a URL over TLS: whom they trust is what the options and the environment say."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._base import Store, StoreError
from ansible_collections.tokensmith.bitbucket.plugins.plugin_utils.stores._catalogue import open_store
from tests.doubles import awx, vault_kv2
from tests.doubles.loopback import Double
from tests.simulator.tls import Certificates, make_certificates
from tests.unit.plugins.plugin_utils.stores.places import CI, ONE, entry, play_vault
from tests.unit.plugins.unsearchable import unsearchable


@dataclasses.dataclass(frozen=True)
class Service:
    """One kind of store: how its double runs, and what opens it."""

    running: t.Callable[..., contextlib.AbstractContextManager[tuple[Double, str]]]
    place: str
    options: dict[str, t.Any]

    def opened(self, url: str, **options: t.Any) -> Store:
        return open_store(self.place, {"url": url, **self.options, **options}, play_vault(), single=False)


VAULT = Service(vault_kv2.running, "hashi_vault:kv/team", {"token": vault_kv2.TOKEN})
AWX = Service(awx.running, "awx_credential:Bitbucket {reference}", {"organization": "Payments", "token": awx.TOKEN})
BOTH = pytest.mark.parametrize("service", [VAULT, AWX], ids=["hashi_vault", "awx_credential"])


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch):
    for name in ("VAULT_CACERT", "CONTROLLER_VERIFY_SSL", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@contextlib.contextmanager
def listening(service: Service, tls: Certificates) -> Iterator[tuple[Double, str]]:
    """The service by the name that its certificate has."""
    with service.running(tls=tls) as (double, url):
        yield double, url.replace("127.0.0.1", "localhost")


def refusal(double: Double, store: Store) -> str:
    """The sentence with which it fails; the server is told nothing."""
    with pytest.raises(StoreError) as caught:
        store.read([CI])
    assert not double.requests
    return str(caught.value)


def assert_distrusted(double: Double, store: Store) -> None:
    said = refusal(double, store)
    assert "is not accepted: " in said or "TLS connection" in said
    assert "`ca_path`" in said


@BOTH
def test_a_server_whose_ca_is_named_is_written_to_and_read(service, certificates):
    with listening(service, certificates) as (_double, url):
        store = service.opened(url, ca_path=certificates.ca)
        assert store.write([entry(ONE)]) == {CI: "written"}
        assert service.opened(url, ca_path=certificates.ca).read([CI]) == {CI: ONE}


@BOTH
def test_a_server_whose_ca_nobody_knows_is_told_nothing(service, certificates):
    with listening(service, certificates) as (double, url):
        assert_distrusted(double, service.opened(url))


@BOTH
def test_a_server_of_another_ca_is_told_nothing(service, certificates, tmp_path):
    with listening(service, certificates) as (double, url):
        assert_distrusted(double, service.opened(url, ca_path=make_certificates(tmp_path).ca))


@BOTH
def test_a_server_by_another_name_is_told_nothing(service, tmp_path):
    other = make_certificates(tmp_path, host="other.example.com", address="127.0.0.9")
    with listening(service, other) as (double, url):
        assert_distrusted(double, service.opened(url, ca_path=other.ca))


@BOTH
def test_a_server_whose_certificate_has_expired_is_told_nothing(service, tmp_path):
    old = make_certificates(tmp_path, lifetime=datetime.timedelta(days=-1))
    with listening(service, old) as (double, url):
        assert_distrusted(double, service.opened(url, ca_path=old.ca))


@BOTH
def test_an_empty_file_of_certificates_is_told_in_a_sentence(service, certificates, tmp_path):
    (tmp_path / "ca.pem").write_text("")
    with listening(service, certificates) as (double, url), pytest.raises(StoreError, match="ca_path"):
        service.opened(url, ca_path=str(tmp_path / "ca.pem")).read([CI])
    assert not double.requests


@BOTH
def test_a_file_of_certificates_that_vanishes_during_the_run_stops_writing_in_a_sentence(
    service, certificates, tmp_path
):
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(certificates.ca).read_bytes())
    references = [f"projects/P{number}/tokens/ci" for number in range(20)]
    with listening(service, certificates) as (double, url):
        store = service.opened(url, ca_path=str(path))
        assert store.read([CI]) == {CI: None}
        double.requests.clear()
        path.unlink()
        answers = store.write([entry(ONE, reference=reference) for reference in references])
        assert answers == dict.fromkeys(references, "unknown")
        assert all("`ca_path`" in store.reasons[reference] for reference in references)
        assert "`ca_path`" in refusal(double, store)


@BOTH
def test_a_file_of_certificates_that_may_not_be_looked_at_is_told_in_a_sentence(service, tmp_path):
    with unsearchable(tmp_path), pytest.raises(StoreError, match="ca_path"):
        service.opened("https://127.0.0.1:1", ca_path=str(tmp_path / "ca.pem"))


def test_the_environment_names_the_ca_of_vault_where_the_options_do_not(certificates, monkeypatch, tmp_path):
    with listening(VAULT, certificates) as (double, url):
        monkeypatch.setenv("VAULT_CACERT", certificates.ca)
        assert VAULT.opened(url).read([CI]) == {CI: None}
        double.requests.clear()
        assert_distrusted(double, VAULT.opened(url, ca_path=make_certificates(tmp_path).ca))


@pytest.mark.parametrize("spelling", [False, "no"])
def test_the_controller_is_trusted_unseen_where_the_options_say_so(certificates, monkeypatch, spelling):
    with listening(AWX, certificates) as (double, url):
        assert AWX.opened(url, validate_certs=spelling).read([CI]) == {CI: None}
        monkeypatch.setenv("CONTROLLER_VERIFY_SSL", "false")
        assert AWX.opened(url).read([CI]) == {CI: None}
        double.requests.clear()
        assert_distrusted(double, AWX.opened(url, validate_certs=True))
