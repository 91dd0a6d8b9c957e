"""Serving the real names: the certificates, and a client that knows nothing of a sandbox."""

from __future__ import annotations

import ssl
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests.sandbox.conftest import CALLBACK, SCOPES, App
from xero_sandbox import tls
from xero_sandbox.__main__ import main
from xero_sandbox.testing import SandboxServer, walk_consent
from xero_sandbox.tls import TlsError, certificates


@pytest.fixture(scope="module")
def secure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    with SandboxServer(tls=tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def client(secure: SandboxServer) -> Iterator[httpx.Client]:
    """A client whose names are redirected to the sandbox, and that trusts its authority."""
    secure.reset()
    with secure.browser() as browser:
        yield browser


def test_an_unmodified_client_walks_the_whole_way_over_the_real_names(
    secure: SandboxServer, client: httpx.Client
):
    found = client.get("https://identity.xero.com/.well-known/openid-configuration").json()
    app = App(secure, client)
    query = urlsplit(app.authorize_url()).query
    callback = walk_consent(
        client, f"{found['authorization_endpoint']}?{query}", email="ava@example.com"
    )
    assert callback.startswith(CALLBACK)
    form = {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(callback).query)["code"][0],
        "redirect_uri": CALLBACK,
        "code_verifier": app.verifier,
    }
    tokens = client.post(found["token_endpoint"], data=form, auth=app.credentials).json()
    assert tokens["scope"] == SCOPES
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    (first, *_) = client.get("https://api.xero.com/connections", headers=bearer).json()
    headers = bearer | {"Accept": "application/json", "xero-tenant-id": first["tenantId"]}
    answer = client.get("https://api.xero.com/api.xro/2.0/Organisation", headers=headers)
    assert answer.json()["Organisations"][0]["Name"] == first["tenantName"]


def test_discovery_names_the_real_hosts_to_who_asked_a_real_host(client: httpx.Client):
    found = client.get("https://identity.xero.com/.well-known/openid-configuration").json()
    assert {key: url for key, url in found.items() if key.endswith(("_endpoint", "_uri"))} == {
        "jwks_uri": "https://identity.xero.com/.well-known/openid-configuration/jwks",
        "authorization_endpoint": "https://login.xero.com/identity/connect/authorize",
        "token_endpoint": "https://identity.xero.com/connect/token",
        "userinfo_endpoint": "https://identity.xero.com/connect/userinfo",
        "revocation_endpoint": "https://identity.xero.com/connect/revocation",
    }
    assert client.get(found["jwks_uri"]).json()["keys"]


def test_discovery_keeps_a_port_that_the_client_named(client: httpx.Client):
    url = "https://identity.xero.com:8443/.well-known/openid-configuration"
    assert (
        client.get(url).json()["token_endpoint"] == "https://identity.xero.com:8443/connect/token"
    )


def test_localhost_serves_everything_and_names_itself(secure: SandboxServer, client: httpx.Client):
    found = client.get("/.well-known/openid-configuration").json()
    assert found["authorization_endpoint"] == f"{secure.url}/identity/connect/authorize"
    assert client.get("/").status_code == 200
    assert client.get("/_sandbox/health").json() == {"status": "ok"}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.xero.com/connect/token",
        "https://api.xero.com/_sandbox/requests",
        "https://api.xero.com/",
        "https://identity.xero.com/identity/connect/authorize",
        "https://identity.xero.com/connections",
        "https://login.xero.com/api.xro/2.0/Invoices",
    ],
)
def test_a_real_name_serves_its_own_paths_alone(client: httpx.Client, url: str):
    assert client.get(url).status_code == 404


def test_pages_of_the_real_login_name_have_their_style(client: httpx.Client):
    style = client.get("https://login.xero.com/_sandbox/static/sandbox.css")
    assert style.headers["Content-Type"].startswith("text/css")


def test_the_session_cookie_is_for_https_alone(secure: SandboxServer, client: httpx.Client):
    form = {"as": "ava@example.com"}
    cookie = client.post("/identity/login", data=form).headers["Set-Cookie"]
    assert "; Secure" in cookie
    assert "; HttpOnly" in cookie


def test_it_stops_within_a_second_while_a_client_keeps_its_connection(tmp_path: Path):
    server = SandboxServer(tls=tmp_path, demo=False).start()
    with server.browser() as browser:
        assert browser.get("/_sandbox/health").status_code == 200
        began = time.perf_counter()
        server.stop()
        assert time.perf_counter() - began < 1


def test_nobody_else_is_trusted(secure: SandboxServer):
    with (
        pytest.raises(httpx.ConnectError, match="certificate verify failed"),
        httpx.Client(trust_env=False, verify=ssl.create_default_context()) as stranger,
    ):
        stranger.get(f"{secure.url}/_sandbox/health")


def test_a_dropped_connection_is_dropped_over_tls_too(client: httpx.Client):
    client.post("/_sandbox/faults", json={"path": "/connections", "kind": "drop"})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.get("https://api.xero.com/connections")


def test_the_key_is_for_its_owner_alone_and_the_authority_keeps_none(tmp_path: Path):
    files = certificates(tmp_path / "new" / "folder")
    assert stat.S_IMODE(files.key.stat().st_mode) == 0o600
    assert sorted(path.name for path in files.key.parent.iterdir()) == [
        "ca.pem",
        "server.key",
        "server.pem",
    ]
    assert "PRIVATE KEY" not in files.authority.read_text()


def test_a_restart_serves_the_same_certificates(tmp_path: Path):
    first = certificates(tmp_path).authority.read_bytes()
    assert certificates(tmp_path).authority.read_bytes() == first


def test_an_older_key_that_others_could_read_is_replaced(tmp_path: Path):
    (tmp_path / "server.key").write_text("old")
    (tmp_path / "server.key").chmod(0o644)
    assert stat.S_IMODE(certificates(tmp_path).key.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
def test_files_that_are_no_certificates_are_said_so(tmp_path: Path, name: str):
    certificates(tmp_path)
    (tmp_path / name).write_text("nonsense")
    with pytest.raises(TlsError, match="holds no certificates"):
        certificates(tmp_path)


def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["--tls", str(tmp_path / "file")]) == 2
    assert "cannot be used" in capsys.readouterr().err


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "trustme", None)
    assert main(["--tls", str(tmp_path)]) == 2
    assert "pip install trustme" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_command_serves_https_and_names_the_authority(tmp_path: Path):
    command = [sys.executable, "-m", "xero_sandbox", "--no-demo", "--tls", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        assert process.stdout.readline().split()[-1] == str(tmp_path / "ca.pem")
        context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
        with httpx.Client(trust_env=False, verify=context) as client:
            assert client.get(f"{address}/_sandbox/health").json() == {"status": "ok"}
    finally:
        process.terminate()
        process.communicate()


def test_the_names_are_those_of_xero_and_of_this_machine():
    assert set(tls.NAMES) == {
        "api.xero.com",
        "identity.xero.com",
        "login.xero.com",
        "localhost",
        "127.0.0.1",
        "::1",
    }
