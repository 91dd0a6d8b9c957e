"""The Makefile says what it needs before it does anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).resolve().parents[2]


def _make(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _clone_without_packages(folder: Path) -> Path:
    for name in ("Makefile", "requirements.txt", "pyproject.toml"):
        shutil.copy(_REPOSITORY / name, folder / name)
    return folder


def test_help_lists_every_target_that_people_type() -> None:
    shown = _make(_REPOSITORY, "help").stdout
    listed = set(re.findall(r"make ([\w-]+)", shown))
    assert {"run", "stop", "reset", "status", "test", "campaign", "check", "bench"} <= listed
    phony = re.findall(r"^\.PHONY: (.*)$", (_REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert listed == set(" ".join(phony).split())


@pytest.mark.parametrize("given", [None, "/elsewhere"])
def test_what_the_browser_tests_saw_is_kept_where_git_does_not_look(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PAGE_SCREENSHOTS", raising=False)
    if given:
        monkeypatch.setenv("PAGE_SCREENSHOTS", given)

    told = _make(_REPOSITORY, "--eval=seen: ; @echo $$PAGE_SCREENSHOTS", "seen").stdout.strip()

    assert told == (given or str(_REPOSITORY / "build" / "screenshots"))
    assert "build/" in (_REPOSITORY / ".gitignore").read_text().splitlines()


def test_a_python_that_does_not_fit_is_refused_with_what_to_install(tmp_path: Path) -> None:
    done = _make(_clone_without_packages(tmp_path), "run", "PYTHON=/bin/false")
    assert done.returncode != 0
    assert "Python 3.11, 3.12 or 3.13 is needed, and /bin/false is none of them" in done.stderr
    assert "apt install python3 python3-venv" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_python_without_venv_is_refused_with_the_package_to_install(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(
        '#!/bin/sh\ncase "$2" in *ensurepip*) exit 1;; *print*) echo 3.12;; esac\nexit 0\n'
    )
    python.chmod(0o755)
    done = _make(_clone_without_packages(tmp_path), "run", f"PYTHON={python}")
    assert done.returncode != 0
    assert "apt install python3-venv    (or python3.12-venv)" in done.stderr


def test_stop_and_reset_need_nothing_where_nothing_was_started(tmp_path: Path) -> None:
    clone = _clone_without_packages(tmp_path)
    assert "make run starts everything" in _make(clone, "status").stdout
    for target in ("stop", "status", "reset"):
        assert _make(clone, target).returncode == 0


@pytest.mark.parametrize("target", ["stop", "status", "reset"])
def test_what_runs_is_not_forgotten_when_only_the_packages_are_gone(
    tmp_path: Path, target: str
) -> None:
    clone = _clone_without_packages(tmp_path)
    (clone / ".local" / "demo").mkdir(parents=True)
    done = _make(clone, target)
    assert done.returncode != 0
    assert f".venv is missing: run make venv first, then make {target}" in done.stderr
    assert (clone / ".local" / "demo").exists()
