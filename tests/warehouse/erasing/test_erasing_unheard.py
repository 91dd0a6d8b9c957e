"""Erasing where Xero cannot be told: what is left there, and what does not come back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from airflow_xero import erasures
from airflow_xero.connect import cap
from airflow_xero.extract import Tenant
from airflow_xero.purging import Purged, purge
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.connections import names
from tests.warehouse.erasing.conftest import NAME
from tests.warehouse.erasures_asked import ask, run
from tests.warehouse.searching import everywhere


@pytest.fixture
def erased_unheard(two: tuple[Tenant, Tenant], xero, warehouse) -> tuple[Tenant, Tenant]:
    """The first was erased when its user's consent was lost and the app had no token of its own."""
    gone, _ = two
    with psycopg.connect(xero.dsn, autocommit=True) as connection:
        connection.execute("update xero_ops.grants set state = 'needs_reconnect', lost_at = now()")
    rule = {"path": "/connect/token", "kind": "status", "status": 400, "times": 0}
    xero.sandbox.control("POST", "faults", rule)
    ask(warehouse, gone)
    run(xero, gone)
    xero.end_faults()
    return two


def test_what_is_left_at_xero_is_said_and_ended_by_a_later_purge(erased_unheard, xero, warehouse):
    (one,) = erasures.erasures(warehouse)
    assert (one.state, one.state_reason) == ("erased", erasures.STILL_AT_XERO)
    assert cap(warehouse, xero.app).used == 2
    assert everywhere(xero.dsn, NAME) == set()
    warehouse.commit()
    a_day_later = datetime.now(UTC) + timedelta(days=2)

    def tidy() -> Purged:
        return purge(
            xero.app, warehouse=warehouse, tokens=xero._tokens(), http=xero.http, now=a_day_later
        )

    assert [tidy(), tidy()] == [Purged(1, 0), Purged(0, 0)]
    (one,) = erasures.erasures(warehouse)
    assert (one.is_left_at_xero, one.state_reason) == (False, None)
    assert cap(warehouse, xero.app).used == 1


def test_a_consent_for_another_organisation_does_not_bring_back_what_was_erased(
    erased_unheard, xero, warehouse
):
    _, kept = erased_unheard

    finished = xero.consent_to(kept.tenant_id)

    assert (names(finished.connected), finished.not_connected) == (["Tōtara Tools"], [NAME])
    assert names(tenants_to_extract(warehouse, "xero_default")) == ["Tōtara Tools"]
    assert everywhere(xero.dsn, NAME) == set()


def test_what_was_erased_returns_when_it_is_chosen_itself(erased_unheard, xero, warehouse):
    gone, _ = erased_unheard

    finished = xero.consent_to(gone.tenant_id)

    assert names(finished.connected) == [NAME]
    assert NAME in names(tenants_to_extract(warehouse, "xero_default"))
    # No purge may end what somebody chose.
    assert not erasures.erasures(warehouse)[0].is_left_at_xero
