"""What every child process inherits of the caller's environment, and what it must not.

Knows which settings would redirect our Airflow, dbt, Postgres or library. Knows no process.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FOREIGN_SETTINGS = ("AIRFLOW", "DBT_", "PG", "XERO_", "PYTHONPATH", "PYTHONHOME")


def inherited_environment() -> dict[str, str]:
    """Return the caller's environment without what belongs to another Airflow or warehouse."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_SETTINGS)
    }
    programs = str(Path(sys.executable).parent)
    loopback = "localhost,127.0.0.1,::1"
    no_proxy = kept.get("no_proxy") or kept.get("NO_PROXY")
    return {
        **kept,
        "PATH": os.pathsep.join([programs, kept.get("PATH", os.defpath)]),
        # Names of organisations are printed and logged, whatever the terminal's locale.
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "NO_PROXY": f"{no_proxy},{loopback}" if no_proxy else loopback,
        "no_proxy": f"{no_proxy},{loopback}" if no_proxy else loopback,
        "DO_NOT_TRACK": "1",
    }
