"""The reports agree with one another to the cent, at any date and in any state of the books."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sandbox.report_agreement import (
    EARNINGS,
    RETAINED,
    as_shown,
    ask,
    check_aged,
    check_all,
    check_balance_sheet,
    check_bank_summary,
    check_executive_summary,
    check_profit_and_loss,
    check_profit_is_what_equity_moves_by,
    check_trial_balance,
    is_temporary,
    without_zeros,
)
from tests.sandbox.report_reading import amounts, by_account, headings
from xero_sandbox.books.money import ZERO
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.reports.calendar import DAY, month_end, year_start

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
QUIET = {"invoices_per_day": 0.5, "bills_per_day": 0.4, "bank_transactions_per_day": 0.3}
KINDS: dict[str, dict[str, Any]] = {
    "everything": {**QUIET, "features": ["all"], "customers": 6},
    "29 February": {**QUIET, "country": "US", "year_end": [29, 2], "currencies": ["EUR", "JPY"]},
    "tracked": {**QUIET, "country": "AU", "features": ["tracking", "transfers"]},
    "plain": {**QUIET, "country": "GB", "year_end": [31, 12]},
}
kinds = st.sampled_from(sorted(KINDS))
bases = st.sampled_from(["false", "true"])
days = st.dates(date(2025, 8, 1), date(2027, 3, 31))
EXAMPLES = settings(max_examples=25, deadline=None)


def build(kind: str, seed: int, *, length: int = 420) -> Company:
    company = build_company(f"Agree {kind}", seed=seed, days=length, now=NOW, traits=KINDS[kind])
    company.advance(NOW)
    return company


@pytest.fixture(scope="module")
def companies() -> dict[str, Company]:
    return {kind: build(kind, 3) for kind in KINDS}


@EXAMPLES
@given(kind=kinds, on=days, basis=bases)
def test_a_trial_balance_is_in_balance(
    companies: dict[str, Company], kind: str, on: date, basis: str
) -> None:
    check_trial_balance(companies[kind], on, basis)


@EXAMPLES
@given(kind=kinds, on=days, basis=bases)
def test_a_balance_sheet_shows_what_the_trial_balance_does(
    companies: dict[str, Company], kind: str, on: date, basis: str
) -> None:
    check_balance_sheet(companies[kind], on, basis)


@EXAMPLES
@given(kind=kinds, on=days, basis=bases)
def test_profit_and_loss_of_a_month_is_the_movement_of_the_trial_balance(
    companies: dict[str, Company], kind: str, on: date, basis: str
) -> None:
    check_profit_and_loss(companies[kind], on, basis)


@EXAMPLES
@given(kind=kinds, first=days, length=st.integers(0, 365), basis=bases)
def test_profit_is_what_earnings_in_the_balance_sheet_move_by(
    companies: dict[str, Company], kind: str, first: date, length: int, basis: str
) -> None:
    last = first + timedelta(days=length)
    check_profit_is_what_equity_moves_by(companies[kind], first, last, basis)


@EXAMPLES
@given(kind=kinds, first=days, length=st.integers(0, 400))
def test_a_bank_summary_leads_from_one_trial_balance_to_another(
    companies: dict[str, Company], kind: str, first: date, length: int
) -> None:
    check_bank_summary(companies[kind], first, first + timedelta(days=length))


@EXAMPLES
@given(kind=kinds, on=days)
def test_an_executive_summary_repeats_the_other_reports(
    companies: dict[str, Company], kind: str, on: date
) -> None:
    check_executive_summary(companies[kind], on)


@settings(max_examples=12, deadline=None)
@given(kind=kinds, on=days)
def test_aged_reports_of_all_contacts_are_the_control_accounts(
    companies: dict[str, Company], kind: str, on: date
) -> None:
    check_aged(companies[kind], on)


@EXAMPLES
@given(
    kind=kinds,
    last=days,
    periods=st.integers(1, 11),
    timeframe=st.sampled_from(["MONTH", "QUARTER", "YEAR"]),
    basis=bases,
)
def test_a_column_beside_others_is_what_it_is_alone(
    companies: dict[str, Company],
    kind: str,
    last: date,
    periods: int,
    timeframe: str,
    basis: str,
) -> None:
    company = companies[kind]
    asked = {"periods": periods, "timeframe": timeframe, "paymentsOnly": basis}
    sheet = ask(company, "BalanceSheet", date=last, **asked)
    assert len(headings(sheet)) == periods + 1
    oldest = datetime.strptime(headings(sheet)[-1], "%d %b %Y").replace(tzinfo=UTC).date()
    alone = ask(company, "BalanceSheet", date=oldest, paymentsOnly=basis)
    for key, row in by_account(alone).items():
        if row[0]:
            assert by_account(sheet)[key][-1] == row[0]
    assert amounts(sheet, "Net Assets")[-1] == amounts(alone, "Net Assets")[0]
    profit = ask(company, "ProfitAndLoss", fromDate=last.replace(day=1), toDate=last, **asked)
    assert len(headings(profit)) == periods + 1
    months = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[timeframe] * periods
    count = last.year * 12 + last.month - 1 - months
    start = date(count // 12, count % 12 + 1, 1)
    end = min(start + timedelta(days=last.day - 1), month_end(start))
    alone = ask(company, "ProfitAndLoss", fromDate=start, toDate=end, paymentsOnly=basis)
    assert amounts(profit, "Net Profit")[-1:] == amounts(alone, "Net Profit")


@EXAMPLES
@given(kind=st.sampled_from(["everything", "tracked"]), on=days, basis=bases)
def test_tracking_columns_add_up_to_the_whole(
    companies: dict[str, Company], kind: str, on: date, basis: str
) -> None:
    company = companies[kind]
    asked = {"fromDate": on.replace(day=1), "toDate": month_end(on), "paymentsOnly": basis}
    whole = ask(company, "ProfitAndLoss", **asked)
    ids = list(company.books.tracking_categories)
    assert ids
    one = {"trackingCategoryID": ids[0]}
    for more in (one, one | {"trackingCategoryID2": ids[-1]})[: len(ids)]:
        split = ask(company, "ProfitAndLoss", **asked, **more)
        assert headings(split)[-1] == "Total"
        for row in by_account(split).values():
            assert sum(row[:-1], ZERO) == row[-1]
        total = {key: row[-1] for key, row in by_account(split).items()}
        assert without_zeros(total) == {key: row[0] for key, row in by_account(whole).items()}
        assert amounts(split, "Net Profit")[-1:] == amounts(whole, "Net Profit")


@EXAMPLES
@given(
    kind=st.sampled_from(["everything", "tracked"]),
    on=days,
    which=st.integers(0, 20),
    basis=bases,
)
def test_the_balance_sheet_of_an_option_shows_what_was_posted_with_it(
    companies: dict[str, Company], kind: str, on: date, which: int, basis: str
) -> None:
    """It need not be in balance: a journal may move an amount from one option to another."""
    company = companies[kind]
    categories = company.books.tracking_categories.values()
    options = [option for category in categories for option in category.options]
    option = options[which % len(options)]
    sheet = ask(
        company, "BalanceSheet", date=on, paymentsOnly=basis, trackingOptionID1=option.option_id
    )
    ledger = company.books.cash if basis == "true" else company.books.ledger
    posted: dict[str, Decimal] = {}
    for journal in ledger.journals:
        for posting in journal.postings:
            if journal.on <= on and option in posting.tracking:
                key = posting.account_id
                posted[key] = posted.get(key, ZERO) + as_shown(company, key, posting.amount)
    shown = {key: row[0] for key, row in by_account(sheet).items() if row[0]}
    retained = ledger.system(RETAINED)
    earned = shown.pop(EARNINGS, ZERO) + shown.pop(retained, ZERO) - posted.pop(retained, ZERO)
    kept = {key: amount for key, amount in posted.items() if not is_temporary(company, key)}
    assert shown == without_zeros(kept)
    asked = {
        "paymentsOnly": basis,
        "trackingCategoryID": option.category.category_id,
        "trackingOptionID": option.option_id,
    }
    assert profit_until(company, on, **asked) == earned


def profit_until(company: Company, on: date, **asked: Any) -> Decimal:
    """The net profit of all time until a date: spans of at most a year, put together."""
    first_day = min(journal.on for journal in company.books.ledger.journals)
    total = ZERO
    while on >= first_day:
        first = on - timedelta(days=365)
        report = ask(company, "ProfitAndLoss", fromDate=first, toDate=on, **asked)
        total += amounts(report, "Net Profit")[0]
        on = first - DAY
    return total


@pytest.mark.campaign
@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("seed", range(100, 108))
def test_reports_of_many_companies_agree_at_every_turn_of_the_calendar(
    kind: str, seed: int
) -> None:
    company = build(kind, seed, length=800)
    print(f"kind={kind!r} seed={seed}")
    start = year_start(date(2026, 6, 30), company.traits.year_end or (31, 3))
    turns = {company.first_day - DAY, company.first_day, start - DAY, start, date(2026, 2, 28)}
    turns |= {date(2026, 3, 1), date(2026, 10, 31), company.books.today, date(2028, 2, 29)}
    for on in sorted(turns):
        check_all(company, on, on - timedelta(days=200))
