"""From a consent to the first rows in the warehouse: nobody waits for the night.

The laptop's stack, every process real, with one small organisation of the sandbox.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local_stack.consent import consent
from local_stack.nights import EXTRACT_DAG_ID, last_nights, wait_for_dag
from local_stack.progress import Progress
from local_stack.sandbox import DEMO_PASSWORD
from local_stack.stack import Stack, open_stack
from local_stack.story import write_login
from tests.airflow.celery_stack import Place

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(900)]

_REPOSITORY = Path(__file__).resolve().parents[2]
_FIRST_ROWS_SECONDS = 60
_COMPLETE_SECONDS = 240


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """The laptop's stack, up and connected to nothing yet."""
    opened = open_stack(Place(repository=_REPOSITORY, place=tmp_path), Progress())
    opened.state.set("first_day", last_nights(datetime.now(UTC))[-1].day.isoformat())
    try:
        opened.choose_ports()
        opened.start_postgres()
        opened.migrate_airflow()
        write_login(opened)
        opened.migrate_warehouse()
        opened.start_children()
        yield opened
    finally:
        opened.stop()


def seconds_until(condition: Any, *, within: float) -> float:
    """How long it took until the condition held."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < within, "it did not come true in time"
        time.sleep(0.1)
    return time.monotonic() - started


def test_connecting_brings_the_first_rows_within_a_minute(stack: Stack):
    api = stack.wait_until_healthy()
    stack.put_connections(api)
    wait_for_dag(api, check=stack.check, dag_id=EXTRACT_DAG_ID)
    stack.sandbox().set_business_clock(datetime.now(UTC))

    with closing(api.http), psycopg.connect(stack.warehouse().dsn, autocommit=True) as warehouse:
        consent(
            f"{stack.airflow().url}/xero/connect",
            airflow_token=api.http.cookies["_token"],
            email="ava@example.com",
            password=DEMO_PASSWORD,
        )

        def count(query: str) -> int:
            return int(warehouse.execute(query).fetchone()[0])  # type: ignore[index]

        first = seconds_until(
            lambda: count("select count(*) from xero_raw.invoices"), within=_FIRST_ROWS_SECONDS
        )
        complete = seconds_until(
            lambda: (
                count("select count(*) from xero_ops.tenants where complete_day is not null") == 2
            ),
            within=_COMPLETE_SECONDS,
        )

    print({"first_rows_seconds": round(first, 1), "both_complete_seconds": round(complete, 1)})
