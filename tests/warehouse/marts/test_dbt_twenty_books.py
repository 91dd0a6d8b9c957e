"""Twenty organisations over two years, each from its seed, against the sandbox's own reports.

Their documents tell everything: ledger, statements and aged documents differ from Xero's nowhere,
with Journals and without, at every month end and on 30 other days. Four more have all there can be:
what no document shows of them is exactly what the sandbox posts without one. Six have one kind of
it each, which is named as the cause of every difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import (
    LEDGERS,
    NIGHT,
    WITH_DOCUMENTS,
    Movements,
    balances_of,
    built_movements,
    by_cause,
    differences,
    ledger_of,
    less,
    load,
    load_reports,
    movements_of,
    possible_causes,
    run_dbt,
    with_journals,
    without_documents,
)
from tests.warehouse.marts.mistakes import MISTAKES, build_with
from tests.warehouse.marts.xeros_reports import (
    aged_by_contact,
    ageing_buckets,
    asked_for,
    balance_sheets,
    bank_summaries,
    cash_flows,
    days_about_year_ends,
    executive_summaries,
    lines_of,
    month_ends,
    profits_and_losses,
    random_days,
    report_of,
    trial_balances,
    year_start,
)
from xero_sandbox.business.company import Company, build_company

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1500)]

DAYS = 730
LAST = NIGHT.date() - timedelta(days=1)
SEEDS = range(1, 21)
SEEDS_OF_EVERYTHING = range(21, 25)
# With what no document shows, by the tie-out's name for it.
KINDS = {
    "CONVERSION": (31, "conversion"),
    "DEPRECIATION": (32, "depreciation"),
    "EXPENSE_CLAIMS": (33, "expense_claims"),
    "INVENTORY": (34, "stock"),
    "PAYROLL": (35, "payroll"),
    "ROUNDING": (36, "rounding"),
}
COUNTRIES = ("NZ", "AU", "GB", "US")
YEAR_ENDS = ((29, 2), (31, 3), (30, 6), (31, 12), (30, 9))
SMALL = {
    "invoices_per_day": 0.4,
    "bills_per_day": 0.25,
    "bank_transactions_per_day": 0.2,
    "customers": 5,
    "suppliers": 4,
}
# Reports revalue foreign balances, which no document knows.
AT_HOME = [name for name in WITH_DOCUMENTS if name != "foreign_banks"]
MODELS = (
    *("+fct_ledger_postings", "+fct_cash_basis_postings", "+rpt_tie_out_summary"),
    *("+rpt_trial_balance", "+rpt_profit_and_loss", "+rpt_balance_sheet", "+rpt_cash_flow"),
    *("+rpt_bank_summary", "+rpt_executive_summary", "+rpt_aged_receivables"),
    *("+rpt_aged_payables", "assert_every_posting_day_sums_to_zero"),
)
REPORTS = {"TrialBalance", "ProfitAndLoss", "BalanceSheet", "BankSummary", "ExecutiveSummary"}


class Remembering:
    """An organisation that makes each of its reports once."""

    def __init__(self, company: Company) -> None:
        self._company = company
        self._reports: dict[tuple[Any, ...], Any] = {}

    def report(self, name: str, asked: Mapping[str, str]) -> Any:
        """The report, as the organisation makes it."""
        key = (name, *sorted(asked.items()))
        if key not in self._reports:
            self._reports[key] = self._company.report(name, asked)
        return self._reports[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._company, name)


@dataclass
class Books:
    """The organisations by seed, and the database in which dbt built their marts."""

    dsn: str
    target: Path
    companies: dict[int, Company] = field(default_factory=dict)

    @property
    def compiled(self) -> dict[str, str]:
        """The SQL of each model, as this build ran it."""
        return {
            path.stem: path.read_text(encoding="utf-8")
            for path in (self.target / "compiled").rglob("*.sql")
            # A unit test's stand-in for a model bears its name, in a folder named like the yml.
            if not path.parent.name.endswith(".yml")
        }

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    def movements(self, tenant_id: str, basis: str) -> Movements:
        """What dbt posts."""
        with psycopg.connect(self.dsn) as connection:
            return built_movements(connection, basis, tenant_id)


def company_of(seed: int) -> Company:
    """Countries, year ends and features go round at different speeds."""
    traits: dict[str, Any] = {
        "country": COUNTRIES[seed % len(COUNTRIES)],
        "year_end": YEAR_ENDS[seed % len(YEAR_ENDS)],
        "features": AT_HOME,
        **SMALL,
    }
    if seed in SEEDS_OF_EVERYTHING:
        traits |= {"features": ["all"], "currencies": ["CAD", "JPY"]}
    company = build_company(f"Books {seed}", seed=seed, days=DAYS, now=NIGHT, traits=traits)
    company.advance(NIGHT)
    return company


def company_with(cause: str) -> Company:
    """One kind of what no document shows, across the end of a financial year."""
    seed, feature = KINDS[cause]
    traits = {"features": [*AT_HOME, feature], "year_end": (30, 6), **SMALL}
    company = build_company(f"Books {seed}", seed=seed, days=210, now=NIGHT, traits=traits)
    company.advance(NIGHT)
    return company


def days_of(company: Company) -> list[date]:
    """Every month end, the days about year ends, 30 days by chance, and the last one."""
    return sorted(
        {
            *month_ends(company, LAST),
            *days_about_year_ends(company, LAST),
            *random_days(company, LAST, 30),
            LAST,
        }
    )


@pytest.fixture(scope="module")
def books(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Books]:
    """All organisations, with Journals and without, and their reports of many days."""
    postgres_server.create_database("twenty_books", template=warehouse_template)
    made = Books(postgres_server.dsn("twenty_books"), tmp_path_factory.mktemp("dbt_twenty_books"))
    for seed in [*SEEDS, *SEEDS_OF_EVERYTHING]:
        company = made.companies[seed] = company_of(seed)
        load(made.dsn, [company])
        load_reports(made.dsn, [company])
        earlier = [day for day in days_of(company) if day != LAST]
        load_reports(made.dsn, [company], days=earlier, names=["bank_summaries"])
        ends = [day for day in earlier if day in month_ends(company, LAST)]
        # Of a past day the executive summary knows of more than the trial balance that explains it.
        told = ends if seed in SEEDS_OF_EVERYTHING else earlier
        load_reports(made.dsn, [company], days=told, names=["executive_summaries"])
        if seed in SEEDS_OF_EVERYTHING:
            load_reports(made.dsn, [company], days=earlier, names=["trial_balances"])
            cash: dict[str, Any] = {"names": ["trial_balances"], "bases": ["cash"]}
            load_reports(made.dsn, [company], days=[*earlier, LAST], **cash)
            profits: dict[str, Any] = {"names": ["profit_and_losses"], "bases": ["cash"]}
            load_reports(made.dsn, [company], days=earlier, **profits)
        else:
            load_reports(made.dsn, [company], days=ends, names=["trial_balances"])
    for cause, (seed, _) in KINDS.items():
        company = made.companies[seed] = company_with(cause)
        load(made.dsn, [company])
        load_reports(made.dsn, [company])
        earlier = [day for day in days_of(company) if day != LAST]
        names = ["trial_balances", "profit_and_losses"]
        load_reports(made.dsn, [company], days=earlier, names=names)
    only = ("--indirect-selection", "cautious", "--exclude-resource-type", "unit_test")
    run_dbt(made.dsn, made.target, "build", "--select", *MODELS, *only)
    yield made
    postgres_server.drop_database("twenty_books")


def tenants_of(company: Company) -> tuple[str, str]:
    """Without Journals, and with them."""
    return company.tenant_id, with_journals(company)


# --- Documents that tell everything --------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_both_ledgers_equal_the_sandboxs_on_every_account_and_day(books, seed):
    company = books.companies[seed]
    for basis in LEDGERS:
        ledger = ledger_of(company, basis)
        posted = movements_of(ledger.journals)
        assert len(posted) > 1000
        for tenant_id in tenants_of(company):
            assert differences(books.movements(tenant_id, basis), posted, ledger) == []


@pytest.mark.parametrize("seed", SEEDS)
def test_statements_are_xeros_on_every_one_of_many_days(books, seed):
    company: Any = Remembering(books.companies[seed])
    days = days_of(company)
    assert len(days) > 54
    for tenant_id in tenants_of(company):
        for basis in LEDGERS:
            for statement in (trial_balances, profits_and_losses, balance_sheets, cash_flows):
                compared = statement(books.rows, company, tenant_id, basis=basis, days=days)
                assert compared.differences == []
                assert compared.lines >= 2 * len(days)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_summaries_are_xeros_on_every_one_of_many_days(books, seed):
    company: Any = Remembering(books.companies[seed])
    days = days_of(company)
    for tenant_id in tenants_of(company):
        for summary in (bank_summaries, executive_summaries):
            compared = summary(books.rows, company, tenant_id, days=days)
            assert compared.differences == []
            assert compared.lines >= 2 * len(days)


@pytest.mark.parametrize("seed", SEEDS)
def test_aged_documents_are_xeros_for_every_contact_on_many_days(books, seed):
    company: Any = Remembering(books.companies[seed])
    days = days_of(company)
    for tenant_id in tenants_of(company):
        for ledger in ("receivables", "payables"):
            for aged in (aged_by_contact, ageing_buckets):
                compared = aged(books.rows, company, tenant_id, ledger=ledger, days=days)
                assert compared.differences == []
                assert compared.lines > len(days)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_line_of_every_report_ties_and_nothing_is_unexplained(books, seed):
    company = books.companies[seed]
    for tenant_id in tenants_of(company):
        found = books.rows(
            "select report, status, count(*), count(distinct report_date)"
            " from xero_marts.rpt_tie_out where tenant_id = %s group by report, status",
            tenant_id,
        )
        assert {status for _, status, _, _ in found} == {"tied"}
        days = {report: days for report, _, _, days in found}
        assert days.keys() == REPORTS
        assert min(days["BankSummary"], days["ExecutiveSummary"]) > 54
        assert days["TrialBalance"] > 20
        assert (
            books.rows(
                "select * from xero_marts.fct_account_balances where tenant_id = %s"
                " and (revaluation_closing_amount <> 0 or unexplained_closing_amount <> 0)",
                tenant_id,
            )
            == []
        )


# --- What no document shows ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS_OF_EVERYTHING)
def test_what_documents_lack_is_exactly_what_is_posted_without_one(books, seed):
    company = books.companies[seed]
    for basis in LEDGERS:
        ledger = ledger_of(company, basis)
        posted, unshown = movements_of(ledger.journals), without_documents(company, basis)
        alone, journals = (books.movements(each, basis) for each in tenants_of(company))
        assert len(unshown) > 100
        assert differences(less(posted, alone), unshown, ledger) == []
        assert differences(journals, posted, ledger) == []


@pytest.mark.parametrize("seed", SEEDS_OF_EVERYTHING)
def test_unexplained_and_revaluation_are_the_sandboxs_on_every_account(books, seed):
    company: Any = Remembering(books.companies[seed])
    ledger = company.books.ledger
    posted, unshown = movements_of(ledger.journals), without_documents(company, "accrual")
    for has_journals, tenant_id in enumerate(tenants_of(company)):
        found = _by_day(
            books.rows(
                "select report_date, line_key, revaluation_amount, difference"
                " from xero_marts.rpt_tie_out where tenant_id = %s and report = 'TrialBalance'"
                " and basis = 'accrual' and measure = 'balance'",
                tenant_id,
            )
        )
        assert len(found) > 54
        for day, rows in found.items():
            report = report_of(company, "TrialBalance", asked_for(day, "accrual"))
            debit, credit = lines_of(report, column=3), lines_of(report, column=4)
            shown = _as_reported(company, posted, day)
            revalued = {
                account: debit.get(account, 0) - credit.get(account, 0) - shown.get(account, 0)
                for account in debit.keys() | credit.keys() | shown.keys()
            }
            left = {} if has_journals else _as_reported(company, unshown, day)
            assert _amounts((key, amount) for key, amount, _ in rows) == _amounts(revalued.items())
            assert _amounts((key, amount) for key, _, amount in rows) == left, day


@pytest.mark.parametrize("seed", SEEDS_OF_EVERYTHING)
def test_statements_are_xeros_on_every_reported_day(books, seed):
    company: Any = Remembering(books.companies[seed])
    days = days_of(company)
    periods = ("month_to_date", "year_to_date")
    for tenant_id in tenants_of(company):
        for basis in LEDGERS:
            asked: dict[str, Any] = {"basis": basis, "days": days}
            for compared in (
                trial_balances(books.rows, company, tenant_id, **asked),
                balance_sheets(books.rows, company, tenant_id, **asked),
                profits_and_losses(books.rows, company, tenant_id, **asked, periods=periods),
            ):
                assert compared.differences == []
                assert compared.lines > 10 * len(days)


@pytest.mark.parametrize("seed", SEEDS_OF_EVERYTHING)
def test_differences_have_a_cause_and_none_is_broken(books, seed):
    for has_journals, tenant_id in enumerate(tenants_of(books.companies[seed])):
        found = {
            status
            for (status,) in books.rows(
                "select distinct status from xero_marts.rpt_tie_out where tenant_id = %s"
                # A trial balance on cash basis is read here alone, for the statements' sake.
                " and (report <> 'TrialBalance' or basis = 'accrual')",
                tenant_id,
            )
        }
        assert found == ({"tied"} if has_journals else {"tied", "explained"})


# --- The cause that is named ---------------------------------------------------------------------


def posted_by_day(books: Books, company: Company) -> Iterator[tuple[date, Any, Any]]:
    """Each reported day: amount and causes of each line that differs; the sandbox's, by cause."""
    posted = by_cause(company, "accrual")
    found = _by_day(
        books.rows(
            "select report_date, line_key, difference, cause from xero_marts.rpt_tie_out"
            " where tenant_id = %s and report = 'TrialBalance' and basis = 'accrual'"
            " and measure = 'balance' and difference <> 0",
            company.tenant_id,
        )
    )
    assert len(found) > 15
    for day, rows in found.items():
        lines = {key: (amount, set(cause.split(", "))) for key, amount, cause in rows}
        yield day, lines, {each: _as_reported(company, posted[each], day) for each in posted}


@pytest.mark.parametrize("cause", KINDS)
def test_one_kind_is_the_cause_of_every_difference_of_its_accounts(books, cause):
    company = books.companies[KINDS[cause][0]]
    for day, lines, posted in posted_by_day(books, company):
        amounts = {key: amount for key, (amount, _) in lines.items()}
        assert (day, amounts) == (day, posted[cause])
        assert {each for _, causes in lines.values() for each in causes} == {cause}
    statuses = books.rows(
        "select distinct status from xero_marts.rpt_tie_out where tenant_id = %s",
        company.tenant_id,
    )
    assert {status for (status,) in statuses} == {"tied", "explained"}


@pytest.mark.parametrize("seed", SEEDS_OF_EVERYTHING)
def test_every_kind_that_was_posted_on_an_account_is_named(books, seed):
    company = books.companies[seed]
    for day, lines, posted in posted_by_day(books, company):
        for key, (_, causes) in lines.items():
            expected = {cause for cause, amounts in posted.items() if amounts.get(key)}
            possible = possible_causes(company.books.ledger.accounts[key])
            assert expected <= causes <= possible, (day, key)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("seed", SEEDS_OF_EVERYTHING[:2])
def test_no_cause_takes_in_a_mistake(books, seed, mistake):
    tenant_id = books.companies[seed].tenant_id
    with psycopg.connect(books.dsn) as connection:
        build_with(connection, books.compiled, mistake, tenant_id=tenant_id)
        rows = connection.execute(
            "select distinct status from xero_marts.rpt_tie_out where tenant_id = %s"
            " and (report <> 'TrialBalance' or basis = 'accrual')",
            (tenant_id,),
        ).fetchall()
        connection.rollback()
    assert (("broken",) in rows) == (mistake != "none")


@pytest.mark.parametrize("cause", KINDS)
def test_the_profit_and_loss_on_cash_basis_is_xeros_without_a_trial_balance(books, cause):
    company: Any = Remembering(books.companies[KINDS[cause][0]])
    days = days_of(company)
    asked: dict[str, Any] = {"basis": "cash", "days": days}
    periods = ("month_to_date", "year_to_date")
    for tenant_id in tenants_of(company):
        compared = profits_and_losses(books.rows, company, tenant_id, **asked, periods=periods)
        assert compared.differences == []
        assert compared.lines > 5 * len(days)
        # The other side stands in one line, so that the ledger balances.
        sums = books.rows(
            "select sum(amount), sum(unexplained_amount) filter (where account_id = '') <> 0"
            " from xero_marts.rpt_trial_balance where tenant_id = %s and basis = 'cash'"
            " and not is_month_end group by day",
            tenant_id,
        )
        assert {total for total, _ in sums} == {0}
        is_delayed = cause not in ("CONVERSION", "ROUNDING") and tenant_id == company.tenant_id
        assert any(is_there for _, is_there in sums) == is_delayed


def _as_reported(company: Company, movements: Movements, day: date) -> dict[str, Decimal]:
    """Income and costs since the year began; those of closed years on retained earnings."""
    ledger = company.books.ledger
    retained = ledger.system("RETAINEDEARNINGS")
    closed = balances_of(movements, year_start(company, day) - timedelta(days=1))
    found: dict[str, Decimal] = defaultdict(Decimal)
    for account, amount in balances_of(movements, day).items():
        found[str(account)] += amount
    for account, amount in closed.items():
        if account and ledger.accounts[account].is_temporary:
            found[account] -= amount
            found[retained] += amount
    return _amounts(found.items())


def _amounts(pairs: Any) -> dict[str, Decimal]:
    return {key: amount for key, amount in pairs if amount}


def _by_day(rows: list[tuple[Any, ...]]) -> dict[date, list[tuple[Any, ...]]]:
    found: dict[date, list[tuple[Any, ...]]] = defaultdict(list)
    for day, *others in rows:
        found[day].append(tuple(others))
    return found
