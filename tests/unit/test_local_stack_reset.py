"""`make reset` deletes everything but the one thing that cannot be made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from local_stack.progress import Progress
from local_stack.secret_files import SecretFiles
from local_stack.state import StateFile
from local_stack.story import reset


def _installed(repository: Path, *, warehouse: str) -> Path:
    folder = repository / ".local" / "demo"
    folder.mkdir(parents=True, mode=0o700)
    StateFile(folder / "state.json").set("warehouse", warehouse)
    SecretFiles(folder / "secrets")
    return folder


def test_reset_deletes_all_state_of_the_embedded_warehouse(tmp_path: Path) -> None:
    _installed(tmp_path, warehouse="embedded")
    reset(tmp_path, Progress())
    assert not (tmp_path / ".local").exists()


def test_reset_keeps_the_keys_of_a_warehouse_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _installed(tmp_path, warehouse="db.example.com:5432/xero")
    keys = (folder / "secrets" / "xero_token_keys").read_text()

    reset(tmp_path, Progress())

    assert [path for path in folder.rglob("*") if path.is_file()] == [
        folder / "secrets" / "xero_token_keys"
    ]
    assert SecretFiles(folder / "secrets").value("xero_token_keys") == keys.strip()
    printed = capsys.readouterr()
    assert "xero_token_keys is kept" in printed.out + printed.err
    assert keys.strip() not in printed.out + printed.err


@pytest.mark.parametrize("state", ["", "{ damaged"])
def test_reset_keeps_the_keys_as_long_as_nobody_knows_whose_they_are(
    tmp_path: Path, state: str
) -> None:
    folder = _installed(tmp_path, warehouse="db.example.com:5432/xero")
    keys = (folder / "secrets" / "xero_token_keys").read_text()
    # As after an earlier reset, or a disk that was full.
    (folder / "state.json").unlink()
    if state:
        (folder / "state.json").write_text(state)

    reset(tmp_path, Progress())
    reset(tmp_path, Progress())

    assert [path for path in folder.rglob("*") if path.is_file()] == [
        folder / "secrets" / "xero_token_keys"
    ]
    assert (folder / "secrets" / "xero_token_keys").read_text() == keys


def test_reset_never_opens_the_folders_of_the_keys_to_others(tmp_path: Path) -> None:
    folder = _installed(tmp_path, warehouse="db.example.com:5432/xero")
    reset(tmp_path, Progress())
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / "secrets")] == [0o700] * 2


def test_reset_of_nothing_is_no_error(tmp_path: Path) -> None:
    reset(tmp_path, Progress())
    assert list(tmp_path.iterdir()) == []
