"""Starting, stopping and restarting: the server for tests, the command, the state file."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.sandbox.conftest import App
from xero_sandbox.__main__ import main
from xero_sandbox.identity.registration import AppSettings
from xero_sandbox.server import PortInUseError, listen
from xero_sandbox.state import StateFile, StateFileError
from xero_sandbox.testing import SandboxServer, new_browser
from xero_sandbox.world import World


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@contextmanager
def running(state: Path | None = None, **settings: object) -> Iterator[App]:
    server = SandboxServer(state=state, **settings)  # type: ignore[arg-type]
    with server as sandbox, new_browser(sandbox.url) as http:
        yield App(sandbox, http)


def test_a_first_touch_is_saved_soon_and_at_the_end(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("xero_sandbox.saving.SOON_SECONDS", 0.4)
    state = tmp_path / "sandbox.json"

    def built() -> list[bool]:
        plans = json.loads(state.read_text(encoding="utf-8"))["organisations"]
        return [plan["built_at"] is not None for plan in plans]

    with running(state) as app:
        tokens = app.connect()
        first, second = (each["tenantId"] for each in app.connections(tokens))
        assert app.read(tokens, "Organisation", first).status_code == 200
        assert not any(built())
        time.sleep(0.5)
        assert sum(built()) == 1
        assert app.read(tokens, "Organisation", second).status_code == 200
    assert sum(built()) == 2


def test_a_kill_loses_no_change_that_was_answered(tmp_path: Path):
    state = tmp_path / "sandbox.json"
    command = [sys.executable, "-m", "xero_sandbox", "--no-demo", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        with new_browser(url) as http:
            made = http.post("/_sandbox/organisations", json={"name": "Kept", "days": 0}).json()
            change = {"tenantId": made["tenantId"], "action": "create_contact", "name": "Ann"}
            assert http.post("/_sandbox/documents", json=change).status_code == 200
        process.kill()
    (plan,) = json.loads(state.read_text(encoding="utf-8"))["organisations"]
    assert [action["name"] for action in plan["actions"]] == ["create_contact"]
    assert plan["built_at"] is not None


def test_a_state_of_a_thousand_organisations_is_written_at_once(tmp_path: Path):
    world = World(demo=False)
    for number in range(1000):
        world.add_company(f"Company {number}", seed=1, days=30, traits={})
    file = StateFile(tmp_path / "sandbox.json")
    began = time.perf_counter()
    for _ in range(5):
        file.save(world)
    assert (time.perf_counter() - began) / 5 < 0.1


def test_a_server_starts_on_a_free_port_and_is_gone_afterwards():
    began = time.perf_counter()
    with SandboxServer() as sandbox:
        seconds = time.perf_counter() - began
        assert re.fullmatch(r"http://localhost:\d+", sandbox.url)
        assert sandbox.control("GET", "health") == {"status": "ok"}
        url = sandbox.url
    assert seconds < 5
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/_sandbox/health", trust_env=False)


def test_the_server_answers_on_both_loopback_addresses_and_on_no_other(
    xero_sandbox: SandboxServer,
):
    port = int(xero_sandbox.url.rpartition(":")[2])
    hosts = ["127.0.0.1", *(["[::1]"] if has_ipv6() else [])]
    for host in hosts:
        url = f"http://{host}:{port}/_sandbox/health"
        assert httpx.get(url, trust_env=False).json() == {"status": "ok"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.2", port))


def test_a_port_in_use_is_said_so():
    with SandboxServer() as sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        with pytest.raises(PortInUseError, match=f"port {port} is in use"):
            SandboxServer(port).start()


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_a_port_in_use_on_ipv6_alone_is_in_use_too():
    with socket.socket(socket.AF_INET6) as other:
        other.bind(("::1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port} is in use on ::1"):
            listen(port)


def test_a_registered_redirect_uri_is_the_only_one():
    with running(app=AppSettings(redirect_uris=("https://app.example.com/back",))) as app:
        refused = app.http.get(app.authorize_url())
        assert "Invalid redirect_uri" in refused.text
        url = app.authorize_url(redirect_uri="https://app.example.com/back")
        assert app.sandbox.consent(url).startswith("https://app.example.com/back?code=")


def test_a_restart_forgets_nothing_of_identity(tmp_path: Path):
    state = tmp_path / "sandbox.json"
    with running(state) as app:
        kauri = app.sandbox.organisations()["Kauri Coffee Roasters"]
        tokens = app.connect(organisations=[kauri])
        used = app.refresh(tokens["refresh_token"]).json()
        connections = app.connections(tokens)
        unused_code = app.code(organisations=[kauri])
        verifier = app.verifier
    with running(state) as app:
        app.verifier = verifier
        assert app.exchange(unused_code).status_code == 200
        found = app.connections(tokens)
        assert {each["id"] for each in found} == {each["id"] for each in connections}
        assert app.refresh(used["refresh_token"]).status_code == 200
        assert app.refresh(tokens["refresh_token"]).status_code == 200
        app.sandbox.control("POST", "revoke", {"email": "ava@example.com"})
    with running(state) as app:
        assert app.connections(tokens) == []
        assert app.refresh(used["refresh_token"]).json() == {"error": "invalid_grant"}


def test_a_restart_gives_the_same_books_at_the_same_moment(tmp_path: Path):
    state = tmp_path / "sandbox.json"
    wanted = {"name": "Kept", "seed": 5, "days": 30}
    with running(state) as app:
        door = app.sandbox.control
        door("POST", "clocks", {"business": "2026-06-01T12:00:00Z"})
        door("POST", "limits", {"enabled": False})
        tenant_id = door("POST", "organisations", wanted)["tenantId"]
        door("POST", "users", {"email": "eve@example.com", "organisations": [tenant_id]})
        action = {"tenantId": tenant_id, "action": "create_invoice"}
        made = door("POST", "documents", action | {"amount": "230.00"})
        door("POST", "clocks", {"business": "2026-06-09T12:00:00Z"})
        tokens = app.connect("eve@example.com")
        before = app.read(tokens, "Invoices?page=1&pageSize=1000", tenant_id).json()["Invoices"]
    with running(state) as app:
        assert app.sandbox.control("GET", "clocks")["business"].startswith("2026-06-09T12:0")
        assert app.sandbox.control("GET", "limits")["enabled"] is False
        after = app.read(tokens, "Invoices?page=1&pageSize=1000", tenant_id).json()["Invoices"]
    assert made["InvoiceID"] in {each["InvoiceID"] for each in after}
    assert after == before
    assert len(after) > 20


def test_the_state_file_is_for_its_owner_alone_and_holds_no_token(tmp_path: Path):
    state = tmp_path / "sandbox.json"
    with running(state) as app:
        tokens = app.connect()
        text = state.read_text(encoding="utf-8")
        mode = state.stat().st_mode & 0o777
    assert mode == 0o600
    for secret in (tokens["access_token"], tokens["refresh_token"], "sandbox-secret"):
        assert secret not in text
    assert [path.name for path in tmp_path.iterdir()] == ["sandbox.json"]


def test_what_a_lost_answer_did_is_remembered(tmp_path: Path):
    state = tmp_path / "sandbox.json"
    with running(state) as app:
        tokens = app.connect()
        app.sandbox.control("POST", "faults", {"kind": "refresh_answer_lost"})
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            app.refresh(tokens["refresh_token"])
        saved = json.loads(state.read_text(encoding="utf-8"))["refresh_tokens"].values()
    assert sorted(each["replaced_at"] is None for each in saved) == [False, True]


def test_payloads_that_are_gone_after_a_restart_are_an_organisation_offline(tmp_path: Path):
    state, folder = tmp_path / "sandbox.json", tmp_path / "payloads"
    folder.mkdir()
    given = {"Organisations": [{"Name": "Given", "OrganisationID": "a" * 36}]}
    (folder / "Organisation.json").write_text(json.dumps(given), encoding="utf-8")
    with running(state, demo=False) as app:
        made = app.sandbox.control("POST", "organisations", {"payloads": str(folder)})
        owned = {"email": "gia@example.com", "organisations": [made["tenantId"]]}
        app.sandbox.control("POST", "users", owned)
        tokens = app.connect("gia@example.com")
    with running(state) as app:
        assert app.read(tokens, "Organisation", made["tenantId"]).status_code == 200
    shutil.rmtree(folder)
    with running(state) as app:
        response = app.read(tokens, "Organisation", made["tenantId"])
    assert (response.status_code, response.text) == (503, "The Organisation is offline")


def test_a_state_that_cannot_be_saved_is_no_success(tmp_path: Path, caplog):
    folder = tmp_path / "folder"
    folder.mkdir()
    with running(folder / "sandbox.json") as app:
        shutil.rmtree(folder)
        response = app.http.post("/_sandbox/reset")
        assert response.status_code == 500
        assert app.http.get("/_sandbox/health").status_code == 200
    assert "cannot be written" in caplog.text


@pytest.mark.parametrize("text", ["", "nonsense", "{}", '{"version": 99}', "[]"])
def test_a_file_that_is_not_a_state_file_is_left_alone(tmp_path: Path, text, capsys):
    state = tmp_path / "sandbox.json"
    state.write_text(text, encoding="utf-8")
    with pytest.raises(StateFileError, match="move it away or delete it"):
        SandboxServer(state=state).start()
    assert main(["--state", str(state)]) == 2
    assert "move it away or delete it" in capsys.readouterr().err
    assert state.read_text(encoding="utf-8") == text


def test_a_state_file_in_a_folder_that_does_not_exist_is_said_so(tmp_path: Path, capsys):
    assert main(["--state", str(tmp_path / "no" / "sandbox.json")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_command_prints_its_address_and_ends_quietly(end: signal.Signals):
    command = [sys.executable, "-m", "xero_sandbox", "--seed", "7", "--client-id", "mine"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.fullmatch(r"xero-sandbox listening on (http://localhost:\d+)\n", line)
        assert found is not None
        page = httpx.get(found[1], trust_env=False)
        process.send_signal(end)
        rest, errors = process.communicate(timeout=20)
    assert page.status_code == 200
    assert "mine" in page.text
    assert (rest, errors) == ("", "")


def test_the_command_says_when_its_port_is_in_use(xero_sandbox: SandboxServer, capsys):
    port = xero_sandbox.url.rpartition(":")[2]
    assert main(["--port", port]) == 2
    assert f"port {port} is in use" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["99999", "65536", "-1"])
def test_a_port_that_no_machine_has_is_said_so(port: str, capsys):
    assert main([f"--port={port}", "--no-demo"]) == 2
    assert capsys.readouterr().err.startswith(f"xero-sandbox: there is no port {port}: choose one")


def test_an_address_of_another_machine_is_said_so(capsys):
    assert main(["--host", "192.0.2.1", "--no-demo"]) == 2
    assert "192.0.2.1 is no address of this machine" in capsys.readouterr().err
