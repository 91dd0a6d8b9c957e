"""What a program that starts tasks imports for them, and that no other program pays for it."""

import subprocess
import sys

import pytest

from airflow_xero.warm_start import starts_tasks

_MODULES = {"psycopg", "airflow_xero.operators", "airflow.providers.postgres.hooks.postgres"}
_PRINT = (
    "import sys; sys.argv = sys.argv[1:]\n"
    "from airflow_xero.warm_start import import_ahead; import_ahead()\n"
    f"print(*sorted({_MODULES!r} & set(sys.modules)))"
)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["airflow", "scheduler", "--skip-serve-logs"], True),
        (["airflow", "celery", "worker"], True),
        (["airflow", "api-server", "--port", "8080"], False),
        (["airflow", "celery", "flower"], False),
        (["airflow", "dag-processor"], False),
        (["airflow"], False),
    ],
)
def test_only_a_scheduler_and_a_celery_worker_start_tasks(command: list[str], expected: bool):
    assert starts_tasks(command) is expected


_LOADS_PLUGINS = (
    "import sys; sys.argv = ['airflow', 'scheduler']\n"
    "from airflow import plugins_manager\n"
    "plugins_manager.ensure_plugins_loaded()\n"
    f"print(*sorted({_MODULES!r} & set(sys.modules)))"
)


def test_a_scheduler_that_loads_the_plugin_imports_what_its_tasks_need():
    words = [sys.executable, "-c", _LOADS_PLUGINS]
    answer = subprocess.run(words, capture_output=True, check=True, text=True)

    assert set(answer.stdout.split()) & _MODULES == _MODULES


@pytest.mark.parametrize(("command", "imported"), [("scheduler", _MODULES), ("api-server", set())])
def test_a_scheduler_imports_what_its_tasks_need_and_an_api_server_does_not(
    command: str, imported: set[str]
):
    words = [sys.executable, "-c", _PRINT, "airflow", command]
    answer = subprocess.run(words, capture_output=True, check=True, text=True)

    assert set(answer.stdout.split()) & _MODULES == imported
