"""What every task would import for itself, imported once by the process that starts tasks.

A scheduler with LocalExecutor, and a Celery worker, start each task by forking, and the fork has
what its parent has. Knows which programs do so. Must not know what a task does.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

_STARTING_TASKS = ({"scheduler"}, {"celery", "worker"})
# Together a fifth of a second of CPU: as long as a quiet organisation takes to extract.
_MODULES = (
    "airflow.providers.postgres.hooks.postgres",
    "airflow_xero.dbt_build",
    "airflow_xero.listing_operators",
    "airflow_xero.operators",
    "airflow_xero.retry",
)


def starts_tasks(command: Sequence[str]) -> bool:
    """Whether a command line, such as `airflow scheduler`, is a program that forks tasks."""
    return any(words <= set(command[1:3]) for words in _STARTING_TASKS)


def import_ahead() -> None:
    """Import what tasks need, if this process starts tasks; new code needs its restart."""
    if not starts_tasks(sys.argv):
        return
    for module in _MODULES:
        import_module(module)
    # The authorities that TLS trusts take as long as several modules.
    from airflow_xero import oauth

    oauth.new_http().close()
