"""`What did this tenant cost yesterday` is what the sandbox was asked, call by call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import UnavailableError
from tests.warehouse.extraction import NOW, ConnectedApp
from xero_sandbox.testing import SandboxServer

API = "/api.xro/2.0/"
EVERYTHING = {"features": ["all"], "invoices_per_day": 1.0}


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.endpoints = ENDPOINTS
        xero_sandbox.control("POST", "limits", {"enabled": False})
        yield app


def two_organisations(xero):
    made = [
        xero.sandbox.control(
            "POST",
            "organisations",
            {"name": name, "seed": seed, "days": 40, "traits": EVERYTHING},
        )["tenantId"]
        for seed, name in enumerate(("Kauri", "Rimu"))
    ]
    return [xero.connect_to(first, second) for first, second in (made, made[::-1])]


def asked(xero):
    """The calls of the last extraction by tenant and endpoint, from the sandbox's request log."""
    by_path = {each.path: each.name for each in ENDPOINTS if each.name != "cash_journals"}
    counted: Counter[tuple[str, str]] = Counter()
    for call in xero.sandbox.control("GET", "requests"):
        if call["path"].startswith(API):
            path = call["path"].removeprefix(API)
            name = by_path.get(path) or by_path[path.partition("/")[0]]
            is_cash = name == "journals" and "paymentsOnly" in parse_qs(call["query"])
            counted[call["tenant"], "cash_journals" if is_cash else name] += 1
    return counted


def costs(xero):
    """What the view says, summed over all days."""
    rows = xero.rows.execute(
        "select tenant_id::text, endpoint, sum(calls)::int from xero_ops.costs group by 1, 2"
    ).fetchall()
    return Counter({(tenant_id, endpoint): calls for tenant_id, endpoint, calls in rows})


def test_costs_of_a_night_are_the_calls_that_xero_counted_by_tenant_and_endpoint(xero):
    tenants = two_organisations(xero)
    total: Counter[tuple[str, str]] = Counter()
    for number in (0, 1):
        xero.set_clock(NOW + timedelta(days=number))
        for tenant in tenants:
            xero.extract(tenant, (NOW + timedelta(days=number - 1)).date(), backfill_calls=6)
            total += asked(xero)
    assert costs(xero) == total
    assert {tenant_id for tenant_id, _ in total} == {each.tenant_id for each in tenants}


def test_repeated_calls_of_a_night_cost_what_they_cost(xero):
    tenant, _ = two_organisations(xero)
    xero.fault("Invoices", status=503, times=2)
    xero.fault("Payments", kind="drop", times=1)
    xero.fault("Quotes", kind="minute_limit", seconds=7, times=1)
    xero.fault("Reports/TrialBalance", kind="truncated", times=1)
    xero.extract(tenant)
    assert asked(xero)[tenant.tenant_id, "invoices"] >= 3
    assert costs(xero) == asked(xero)


def test_calls_of_an_endpoint_that_xero_never_answered_cost_too(xero):
    tenant, _ = two_organisations(xero)
    xero.fault("Payments", status=500, times=0)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    assert asked(xero)[tenant.tenant_id, "payments"] == 4
    assert costs(xero) == asked(xero)


def test_refused_calls_of_an_endpoint_that_is_left_out_cost_too(xero):
    tenant, _ = two_organisations(xero)
    xero.fault("Users", kind="forbidden", times=0)
    assert set(xero.extract(tenant).gaps) == {"users"}
    assert costs(xero) == asked(xero)


def test_costs_tell_bytes_seconds_and_the_fewest_calls_left(xero):
    xero.sandbox.control("POST", "limits", {"enabled": True, "minute": 1000})
    tenant, _ = two_organisations(xero)
    # The days of the view are UTC's, whatever the session's are.
    xero.rows.execute("set timezone = 'Pacific/Kiritimati'")
    before = datetime.now(UTC).date()
    xero.extract(tenant)
    after = datetime.now(UTC).date()
    left = xero.sandbox.control("GET", "limits")["left"][tenant.tenant_id]["day"]
    [(name, calls, some_bytes, seconds, day_calls_left)] = xero.rows.execute(
        "select tenant_name, sum(calls)::int, min(bytes) > 0, min(seconds) >= 0,"
        " min(day_calls_left) from xero_ops.costs where on_date between %s and %s group by 1",
        (before, after),
    ).fetchall()
    assert (name, some_bytes, seconds, day_calls_left) == ("Kauri", True, True, left)
    assert calls == sum(asked(xero).values())


def test_calls_after_a_wait_count_for_the_day_on_which_they_were_made(xero):
    tenant, _ = two_organisations(xero)
    xero.fault("Reports/TrialBalance", kind="day_limit", times=1)
    xero.fault("Payments", kind="drop", times=1)
    assert xero.extract(tenant).state == "waiting_for_limit"
    first = asked(xero)
    today = xero.one("select (clock_timestamp() at time zone 'UTC')::date")[0]
    # As if a day had passed.
    xero.rows.execute("update xero_ops.endpoint_days set on_date = on_date - 1")
    xero.rows.execute("update xero_ops.extract_runs set started_at = started_at - interval '1 day'")
    xero.set_clock(NOW + timedelta(days=1))

    assert xero.extract(tenant).state == "complete"

    rows = xero.rows.execute(
        "select on_date < %s, tenant_id::text, endpoint, calls::int from xero_ops.costs", (today,)
    ).fetchall()
    by_day: dict[bool, Counter[tuple[str, str]]] = {True: Counter(), False: Counter()}
    for is_before, tenant_id, endpoint, calls in rows:
        by_day[is_before][tenant_id, endpoint] += calls
    assert by_day == {True: first, False: asked(xero)}
