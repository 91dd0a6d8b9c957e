"""The first night of many organisations without a scheduler: the library in this one process.

`python -m benchmarks.first_night extract 2026-10-17 0/2` reads the first half of the connected
organisations, `publish` builds the marts. Runs with the environment of Airflow's tasks.
"""

from __future__ import annotations

import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from types import SimpleNamespace
from typing import Any

from airflow_xero.connect import tenants_to_extract
from airflow_xero.dbt_build import DbtBuildOperator
from airflow_xero.extract import Tenant, extract_day
from airflow_xero.hook import XeroHook
from airflow_xero.settings import conn_id

_THREADS = 3


def extract(day: date, *, share: int, shares: int) -> None:
    """Read every organisation of the share, a few at a time."""
    with XeroHook(conn_id()) as hook:
        with hook.warehouse() as warehouse:
            tenants = tenants_to_extract(warehouse, conn_id())[share::shares]

        def one(tenant: Tenant) -> None:
            with hook.warehouse() as warehouse:
                extract_day(tenant, day, client=hook.client(tenant), warehouse=warehouse)

        with ThreadPoolExecutor(_THREADS) as threads:
            for _ in threads.map(one, tenants):
                pass


def publish() -> None:
    """Build the marts by the Dag's own operator."""
    operator = DbtBuildOperator(task_id="dbt_build", xero_conn_id=conn_id(), listed_by="-")
    ti = SimpleNamespace(
        dag_id="first_night",
        run_id="first_night",
        xcom_pull=lambda **_: [],
        xcom_push=lambda **_: None,
    )
    context: Any = {"ti": ti}
    operator.execute(context)


def main(arguments: list[str]) -> None:
    """Do what the command line says."""
    logging.disable(logging.INFO)
    if arguments[0] == "publish":
        publish()
        return
    share, shares = arguments[2].split("/")
    extract(date.fromisoformat(arguments[1]), share=int(share), shares=int(shares))


if __name__ == "__main__":
    main(sys.argv[1:])
