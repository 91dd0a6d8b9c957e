"""The states of an extraction, and every way in which it ends."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from airflow_xero.errors import (
    RateLimitError,
    ScopeMissingError,
    TenantBusyError,
    TenantForbiddenError,
    UnavailableError,
    UnexpectedPayloadError,
    WarehouseBusyError,
    XeroError,
    XeroSetupError,
)
from tests.warehouse.extraction import (
    BY_NAME,
    DAY,
    NOW,
    SCOPES,
    ConnectedApp,
    invoices_of,
    is_page,
    write_payloads,
)
from xero_sandbox.testing import SandboxServer

NEXT_DAY = DAY + timedelta(days=1)


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        yield app


@pytest.fixture
def tenant(xero, tmp_path):
    """Three pages of invoices and two accounts."""
    accounts = [{"AccountID": "a-200"}, {"AccountID": "a-400"}]
    # Always the same folder, so that the sandbox gives the same id and the same limit windows.
    folder = tmp_path / "books"
    return xero.payloads(write_payloads(folder, Invoices=invoices_of(2001), Accounts=accounts))


def completed(xero, tenant):
    """Everything arrived, and the tenant is published as of the last run."""
    assert xero.run() == ("complete", None)
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, BY_NAME["invoices"])
    assert xero.one(
        "select complete_at = (select max(known_at) from xero_ops.extract_runs),"
        " complete_run_id = (select max(run_id) from xero_ops.extract_runs) from xero_ops.tenants"
    ) == (True, True)


# One at a time


def test_second_extraction_of_an_organisation_at_once_is_refused(xero, tenant):
    refusals = []

    def try_again(response):
        if is_page(response, "Invoices", 2):
            with pytest.raises(TenantBusyError, match="under way") as refused:
                xero.extract(tenant)
            refusals.append(refused.value.tenant_id)

    xero.extract(tenant, on_response=try_again)
    assert refusals == [tenant.tenant_id]
    assert xero.one("select count(*) from xero_ops.extract_runs") == (1,)
    completed(xero, tenant)


def test_other_organisation_is_extracted_at_the_same_time(xero, tmp_path):
    first = xero.serve(write_payloads(tmp_path / "first", Invoices=invoices_of(2)), "First")
    second = xero.serve(write_payloads(tmp_path / "second", Invoices=invoices_of(3)), "Second")
    one, other = xero.connect_to(first, second), xero.connect_to(second, first)
    states = []

    def extract_other(response):
        if is_page(response, "Invoices", 1):
            states.append(xero.extract(other).state)

    states.append(xero.extract(one, on_response=extract_other).state)
    assert states == ["complete", "complete"]


def test_connection_within_a_transaction_is_refused_before_anything_is_read(xero, tenant):
    with psycopg.connect(xero.dsn) as connection:
        connection.execute("select 1")
        with pytest.raises(ValueError, match="inside a transaction"):
            xero.extract(tenant, warehouse=connection)
    assert xero.calls() == []


def test_known_at_is_later_than_every_earlier_one_even_if_the_clock_was_set_back(xero, tenant):
    xero.extract(tenant)
    xero.rows.execute("update xero_ops.extract_runs set known_at = now() + interval '1 year'")
    xero.extract(tenant)
    first, second = xero.rows.execute(
        "select known_at from xero_ops.extract_runs order by run_id"
    ).fetchall()
    assert second[0] - first[0] == timedelta(microseconds=1)


# Limits


def wait_at_page_three(xero, tenant, day=DAY, seconds=40_000):
    xero.fault("Invoices", kind="day_limit", seconds=seconds, query={"page": "3"})
    return xero.extract(tenant, day)


def test_day_limit_ends_the_extraction_as_waiting_with_the_time_its_window_opens(xero, tenant):
    extracted = wait_at_page_three(xero, tenant)
    assert extracted.state == "waiting_for_limit"
    assert extracted.counts["invoices"].records_new == 2000
    state, reason, is_right, finished_at = xero.one(
        "select state, state_reason, resume_at - clock_timestamp()"
        " between interval '39990 s' and interval '40000 s', finished_at from xero_ops.extract_runs"
    )
    assert (state, is_right, finished_at) == ("waiting_for_limit", True, None)
    assert "day limit" in reason
    assert (xero.next_page(), xero.watermark()) == (3, None)
    assert xero.one("select complete_at from xero_ops.tenants") == (None,)
    assert xero.slept == []


def test_real_day_limit_of_the_sandbox_is_waited_for_and_then_completed(xero, tenant):
    xero.sandbox.control("POST", "limits", {"day": 107})
    waiting = xero.extract(tenant)
    assert waiting.state == "waiting_for_limit"
    # A hundred calls are left to others, and none was refused.
    assert len(xero.calls()) == 7
    xero.sandbox.control("POST", "limits", {"day": 1000})
    assert xero.extract(tenant).run_id == waiting.run_id
    completed(xero, tenant)


def test_extraction_that_waited_continues_with_a_later_known_at(xero, tenant):
    waiting = wait_at_page_three(xero, tenant)
    before = xero.one("select known_at from xero_ops.extract_runs")[0]
    written = xero.one("select array_agg(distinct known_from) from xero_raw.invoices")
    assert written == ([before],)
    resumed = xero.extract(tenant)
    assert (resumed.state, resumed.run_id) == ("complete", waiting.run_id)
    assert xero.calls("Invoices") == ["2", "3"]
    after, resume_at = xero.one("select known_at, resume_at from xero_ops.extract_runs")
    assert (after > before, resume_at) == (True, None)
    # Nothing was written into the past: what is new is known from now on only.
    assert xero.rows.execute(
        "select known_from, count(*) from xero_raw.invoices group by 1 order by 1"
    ).fetchall() == [(before, 2000), (after, 1)]
    completed(xero, tenant)


def test_later_day_supersedes_the_extraction_that_waits_and_continues_its_walk(xero, tenant):
    waiting = wait_at_page_three(xero, tenant)
    later = xero.extract(tenant, NEXT_DAY)
    assert later.run_id != waiting.run_id
    assert xero.calls("Invoices") == ["2", "3"]
    state, reason, resume_at, is_finished = xero.one(
        "select state, state_reason, resume_at, finished_at is not null"
        " from xero_ops.extract_runs order by run_id"
    )
    assert (state, resume_at, is_finished) == ("superseded", None, True)
    assert reason == "a later run continued where this one waited"
    completed(xero, tenant)


def test_earlier_day_leaves_the_extraction_that_waits(xero, tenant):
    waiting = wait_at_page_three(xero, tenant, NEXT_DAY)
    xero.extract(tenant, DAY)
    assert xero.one(
        "select state from xero_ops.extract_runs where run_id = %s", waiting.run_id
    ) == ("waiting_for_limit",)
    assert xero.extract(tenant, NEXT_DAY).run_id == waiting.run_id
    assert xero.one("select complete_day from xero_ops.tenants") == (NEXT_DAY,)


def test_waiting_tenant_keeps_its_last_complete_extraction(xero, tenant):
    complete = xero.extract(tenant).run_id
    xero.set_clock(NOW + timedelta(days=1))
    xero.fault("Contacts", kind="day_limit", seconds=40_000)
    assert xero.extract(tenant, NEXT_DAY).state == "waiting_for_limit"
    assert xero.one("select complete_day, complete_run_id from xero_ops.tenants") == (DAY, complete)


def test_minute_limit_beyond_the_budget_fails_the_try(xero, tenant):
    xero.fault("Invoices", kind="minute_limit", seconds=50, times=0)
    with pytest.raises(RateLimitError) as limit:
        xero.extract(tenant)
    assert (limit.value.limit, limit.value.retry_after_seconds) == ("minute", 50)
    assert 500 < sum(xero.slept) <= 600
    state, reason = xero.run()
    assert state == "failed"
    assert "minute limit" in reason
    xero.end_faults()
    xero.extract(tenant)
    completed(xero, tenant)


def test_minute_limit_within_the_budget_is_waited_out(xero, tenant):
    xero.fault("Invoices", kind="minute_limit", seconds=50, query={"page": "2"}, times=2)
    assert xero.extract(tenant).counts["invoices"].calls == 5
    assert 100 <= sum(xero.slept) < 103
    completed(xero, tenant)


def test_limit_that_opens_within_ten_minutes_fails_the_try_instead_of_waiting(xero, tenant):
    xero.fault("Invoices", kind="day_limit", seconds=300)
    with pytest.raises(RateLimitError):
        xero.extract(tenant)
    assert xero.run()[0] == "failed"


# Rights


def test_missing_report_scope_completes_with_a_gap(xero):
    made = xero.sandbox.control("POST", "organisations", {"name": "Small", "days": 3})
    tenant = xero.connect_to(
        made["tenantId"], scopes=SCOPES.replace("accounting.reports.trialbalance.read", "")
    )
    extracted = xero.extract(tenant)
    assert extracted.state == "complete"
    assert set(extracted.gaps) == {"trial_balances"}
    state, reason = xero.run()
    assert state == "complete"
    assert reason.startswith("trial_balances: not read: The user did not grant")
    assert xero.stored(tenant, "invoices") == xero.listed(tenant, BY_NAME["invoices"])
    assert xero.one("select complete_day from xero_ops.tenants") == (DAY,)


def test_forbidden_report_completes_with_a_gap(xero, tenant):
    xero.fault("Reports/TrialBalance", kind="forbidden")
    assert set(xero.extract(tenant).gaps) == {"trial_balances"}
    assert "right to see reports" in xero.run()[1]


def test_missing_payments_scope_fails_naming_the_scope(xero):
    made = xero.sandbox.control("POST", "organisations", {"name": "Small", "days": 3})
    tenant = xero.connect_to(
        made["tenantId"], scopes=SCOPES.replace("accounting.payments.read", "")
    )
    with pytest.raises(ScopeMissingError, match=r"accounting\.payments\.read") as missing:
        xero.extract(tenant)
    assert (missing.value.endpoint, missing.value.tenant_id) == ("payments", tenant.tenant_id)
    assert xero.run() == ("failed", missing.value.told())
    assert xero.one("select complete_at from xero_ops.tenants") == (None,)


def test_organisation_that_was_disconnected_at_xero_is_forbidden(xero, tenant):
    xero.extract(tenant)
    xero.sandbox.control("POST", "disconnect", {"tenantId": tenant.tenant_id})
    with pytest.raises(TenantForbiddenError, match="Connect to Xero") as forbidden:
        xero.extract(tenant)
    assert forbidden.value.endpoint == "organisations"
    assert xero.run() == ("failed", forbidden.value.told())
    assert len(xero.stored(tenant, "invoices")) == 2001


# Answers that are not as documented


@pytest.mark.parametrize(
    ("rule", "kind"),
    [
        ({"kind": "not_json"}, UnexpectedPayloadError),
        (
            {"status": 200, "body": '{"Invoices": [{"InvoiceID": "a"}, {"Inv'},
            UnexpectedPayloadError,
        ),
        ({"status": 200, "body": '{"Status": "OK"}'}, UnexpectedPayloadError),
        ({"kind": "truncated", "times": 0}, UnavailableError),
        ({"kind": "drop", "times": 0}, UnavailableError),
        ({"kind": "offline", "times": 0}, UnavailableError),
    ],
    ids=["html", "cut", "no-array", "truncated", "dropped", "offline"],
)
def test_second_page_that_cannot_be_read_keeps_the_first_and_the_next_try_completes(
    xero, tenant, rule, kind
):
    xero.fault("Invoices", query={"page": "2"}, **rule)
    with pytest.raises(kind) as refused:
        xero.extract(tenant)
    assert (refused.value.endpoint, refused.value.tenant_id) == ("invoices", tenant.tenant_id)
    assert xero.run() == ("failed", refused.value.told())
    assert len(xero.stored(tenant, "invoices")) == 1000
    assert (xero.next_page(), xero.watermark()) == (2, None)
    xero.end_faults()
    xero.extract(tenant)
    completed(xero, tenant)


def test_page_that_breaks_once_is_asked_for_again(xero, tenant):
    xero.fault("Invoices", kind="truncated", query={"page": "2"})
    assert xero.extract(tenant).counts["invoices"].calls == 4
    completed(xero, tenant)


def test_accounts_that_are_suddenly_empty_are_a_fault_and_no_deletion(xero, tenant, tmp_path):
    xero.extract(tenant)
    complete_at = xero.one("select complete_at from xero_ops.tenants")
    xero.serve(write_payloads(tmp_path / "books", Accounts=[]))
    xero.set_clock(NOW + timedelta(days=1))
    with pytest.raises(UnexpectedPayloadError, match="empty"):
        xero.extract(tenant, NEXT_DAY)
    assert xero.run()[0] == "failed"
    assert set(xero.stored(tenant, "accounts")) == {"a-200", "a-400"}
    assert xero.one("select complete_at from xero_ops.tenants") == complete_at


# The warehouse


def refuse_writes(xero, sqlstate):
    """Let Postgres refuse every new invoice with this SQLSTATE."""
    xero.rows.execute(
        "create function refuse() returns trigger language plpgsql as"
        f" $$begin raise exception 'no room at all' using errcode = '{sqlstate}'; end$$"
    )
    xero.rows.execute(
        "create trigger refuse before insert on xero_raw.invoices execute function refuse()"
    )


def test_full_disk_names_what_to_do_and_the_next_try_completes(xero, tenant):
    refuse_writes(xero, "53100")
    with pytest.raises(WarehouseBusyError, match="free space on the Postgres server") as full:
        xero.extract(tenant)
    assert (full.value.endpoint, full.value.tenant_id) == ("invoices", tenant.tenant_id)
    assert "Nothing is lost" in full.value.message
    assert xero.run() == ("failed", full.value.told())
    assert xero.watermark() is None
    assert xero.one("select count(*) from xero_ops.watermarks where endpoint = 'contacts'") == (1,)
    xero.rows.execute("drop trigger refuse on xero_raw.invoices")
    xero.extract(tenant)
    assert "Contacts" not in xero.calls()
    completed(xero, tenant)


def test_warehouse_that_may_not_be_written_names_the_privilege(xero, tenant):
    refuse_writes(xero, "42501")
    with pytest.raises(XeroSetupError, match="lacks a privilege"):
        xero.extract(tenant)
    assert xero.run()[0] == "failed"


def test_fault_of_ours_fails_the_run_instead_of_leaving_it_running(xero, tenant):
    refuse_writes(xero, "P0001")
    with pytest.raises(psycopg.errors.RaiseException):
        xero.extract(tenant)
    assert xero.run() == ("failed", "a fault: RaiseException")
    assert xero.one(
        "select finished_at is not null from xero_ops.extract_runs order by run_id desc limit 1"
    ) == (True,)
    xero.rows.execute("drop trigger refuse on xero_raw.invoices")
    xero.extract(tenant)
    completed(xero, tenant)


def test_lock_is_free_after_every_end(xero, tenant):
    with psycopg.connect(xero.dsn, autocommit=True) as connection:
        xero.fault("Accounts", kind="forbidden")
        with pytest.raises(XeroError):
            extract_over(xero, tenant, connection)
        extract_over(xero, tenant, connection)
        held = connection.execute(
            "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        ).fetchone()
    assert held == (0,)


def extract_over(xero, tenant, connection):
    """Extract over a connection that stays open."""
    from airflow_xero.client import XeroClient
    from airflow_xero.extract import extract_day

    client = XeroClient(xero.app, access_token=lambda: xero.token(tenant), http=xero.http)
    return extract_day(tenant, DAY, client=client, warehouse=connection)
