"""What the stack remembers, keeps secret, reads from .env, and how two commands stay apart."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from local_stack.errors import StackError
from local_stack.secret_files import SecretFiles
from local_stack.settings import read_settings
from local_stack.state import StateFile, lock


def test_secrets_are_private_files_that_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    first = SecretFiles(folder)
    values = {path.name: first.value(path.name) for path in folder.iterdir()}
    again = SecretFiles(folder)
    assert {name: again.value(name) for name in values} == values
    assert len(set(values.values())) == len(values) == 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    Fernet(values["xero_token_keys"])


def test_secrets_are_removed_from_text_before_it_is_shown(tmp_path: Path) -> None:
    secrets = SecretFiles(tmp_path)
    text = f"no entry for {secrets.value('airflow_jwt_secret')}"
    assert secrets.redacted(text) == "no entry for ***"


def test_state_survives_and_a_write_cut_short_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert StateFile(path).get("ports") is None
    StateFile(path).set("ports", {"airflow": 8080})
    path.with_name("state.json.unfinished").write_text('{"ports": {"airf')
    StateFile(path).set("nights", ["2026-11-20"])
    assert StateFile(path).get("ports") == {"airflow": 8080}
    assert StateFile(path).get("nights") == ["2026-11-20"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_damaged_state_says_how_to_begin_anew(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text("{")
    with pytest.raises(StackError, match="make reset"):
        StateFile(tmp_path / "state.json").get("ports")


def test_a_second_command_at_the_same_time_is_told_who_is_at_work(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    code = (
        "import sys, pathlib; from local_stack.state import lock\n"
        "with lock(pathlib.Path(sys.argv[1])): print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(StackError, match=f"process {holder.pid}"), lock(path):
            pass
        holder.kill()
    with lock(path):
        pass


def test_without_credentials_it_is_the_demo(tmp_path: Path) -> None:
    settings = read_settings(tmp_path, {})
    assert not settings.is_real
    assert settings.folder == tmp_path / ".local" / "demo"


def test_credentials_in_env_file_mean_the_real_xero_with_state_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# comment\n\nexport XERO_CLIENT_ID='abc'\nXERO_CLIENT_SECRET=s#1 # mine\n"
    )
    settings = read_settings(tmp_path, {})
    assert settings.is_real
    assert settings.client_id == "abc"
    assert settings.client_secret == "s#1"
    assert settings.folder == tmp_path / ".local" / "real"
    assert "s#1" not in repr(settings)


def test_the_environment_wins_over_the_env_file_and_empty_means_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("XERO_CLIENT_ID=abc\nXERO_CLIENT_SECRET=secret\n")
    settings = read_settings(tmp_path, {"XERO_CLIENT_ID": "", "XERO_CLIENT_SECRET": ""})
    assert not settings.is_real


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"XERO_CLIENT_ID": "abc"}, "XERO_CLIENT_SECRET is missing"),
        ({"XERO_CLIENT_SECRET": "hunter2"}, "XERO_CLIENT_ID is missing"),
        ({"XERO_AIRFLOW_PORT": "80"}, "XERO_AIRFLOW_PORT"),
        ({"XERO_AIRFLOW_PORT": "eighty"}, "XERO_AIRFLOW_PORT"),
    ],
)
def test_contradicting_settings_are_named_without_their_values(
    tmp_path: Path, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(StackError, match=named) as caught:
        read_settings(tmp_path, environment)
    assert "hunter2" not in str(caught.value)


def test_a_line_of_the_env_file_that_is_no_setting_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("XERO_CLIENT_ID=a\nhunter2\n")
    with pytest.raises(StackError, match="line 2") as caught:
        read_settings(tmp_path, {})
    assert "hunter2" not in str(caught.value)


def test_the_example_of_the_env_file_is_the_demo() -> None:
    repository = Path(__file__).resolve().parents[2]
    lines = (repository / ".env.example").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    assert not read_settings(Path("/nowhere"), values).is_real
