"""The questions of a finance lead, and the queries of docs/marts.md: each is run and answered.

Knows where the words are, and where Xero's own answer to each question stands. A question is asked
by a login that reads one organisation of the sandbox, whose books share no code with dbt.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from tests.conftest import REPOSITORY
from tests.warehouse.marts.ledger_books import without_documents
from tests.warehouse.marts.loaded import Built, Warehouse
from tests.warehouse.marts.pretend_books import LAST_DAY
from tests.warehouse.marts.xeros_reports import (
    CURRENCY_GAINS,
    aged_by_contact,
    asked_for,
    lines_of,
    report_of,
    year_start,
)
from xero_sandbox.books.documents import Document
from xero_sandbox.business.company import Company

QUESTIONS = {file.stem: file for file in sorted((REPOSITORY / "docs" / "questions").glob("*.sql"))}
EXPOSURES = REPOSITORY / "dbt" / "models" / "marts" / "_exposures.yml"
MARTS_PAGE = REPOSITORY / "docs" / "marts.md"
MONTH_END = date(2026, 10, 31)
NOTHING = Decimal(0)

Ask = Callable[[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def ask(built: Built) -> Iterator[Ask]:
    """Asks a question as somebody who reads one organisation."""
    with built.warehouse.connect() as owner:
        owner.execute("create role asking login password 'of a test' in role bi_reader")

    def answer(question: str, name: str) -> list[dict[str, Any]]:
        tenant_id = built.warehouse.tenants[name].tenant_id
        with built.warehouse.connect() as owner:
            owner.execute("delete from xero_ops.reader_tenants where reader_name = 'asking'")
            owner.execute(
                "insert into xero_ops.reader_tenants (reader_name, tenant_id)"
                " values ('asking', %s)",
                (tenant_id,),
            )
        conninfo = make_conninfo(built.warehouse.dsn, user="asking", password="of a test")
        with psycopg.connect(conninfo, row_factory=dict_row) as connection:
            rows = connection.execute(QUESTIONS[question].read_text(encoding="utf-8")).fetchall()
        assert rows, f"{question} has no answer"
        return rows

    yield answer
    with built.warehouse.connect() as owner:
        owner.execute("delete from xero_ops.reader_tenants where reader_name = 'asking'")
        owner.execute("drop role asking")


@pytest.fixture
def company(ledger_companies: dict[str, Company]) -> Company:
    """An organisation in one currency, all of whose books documents tell."""
    return ledger_companies["one currency"]


def total(rows: list[dict[str, Any]], column: str) -> Decimal:
    """The sum of a column."""
    return sum((row[column] or NOTHING for row in rows), NOTHING)


def balances(company: Company, day: date, *, system: str) -> Decimal:
    """What Xero's books have on a system account at the end of a day, debit positive."""
    ledger = company.books.ledger
    (account_id,) = [key for key, each in ledger.accounts.items() if each.system == system]
    return ledger.balances(day).get(account_id, NOTHING)


def open_documents(company: Company, kind: str) -> list[tuple[Document, Decimal]]:
    """Invoices or bills of the books, and what is left of each at the end of the last day."""
    found = []
    for document in company.books.documents.values():
        if document.type != kind or not document.counts or document.on > LAST_DAY:
            continue
        paid = [p.amount for p in document.payments if p.status != "DELETED" and p.on <= LAST_DAY]
        paid += [a.amount for a in document.allocations if a.on <= LAST_DAY]
        if left := document.total - sum(paid, NOTHING):
            found.append((document, left))
    return found


# --- The ten -------------------------------------------------------------------------------------


def test_there_are_ten_questions_and_each_begins_with_its_words():
    assert len(QUESTIONS) == 10
    for file in QUESTIONS.values():
        assert re.match(r"-- [A-Z][^\n]+\?\n", file.read_text(encoding="utf-8")), file.name


def test_what_we_are_owed_is_the_receivables_account_of_xero(ask, company):
    (row,) = ask("01_what_are_we_owed", "one currency")
    owed = open_documents(company, "ACCREC")
    late = sum((left for document, left in owed if document.due_date < LAST_DAY), NOTHING)
    assert row["day"] == LAST_DAY
    assert row["owed"] == sum((left for _, left in owed), NOTHING) > 0
    assert row["overdue"] == late > 0
    assert row["owed"] - row["credit_with_us"] == balances(company, LAST_DAY, system="DEBTORS")
    buckets = ("1_30_days", "31_60_days", "61_90_days", "longer")
    assert row["overdue"] == sum(row[f"overdue_{bucket}"] for bucket in buckets)


def test_who_owes_us_most_are_the_largest_of_xeros_aged_receivables(ask, company, marts):
    rows = ask("02_who_owes_us_most", "one currency")
    tenant_id = marts.tenants["one currency"].tenant_id
    compared = aged_by_contact(
        marts.rows, company, tenant_id, ledger="receivables", days=[LAST_DAY]
    )
    assert compared.differences == []
    by_contact: dict[str, Decimal] = defaultdict(Decimal)
    for document, left in open_documents(company, "ACCREC"):
        by_contact[document.contact.contact_id] += left
    largest = sorted(by_contact.values(), reverse=True)[:10]
    assert [row["owed"] for row in rows] == largest
    assert total(rows, "overdue") > 0


def test_what_we_must_pay_soon_is_every_open_bill_that_is_due(ask, company):
    rows = ask("03_what_must_we_pay_soon", "one currency")
    soon = [
        (document.number, left, max((LAST_DAY - document.due_date).days, 0))
        for document, left in open_documents(company, "ACCPAY")
        if (document.planned_payment_date or document.due_date) <= LAST_DAY + timedelta(days=30)
    ]
    found = [(row["invoice_number"], row["to_pay"], row["days_late"]) for row in rows]
    assert sorted(found) == sorted(soon)


def test_the_money_in_the_bank_is_xeros_bank_summary(ask, companies):
    company = companies["every kind"]
    rows = ask("04_how_much_money_is_in_the_bank", "every kind")
    report = lines_of(report_of(company, "BalanceSheet", asked_for(LAST_DAY, "accrual")))
    accounts = company.books.ledger.accounts
    xeros = {
        accounts[key].name: amount
        for key, amount in report.items()
        if key in accounts and accounts[key].type == "BANK"
    }
    assert {row["account_name"]: row["balance"] for row in rows} == xeros
    assert len(xeros) > 1


def test_the_money_we_made_is_the_net_profit_of_each_month(ask, company):
    rows = ask("05_did_we_make_money", "one currency")
    assert len(rows) >= 4
    assert rows[0]["month_end_date"] == MONTH_END
    for row in rows[:4]:
        span = {
            "fromDate": row["month_end_date"].replace(day=1).isoformat(),
            "toDate": row["month_end_date"].isoformat(),
        }
        asked = asked_for(row["month_end_date"], "accrual", **span)
        found = {
            line["Cells"][0]["Value"]: Decimal(line["Cells"][1]["Value"])
            for section in report_of(company, "ProfitAndLoss", asked)
            for line in section.get("Rows", [])
        }
        assert row["net_profit"] == found["Net Profit"]
        assert row["gross_profit"] == found["Gross Profit"]
        assert row["income"] == found["Total Income"]


def test_a_budget_is_held_against_xeros_month(ask, companies):
    company = companies["every kind"]
    rows = ask("06_where_are_we_over_budget", "every kind")
    span = {"fromDate": MONTH_END.replace(day=1).isoformat(), "toDate": MONTH_END.isoformat()}
    report = report_of(company, "ProfitAndLoss", asked_for(MONTH_END, "accrual", **span))
    accounts = company.books.ledger.accounts
    found = {key: amount for key, amount in lines_of(report).items() if key in accounts}
    # What no document tells of, reports alone know, and there is none of that day.
    for (key, day), amount in without_documents(company, "accrual").items():
        if key in found and MONTH_END.replace(day=1) <= day <= MONTH_END:
            found[key] -= amount if accounts[key].account_class == "EXPENSE" else -amount
    xeros = {accounts[key].name: amount for key, amount in found.items() if amount}
    # Which the report shows as one line, revaluation among them.
    gains = {each.name for each in accounts.values() if each.system in CURRENCY_GAINS}
    assert {row["month_end_date"] for row in rows} == {MONTH_END}
    for row in rows:
        sign = 1 if row["section"] in ("income", "other_income") else -1
        assert row["worse_by"] == sign * (row["planned"] - row["actual"])
    actual = {
        row["account_name"]: row["actual"]
        for row in rows
        if row["actual"] and row["account_name"] not in gains
    }
    assert len(actual) > 5
    assert actual == xeros
    # What nobody planned is not left out.
    assert any(row["actual"] and not row["planned"] for row in rows)


def test_where_the_money_went_is_what_the_bank_balances_moved_by(ask, company):
    rows = ask("07_where_did_the_money_go", "one currency")
    ledger = company.books.ledger
    now, before = (
        sum(
            (
                ledger.balances(day).get(key, NOTHING)
                for key, account in ledger.accounts.items()
                if account.type == "BANK"
            ),
            NOTHING,
        )
        for day in (MONTH_END, MONTH_END.replace(day=1) - timedelta(days=1))
    )
    assert total(rows, "amount") == now - before
    assert {row["amount"] > 0 for row in rows} == {True, False}


def test_the_tax_we_owe_is_what_stands_on_xeros_tax_account(ask, company):
    rows = ask("08_how_much_tax_do_we_owe", "one currency")
    assert [row["day"] for row in rows][:2] == [LAST_DAY, LAST_DAY.replace(month=10)]
    for row in rows:
        assert row["owed"] == -balances(company, row["day"], system="GST")


def test_whether_it_agrees_with_xero_is_said_of_every_report(ask):
    rows = ask("09_does_it_agree_with_xero", "one currency")
    assert {(row["report"], row["basis"]) for row in rows} >= {
        ("TrialBalance", "accrual"),
        ("BalanceSheet", "accrual"),
        ("ProfitAndLoss", "accrual"),
        ("ProfitAndLoss", "cash"),
        ("BankSummary", "accrual"),
    }
    assert {(row["broken_lines"], row["difference_amount"]) for row in rows} == {(0, NOTHING)}


@pytest.mark.parametrize("tenant", ["one currency", "every kind"])
def test_the_parts_of_an_organisation_earn_its_whole_profit(
    ask, companies, ledger_companies, tenant
):
    company = (companies | ledger_companies)[tenant]
    rows = ask("10_which_part_earns_most", tenant)
    span = {
        "fromDate": year_start(company, LAST_DAY).isoformat(),
        "toDate": LAST_DAY.isoformat(),
    }
    report = report_of(company, "ProfitAndLoss", asked_for(LAST_DAY, "accrual", **span))
    (net,) = [
        line["Cells"][1]["Value"]
        for section in report
        for line in section.get("Rows", [])
        if line["Cells"][0]["Value"] == "Net Profit"
    ]
    assert len(rows) > 2
    assert total(rows, "profit") == Decimal(net)


# --- The page ------------------------------------------------------------------------------------


def queries() -> list[str]:
    """Every query of docs/marts.md."""
    return re.findall(r"```sql\n(.*?)```", MARTS_PAGE.read_text(encoding="utf-8"), re.DOTALL)


def marts_in(text: str) -> set[str]:
    """The marts that a query reads."""
    return set(re.findall(r"xero_marts\.(\w+)", text))


def test_every_query_of_the_page_runs_and_finds_something(marts: Warehouse):
    # The page asks about an organisation that nobody has; one of these has what it asks for.
    names = ("every kind", "books", "every document, journals")
    ids = [marts.tenants[name].tenant_id for name in names]
    empty = []
    for query in queries():
        on_last_day = query.replace("'2026-11-20'", f"'{LAST_DAY}'")
        asked = [on_last_day.replace("00000000-0000-0000-0000-000000000000", each) for each in ids]
        if not any(map(marts.rows, asked)):
            empty.append(query)
    assert len(queries()) > 20
    assert empty == []


def test_the_page_has_a_query_for_every_mart():
    listed = set(re.findall(r"^\| `([a-z_]+)` \|", MARTS_PAGE.read_text("utf-8"), re.MULTILINE))
    assert listed - set().union(*map(marts_in, queries())) == set()


def test_exposures_name_the_marts_that_are_read():
    exposures = {
        each["name"]: {ref[5:-2] for ref in each["depends_on"]}
        for each in yaml.safe_load(EXPOSURES.read_text(encoding="utf-8"))["exposures"]
    }
    asked = set().union(*(marts_in(file.read_text("utf-8")) for file in QUESTIONS.values()))
    assert exposures["finance_questions"] == asked
    built = {file.stem for file in EXPOSURES.parent.glob("*.sql")}
    assert exposures["business_intelligence"] == built


def test_every_column_of_every_model_is_described(marts: Warehouse):
    described = {
        (model["name"], column["name"])
        for file in (REPOSITORY / "dbt" / "models").rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8")).get("models", [])
        for column in model.get("columns", [])
        if column.get("description", "").strip()
    }
    built = marts.rows(
        "select table_name::text, column_name::text from information_schema.columns"
        " where table_schema in ('xero_staging', 'xero_intermediate', 'xero_marts')"
        " and table_name <> all(%s)",
        ["posting_rules", "xero_timezones"],
    )
    assert len(built) > 1000
    assert sorted({*built} - described) == []
