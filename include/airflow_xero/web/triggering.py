"""Starts Dags from the pages, and asks Airflow when and what it will run.

Knows Airflow's own tables of Dags and runs, inside its API server: there a Dag is triggered without
a call to Airflow's API, and so without anybody's token. Who may do so is asked before
(`access.py`). Must not know the warehouse.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from airflow.api.common.trigger_dag import trigger_dag
from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.sdk.exceptions import AirflowException
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from airflow_xero.errors import XeroBusyError, XeroError, XeroSetupError

DAILY_DAG = "xero_daily"
EXTRACT_DAG = "xero_extract"
ERASE_DAG = "xero_erase"

_UNDER_WAY = (DagRunState.QUEUED, DagRunState.RUNNING)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What Airflow will do: the next night (aware UTC), and who was asked for and is not done.

    `next_night_at` is None while nothing is planned; `asked` are tenant ids.
    """

    next_night_at: datetime | None
    is_daily_paused: bool
    asked: frozenset[str]


def start_extraction(tenant_ids: Sequence[str], *, started_by: str | None) -> bool:
    """Start the first extraction of organisations that were just connected; whether it was.

    Connecting must not fail because a Dag is paused or unknown yet, nor where Airflow's database
    cannot be asked: that is logged, and the next night reads them.
    """
    if not tenant_ids:
        return False
    try:
        request_extraction(tenant_ids, started_by=started_by)
    except XeroError as error:
        _log.warning("extraction not started organisations=%d reason=%s", len(tenant_ids), error)
        return False
    return True


def request_extraction(tenant_ids: Sequence[str], *, started_by: str | None) -> None:
    """Queue a run of xero_extract for the organisations; the scheduler takes it within seconds.

    Raises XeroSetupError when the Dag is unknown, broken or paused, and says what to do, and
    XeroBusyError when Airflow's database does not take it.
    """
    _trigger(EXTRACT_DAG, {"tenants": sorted(tenant_ids)}, started_by=started_by)


def request_erasure(tenant_id: str, *, started_by: str | None) -> None:
    """Queue a run of xero_erase. Raises as `request_extraction` does."""
    _trigger(ERASE_DAG, {"tenant_id": tenant_id}, started_by=started_by)


def plan() -> Plan:
    """What is planned and under way, by one question to each of Airflow's two tables.

    Raises XeroBusyError.
    """
    with _asking() as session:
        daily = session.scalar(select(DagModel).where(DagModel.dag_id == DAILY_DAG))
        asked: Sequence[Any] = session.scalars(
            select(DagRun.conf).where(DagRun.dag_id == EXTRACT_DAG, DagRun.state.in_(_UNDER_WAY))
        ).all()
        is_paused = bool(daily and daily.is_paused)
        next_at = None if daily is None or is_paused else daily.next_dagrun_create_after
    return Plan(next_at, is_paused, frozenset(tenant for conf in asked for tenant in _asked(conf)))


def _asked(conf: Any) -> list[str]:
    tenants = conf.get("tenants") if isinstance(conf, Mapping) else None
    return [str(each) for each in tenants] if isinstance(tenants, list) else []


def require_startable(dag_id: str) -> None:
    """Raise XeroSetupError, in words, when the Dag is unknown, broken or paused; XeroBusyError."""
    with _asking() as session:
        dag = session.scalar(select(DagModel).where(DagModel.dag_id == dag_id, ~DagModel.is_stale))
        complaint = _complaint(dag_id, dag)
    if complaint:
        raise XeroSetupError(complaint)


def _trigger(dag_id: str, conf: dict[str, Any], *, started_by: str | None) -> None:
    require_startable(dag_id)
    try:
        with _database_errors():
            trigger_dag(
                dag_id=dag_id,
                triggered_by=DagRunTriggeredByType.UI,
                triggering_user_name=started_by,
                conf=conf,
            )
    except (AirflowException, ValueError) as error:
        raise XeroSetupError(
            f"Airflow does not start the Dag {dag_id}: {type(error).__name__}. See the log of"
            " Airflow's API server"
        ) from error


@contextmanager
def _asking() -> Iterator[Session]:
    with _database_errors(), create_session() as session:
        yield session


@contextmanager
def _database_errors() -> Iterator[None]:
    """Airflow's database as ours: it is away, full or locked, and somebody waits for an answer."""
    try:
        yield
    except SQLAlchemyError as error:
        _log.warning("airflow database failed error=%s", type(error).__name__)
        raise XeroBusyError(
            "Airflow's own database does not answer as it should: try again in a few minutes; the"
            " reason is in its log"
        ) from error


def _complaint(dag_id: str, dag: DagModel | None) -> str | None:
    """What keeps a Dag from running, in words; a run of a paused Dag would wait for ever."""
    if dag is None:
        return f"Airflow does not know the Dag {dag_id} yet: try again in a minute"
    if dag.has_import_errors:
        return f"The Dag {dag_id} has an import error: see Airflow's list of Dags"
    if dag.is_paused:
        return f"The Dag {dag_id} is switched off: switch it on in Airflow's list of Dags"
    return None
