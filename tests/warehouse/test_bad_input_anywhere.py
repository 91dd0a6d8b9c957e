"""What the sandbox can spoil in an answer, at every endpoint: stored as sent, or refused whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import UnexpectedPayloadError
from tests.warehouse.extraction import BY_NAME, ConnectedApp
from xero_sandbox.testing import SandboxServer

EVERYTHING = {"features": ["all"], "currencies": ["EUR", "USD"]}
# Those that share a path, the narrower rule first.
IN_ORDER = sorted(ENDPOINTS, key=lambda each: not each.params)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = ENDPOINTS
        xero_sandbox.control("POST", "limits", {"enabled": False})
        yield app


def spoil(xero: ConnectedApp, endpoint: Endpoint, **rule) -> None:
    """Let the first answer go wrong that holds whole records of the endpoint."""
    path = f"{endpoint.path}/*" if endpoint.reading is Reading.DETAILS else endpoint.path
    xero.fault(path, query=dict(endpoint.params), times=1, **rule)


def test_new_field_is_stored_and_told_once_at_every_endpoint(xero):
    tenant = xero.organisation(days=60, **EVERYTHING)
    for endpoint in IN_ORDER:
        spoil(xero, endpoint, kind="unknown_field", field="Mood", value="g\u0000od")
    extracted = xero.extract(tenant)
    # A report's layout is its own: nothing in it is new.
    lists = {each.name for each in ENDPOINTS if each.reading is not Reading.REPORT}
    assert {str(drift) for drift in extracted.drifts} == {f"{n}: new field Mood" for n in lists}
    told = {
        name: sum(
            record.get("Mood") == "g\ufffdod" for record in xero.stored(tenant, name).values()
        )
        for name in BY_NAME
    }
    assert told == dict.fromkeys(BY_NAME, 1)


@pytest.mark.parametrize(
    "name", ["accounts", "contacts", "batch_payments", "quotes", "budgets", "balance_sheets"]
)
@pytest.mark.parametrize("kind", ["cut_json", "not_json"])
def test_broken_answer_is_refused_and_names_its_place(xero, name, kind):
    tenant = xero.organisation(days=60, **EVERYTHING)
    endpoint = BY_NAME[name]
    xero.endpoints = (ENDPOINTS[0], endpoint)
    spoil(xero, endpoint, kind=kind)
    with pytest.raises(UnexpectedPayloadError) as refused:
        xero.extract(tenant)
    error = refused.value
    assert (error.tenant_id, error.endpoint, error.page) == (tenant.tenant_id, name, 1)
    assert error.correlation_id
    assert f"endpoint={name} page=1" in str(error)
    assert f"correlation_id={error.correlation_id}" in str(error)
    assert xero.stored(tenant, name) == {}
    assert xero.extract(tenant).state == "complete"
    assert xero.stored(tenant, name) != {}
