"""How an organisation is doing: every state, and which one wins."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest

from airflow_xero import pausing, runs
from airflow_xero.answers import REFUSES_ORGANISATION
from airflow_xero.audit import Actor
from airflow_xero.connect import reconcile
from airflow_xero.due import tenants_to_backfill, tenants_to_refresh, waiting_tenants
from airflow_xero.errors import ConsentLostError
from airflow_xero.standing import (
    OrganisationStatus,
    skipped_tenants,
    status,
    tenants_to_extract,
)
from airflow_xero.tie_outs import TieOut, judged, tie_outs
from tests.browser.organisations import fill_many

DAY = date(2026, 11, 20)
ADA = Actor("ada")


@pytest.fixture
def tenant_id(consents, xero_sandbox) -> str:
    """Kauri, the only organisation that is connected; it was never extracted."""
    kauri = xero_sandbox.organisations()["Kauri Coffee Roasters"]
    consents.run(organisations=[kauri])
    return str(kauri)


@pytest.fixture
def one(warehouse, tenant_id):
    """Its status, as a page would read it now."""

    def read() -> OrganisationStatus:
        (found,) = status(warehouse, "xero_default")
        assert found.tenant_id == tenant_id
        return found

    return read


def start(connection: psycopg.Connection, tenant_id: str, day: date = DAY) -> runs.Run:
    return runs.start(connection, tenant_id, day=day, dag_run_id=None)


def lose_the_consent(warehouse, xero_sandbox, token_store) -> str:
    xero_sandbox.control("POST", "revoke", {"email": "ava@example.com"})
    ((grant_id,),) = warehouse.execute("select grant_id::text from xero_ops.grants").fetchall()
    with pytest.raises(ConsentLostError) as lost:
        token_store.fresh(grant_id, now=datetime.now(UTC) + timedelta(hours=1))
    return lost.value.message


def test_an_organisation_that_was_never_extracted_says_so(one, tenant_id):
    found = one()

    assert found.state == "never_extracted"
    assert (found.tenant_name, found.connected_by) == ("Kauri Coffee Roasters", "ada")
    assert abs(datetime.now(UTC) - found.connected_at) < timedelta(minutes=1)
    unknown = (
        found.complete_day,
        found.complete_at,
        found.last_run_day,
        found.last_run_state,
        found.last_run_reason,
        found.resume_at,
    )
    assert set(unknown) == {None}


def test_a_run_is_extracting_only_while_its_lock_is_held(one, tenant_id, warehouse_dsn):
    with psycopg.connect(warehouse_dsn, autocommit=True) as worker:
        with runs.tenant_lock(worker, tenant_id):
            start(worker, tenant_id)
            assert (one().state, one().last_run_reason) == ("extracting", None)
        assert one().state == "failed"


def test_a_run_that_was_killed_has_failed_and_says_so(one, tenant_id, connect):
    worker = connect()
    lock = runs.tenant_lock(worker, tenant_id)
    lock.__enter__()
    start(worker, tenant_id)
    assert one().state == "extracting"

    worker.close()

    # Postgres frees the lock once it has noticed.
    give_up_at = datetime.now(UTC) + timedelta(seconds=10)
    while one().state == "extracting" and datetime.now(UTC) < give_up_at:
        time.sleep(0.01)
    assert one().state == "failed"
    assert "The task was killed" in str(one().last_run_reason)


def test_a_run_that_ends_while_it_is_looked_at_was_not_killed(tenant_id, warehouse, warehouse_dsn):
    run = start(warehouse, tenant_id)

    class SlowCursor(psycopg.Cursor[Any]):
        """Sees the run as it began, and no lock any more; it is complete a moment later."""

        def execute(self, *args: Any, **kwargs: Any) -> Any:
            answer = super().execute(*args, **kwargs)
            runs.complete(warehouse, tenant_id, run)
            return answer

    with psycopg.connect(warehouse_dsn, cursor_factory=SlowCursor) as reader:
        (found,) = status(reader, "xero_default")

    assert (found.state, found.last_run_state) == ("healthy", "complete")


def test_the_lock_of_another_organisation_or_another_name_counts_for_nothing(
    one, tenant_id, warehouse, warehouse_dsn
):
    start(warehouse, tenant_id)
    with psycopg.connect(warehouse_dsn, autocommit=True) as other:
        other.execute("select pg_advisory_lock(hashtextextended('something else', 0))")
        with runs.tenant_lock(other, "99999999-9999-9999-9999-999999999999"):
            assert one().state == "failed"


def test_the_same_lock_in_another_database_counts_for_nothing(
    one, tenant_id, warehouse, empty_database_dsn
):
    start(warehouse, tenant_id)
    with (
        psycopg.connect(empty_database_dsn, autocommit=True) as other,
        runs.tenant_lock(other, tenant_id),
    ):
        assert one().state == "failed"


def test_a_complete_run_makes_an_organisation_healthy(one, tenant_id, warehouse):
    run = start(warehouse, tenant_id)
    runs.complete(warehouse, tenant_id, run)

    found = one()

    assert (found.state, found.last_run_state) == ("healthy", "complete")
    assert (found.complete_day, found.last_run_day) == (DAY, DAY)
    assert found.complete_at == run.known_at


def test_a_remark_of_a_complete_run_is_shown(one, tenant_id, warehouse):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id), remark="no report")

    assert (one().state, one().last_run_reason) == ("healthy", "no report")


def test_a_limit_is_shown_with_the_moment_it_opens(one, tenant_id, warehouse):
    run = start(warehouse, tenant_id)
    runs.wait_for_limit(warehouse, tenant_id, run, reason="day limit", seconds=3600)

    found = one()

    assert (found.state, found.last_run_reason) == ("waiting_for_limit", "day limit")
    assert found.resume_at
    assert timedelta(minutes=59) < found.resume_at - datetime.now(UTC) < timedelta(minutes=61)


def test_a_failed_run_shows_its_reason_and_keeps_the_last_complete_day(one, tenant_id, warehouse):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id))
    next_day = DAY + timedelta(days=1)
    run = start(warehouse, tenant_id, next_day)
    runs.fail(warehouse, tenant_id, run, reason="Xero cannot answer now")

    found = one()

    assert (found.state, found.last_run_reason) == ("failed", "Xero cannot answer now")
    assert (found.complete_day, found.last_run_day) == (DAY, next_day)


def test_the_last_run_is_the_one_that_began_last_whatever_its_day(one, tenant_id, warehouse):
    failed = start(warehouse, tenant_id)
    runs.fail(warehouse, tenant_id, failed, reason="late")
    earlier = start(warehouse, tenant_id, DAY - timedelta(days=7))
    runs.complete(warehouse, tenant_id, earlier)

    assert (one().state, one().last_run_day) == ("healthy", DAY - timedelta(days=7))


@pytest.mark.parametrize("ending", ["complete", "failed", "waiting", "running"])
def test_a_lost_consent_wins_over_any_run_and_gives_the_reason(
    ending, one, tenant_id, warehouse, xero_sandbox, token_store
):
    run = start(warehouse, tenant_id)
    if ending == "complete":
        runs.complete(warehouse, tenant_id, run, remark="no report")
    if ending == "failed":
        runs.fail(warehouse, tenant_id, run, reason="Xero cannot answer now")
    if ending == "waiting":
        runs.wait_for_limit(warehouse, tenant_id, run, reason="day limit", seconds=60)

    said = lose_the_consent(warehouse, xero_sandbox, token_store)

    assert (one().state, one().last_run_reason) == ("needs_reconnect", said)
    assert tenants_to_extract(warehouse, "xero_default") == []
    (skipped,) = skipped_tenants(warehouse, "xero_default")
    assert (skipped.tenant_id, skipped.reason) == (tenant_id, said)


def test_a_lost_consent_without_a_word_still_says_what_to_do(one, warehouse):
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', state_reason = null")

    (skipped,) = skipped_tenants(warehouse, "xero_default")
    assert skipped.reason == "the user must press Connect to Xero again"
    assert one().state == "needs_reconnect"


def test_disconnected_wins_over_a_lost_consent_and_is_not_skipped_but_gone(
    one, warehouse, xero_sandbox, token_store
):
    lose_the_consent(warehouse, xero_sandbox, token_store)
    warehouse.execute("update xero_ops.connections set disconnected_at = now()")

    assert one().state == "disconnected"
    assert skipped_tenants(warehouse, "xero_default") == []
    assert tenants_to_extract(warehouse, "xero_default") == []


def test_an_organisation_that_is_connected_again_shows_its_last_run(
    one, tenant_id, warehouse, xero_sandbox, token_store, consents
):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id))
    lose_the_consent(warehouse, xero_sandbox, token_store)

    consents.run(organisations=[tenant_id], started_by="bob")

    assert (one().state, one().connected_by) == ("healthy", "bob")
    assert [tenant.tenant_id for tenant in tenants_to_extract(warehouse, "xero_default")] == [
        tenant_id
    ]
    assert skipped_tenants(warehouse, "xero_default") == []


def test_a_second_consent_that_may_read_less_does_not_take_over(consents, xero_sandbox, warehouse):
    kauri = xero_sandbox.organisations()["Kauri Coffee Roasters"]
    both = {"email": "kaito@example.com", "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    whole = consents.app
    consents.run(organisations=[kauri], started_by="ana")
    less = tuple(scope for scope in whole.scopes if "reports" not in scope)
    consents.app = replace(whole, scopes=less)

    consents.run("kaito@example.com", started_by="ben")

    assert [one.connected_by for one in status(warehouse, "xero_default")] == ["ana"]
    broad = ["accounting.transactions.read", "accounting.reports.read", *less]
    warehouse.execute(
        "update xero_ops.grants set scopes = %s where user_email = 'kaito@example.com'", (broad,)
    )
    assert [one.connected_by for one in status(warehouse, "xero_default")] == ["ben"]


def test_another_users_consent_is_tried_where_xero_refuses_the_organisation_to_the_first(
    consents, xero_sandbox, warehouse, app, token_store, http
):
    kauri = xero_sandbox.organisations()["Kauri Coffee Roasters"]
    both = {"email": "kaito@example.com", "name": "Kaito Mori", "organisations": [kauri]}
    xero_sandbox.control("POST", "users", both)
    consents.run(organisations=[kauri], started_by="ana")
    consents.run("kaito@example.com", started_by="ben")
    (first,) = tenants_to_extract(warehouse, "xero_default")

    reconcile(
        app,
        first.grant_id,
        warehouse=warehouse,
        tokens=token_store,
        http=http,
        now=datetime.now(UTC),
        refused_tenant_id=kauri,
    )

    (second,) = tenants_to_extract(warehouse, "xero_default")
    assert second.grant_id != first.grant_id
    # Who connects it anew is believed again.
    consents.run("kaito@example.com", started_by="ben")
    (again,) = tenants_to_extract(warehouse, "xero_default")
    assert again.grant_id == first.grant_id


def test_a_paused_organisation_is_in_no_list_and_says_who_paused_it(one, tenant_id, warehouse):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id))

    pausing.pause(warehouse, "xero_default", tenant_id, actor=ADA, now=datetime.now(UTC))

    assert (one().state, one().last_run_reason) == ("paused", "Paused by ada")
    lists = (
        tenants_to_extract,
        skipped_tenants,
        tenants_to_backfill,
        tenants_to_refresh,
        waiting_tenants,
    )
    assert [list_them(warehouse, "xero_default") for list_them in lists] == [[]] * 5


def test_a_second_user_does_not_resume_what_somebody_paused(one, tenant_id, warehouse, consents):
    pausing.pause(warehouse, "xero_default", tenant_id, actor=ADA, now=datetime.now(UTC))

    consents.run("kaito@example.com")
    consents.run(organisations=[tenant_id], started_by="bob")

    assert status(warehouse, "xero_default", tenant_ids=[tenant_id])[0].state == "paused"


def test_an_organisation_that_xero_refuses_is_not_permitted(one, tenant_id, warehouse):
    run = start(warehouse, tenant_id)
    runs.fail(warehouse, tenant_id, run, reason=f"{REFUSES_ORGANISATION}: it was disconnected")

    assert one().state == "not_permitted"


def test_an_organisation_whose_erasure_was_asked_for_is_erasing(one, tenant_id, warehouse):
    warehouse.execute(
        "insert into xero_ops.erasures (tenant_id, requested_by, requested_at)"
        " values (%s, 'ada', now())",
        (tenant_id,),
    )

    assert one().state == "erasing"


def test_country_currency_calls_and_grant_are_told(one, tenant_id, warehouse):
    assert (one().country_code, one().base_currency, one().calls_left) == (None, None, None)
    warehouse.execute(
        "insert into xero_raw.organisations (tenant_id, record_id, known_from, payload, run_id)"
        " values (%s, %s, now(), jsonb_build_object(%s::text, %s::text, %s::text, %s::text), 1)",
        (tenant_id, tenant_id, "CountryCode", "NZ", "BaseCurrency", "NZD"),
    )

    found = one()

    assert (found.country_code, found.base_currency) == ("NZ", "NZD")
    assert found.refreshed_at
    assert abs(datetime.now(UTC) - found.refreshed_at) < timedelta(minutes=1)


@pytest.fixture
def answered(tenant_id, warehouse):
    """Have an endpoint of the last run end some minutes after midnight (UTC), with calls left."""
    run = start(warehouse, tenant_id)

    def run_on(endpoint: str, minutes: float | None, calls_left: int | None) -> None:
        warehouse.execute(
            "insert into xero_ops.extract_endpoints"
            " (run_id, tenant_id, endpoint, day_calls_left, finished_at) values"
            " (%s, %s, %s, %s, date_trunc('day', now(), 'UTC') + %s * interval '1 minute')",
            (run.run_id, tenant_id, endpoint, calls_left, minutes),
        )

    return run_on


def test_the_calls_left_are_those_of_the_newest_answer_also_when_xeros_day_began_anew(
    one, answered
):
    answered("accounts", 1, 100)
    answered("contacts", 2, 4991)
    answered("items", 3, None)
    assert one().calls_left == 4991

    answered("invoices", None, 4990)

    assert one().calls_left == 4990


def test_the_calls_left_of_yesterday_are_not_told(one, answered):
    answered("invoices", -1, 3)

    assert one().calls_left is None


def test_progress_is_that_of_the_run_under_way(one, tenant_id, warehouse, warehouse_dsn):
    with (
        psycopg.connect(warehouse_dsn, autocommit=True) as worker,
        runs.tenant_lock(worker, tenant_id),
    ):
        run = start(worker, tenant_id)
        assert (one().endpoints_read, one().records_read) == (0, 0)
        warehouse.execute(
            "insert into xero_ops.extract_endpoints"
            " (run_id, tenant_id, endpoint, records_read, finished_at)"
            " values (%(run)s, %(tenant)s, 'accounts', 90, now()),"
            " (%(run)s, %(tenant)s, 'invoices', 500, null)",
            {"run": run.run_id, "tenant": tenant_id},
        )
        assert (one().endpoints_read, one().records_read) == (1, 590)
        runs.complete(worker, tenant_id, run)

    assert (one().endpoints_read, one().records_read) == (None, None)


class CountingCursor(psycopg.Cursor[Any]):
    """Counts what is asked."""

    asked = 0

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        CountingCursor.asked += 1
        return super().execute(*args, **kwargs)


def test_a_thousand_organisations_are_one_question(warehouse, warehouse_dsn):
    fill_many(warehouse, 1_000)
    with psycopg.connect(warehouse_dsn, cursor_factory=CountingCursor) as reader:
        CountingCursor.asked = 0

        found = status(reader, "xero_default")

        assert CountingCursor.asked == 1
        assert len(found) == 1_000
        assert {each.state for each in found} == {"healthy"}
        assert tie_outs(reader, [each.tenant_id for each in found]) == {}


SUMMARY = """
create schema if not exists xero_marts;
create table xero_marts.rpt_tie_out_summary (
    tenant_id uuid, report text, basis text, report_date date, lines bigint, tied_lines bigint,
    explained_lines bigint, broken_lines bigint, not_compared_lines bigint,
    difference_amount numeric, broken_amount numeric, explained_ratio numeric,
    known_at timestamptz, is_from_journals boolean,
    primary key (tenant_id, report, basis, report_date, known_at)
);
"""


@pytest.fixture
def compared(tenant_id, warehouse):
    """Keep what a night found of a report; nothing was compared where `broken` is None."""
    warehouse.execute(SUMMARY)

    def run(day, *, broken=None, lines=10, report="TrialBalance", hour=0):
        warehouse.execute(
            "insert into xero_marts.rpt_tie_out_summary values"
            " (%s, %s, 'accrual', %s, %s, %s, 0, %s, %s, %s, %s, %s,"
            " timestamptz '2026-11-21 00:00Z' + %s * interval '1 hour', false)",
            (
                *(tenant_id, report, day, lines),
                *((lines - broken, broken, 0) if broken is not None else (0, 0, lines)),
                *((broken, broken, 1) if broken is not None else (None, None, None)),
                hour,
            ),
        )

    return run


def test_the_newest_comparison_of_each_report_is_the_tie_out(tenant_id, warehouse, compared):
    compared("2026-11-19", broken=9)
    compared("2026-11-20", broken=8)
    compared("2026-11-20", broken=2, hour=1)
    compared("2026-10-31", broken=1, report="BalanceSheet")

    assert tie_outs(warehouse, [tenant_id]) == {
        tenant_id: TieOut(tenant_id, date(2026, 11, 20), lines=20, broken_lines=3)
    }
    assert tie_outs(warehouse, []) == {}


@pytest.mark.parametrize("lines", [0, 10], ids=["not read", "not compared"])
def test_a_report_that_was_not_compared_mends_nothing(lines, one, tenant_id, warehouse, compared):
    runs.complete(warehouse, tenant_id, start(warehouse, tenant_id))
    compared("2026-11-19", broken=2)
    compared("2026-11-19", broken=0, report="BalanceSheet")
    compared("2026-11-20", lines=lines, hour=24)
    compared("2026-11-20", broken=0, report="BalanceSheet", hour=24)

    found = tie_outs(warehouse, [tenant_id])

    assert found == {tenant_id: TieOut(tenant_id, date(2026, 11, 20), lines=20, broken_lines=2)}
    assert [each.state for each in judged([one()], found)] == ["tie_out_broken"]

    compared("2026-11-21", broken=0, hour=48)

    assert [each.state for each in judged([one()], tie_outs(warehouse, [tenant_id]))] == ["healthy"]


@pytest.mark.parametrize("lines", [0, 10], ids=["not read", "not compared"])
def test_a_report_that_was_never_compared_agrees_with_nothing(
    lines, tenant_id, warehouse, compared
):
    compared("2026-11-20", lines=lines)

    assert tie_outs(warehouse, [tenant_id]) == {}


def test_marts_of_another_version_are_no_tie_out_and_no_error(tenant_id, warehouse):
    warehouse.execute("create schema if not exists xero_marts")
    warehouse.execute("create table xero_marts.rpt_tie_out_summary (tenant_id uuid)")

    assert tie_outs(warehouse, [tenant_id]) == {}


def test_a_question_leaves_no_transaction_open(tenant_id, connect):
    reader = connect()

    for question in (status, tenants_to_extract, skipped_tenants):
        question(reader, "xero_default")

    runs.start(reader, tenant_id, day=DAY, dag_run_id=None)
    with runs.tenant_lock(reader, tenant_id):
        pass
