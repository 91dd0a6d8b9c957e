"""Reports of past days: which are wanted, fetched within a budget, and wanted again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from airflow_xero.due import tenants_to_backfill
from airflow_xero.endpoint import Cadence, Reading
from airflow_xero.endpoints import DEFAULT_ENDPOINTS
from airflow_xero.errors import UnavailableError
from airflow_xero.extract import Tenant
from airflow_xero.wanted import want_month_ends_since
from tests.warehouse.extraction import (
    DAY,
    NIGHTLY_PATHS,
    NOW,
    WITHOUT_REREADS,
    ConnectedApp,
)
from xero_sandbox.testing import SandboxServer

REPORTS = [
    each
    for each in DEFAULT_ENDPOINTS
    if each.reading is Reading.REPORT and each.cadence is Cadence.DAILY
]


@pytest.fixture
def xero(xero_sandbox: SandboxServer, warehouse_dsn: str) -> Iterator[ConnectedApp]:
    with ConnectedApp(xero_sandbox, warehouse_dsn) as app:
        app.sandbox.control("POST", "limits", {"enabled": False})
        yield app


def wanted(xero: ConnectedApp) -> set[tuple[str, date]]:
    return set(xero.rows.execute("select endpoint, day from xero_ops.wanted_reports").fetchall())


def month_ends(count: int) -> list[date]:
    ends, day = [], DAY.replace(day=1)
    for _ in range(count):
        ends.append(day - timedelta(days=1))
        day = ends[-1].replace(day=1)
    return ends


def test_first_extraction_wants_a_month_of_days_and_two_years_of_month_ends(xero):
    xero.extract(xero.organisation(days=5))
    days = {DAY - timedelta(days=ago) for ago in range(1, 32)} | set(month_ends(24))
    assert min(days) == date(2024, 11, 30)
    assert wanted(xero) == all_of(*days)


def test_past_is_fetched_newest_first_within_the_budget_and_goes_on_where_it_stopped(xero):
    tenant = xero.organisation(days=5)
    xero.extract(tenant)
    before = len(wanted(xero))
    extracted = xero.extract(tenant, backfill_calls=12)
    # Four reports a day, one of them on two bases, and the one that is of the whole month.
    calls = sum(
        counts.calls for name, counts in extracted.counts.items() if name != "organisations"
    )
    assert (calls, before - len(wanted(xero))) == (10, 8)
    stored = set(xero.stored(tenant, "balance_sheets"))
    assert stored == {f"BalanceSheet:{DAY - timedelta(days=ago)}:accrual" for ago in (0, 1, 2)}
    xero.extract(tenant, backfill_calls=9)
    assert f"BalanceSheet:{DAY - timedelta(days=3)}:accrual" in xero.stored(
        tenant, "balance_sheets"
    )


def test_reports_of_a_past_day_are_fetched_together_however_few_the_calls(xero):
    tenant = xero.organisation(days=5)
    xero.extract(tenant)
    before = wanted(xero)
    xero.extract(tenant, backfill_calls=1)
    yesterday = DAY - timedelta(days=1)
    assert before - wanted(xero) == all_of(yesterday)
    xero.extract(tenant, backfill_calls=9)
    assert before - wanted(xero) == all_of(yesterday, DAY - timedelta(days=2))


def year_ends_read(xero: ConnectedApp, tenant: Tenant) -> list[str]:
    days = {key.split(":")[1] for key in xero.stored(tenant, "trial_balances")}
    return sorted(day for day in days if day.endswith("-03-31"))


def test_closed_years_of_books_in_several_currencies_are_read_once_and_at_once(xero):
    tenant = xero.organisation(days=1200, currencies=["USD"], year_end=[31, 3])
    xero.extract(tenant)
    # The books begin in August 2023: the end of the year before is empty, and the last one asked.
    closed = ["2023-03-31", "2024-03-31", "2025-03-31", "2026-03-31"]
    assert year_ends_read(xero, tenant) == closed
    assert wanted(xero) == all_of(*past_of(DAY))
    xero.extract(tenant, DAY + timedelta(days=1))
    assert len(xero.calls("Reports/TrialBalance")) == 1
    assert year_ends_read(xero, tenant) == closed


def test_closed_years_of_books_in_one_currency_are_month_ends_like_others(xero):
    tenant = xero.organisation(days=1200, year_end=[31, 3])
    xero.extract(tenant)
    assert year_ends_read(xero, tenant) == []


def test_closed_year_that_cannot_be_read_is_a_gap_and_asked_for_the_next_night(xero):
    tenant = xero.organisation(days=1200, currencies=["USD"], year_end=[31, 3])
    xero.fault("Reports/TrialBalance", query={"date": "2025-03-31"}, kind="not_json")
    extracted = xero.extract(tenant)
    assert (extracted.state, list(extracted.gaps)) == ("complete", ["trial_balances"])
    assert year_ends_read(xero, tenant) == ["2026-03-31"]
    xero.extract(tenant, DAY + timedelta(days=1))
    assert year_ends_read(xero, tenant)[:2] == ["2023-03-31", "2024-03-31"]


def test_whole_past_is_fetched_and_nothing_is_left_to_do(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    xero.extract(tenant, backfill_calls=1000)
    assert wanted(xero) == set()
    days = 1 + len({DAY - timedelta(days=ago) for ago in range(1, 32)} | set(month_ends(24)))
    assert len(xero.stored(tenant, "balance_sheets")) == days
    assert len(xero.stored(tenant, "profit_and_losses")) == 2 * days


def test_back_dated_change_wants_the_month_ends_it_has_moved(xero):
    tenant = xero.organisation()
    xero.do(tenant, "create_contact", name="Aroha")
    xero.extract(tenant)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date="2026-08-15")
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    moved = {date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)}
    assert wanted(xero) == all_of(*moved)


def test_change_that_moves_a_document_to_another_date_counts_from_the_earlier_one(xero):
    tenant = xero.organisation()
    xero.do(tenant, "create_contact", name="Aroha")
    made = xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date="2026-09-15")
    xero.extract(tenant)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.do(tenant, "edit_invoice", id=made["InvoiceID"], date="2026-11-15")
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    assert {day for _, day in wanted(xero)} == {date(2026, 9, 30), date(2026, 10, 31)}


@pytest.mark.parametrize(
    ("day", "month_ends_read"),
    [
        (date(2026, 11, 2), {date(2026, 10, 31)}),
        (date(2026, 11, 15), {date(2026, 10, 31)}),
        (date(2026, 11, 16), set()),
    ],
)
def test_trial_balance_of_the_last_month_end_is_read_while_the_next_month_is_young(
    xero, day, month_ends_read
):
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    xero.set_clock(noon)
    tenant = xero.organisation(days=5)
    first = day - timedelta(days=1)
    xero.extract(tenant, first)
    # What was never read is part of the history that is wanted.
    assert read_as_at(xero, tenant) == {first}
    xero.set_clock(noon + timedelta(days=1))
    xero.extract(tenant, day)
    assert read_as_at(xero, tenant) == {first, day} | month_ends_read
    again = xero.extract(tenant, day)
    assert "trial_balances" not in again.counts


def test_trial_balance_of_the_last_month_end_is_read_once_a_day_however_many_runs(xero):
    first = date(2026, 11, 4)
    xero.set_clock(noon_after(first))
    tenant = xero.organisation(days=5)
    xero.extract(tenant, first)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    day = first + timedelta(days=1)
    xero.set_clock(noon_after(day))
    assert sorted(calls_of(xero, tenant, day)) == sorted([*NIGHTLY_PATHS, "Reports/TrialBalance"])
    # What no build has published is overtaken by the documents: it is read with them.
    xero.set_clock(noon_after(day) + timedelta(hours=1))
    assert calls_of(xero, tenant, day).count("Reports/TrialBalance") == 2
    publish(xero)
    xero.set_clock(noon_after(day) + timedelta(hours=2))
    assert sorted(calls_of(xero, tenant, day)) == sorted(NIGHTLY_PATHS)
    xero.set_clock(noon_after(day + timedelta(days=1)))
    assert calls_of(xero, tenant, day + timedelta(days=1)).count("Reports/TrialBalance") == 2


def calls_of(xero: ConnectedApp, tenant: Tenant, day: date) -> list[str]:
    xero.extract(tenant, day)
    return xero.calls()


def read_as_at(xero: ConnectedApp, tenant: Tenant) -> set[date]:
    """The days of which the trial balance is stored."""
    keys = xero.stored(tenant, "trial_balances")
    return {date.fromisoformat(key.split(":")[1]) for key in keys}


def test_document_of_this_month_wants_nothing(xero):
    tenant = xero.organisation()
    xero.do(tenant, "create_contact", name="Aroha")
    xero.extract(tenant)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date="2026-11-03")
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    assert wanted(xero) == set()


class Killed(BaseException):
    """The end of a worker: nobody gets to store a word about it."""


def kill(response: httpx.Response) -> None:
    if response.request.url.path.endswith("Reports/TrialBalance"):
        raise Killed


def cut_short(xero: ConnectedApp, tenant: Tenant, day: date, how: str) -> None:
    """An extraction that stores every document, and ends before its reports."""
    if how == "killed":
        with pytest.raises(Killed):
            xero.extract(tenant, day, on_response=kill)
        return
    if how == "failed":
        xero.fault("Reports/TrialBalance", status=500, times=4)
        with pytest.raises(UnavailableError):
            xero.extract(tenant, day)
        return
    xero.fault("Reports/TrialBalance", kind="day_limit", times=1)
    assert xero.extract(tenant, day).state == "waiting_for_limit"


@pytest.mark.parametrize("how", ["failed", "killed", "waiting"])
@pytest.mark.parametrize("has_refresh", [False, True])
def test_back_dated_change_that_a_try_stored_before_it_ended_is_not_forgotten(
    xero, how, has_refresh
):
    tenant = xero.organisation()
    xero.do(tenant, "create_contact", name="Aroha")
    made = xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date="2026-08-15")
    xero.extract(tenant)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.do(tenant, "edit_invoice", id=made["InvoiceID"], date="2026-11-15")
    xero.set_clock(NOW + timedelta(days=1))
    cut_short(xero, tenant, DAY + timedelta(days=1), how)
    assert wanted(xero) == set()
    if has_refresh:
        xero.rows.execute("update xero_ops.extract_runs set built_at = now()")
        xero.extract(tenant, DAY + timedelta(days=2), closes_day=False)
    assert xero.extract(tenant, DAY + timedelta(days=1)).state == "complete"
    moved = {date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31)}
    assert wanted(xero) == all_of(*moved)


def test_what_a_complete_extraction_has_wanted_is_not_wanted_again(xero):
    tenant = xero.organisation()
    xero.do(tenant, "create_contact", name="Aroha")
    xero.extract(tenant)
    xero.do(tenant, "create_invoice", contact="Aroha", amount="10.00", date="2026-08-15")
    for number in (1, 2):
        xero.rows.execute("delete from xero_ops.wanted_reports")
        xero.set_clock(NOW + timedelta(days=number))
        xero.extract(tenant, DAY + timedelta(days=number))
    assert wanted(xero) == set()


# --- What cannot be read, and what was left out ---------------------------------------------------

WITHOUT_BALANCE_SHEETS = tuple(each for each in WITHOUT_REREADS if each.name != "balance_sheets")


def publish(xero: ConnectedApp) -> None:
    xero.rows.execute("update xero_ops.extract_runs set built_at = now()")


def past_of(day: date) -> set[date]:
    return {day - timedelta(days=ago) for ago in range(1, 32)} | set(month_ends(24))


@pytest.mark.parametrize("kind", ["forbidden", "scope_missing"])
def test_past_of_a_report_that_nobody_may_read_is_not_wanted_until_it_can_be(xero, kind):
    tenant = xero.organisation()
    xero.fault("Reports/BankSummary", kind=kind, times=0)
    assert set(xero.extract(tenant).gaps) == {"bank_summaries"}
    assert "bank_summaries" not in {name for name, _ in wanted(xero)}
    # As an older version has left it.
    want_two_month_ends(xero, tenant)
    extracted = xero.extract(tenant, backfill_calls=100)
    assert (set(extracted.gaps), wanted(xero)) == ({"bank_summaries"}, set())
    publish(xero)

    xero.end_faults()
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    days = past_of(DAY + timedelta(days=1))
    assert wanted(xero) == {("bank_summaries", day) for day in days}

    # Once.
    xero.extract(tenant, DAY + timedelta(days=1), backfill_calls=1000)
    assert wanted(xero) == set()
    publish(xero)
    xero.set_clock(NOW + timedelta(days=2))
    xero.extract(tenant, DAY + timedelta(days=2))
    assert wanted(xero) == set()


def test_past_is_wanted_again_of_a_report_that_can_be_read_again_on_the_same_day(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    xero.fault("Reports/BankSummary", kind="scope_missing", times=0)
    xero.set_clock(NOW + timedelta(hours=1))
    xero.extract(tenant, backfill_calls=6)
    assert "bank_summaries" not in {name for name, _ in wanted(xero)}
    xero.end_faults()
    xero.set_clock(NOW + timedelta(hours=2))
    xero.extract(tenant)
    missing = {day for name, day in wanted(xero) if name == "bank_summaries"}
    assert missing == past_of(DAY)


def test_past_of_a_report_that_the_connection_leaves_out_is_wanted_no_more(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    want_two_month_ends(xero, tenant)
    xero.endpoints = WITHOUT_BALANCE_SHEETS
    xero.extract(tenant, backfill_calls=100)
    assert wanted(xero) == set()


def test_refresh_forgets_nothing_of_the_past(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    before = wanted(xero)
    publish(xero)
    xero.extract(tenant, DAY + timedelta(days=1), closes_day=False)
    assert wanted(xero) == before


@pytest.mark.parametrize(
    ("rule", "is_settled"),
    [
        ({"status": 400}, True),
        ({"status": 404}, True),
        ({"kind": "forbidden"}, True),
        ({"kind": "not_json"}, False),
    ],
)
def test_one_past_report_that_xero_refuses_keeps_no_older_day_from_being_read(
    xero, rule, is_settled
):
    tenant = xero.organisation()
    xero.extract(tenant)
    want_two_month_ends(xero, tenant)
    xero.fault("Reports/BalanceSheet", query={"date": OCTOBER.isoformat()}, **rule)
    extracted = xero.extract(tenant, backfill_calls=100)
    assert extracted.state == "complete"
    assert list(extracted.gaps) == ["balance_sheets"]
    assert "as at 2026-10-31" in xero.run()[1]
    assert wanted(xero) == (set() if is_settled else {("balance_sheets", OCTOBER)})
    read = {key.split(":")[1] for key in xero.stored(tenant, "balance_sheets")}
    assert read == {DAY.isoformat(), SEPTEMBER.isoformat()}


def test_past_report_whose_answer_makes_no_sense_is_asked_for_once_a_day(xero):
    def listed() -> list[str]:
        return [each.tenant_id for each in tenants_to_backfill(xero.rows, xero.app.conn_id)]

    tenant = xero.organisation()
    xero.extract(tenant)
    want_two_month_ends(xero, tenant)
    october = {"date": OCTOBER.isoformat()}
    xero.fault("Reports/BalanceSheet", query=october, kind="not_json", times=0)
    xero.extract(tenant, backfill_calls=100)
    assert (len(xero.calls("Reports/BalanceSheet")), listed()) == (2, [])
    xero.extract(tenant, backfill_calls=100)
    assert xero.calls("Reports/BalanceSheet") == []

    xero.end_faults()
    xero.extract(tenant, DAY + timedelta(days=1))
    assert listed() == [tenant.tenant_id]
    xero.extract(tenant, DAY + timedelta(days=1), backfill_calls=100)
    assert (listed(), wanted(xero)) == ([], set())


@pytest.mark.parametrize("how", ["failed", "killed", "waiting"])
def test_day_whose_night_did_not_complete_is_wanted_by_the_next_one(xero, how):
    first = OCTOBER - timedelta(days=1)
    xero.set_clock(noon_after(first))
    tenant = xero.organisation()
    xero.extract(tenant, first)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.set_clock(noon_after(OCTOBER))
    cut_short(xero, tenant, OCTOBER, how)
    xero.end_faults()
    xero.set_clock(noon_after(OCTOBER + timedelta(days=1)))
    xero.extract(tenant, OCTOBER + timedelta(days=1))
    assert wanted(xero) == all_of(OCTOBER)
    # Who reads it after all, in the night that is cleared, leaves nothing to fetch.
    xero.extract(tenant, OCTOBER)
    assert wanted(xero) == set()


def test_long_silence_is_wanted_by_days_for_a_month_and_by_month_ends_before_it(xero):
    tenant = xero.organisation()
    last = date(2026, 8, 29)
    xero.set_clock(noon_after(last))
    xero.extract(tenant, last)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.set_clock(NOW)
    xero.extract(tenant)
    days = {DAY - timedelta(days=ago) for ago in range(1, 32)}
    assert wanted(xero) == all_of(*days, OCTOBER, SEPTEMBER, date(2026, 8, 31))


def test_retried_night_wants_no_history_of_what_its_first_try_read(xero):
    tenant = xero.organisation()
    xero.fault("Reports/BankSummary", status=500, times=4)
    with pytest.raises(UnavailableError):
        xero.extract(tenant)
    xero.extract(tenant)
    assert {name for name, _ in wanted(xero)} == {report.name for report in REPORTS}
    xero.rows.execute("delete from xero_ops.wanted_reports")
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    assert wanted(xero) == set()


# --- Read, and then overtaken by documents -------------------------------------------------------

OCTOBER, SEPTEMBER = date(2026, 10, 31), date(2026, 9, 30)


def want_two_month_ends(xero: ConnectedApp, tenant: Tenant) -> None:
    """October and September, and nothing else of the past."""
    xero.rows.execute("delete from xero_ops.wanted_reports")
    want_month_ends_since(
        xero.rows,
        tenant.tenant_id,
        first_date=SEPTEMBER,
        day=DAY,
        reports=[report.name for report in REPORTS],
    )
    assert wanted(xero) == all_of(OCTOBER, SEPTEMBER)


def all_of(*days: date) -> set[tuple[str, date]]:
    """All reports of these days; what is of a whole month, of month ends alone."""
    return {
        (each.name, day)
        for each in REPORTS
        for day in days
        if each.name != "executive_summaries" or (day + timedelta(days=1)).day == 1
    }


def kill_at_september(response: httpx.Response) -> None:
    if response.request.url.params.get("date") == SEPTEMBER.isoformat():
        raise Killed


def end_at_september(xero: ConnectedApp, tenant: Tenant, how: str) -> None:
    """An extraction that reads October, and ends at September's first report."""
    if how == "killed":
        with pytest.raises(Killed):
            xero.extract(tenant, backfill_calls=100, on_response=kill_at_september)
        return
    at = {"query": {"date": SEPTEMBER.isoformat()}}
    if how == "failed":
        xero.fault("Reports/BalanceSheet", status=500, times=4, **at)
        with pytest.raises(UnavailableError):
            xero.extract(tenant, backfill_calls=100)
        return
    xero.fault("Reports/BalanceSheet", kind="day_limit", times=1, **at)
    assert xero.extract(tenant, backfill_calls=100).state == "waiting_for_limit"


@pytest.mark.parametrize("how", ["failed", "killed", "waiting"])
@pytest.mark.parametrize("backfill_calls", [0, 6])
def test_month_end_read_by_a_try_that_did_not_complete_is_wanted_again_after_documents(
    xero, how, backfill_calls
):
    tenant = xero.organisation()
    xero.extract(tenant)
    want_two_month_ends(xero, tenant)
    end_at_september(xero, tenant, how)
    assert wanted(xero) == all_of(SEPTEMBER)

    # Within half an hour documents are not read again: they are those of October's reports.
    assert xero.extract(tenant).state == "complete"
    assert wanted(xero) == all_of(SEPTEMBER)

    want_two_month_ends(xero, tenant)
    xero.set_clock(NOW + timedelta(hours=1))
    end_at_september(xero, tenant, how)
    xero.set_clock(NOW + timedelta(hours=2))
    assert xero.extract(tenant, backfill_calls=backfill_calls).state == "complete"
    # All of it, and the newest day first.
    assert wanted(xero) == (all_of(SEPTEMBER) if backfill_calls else all_of(OCTOBER, SEPTEMBER))


def test_month_end_that_no_build_has_published_is_wanted_again_by_the_night_alone(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    want_two_month_ends(xero, tenant)
    xero.extract(tenant, backfill_calls=100)
    assert wanted(xero) == set()
    # Whoever fetches the past every hour would read the same every hour while builds fail.
    xero.set_clock(NOW + timedelta(hours=1))
    xero.extract(tenant, backfill_calls=100)
    assert (wanted(xero), months_read(xero)) == (set(), 2)
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    assert wanted(xero) == all_of(OCTOBER, SEPTEMBER)


def test_month_end_that_a_build_has_published_is_not_wanted_again(xero):
    tenant = xero.organisation()
    xero.extract(tenant)
    want_two_month_ends(xero, tenant)
    xero.extract(tenant, backfill_calls=100)
    xero.rows.execute("update xero_ops.extract_runs set built_at = now()")
    xero.set_clock(NOW + timedelta(days=1))
    xero.extract(tenant, DAY + timedelta(days=1))
    assert wanted(xero) == set()


def test_month_end_whose_own_run_was_overtaken_is_wanted_again_and_another_day_is_not(xero):
    first, last = OCTOBER - timedelta(days=1), OCTOBER + timedelta(days=1)
    xero.set_clock(noon_after(first))
    tenant = xero.organisation()
    xero.extract(tenant, first)
    xero.rows.execute("delete from xero_ops.wanted_reports")
    for day in (OCTOBER, last):
        xero.set_clock(noon_after(day))
        xero.extract(tenant, day)
    assert wanted(xero) == all_of(OCTOBER)


def noon_after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC) + timedelta(days=1)


def months_read(xero: ConnectedApp) -> int:
    """How often a trial balance of a past month end was read."""
    (count,) = xero.one(
        "select count(*) from xero_ops.report_readings where record_id = any(%s)",
        [f"TrialBalance:{day}:accrual" for day in (OCTOBER, SEPTEMBER)],
    )
    return int(count)
