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
from psycopg.types.json import Jsonb

from tests.conftest import REPOSITORY
from tests.warehouse.marts.book_rows import Row, in_base
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


def month_ends(newest: date, count: int) -> list[date]:
    """The last days of months, the newest first."""
    found = [newest]
    while len(found) < count:
        found.append(found[-1].replace(day=1) - timedelta(days=1))
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
    on_account = row["owed"] - row["credit_with_us"] - row["paid_ahead"]
    assert on_account == balances(company, LAST_DAY, system="DEBTORS")
    buckets = ("1_30_days", "31_60_days", "61_90_days", "longer")
    assert row["overdue"] == sum(row[f"overdue_{bucket}"] for bucket in buckets)


def test_what_was_paid_before_its_invoice_is_told_beside_what_is_owed(marts):
    question = QUESTIONS["01_what_are_we_owed"].read_text("utf-8")
    # Nobody's last day has such a payment; the question asks for the last day.
    with psycopg.connect(marts.dsn, row_factory=dict_row) as owner:
        owner.execute(
            "update xero_marts.dim_tenants set tenant_name = 'Ahead', complete_day = ("
            " select max(day) from xero_marts.rpt_daily_statistics as statistics"
            " where statistics.tenant_id = dim_tenants.tenant_id"
            " and receivables_paid_ahead_base_amount <> 0) where tenant_id = %s",
            (marts.tenants["twin"].tenant_id,),
        )
        [row] = [row for row in owner.execute(question) if row["tenant_name"] == "Ahead"]
        [statistics] = owner.execute(
            "select receivables_control_base_amount as on_account"
            " from xero_marts.rpt_daily_statistics where tenant_id = %s and day = %s",
            (marts.tenants["twin"].tenant_id, row["day"]),
        )
        owner.rollback()
    assert row["paid_ahead"] != 0
    assert row["owed"] - row["credit_with_us"] - row["paid_ahead"] == statistics["on_account"]


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
    assert [row["month_end_date"] for row in rows] == month_ends(MONTH_END, len(rows))
    for row in rows:
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


@pytest.mark.parametrize(
    ("complete_day", "newest"),
    [
        (date(2026, 11, 1), date(2026, 10, 31)),
        (date(2026, 11, 20), date(2026, 10, 31)),
        (date(2026, 11, 30), date(2026, 11, 30)),
        (date(2027, 1, 31), date(2027, 1, 31)),
        (date(2027, 2, 28), date(2027, 2, 28)),
        (date(2028, 2, 28), date(2028, 1, 31)),
        (date(2028, 2, 29), date(2028, 2, 29)),
    ],
)
def test_the_months_are_the_last_twelve_on_whichever_day_it_is_asked(
    warehouse_dsn: str, complete_day: date, newest: date
):
    with psycopg.connect(warehouse_dsn, row_factory=dict_row) as connection:
        connection.execute("create schema if not exists xero_marts")
        connection.execute(_EARNED_EVERY_MONTH.format(complete_day))
        rows = connection.execute(QUESTIONS["05_did_we_make_money"].read_text("utf-8")).fetchall()
        connection.rollback()
    assert [row["month_end_date"] for row in rows] == month_ends(newest, 12)
    assert {row["more_than_a_year_before"] for row in rows} == {12}


# One more in every month, up to a day.
_EARNED_EVERY_MONTH = """
create table xero_marts.dim_tenants as
select 1 as tenant_id, 'Kauri' as tenant_name, '{0}'::date as complete_day;
create table xero_marts.rpt_profit_and_loss_monthly as
select
    1 as tenant_id,
    'accrual' as basis,
    'income' as section,
    (month + interval '1 month - 1 day')::date as month_end_date,
    amount,
    amount as profit_amount
from generate_series('2022-01-01'::timestamp, '{0}', '1 month')
    with ordinality as months (month, amount)
where month + interval '1 month - 1 day' <= '{0}'
"""


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


def test_of_two_overall_budgets_the_one_of_the_statistics_is_taken(marts):
    tenant_id = marts.tenants["every kind"].tenant_id
    question = QUESTIONS["06_where_are_we_over_budget"].read_text("utf-8")
    with psycopg.connect(marts.dsn, row_factory=dict_row) as owner:
        before = owner.execute(question).fetchall()
        owner.execute(
            "insert into xero_marts.fct_budgets select (jsonb_populate_record(budgets, %s)).*"
            " from xero_marts.fct_budgets as budgets"
            " where tenant_id = %s and budget_type = 'OVERALL'",
            (Jsonb({"budget_id": "zz", "base_amount": 1}), tenant_id),
        )
        after = owner.execute(question).fetchall()
        [statistics] = owner.execute(
            "select tenant_name, income_budget_month_to_date_base_amount as income"
            " from xero_marts.rpt_daily_statistics inner join xero_marts.dim_tenants"
            " using (tenant_id) where tenant_id = %s and day = %s",
            (tenant_id, MONTH_END),
        ).fetchall()
        owner.rollback()
    assert after == before
    planned = [
        row
        for row in after
        if (row["tenant_name"], row["section"]) == (statistics["tenant_name"], "income")
    ]
    assert total(planned, "planned") == statistics["income"] > 0


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


def nets_in_base(document: Document) -> list[Decimal]:
    """What each line posts: rounded alone, and on the largest what net and tax leave over."""
    nets, taxes = (
        [in_base(amount, document.rate) for amount in amounts]
        for amounts in zip(*((line.net, line.tax) for line in document.lines), strict=True)
    )
    whole = in_base(document.total, document.rate) - in_base(document.rounding, document.rate)
    largest = max(range(len(nets)), key=lambda place: abs(document.lines[place].net))
    nets[largest] += whole - sum(nets + taxes, NOTHING)
    return nets


def sold(company: Company, types: dict[str, int]) -> dict[tuple[str | None, str | None], Row]:
    """Pieces and worth by item and region, each type of document with its sign."""
    names = {each.code: each.name for each in company.books.items.values()}
    region = min(company.books.tracking_categories, default=None)
    found: dict[tuple[str | None, str | None], Row] = {}
    for document in company.books.documents.values():
        sign = types.get(document.type)
        if sign is None or not document.counts:
            continue
        for line, net in zip(document.lines, nets_in_base(document), strict=True):
            options = [o.name for o in line.tracking if o.category.category_id == region]
            key = names.get(line.item_code), options[0] if options else None
            pieces, worth = found.get(key, (NOTHING, NOTHING))
            found[key] = pieces + sign * line.quantity, worth + sign * net
    return found


@pytest.mark.parametrize("tenant", ["every kind", "foreign ledger"])
def test_what_was_sold_by_item_and_region_is_less_what_was_credited(marts, companies, tenant):
    (query,) = [each for each in queries() if "fct_credit_note_lines" in each]
    query = query.replace("00000000-0000-0000-0000-000000000000", marts.tenants[tenant].tenant_id)
    built = {row[:2]: row[2:] for row in marts.rows(query)}
    assert built == sold(companies[tenant], {"ACCREC": 1, "ACCRECCREDIT": -1})
    assert built != sold(companies[tenant], {"ACCREC": 1})


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
