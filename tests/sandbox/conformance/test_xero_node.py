"""The official SDK of Node, unmodified, over TLS, at Xero's own host names."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conformance.conftest import EVE, SCOPES
from tests.sandbox.conformance.operations import SERVED
from tests.sandbox.conftest import CALLBACK
from xero_sandbox.testing import SandboxServer

HERE = Path(__file__).parent / "node"
_INSTALL_SECONDS = 120
_RUN_SECONDS = 60
# Whatever a list answers without ids and without further questions.
_LISTS = [
    operation.name
    for operation in SERVED
    if not operation.parameters and not operation.resource.startswith("Reports/")
]


def test_the_lock_of_the_node_packages_names_no_registry() -> None:
    lock = json.loads((HERE / "package-lock.json").read_text("utf-8"))
    assert lock["packages"]["node_modules/xero-node"]["version"] == "20.0.0"
    for name, package in lock["packages"].items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


@pytest.fixture(scope="module")
def packages(request: pytest.FixtureRequest) -> Path:
    """The folder of the installed packages; kept, so that the next run needs no network."""
    for command in ("node", "npm"):
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not here")
    lock = (HERE / "package-lock.json").read_bytes()
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir(f"xero-node-{hashlib.sha256(lock).hexdigest()[:12]}")
    installed = folder / ".installed"
    if not installed.exists():
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        run = ["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(
            run, cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS
        )
        if done.returncode:
            pytest.skip(f"npm ci: {done.stderr[-400:]}")
        installed.touch()
    return folder


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxServer]:
    with SandboxServer(demo=False, tls=tmp_path / "tls") as server:
        server.control("POST", "clocks", {"business": "2026-11-20T12:00:00Z"})
        server.control("POST", "limits", {"enabled": False, "tier": "advanced"})
        yield server


@pytest.fixture
def tenant_id(sandbox: SandboxServer) -> str:
    wanted = {"name": "Noda Ltd", "days": 40}
    made: str = sandbox.control("POST", "organisations", wanted)["tenantId"]
    owner = {"email": EVE, "organisations": [made]}
    sandbox.control("POST", "users", owner)
    return made


class Node:
    """A Node process that speaks lines; Xero's hosts lead to the sandbox."""

    def __init__(self, sandbox: SandboxServer, packages: Path, authority: Path) -> None:
        environment = os.environ | {
            "NODE_EXTRA_CA_CERTS": str(authority),
            "NODE_PATH": str(packages / "node_modules"),
            "XERO_SANDBOX_PORT": str(sandbox.port),
        }
        self._process = subprocess.Popen(
            ["node", "--require", str(HERE / "redirect.cjs"), str(HERE / "client.cjs")],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, self.end()
        return json.loads(line)

    def end(self) -> str:
        """What it complained about, and warned of; it must end by itself."""
        _, complaints = self._process.communicate(timeout=_RUN_SECONDS)
        return complaints


@pytest.mark.campaign
def test_the_node_sdk_connects_reads_refreshes_and_leaves(
    sandbox: SandboxServer, tenant_id: str, packages: Path, tmp_path: Path
) -> None:
    node = Node(sandbox, packages, tmp_path / "tls" / "ca.pem")
    wanted = {
        "flow": "code",
        "clientId": sandbox.client_id,
        "clientSecret": sandbox.client_secret,
        "redirectUri": CALLBACK,
        "scopes": SCOPES.split(),
        "operations": _LISTS,
    }
    node.say(json.dumps(wanted))
    consent_url = node.hear()
    assert consent_url.startswith("https://login.xero.com/identity/connect/authorize?")
    here = consent_url.replace("https://login.xero.com", sandbox.url)
    node.say(sandbox.consent(here, EVE))
    seen = node.hear()
    assert node.end() == ""
    assert seen["email"] == EVE
    assert seen["tenant"] == {"id": tenant_id, "name": "Noda Ltd", "organisation": "Noda Ltd"}
    assert seen["isRefreshed"]
    ids = seen["pages"]["ids"]
    assert len(ids) == len(set(ids)) == seen["lists"]["getInvoices"] > 7
    assert seen["pages"]["lines"] == len(ids)
    assert set(seen["lists"]) == set(_LISTS)
    names = [name for name, _ in seen["reports"]]
    assert names == ["Trial Balance", "Profit and Loss", "Balance Sheet"]
    assert all(rows > 1 for _, rows in seen["reports"])
    assert seen["afterDisconnecting"] == []
    assert seen["afterRevoking"] == 400


@pytest.mark.campaign
def test_the_node_sdk_gets_a_token_for_the_app_itself(
    sandbox: SandboxServer, tenant_id: str, packages: Path, tmp_path: Path
) -> None:
    node = Node(sandbox, packages, tmp_path / "tls" / "ca.pem")
    wanted = {"flow": "client_credentials"}
    wanted |= {"clientId": sandbox.client_id, "clientSecret": sandbox.client_secret}
    node.say(json.dumps(wanted))
    seen = node.hear()
    assert node.end() == ""
    assert seen["organisations"] == ["Noda Ltd"]
    assert "accounting.settings" in seen["scope"]
