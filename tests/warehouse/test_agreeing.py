"""Somebody agrees that records are gone: for that extraction, its wait, and the alarm."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from airflow_xero import rereads
from airflow_xero.endpoints import ENDPOINTS
from tests.warehouse.extraction import (
    BY_NAME,
    NOW,
    ConnectedApp,
    invoices_of,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

INVOICES = BY_NAME["invoices"]


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = [each for each in ENDPOINTS if each.name in ("organisations", "invoices")]
        yield app


def gaps_of_night(xero, tenant, number, *, agreed=False):
    xero.set_clock(NOW + timedelta(days=number))
    return set(xero.extract(tenant, accept_deletions=agreed).gaps)


def test_alarm_of_records_that_nobody_can_delete_ends_when_somebody_agreed_to_them(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(10)))
    xero.extract(tenant)
    xero.serve(write_payloads(tmp_path, Invoices=invoices_of(8)))
    alarmed = [gaps_of_night(xero, tenant, number) for number in (1, 2, 3)]
    assert alarmed == [set(), {"invoices"}, {"invoices"}]

    agreed = gaps_of_night(xero, tenant, 4, agreed=True)

    assert [agreed, *(gaps_of_night(xero, tenant, number) for number in (5, 6))] == [set()] * 3
    assert len(xero.stored(tenant, "invoices")) == 10
    # Still more are another alarm.
    xero.serve(write_payloads(tmp_path, Invoices=invoices_of(7)))
    again = [gaps_of_night(xero, tenant, number) for number in (7, 8)]
    assert again == [set(), {"invoices"}]


def test_agreement_is_kept_while_the_extraction_waits_and_no_longer(xero, tmp_path):
    tenant = xero.payloads(write_payloads(tmp_path, Invoices=invoices_of(3)))
    xero.fault("Invoices", kind="day_limit", seconds=36_000, times=1)
    agreed = "select accepts_deletions from xero_ops.extract_runs order by run_id desc"

    waiting = xero.extract(tenant, accept_deletions=True)

    ((resume_at,),) = xero.rows.execute("select resume_at from xero_ops.extract_runs").fetchall()
    assert (waiting.state, waiting.resume_at) == ("waiting_for_limit", resume_at)
    assert xero.extract(tenant).run_id == waiting.run_id
    assert xero.one(agreed) == (True,)
    xero.extract(tenant)
    assert xero.one(agreed) == (False,)
    assert rereads.states_of(xero.rows, tenant.tenant_id)[INVOICES.name].records_accepted == 0
