"""Records that are read one by one after their list: some may be gone by then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_xero.endpoints import ENDPOINTS
from tests.warehouse.extraction import NOW, ConnectedApp, write_payloads
from xero_sandbox.testing import SandboxServer


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = [each for each in ENDPOINTS if each.name in ("organisations", "budgets")]
        yield app


def budgets(folder: Path, *ids: str) -> Path:
    lines = [{"AccountCode": "400", "BudgetBalances": [{"Period": "2026-11", "Amount": 5}]}]
    return write_payloads(
        folder,
        Budgets=[{"BudgetID": each, "Type": "TRACKING", "BudgetLines": lines} for each in ids],
    )


def test_budget_deleted_after_it_was_listed_is_marked_and_fails_nothing(xero, tmp_path):
    tenant = xero.payloads(budgets(tmp_path, "kept", "gone"))
    xero.extract(tenant)
    assert set(xero.stored(tenant, "budgets")) == {"kept", "gone"}
    xero.set_clock(NOW + timedelta(days=8))

    def delete(response: Any) -> None:
        if response.request.url.path.endswith("/Budgets"):
            xero.serve(budgets(tmp_path, "kept"))

    extracted = xero.extract(tenant, on_response=delete)
    assert (extracted.state, extracted.gaps) == ("complete", {})
    assert extracted.counts["budgets"].records_deleted == 1
    assert set(xero.stored(tenant, "budgets")) == {"kept"}


def test_budget_that_is_listed_and_not_known_is_a_gap_and_read_again_the_next_night(xero, tmp_path):
    tenant = xero.payloads(budgets(tmp_path, "plain", "odd"))
    xero.fault("Budgets/odd", status=404, times=1)
    extracted = xero.extract(tenant)
    assert (extracted.state, set(extracted.gaps)) == ("complete", {"budgets"})
    assert set(xero.stored(tenant, "budgets")) == {"plain"}
    # The list, both budgets, and the list once more.
    assert extracted.counts["budgets"].calls == 4
    xero.set_clock(NOW + timedelta(days=1))
    assert xero.extract(tenant).gaps == {}
    assert set(xero.stored(tenant, "budgets")) == {"plain", "odd"}
