"""The statements against the sandbox's own reports, which share no code with dbt: to the cent."""

from __future__ import annotations

import json
import random
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest

from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import (
    NIGHT,
    WITH_DOCUMENTS,
    ledger_of,
    load,
    mark_built,
    run_dbt,
    with_journals,
)
from xero_sandbox.business.company import Company, build_company

STATEMENTS = (
    "rpt_trial_balance",
    "rpt_profit_and_loss",
    "rpt_profit_and_loss_by_tracking",
    "rpt_balance_sheet",
    "rpt_cash_flow",
    "rpt_aged_receivables",
    "rpt_aged_payables",
)
MONTHLY = (
    "rpt_trial_balance_monthly",
    "rpt_profit_and_loss_monthly",
    "rpt_balance_sheet_monthly",
    "rpt_cash_flow_monthly",
)
# Reports revalue foreign balances, which no document knows: see the tie-out.
EVERY_DOCUMENT = {"features": [name for name in WITH_DOCUMENTS if name != "foreign_banks"]}
# Days of business, and traits; every financial year ends among those days.
ORGANISATIONS: dict[str, tuple[int, dict[str, Any]]] = {
    "29 February": (280, {"country": "GB", "year_end": (29, 2), **EVERY_DOCUMENT}),
    "31 March": (250, {"year_end": (31, 3), **EVERY_DOCUMENT}),
    "30 June": (160, {"country": "AU", "year_end": (30, 6)}),
    "31 December": (335, {"country": "US", "year_end": (31, 12), **EVERY_DOCUMENT}),
}
# What documents do not tell, two year ends among its days, and the reports that do.
REPORTED = "what reports alone know"
REPORTED_TRAITS = {"year_end": (31, 3), "features": ["all"], "currencies": ["USD", "EUR"]}
CURRENT_YEAR_EARNINGS = "abababab-abab-abab-abab-abababababab"
CURRENCY_GAINS = ("REALISEDCURRENCYGAIN", "UNREALISEDCURRENCYGAIN", "BANKCURRENCYGAIN")

# Account, or what else a line is about, to its amount; no zeros.
Lines: TypeAlias = dict[str, Decimal]


@dataclass(frozen=True)
class Statements:
    """The organisations, and the database in which dbt built their statements."""

    dsn: str
    target: Path
    companies: dict[str, Company]

    def tenant_id(self, name: str, builder: str) -> str:
        """The organisation as it is loaded for a builder: documents or journals."""
        company = self.companies[name]
        return company.tenant_id if builder == "documents" else with_journals(company)

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()


@pytest.fixture(scope="module")
def statements(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Statements]:
    """The statements of all organisations, built by dbt."""
    companies = {
        name: build_company(name, seed=seed, days=days, now=NIGHT, traits=traits)
        for seed, (name, (days, traits)) in enumerate(ORGANISATIONS.items(), start=61)
    }
    companies[REPORTED] = build_company(
        REPORTED, seed=71, days=430, now=NIGHT, traits=REPORTED_TRAITS
    )
    for company in companies.values():
        company.advance(NIGHT)
    postgres_server.create_database("statements", template=warehouse_template)
    dsn, target = postgres_server.dsn("statements"), tmp_path_factory.mktemp("dbt_statements")
    load(dsn, companies.values())
    load_trial_balances(dsn, companies[REPORTED])
    build_statements(dsn, target)
    yield Statements(dsn, target, companies)
    postgres_server.drop_database("statements")


def build_statements(dsn: str, target: Path, *how: str) -> None:
    """Everything that statements read, and they themselves."""
    run_dbt(
        *(dsn, target, "build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", *(f"+{name}" for name in (*STATEMENTS, *MONTHLY)), *how),
    )


def reported_days(company: Company, last: date) -> list[date]:
    """Every month end, the day before the last, and the last day."""
    days = [company.first_day + timedelta(days=n) for n in range((last - company.first_day).days)]
    ends = [day for day in days if (day + timedelta(days=1)).day == 1]
    return [*ends, last - timedelta(days=1), last]


def load_trial_balances(dsn: str, company: Company, *, known_at: datetime = NIGHT) -> None:
    """Put the organisation's trial balances into the raw table, read by its last extraction."""
    (endpoint,) = [each for each in ENDPOINTS if each.name == "trial_balances"]
    with psycopg.connect(dsn) as connection:
        for day in reported_days(company, known_at.date()):
            for basis in ("accrual", "cash"):
                report = company.report("TrialBalance", report_params(endpoint, day, basis)) or {}
                key = report_key(endpoint, day, basis)
                asked = {
                    "tenant": company.tenant_id,
                    "key": key,
                    "known_at": known_at,
                    "payload": json.dumps({**report, "ReportID": key}, default=float),
                }
                connection.execute(
                    "update xero_raw.trial_balances set known_to = %(known_at)s"
                    " where tenant_id = %(tenant)s and record_id = %(key)s and known_to is null",
                    asked,
                )
                connection.execute(
                    "insert into xero_raw.trial_balances"
                    " (tenant_id, record_id, known_from, payload, run_id)"
                    " select %(tenant)s, %(key)s, known_at, %(payload)s, run_id"
                    " from xero_ops.extract_runs"
                    " where tenant_id = %(tenant)s and known_at = %(known_at)s",
                    asked,
                )


def days_of(company: Company) -> list[date]:
    """Every month end of the organisation's business, days about its year end, and some others."""
    first, last = company.first_day, NIGHT.date()
    all_days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    month_ends = [day for day in all_days if (day + timedelta(days=1)).day == 1]
    new_year = [day for day in all_days if year_start(company, day) == day]
    about = [day + timedelta(days=by) for day in new_year for by in (-1, 0, 1) if day > first]
    some = random.Random(str(first)).sample(all_days, 4)
    return sorted({*month_ends, *about, *some, last})


def year_start(company: Company, day: date) -> date:
    """The first day of the financial year that a day lies in."""
    end_day, end_month = company.traits.year_end or company.traits.land.year_end
    ends = [
        date(year, end_month, min(end_day, monthrange(year, end_month)[1]))
        for year in (day.year - 2, day.year - 1, day.year)
    ]
    return max(end for end in ends if end < day) + timedelta(days=1)


def report_lines(
    company: Company, report: str, asked: Mapping[str, str], *, column: int = 1
) -> Lines:
    """The lines of a report that are about an account, and one column of each."""
    found: Lines = defaultdict(Decimal)
    answer = company.report(report, asked)
    assert answer
    for section in _sections(answer):
        for row in section.get("Rows", []):
            account = [
                attribute["Value"]
                for attribute in row["Cells"][0].get("Attributes", [])
                if attribute["Id"] == "account"
            ]
            if account:
                found[account[0]] += Decimal(row["Cells"][column]["Value"] or 0)
    return {key: amount for key, amount in found.items() if amount}


def _sections(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    sections: list[dict[str, Any]] = report["Rows"]
    return sections


def asked_for(day: date, basis: str, **more: str) -> dict[str, str]:
    """The parameters of a report."""
    cash = {"paymentsOnly": "true"} if basis == "cash" else {}
    return {"date": day.isoformat(), **cash, **more}


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize("basis", ["accrual", "cash"])
@pytest.mark.parametrize("name", ORGANISATIONS)
def test_the_trial_balance_is_xeros(statements, name, basis, builder):
    company, tenant_id = statements.companies[name], statements.tenant_id(name, builder)
    columns = ("debit_amount", "credit_amount", "ytd_debit_amount", "ytd_credit_amount")
    for day in days_of(company):
        found = statements.rows(
            f"select account_id, {', '.join(columns)}, amount from xero_marts.rpt_trial_balance"
            " where tenant_id = %s and basis = %s and day = %s",
            *(tenant_id, basis, day),
        )
        for place, column in enumerate(columns, start=1):
            built = {row[0]: row[place] for row in found if row[place]}
            wanted = report_lines(company, "TrialBalance", asked_for(day, basis), column=place)
            assert built == wanted, (day, column)
        assert sum(row[-1] for row in found) == 0


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize("basis", ["accrual", "cash"])
@pytest.mark.parametrize("name", ORGANISATIONS)
def test_the_profit_and_loss_is_xeros(statements, name, basis, builder):
    company, tenant_id = statements.companies[name], statements.tenant_id(name, builder)
    for day in days_of(company):
        first_days = {
            "day": day,
            "month_to_date": day.replace(day=1),
            "year_to_date": year_start(company, day),
        }
        for period, first_day in first_days.items():
            found = statements.rows(
                "select account_id, first_day, amount, profit_amount"
                " from xero_marts.rpt_profit_and_loss"
                " where tenant_id = %s and basis = %s and day = %s and period = %s",
                *(tenant_id, basis, day, period),
            )
            assert {row[1] for row in found} <= {first_day}
            span = {"fromDate": first_day.isoformat(), "toDate": day.isoformat()}
            wanted = report_lines(company, "ProfitAndLoss", asked_for(day, basis, **span))
            built = {row[0]: row[2] for row in found}
            assert _gains_as_one_line(company, built) == wanted, (day, period)
            assert sum((row[3] for row in found), Decimal(0)) == _net_profit(
                company, asked_for(day, basis, **span)
            )


def _gains_as_one_line(company: Company, lines: Lines) -> Lines:
    """Outside the United States Xero shows all currency gains as one line."""
    accounts = company.books.ledger.accounts
    found: Lines = defaultdict(Decimal)
    for key, amount in lines.items():
        is_one = accounts[key].system in CURRENCY_GAINS and company.books.country.code != "US"
        found["FXGROUPID" if is_one else key] += amount
    return {key: amount for key, amount in found.items() if amount}


def _net_profit(company: Company, asked: Mapping[str, str]) -> Decimal:
    answer = company.report("ProfitAndLoss", asked)
    assert answer
    (amount,) = [
        row["Cells"][1]["Value"]
        for section in _sections(answer)
        for row in section.get("Rows", [])
        if row["Cells"][0]["Value"] == "Net Profit"
    ]
    return Decimal(amount)


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize("basis", ["accrual", "cash"])
@pytest.mark.parametrize("name", ORGANISATIONS)
def test_the_balance_sheet_is_xeros(statements, name, basis, builder):
    company, tenant_id = statements.companies[name], statements.tenant_id(name, builder)
    is_earned = False
    for day in days_of(company):
        found = statements.rows(
            "select account_id, section, amount, net_assets_amount"
            " from xero_marts.rpt_balance_sheet"
            " where tenant_id = %s and basis = %s and day = %s",
            *(tenant_id, basis, day),
        )
        built = {row[0]: row[2] for row in found}
        assert built == report_lines(company, "BalanceSheet", asked_for(day, basis)), day
        equity = sum((row[2] for row in found if row[1] == "equity"), Decimal(0))
        assert sum((row[3] for row in found), Decimal(0)) == equity
        is_earned |= CURRENT_YEAR_EARNINGS in built
    assert is_earned


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize(
    ("ledger", "report"),
    [("receivables", "AgedReceivablesByContact"), ("payables", "AgedPayablesByContact")],
)
@pytest.mark.parametrize("name", ORGANISATIONS)
def test_aged_documents_are_xeros_for_every_contact(statements, name, ledger, report, builder):
    company, tenant_id = statements.companies[name], statements.tenant_id(name, builder)
    contacts = [contact["ContactID"] for contact in company.records("Contacts")]
    for day in days_of(company)[::3]:
        built = {
            contact: due
            for contact, due in statements.rows(
                f"select contact_id, amount from xero_marts.rpt_aged_{ledger}"
                " where tenant_id = %s and day = %s",
                *(tenant_id, day),
            )
            if due
        }
        wanted = {contact: _due(company, report, contact, day) for contact in contacts}
        assert built == {contact: due for contact, due in wanted.items() if due}, day


def _due(company: Company, report: str, contact_id: str, day: date) -> Decimal:
    asked = {"contactID": contact_id, "date": day.isoformat(), "toDate": day.isoformat()}
    answer = company.report(report, asked)
    assert answer
    return Decimal(_sections(answer)[-1]["Rows"][-1]["Cells"][-1]["Value"])


@pytest.mark.parametrize("ledger", ["receivables", "payables"])
def test_ageing_buckets_are_those_of_days_past_due(statements, ledger):
    """Counted here from the documents themselves, at every month end."""
    company = statements.companies["31 December"]
    is_receivable = ledger == "receivables"
    for day in days_of(company):
        wanted: Lines = defaultdict(Decimal)
        for document in company.books.documents.values():
            if document.is_credit or not document.counts or document.on > day:
                continue
            if document.is_receivable != is_receivable or document.type not in ("ACCREC", "ACCPAY"):
                continue
            paid = [p.amount for p in document.payments if p.status != "DELETED" and p.on <= day]
            paid += [a.amount for a in document.allocations if a.on <= day]
            late = (day - document.due_date).days
            limits = {0: "not_due", 30: "overdue_1_30", 60: "overdue_31_60", 90: "overdue_61_90"}
            bucket = next((limits[n] for n in limits if late <= n), "overdue_91_plus")
            wanted[bucket] += document.total - sum(paid, Decimal(0))
        buckets = ("not_due", "overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_91_plus")
        sums = ", ".join(f"coalesce(sum({bucket}_amount), 0)" for bucket in buckets)
        (built,) = statements.rows(
            f"select {sums} from xero_marts.rpt_aged_{ledger} where tenant_id = %s and day = %s",
            *(company.tenant_id, day),
        )
        assert dict(zip(buckets, built, strict=True)) == {b: wanted[b] for b in buckets}, day


@pytest.mark.parametrize("builder", ["documents", "journals"])
@pytest.mark.parametrize("basis", ["accrual", "cash"])
@pytest.mark.parametrize("name", ORGANISATIONS)
def test_the_cash_flow_is_what_the_bank_balances_moved_by(statements, name, basis, builder):
    company, tenant_id = statements.companies[name], statements.tenant_id(name, builder)
    ledger = ledger_of(company, basis)
    banks = {key for key, account in ledger.accounts.items() if account.type == "BANK"}
    for day in days_of(company)[::3]:
        built = dict(
            statements.rows(
                "select period, sum(amount) from xero_marts.rpt_cash_flow"
                " where tenant_id = %s and basis = %s and day = %s group by period",
                *(tenant_id, basis, day),
            )
        )
        for period, first_day in (("day", day), ("year_to_date", year_start(company, day))):
            now, before = ledger.balances(day), ledger.balances(first_day - timedelta(days=1))
            moved = sum(now.get(b, Decimal(0)) - before.get(b, Decimal(0)) for b in banks)
            assert built.get(period, 0) == moved, (day, period)


@pytest.mark.parametrize("basis", ["accrual", "cash"])
def test_what_reports_alone_know_makes_every_statement_xeros(statements, basis):
    """Conversion balances, payroll, depreciation, stock and revaluation, over two year ends."""
    company = statements.companies[REPORTED]
    parts = "sum(abs(documents_amount)), sum(abs(revaluation_amount + unexplained_amount))"
    for day in reported_days(company, NIGHT.date()):
        asked = (company.tenant_id, basis, day)
        where = " where tenant_id = %s and basis = %s and day = %s"
        for view, report, column, more in (
            ("rpt_trial_balance", "TrialBalance", "ytd_debit_amount", {}),
            ("rpt_balance_sheet", "BalanceSheet", "amount", {}),
            (
                "rpt_profit_and_loss",
                "ProfitAndLoss",
                "amount",
                {"fromDate": year_start(company, day).isoformat(), "toDate": day.isoformat()},
            ),
        ):
            period = " and period = 'year_to_date'" if "profit" in view else ""
            found = statements.rows(
                f"select account_id, {column} from xero_marts.{view}{where}{period}", *asked
            )
            wanted = report_lines(
                *(company, report, asked_for(day, basis, **more)),
                column=3 if report == "TrialBalance" else 1,
            )
            built = {key: amount for key, amount in found if amount}
            if period:
                built = _gains_as_one_line(company, built)
            assert built == wanted, (view, day)
    ((documents, alone),) = statements.rows(
        f"select {parts} from xero_marts.rpt_trial_balance{where}", *asked
    )
    assert documents > 0
    assert alone > 0


@pytest.mark.parametrize("basis", ["accrual", "cash"])
def test_tracking_options_and_what_has_none_are_the_whole_profit_and_loss(statements, basis):
    tenant_id = statements.tenant_id("31 December", "documents")
    asked = (tenant_id, basis, NIGHT.date())
    whole = statements.rows(
        "select period, account_id, amount from xero_marts.rpt_profit_and_loss"
        " where tenant_id = %s and basis = %s and day = %s order by 1, 2",
        *asked,
    )
    assert len(whole) > 10
    for category in (1, 2):
        by_option = statements.rows(
            "select period, account_id, sum(documents_amount), count(*)"
            " from xero_marts.rpt_profit_and_loss_by_tracking where tenant_id = %s"
            " and basis = %s and day = %s and category_number = %s"
            " group by 1, 2 having sum(documents_amount) <> 0 order by 1, 2",
            *(*asked, category),
        )
        assert [row[:3] for row in by_option] == whole
        assert any(row[3] > 1 for row in by_option)


@pytest.mark.parametrize("view", MONTHLY)
def test_a_monthly_view_is_its_statement_at_every_month_end(statements, view):
    tenant_id = statements.tenant_id("31 March", "documents")
    period = " and period = 'month_to_date'" if "profit" in view or "cash_flow" in view else ""
    monthly = statements.rows(
        f"select month_end_date, basis, account_id, amount from xero_marts.{view}"
        " where tenant_id = %s order by 1, 2, 3, 4",
        tenant_id,
    )
    ends = sorted({row[0] for row in monthly})
    assert len(ends) >= 8
    assert {(end + timedelta(days=1)).day for end in ends} == {1}
    assert max(ends) < NIGHT.date()
    each = [
        row
        for end in ends
        for row in statements.rows(
            "select day, basis, account_id, amount"
            f" from xero_marts.{view.removesuffix('_monthly')}"
            f" where tenant_id = %s and day = %s{period} order by 1, 2, 3, 4",
            *(tenant_id, end),
        )
    ]
    assert monthly == each


def test_every_statement_answers_a_day_by_index(statements):
    """The plan of one organisation's day scans no large table."""
    for view in STATEMENTS:
        (((plan,),),) = (
            statements.rows(
                f"explain (format json) select * from xero_marts.{view} where tenant_id = %s"
                " and day = %s",
                *(statements.tenant_id("31 March", "documents"), NIGHT.date()),
            ),
        )
        scanned = [
            node["Relation Name"]
            for node in _nodes(plan[0]["Plan"])
            if node["Node Type"] == "Seq Scan"
        ]
        large = {"fct_account_balances", "fct_outstanding_documents", "fct_ledger_postings"}
        assert large.isdisjoint(scanned), (view, json.dumps(plan, indent=1))


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from _nodes(below)


def test_every_view_reads_with_the_rights_of_who_asks(statements):
    found = statements.rows(
        "select relname, reloptions from pg_class where relnamespace = 'xero_marts'::regnamespace"
        " and relkind = 'v' order by relname"
    )
    assert {name for name, _ in found} >= {*STATEMENTS, *MONTHLY}
    assert [name for name, options in found if options != ["security_invoker=true"]] == []


# --- A night later -------------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_a_night_later_the_balances_are_the_same_as_built_anew(postgres_server, statements):
    """Five days of business, edits and voids of old documents and new reports among them."""
    postgres_server.create_database("statements_later", template="statements")
    dsn, later = postgres_server.dsn("statements_later"), NIGHT + timedelta(days=5)
    mark_built(dsn)
    company = build_company(REPORTED, seed=71, days=430, now=NIGHT, traits=REPORTED_TRAITS)
    company.advance(later)
    load(dsn, [company], known_at=later)
    load_trial_balances(dsn, company, known_at=later)
    build_statements(dsn, statements.target)
    moved_on = _tables(dsn)
    assert moved_on != _tables(statements.dsn)
    build_statements(dsn, statements.target, "--full-refresh")
    assert _tables(dsn) == moved_on
    postgres_server.drop_database("statements_later")


def _tables(dsn: str) -> dict[str, list[tuple[Any, ...]]]:
    with psycopg.connect(dsn) as connection:
        return {
            table: connection.execute(
                f"select kept::text from xero_marts.{table} as kept order by 1"
            ).fetchall()
            for table in (
                "fct_account_balances",
                "fct_outstanding_documents",
                "dim_statement_lines",
            )
        }
