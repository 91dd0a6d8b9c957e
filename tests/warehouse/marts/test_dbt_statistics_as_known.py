"""What a night knew of a day stays as it was, whatever is edited, voided or deleted afterwards.

Knows the raw tables, how dbt is called and the sandbox's reports; must not know what a model
computes. Two organisations live on for four nights. Of one all records are what its books say, so
that these can be asked; to the other happens what the sandbox's people never do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import psycopg
import pytest

from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import WITH_DOCUMENTS
from tests.warehouse.marts.test_dbt_incremental import FIRST, Seldom, Warehouse, company, said
from tests.warehouse.marts.test_dbt_ledger_metrics import (
    position,
    profit_and_loss,
    sections,
    spans,
)
from tests.warehouse.marts.xeros_reports import BUCKETS, bank_lines_of, open_documents
from xero_sandbox.business.company import Company

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(1500)]

NIGHTS = [FIRST + timedelta(days=number) for number in range(4)]
# Of the third the build fails, and the fourth one's tells of two days.
BUILT = [NIGHTS[0], NIGHTS[1], NIGHTS[3]]
TABLES = (
    "rpt_daily_statistics_as_known",
    "rpt_daily_statistics_by_currency_as_known",
    "rpt_bank_summary_as_known",
)
# What a rebuild cannot say as the night did.
NOT_REBUILT = {
    "token_expiry_days": "of a consent it is known when it was refreshed last, and not before",
    "api_calls_count": "calls are counted by calendar day, and after the night went on",
    "api_calls_left_count": "as the calls",
    "egress_bytes_count": "as the calls",
}

Rows: TypeAlias = list[dict[str, Any]]


@dataclass(frozen=True)
class Lived:
    """The nights' tables after each build and after a full refresh, and what the books showed."""

    raw: Warehouse
    told: Company
    kept: list[dict[str, Rows]]
    refreshed: dict[str, Rows]
    shown: Mapping[datetime, Mapping[str, Decimal]]
    banks: Mapping[datetime, Mapping[str, tuple[Decimal, ...]]]


def day_of(night: datetime) -> date:
    """The day that a night closes."""
    return night.date() - timedelta(days=1)


def rows(raw: Warehouse, table: str, schema: str = "xero_marts") -> Rows:
    """Every row of a table by its key."""
    with psycopg.connect(raw.dsn, row_factory=psycopg.rows.dict_row) as connection:
        found = connection.execute(f"select * from {schema}.{table}").fetchall()
    keys = ("tenant_id", "day", "account_id", "currency_code")
    return sorted(found, key=lambda row: [str(row.get(key)) for key in keys])


# --- What happens --------------------------------------------------------------------------------


def open_invoices(company: Company) -> list[dict[str, Any]]:
    """Invoices and bills that nobody paid or credited, the oldest first."""
    found = [
        dict(each)
        for each in company.records("Invoices")
        if each["Status"] == "AUTHORISED" and not each["AmountPaid"] and not each["AmountCredited"]
    ]
    return sorted(found, key=lambda each: str(each["DateString"]))


def change_the_past(company: Company, night: datetime) -> None:
    """Void, date back, delete and enter late, one of them a night."""
    oldest = open_invoices(company)[0]["InvoiceID"]
    earlier = (night - timedelta(days=20)).date().isoformat()
    match NIGHTS.index(night):
        case 1:
            company.act("void", {"id": oldest}, now=night)
        case 2:
            edit = {"id": oldest, "date": earlier, "amount": "1234.56"}
            company.act("edit_invoice", edit, now=night)
        case 3:
            payments = [
                each["PaymentID"]
                for each in company.records("Payments")
                if each["Status"] == "AUTHORISED" and "BatchPaymentID" not in each
            ]
            company.act("delete_payment", {"id": payments[0]}, now=night)
            late = {"type": "ACCPAY", "date": earlier, "amount": "345.67"}
            company.act("create_invoice", late, now=night)


def shown(company: Company, day: date) -> dict[str, Decimal]:
    """What the books show at the close of a day, under the names of the statistics."""
    found = dict(position(company, day))
    for basis, prefix in (("accrual", ""), ("cash", "cash_basis_")):
        for period, first in spans(company, day).items():
            for line, amount in profit_and_loss(company, first, day, basis).items():
                found[f"{prefix}{line}_{period}"] = amount
    span = {"fromDate": day.isoformat(), "toDate": day.isoformat()}
    [banks] = sections(company, "BankSummary", **span)
    money = [Decimal(cell["Value"]) for cell in banks["Rows"][-1]["Cells"][1:]]
    found["cash_received_with_transfers"], found["cash_spent_with_transfers"] = money[1:3]
    for ledger in ("receivables", "payables"):
        buckets: dict[str, Decimal] = defaultdict(Decimal)
        for late, left in open_documents(company, day, is_receivable=ledger == "receivables"):
            buckets[BUCKETS[0 if late <= 0 else 1 + min((late - 1) // 30, 3)]] += left
        found |= {f"{ledger}_{bucket}": buckets[bucket] for bucket in BUCKETS}
        found[f"{ledger}_outstanding"] = sum(buckets.values(), Decimal(0))
        found[f"{ledger}_overdue"] = found[f"{ledger}_outstanding"] - buckets[BUCKETS[0]]
    return {f"{name}_base_amount": amount for name, amount in found.items()}


# --- The nights ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def lived(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Lived]:
    """Four nights, three builds, and everything made anew in place."""
    postgres_server.create_database("as_known", template=warehouse_template)
    raw = Warehouse(postgres_server.dsn("as_known"), tmp_path_factory.mktemp("dbt_as_known"))
    busy, seldom = company("Busy", "all", currencies=["EUR", "USD"]), Seldom()
    told = company("Told", *(name for name in WITH_DOCUMENTS if name != "foreign_banks"))
    happens = dict(zip(NIGHTS[1:], (seldom.documents, seldom.credits, seldom.money), strict=True))
    books: dict[datetime, dict[str, Decimal]] = {}
    banks: dict[datetime, dict[str, tuple[Decimal, ...]]] = {}
    kept: list[dict[str, Rows]] = []
    for night in NIGHTS:
        records = said(busy, night, has_journals=False)
        if night in happens:
            happens[night](records)
        raw.extract(busy.tenant_id, night, seldom.happen(records))
        told.advance(night)
        change_the_past(told, night)
        raw.extract(told.tenant_id, night, said(told, night, has_journals=False))
        books[night] = shown(told, day_of(night))
        banks[night] = bank_lines_of(told, day_of(night))
        if night == NIGHTS[0]:
            raw.execute(_CONNECTED)
        raw.execute(_CALLED.format(day=day_of(night)))
        if night in BUILT:
            raw.build()
            kept.append({table: rows(raw, table) for table in TABLES})
    raw.dbt("--full-refresh")
    refreshed = {table: rows(raw, table) for table in TABLES}
    raw.execute(f"update xero_ops.grants set refreshed_at = '{NIGHTS[-1].isoformat()}'")
    raw.execute(
        "update xero_ops.endpoint_days"
        " set calls = calls + 1, bytes = bytes + 1, day_calls_left = day_calls_left - 1"
    )
    yield Lived(raw, told, kept, refreshed, books, banks)
    postgres_server.drop_database("as_known")


_CONNECTED = f"""
with consents as (
    insert into xero_ops.grants
        (conn_id, xero_user_id, scopes, tokens, access_expires_at, refreshed_at, connected_by)
    select
        'xero_default', tenant_id, '{{}}', '', now(),
        '{(NIGHTS[0] - timedelta(days=5)).isoformat()}', 'ada'
    from xero_ops.tenants
    returning grant_id, xero_user_id
)
insert into xero_ops.connections (connection_id, conn_id, grant_id, tenant_id)
select gen_random_uuid(), 'xero_default', grant_id, xero_user_id from consents
"""
_CALLED = """
insert into xero_ops.endpoint_days
    (tenant_id, on_date, endpoint, calls, bytes, seconds, day_calls_left)
select tenant_id, '{day}', 'invoices', 7, 4096, 1, 4900 from xero_ops.tenants
"""


@pytest.mark.parametrize("table", TABLES)
def test_a_closed_day_never_changes(lived: Lived, table: str):
    """By no edit, no void, no deletion, no failed build and no full refresh."""
    earlier: Rows = []
    for tables in (*lived.kept, lived.refreshed):
        assert [row for row in tables[table] if row in earlier] == earlier
        assert len(tables[table]) > len(earlier) or tables is lived.refreshed
        earlier = tables[table]
    assert lived.refreshed[table] == lived.kept[-1][table]
    assert {(row["day"], row["known_at"]) for row in earlier} == {
        (day_of(NIGHTS[0]), NIGHTS[0]),
        (day_of(NIGHTS[1]), NIGHTS[1]),
        (day_of(NIGHTS[2]), NIGHTS[3]),
        (day_of(NIGHTS[3]), NIGHTS[3]),
    }


def test_the_past_has_changed_since_its_nights(lived: Lived):
    for table in TABLES:
        restated = rows(lived.raw, table.removesuffix("_as_known"))
        known = [row | {"known_at": None} for row in lived.refreshed[table]]
        for row in restated:
            row["known_at"] = None
        changed = {(row["tenant_id"], row["day"]) for row in known if row not in restated}
        assert {day for _, day in changed} >= {day_of(NIGHTS[0]), day_of(NIGHTS[1])}


@pytest.mark.parametrize("night", BUILT)
def test_a_rebuilt_night_says_what_the_night_did_in_every_column(lived: Lived, night: datetime):
    """Its tie-outs, too, and those before it; the later ones are not looked at."""
    suffix = f"night_{NIGHTS.index(night)}"
    selected = [f"+{table}" for table in TABLES]
    lived.raw.dbt("--select", *selected, known_at=night.isoformat(), schema_suffix=suffix)
    differing: set[str] = set()
    for table in TABLES:
        known = [row for row in lived.refreshed[table] if row["known_at"] == night]
        rebuilt = rows(lived.raw, table, f"xero_marts_{suffix}")
        assert len(rebuilt) == len(known) >= 2
        for ours, theirs in zip(rebuilt, known, strict=True):
            assert ours.keys() == theirs.keys()
            differing |= {name for name in ours if ours[name] != theirs[name]}
    assert differing == NOT_REBUILT.keys()
    for table in ("rpt_tie_out", "rpt_tie_out_summary"):
        compared = f"select kept::text from xero_marts{{}}.{table} as kept {{}} order by 1"
        then = lived.raw.rows(compared.format(f"_{suffix}", ""))
        assert then == lived.raw.rows(compared.format("", f"where known_at <= '{night}'"))
        assert len(then) > 10


@pytest.mark.parametrize("night", BUILT)
def test_what_was_known_is_what_the_books_showed_that_night(lived: Lived, night: datetime):
    [known] = [
        row
        for row in lived.refreshed[TABLES[0]]
        if row["day"] == day_of(night) and str(row["tenant_id"]) == lived.told.tenant_id
    ]
    books = lived.shown[night]
    assert len(books) > 60
    assert {name: known[name] for name in books} == books
    amounts = ("opening_amount", "received_amount", "spent_amount", "amount")
    accounts = {
        row["account_id"]: tuple(row[name] for name in amounts)
        for row in lived.refreshed["rpt_bank_summary_as_known"]
        if row["day"] == day_of(night) and str(row["tenant_id"]) == lived.told.tenant_id
    }
    banks = lived.banks[night]
    assert len(banks) > 1
    assert {key: each for key, each in accounts.items() if any(each)} == banks


def test_the_books_show_something_else_of_those_days_now(lived: Lived):
    changed = {
        night: {name for name, amount in now.items() if amount != lived.shown[night][name]}
        for night in BUILT[:2]
        for now in [shown(lived.told, day_of(night))]
    }
    for names in changed.values():
        assert {"net_assets_base_amount", "payables_outstanding_base_amount"} <= names
