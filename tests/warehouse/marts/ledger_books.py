"""Organisations of the sandbox in a warehouse of their own, and its ledgers beside those of dbt.

Knows which endpoints the ledger needs, how dbt is called and how two ledgers are compared; must not
know a posting rule. Each organisation is loaded twice: once without Journals, so that its ledger is
rebuilt from documents, and once, under another tenant id, with all of them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.endpoint import Reading
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from xero_sandbox.books.ledger import Account, Journal, Ledger
from xero_sandbox.business.company import Company
from xero_sandbox.business.traits import FEATURES
from xero_sandbox.wire.spelling_journals import JournalBook

DBT = Path(__file__).resolve().parents[3] / "dbt"
NIGHT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

# What is posted without any document.
WITHOUT_DOCUMENTS = (
    "conversion",
    "depreciation",
    "expense_claims",
    "payroll",
    "rounding",
    "stock",
)
WITH_DOCUMENTS = tuple(name for name in FEATURES if name not in WITHOUT_DOCUMENTS)
# The source of such journals and the tie-out's name for it.
CAUSES_BY_SOURCE = {
    "EXPCLAIM": "EXPENSE_CLAIMS",
    "EXPPAYMENT": "EXPENSE_CLAIMS",
    "PAYSLIP": "PAYROLL",
}

LEDGERS = {"accrual": "fct_ledger_postings", "cash": "fct_cash_basis_postings"}
MODELS = ("+fct_ledger_postings", "+fct_cash_basis_postings")

# Account and day to what was posted there, debit positive; no zeros.
Movements: TypeAlias = dict[tuple[str | None, date], Decimal]

# Endpoints that the ledger reads.
_POSTING = {
    "accounts",
    "bank_transactions",
    "bank_transfers",
    "cash_journals",
    "contacts",
    "credit_notes",
    "currencies",
    "invoices",
    "journals",
    "manual_journals",
    "organisations",
    "overpayments",
    "payments",
    "prepayments",
    "tax_rates",
    "tracking_categories",
}


def with_journals(company: Company) -> str:
    """The tenant id under which the organisation is loaded with its Journals."""
    return str(uuid.uuid5(uuid.UUID(company.tenant_id), "journals"))


def load(dsn: str, companies: Iterable[Company], *, known_at: datetime = NIGHT) -> None:
    """Put what the organisations say now into the raw tables; a complete run for each tenant."""
    with psycopg.connect(dsn) as connection:
        for company in companies:
            records = _records(company)
            for tenant_id in (company.tenant_id, with_journals(company)):
                run_id = _run(connection, tenant_id, known_at)
                for endpoint, rows in records.items():
                    _store(connection, endpoint, (tenant_id, known_at, run_id), rows)
                if tenant_id != company.tenant_id:
                    _read_journals(connection, tenant_id, run_id)


def read_journals(dsn: str, companies: Iterable[Company], *, known_at: datetime) -> None:
    """Say of that night's extraction that it read Journals where it had read none before."""
    with psycopg.connect(dsn) as connection:
        for company in companies:
            row = connection.execute(
                "select run_id from xero_ops.extract_runs where tenant_id = %s and known_at = %s",
                (company.tenant_id, known_at),
            ).fetchone()
            assert row is not None
            _read_journals(connection, company.tenant_id, row[0])


def load_reports(
    dsn: str,
    companies: Iterable[Company],
    *,
    known_at: datetime = NIGHT,
    days: Sequence[date] = (),
    names: Sequence[str] = (),
    bases: Sequence[str] = (),
) -> None:
    """Store reports as the run of that moment fetches them: of the day before, if not of others.

    Of the endpoints of these names alone, and on these bases, if any are given.
    """
    with psycopg.connect(dsn) as connection:
        for company in companies:
            for day in days or [(known_at - timedelta(days=1)).date()]:
                for key, name, report in _reports(company, day, names=names, bases=bases):
                    for tenant_id in (company.tenant_id, with_journals(company)):
                        _store_report(connection, name, (tenant_id, key, known_at), report)


def _reports(
    company: Company, day: date, *, names: Sequence[str], bases: Sequence[str]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for endpoint in ENDPOINTS:
        if endpoint.report is None or (names and endpoint.name not in names):
            continue
        for basis in bases or endpoint.report.bases:
            asked = report_params(endpoint, day, basis)
            report = company.report(endpoint.path.removeprefix("Reports/"), asked) or {}
            yield report_key(endpoint, day, basis), endpoint.name, dict(report)


def _store_report(
    connection: psycopg.Connection[Any],
    endpoint: str,
    key: tuple[str, str, datetime],
    report: Mapping[str, Any],
) -> None:
    tenant_id, record_id, known_at = key
    asked = {
        "tenant": tenant_id,
        "key": record_id,
        "known_at": known_at,
        "payload": json.dumps({**report, "ReportID": record_id}, default=_number),
    }
    connection.execute(
        f"update xero_raw.{endpoint} set known_to = %(known_at)s where tenant_id = %(tenant)s"
        " and record_id = %(key)s and known_to is null",
        asked,
    )
    connection.execute(
        f"insert into xero_raw.{endpoint} (tenant_id, record_id, known_from, payload, run_id)"
        " select %(tenant)s, %(key)s, known_at, %(payload)s, run_id from xero_ops.extract_runs"
        " where tenant_id = %(tenant)s and known_at = %(known_at)s",
        asked,
    )


def run_dbt(dsn: str, target: Path, *arguments: str, **variables: Any) -> dict[str, str]:
    """Run dbt in a process of its own; each node's status by its name."""
    parts = conninfo_to_dict(dsn)
    ended = subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), *arguments),
            *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
            *("--target-path", str(target), "--log-path", str(target)),
            *("--vars", json.dumps(variables)),
        ],
        env=os.environ
        | {
            "DBT_HOST": str(parts["host"]),
            "DBT_PORT": str(parts["port"]),
            "DBT_USER": str(parts["user"]),
            "DBT_PASSWORD": str(parts["password"]),
            "DBT_DBNAME": str(parts["dbname"]),
        },
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    results = json.loads((target / "run_results.json").read_text(encoding="utf-8"))["results"]
    return {result["unique_id"].split(".")[2]: result["status"] for result in results}


def mark_built(dsn: str) -> None:
    """Say that everything known is built, as the task does after dbt: the next build moves on."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "update xero_ops.extract_runs set built_at = now() where built_at is null"
        )


def ledger_of(company: Company, basis: str) -> Ledger:
    """The sandbox's own ledger."""
    return company.books.ledger if basis == "accrual" else company.books.cash


def movements_of(journals: Iterable[Journal]) -> Movements:
    """What journals of the sandbox post."""
    found: Movements = defaultdict(Decimal)
    for journal in journals:
        for posting in journal.postings:
            found[posting.account_id, journal.on] += posting.amount
    return _without_zeros(found)


def without_documents(company: Company, basis: str) -> Movements:
    """What the sandbox posts of which no document tells, the cost of goods sold among it."""
    found: Movements = defaultdict(Decimal)
    for movements in by_cause(company, basis).values():
        for key, amount in movements.items():
            found[key] += amount
    return _without_zeros(found)


def by_cause(company: Company, basis: str) -> dict[str, Movements]:
    """The same, each kind by the tie-out's name for it."""
    ledger = ledger_of(company, basis)
    found: dict[str, Movements] = defaultdict(lambda: defaultdict(Decimal))
    for journal in ledger.journals:
        cause = _cause_of(journal, ledger)
        if cause is not None:
            for posting in journal.postings:
                found[cause][posting.account_id, journal.on] += posting.amount
    found["INVENTORY"] = cost_of_goods_sold(company, basis)
    return {cause: _without_zeros(movements) for cause, movements in found.items()}


def _cause_of(journal: Journal, ledger: Ledger) -> str | None:
    """Of journals without a source, their accounts say it."""
    if journal.source_type is not None:
        return CAUSES_BY_SOURCE.get(journal.source_type)
    accounts = {posting.account_id for posting in journal.postings}
    if ledger.system("HISTORICAL") in accounts:
        return "CONVERSION"
    return "ROUNDING" if ledger.system("ROUNDING") in accounts else "DEPRECIATION"


# What an account can have without a document, by Xero's mark of it, else by its type.
_COSTS = {"EXPENSE_CLAIMS", "PAYROLL"}
_OWED = {"CONVERSION", "PAYROLL"}
_POSSIBLE = {
    "HISTORICAL": {"CONVERSION"},
    "ROUNDING": {"ROUNDING"},
    "UNPAIDEXPCLM": {"EXPENSE_CLAIMS"},
    "GST": {"CONVERSION", "EXPENSE_CLAIMS"},
    "WAGEPAYABLES": _OWED,
    "RETAINEDEARNINGS": {"CONVERSION", "DEPRECIATION", "EXPENSE_CLAIMS", "INVENTORY", "PAYROLL"},
    "BANK": {"CONVERSION", "EXPENSE_CLAIMS", "ROUNDING"},
    "FIXED": {"CONVERSION", "DEPRECIATION"},
    "INVENTORY": {"CONVERSION", "INVENTORY"},
    "EQUITY": {"CONVERSION"},
    "CURRENT": {"CONVERSION"},
    "CURRLIAB": _OWED,
    "TERMLIAB": _OWED,
    "LIABILITY": _OWED,
    "DEPRECIATN": {"DEPRECIATION"},
    "DIRECTCOSTS": {*_COSTS, "INVENTORY"},
    "EXPENSE": _COSTS,
    "OVERHEADS": _COSTS,
}


def possible_causes(account: Account) -> set[str]:
    """The causes that a difference of an account may name."""
    return _POSSIBLE.get(account.system) or _POSSIBLE[account.type]


def cost_of_goods_sold(company: Company, basis: str = "accrual") -> Movements:
    """Cost and inventory posted one after the other, the opposite of each other."""
    items = [item for item in company.books.items.values() if item.is_tracked]
    costs = {item.purchase_account.account_id for item in items if item.purchase_account}
    stock = {item.inventory_account.account_id for item in items if item.inventory_account}
    found: Movements = defaultdict(Decimal)
    for journal in ledger_of(company, basis).journals:
        for cost, goods in zip(journal.postings, journal.postings[1:], strict=False):
            is_pair = cost.account_id in costs and goods.account_id in stock
            if is_pair and cost.amount == -goods.amount:
                for posting in (cost, goods):
                    found[posting.account_id, journal.on] += posting.amount
    return _without_zeros(found)


def less(whole: Movements, part: Movements) -> Movements:
    """What is left of the whole without the part."""
    nothing = Decimal(0)
    keys = whole.keys() | part.keys()
    return _without_zeros({k: whole.get(k, nothing) - part.get(k, nothing) for k in keys})


def balances_of(movements: Movements, last: date) -> dict[str | None, Decimal]:
    """What stands on each account at the end of a day; no zeros."""
    found: dict[str | None, Decimal] = defaultdict(Decimal)
    for (account, day), amount in movements.items():
        if day <= last:
            found[account] += amount
    return {account: amount for account, amount in found.items() if amount}


def built_movements(
    connection: psycopg.Connection[Any], basis: str, tenant_id: str, *, schema: str = "xero_marts"
) -> Movements:
    """What dbt posts."""
    rows = connection.execute(
        "select account_id, posting_date, sum(base_amount)"
        f" from {schema}.{LEDGERS[basis]} where tenant_id = %s group by 1, 2",
        (tenant_id,),
    )
    return _without_zeros({(account, day): amount for account, day, amount in rows})


@dataclass(frozen=True)
class Difference:
    """One account and day on which the two disagree."""

    account: str
    day: date
    built: Decimal
    posted: Decimal


def differences(built: Movements, posted: Movements, ledger: Ledger) -> list[Difference]:
    """Where what dbt built is not what the sandbox posted, account by account and day by day."""
    nothing = Decimal(0)
    return [
        Difference(
            ledger.accounts[account].code if account in ledger.accounts else str(account),
            day,
            built.get((account, day), nothing),
            posted.get((account, day), nothing),
        )
        for account, day in sorted(built.keys() | posted.keys(), key=str)
        if built.get((account, day), nothing) != posted.get((account, day), nothing)
    ]


def _without_zeros(movements: Mapping[tuple[str | None, date], Decimal]) -> Movements:
    return {key: amount for key, amount in movements.items() if amount}


def _records(company: Company) -> dict[str, list[tuple[str, str]]]:
    """Id and payload of every record that the ledger needs, by endpoint."""
    return {
        endpoint.name: [
            (
                str(record.get(endpoint.id_field, "organisation")),
                json.dumps(record, default=_number),
            )
            for record in (
                _journals(company, is_cash="paymentsOnly" in endpoint.params)
                if endpoint.reading is Reading.NUMBERS
                else company.records(endpoint.array_key)
            )
        ]
        for endpoint in ENDPOINTS
        if endpoint.name in _POSTING
    }


def _journals(company: Company, *, is_cash: bool) -> list[Mapping[str, Any]]:
    books = company.books
    ledger = books.cash if is_cash else books.ledger
    names = {rate.tax_type: rate.name for rate in books.country.tax_rates}
    book = JournalBook(company.tenant_id, is_cash, ledger.accounts, names)
    return [book.spell(journal, is_one=False) for journal in ledger.journals]


def _number(amount: object) -> float:
    """Two decimals survive a float; what is compared are the Decimals of the ledger."""
    if isinstance(amount, Decimal):
        return float(amount)
    raise TypeError(amount)


def _run(connection: psycopg.Connection[Any], tenant_id: str, known_at: datetime) -> int:
    day = (known_at - timedelta(days=1)).date()
    connection.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name, complete_at, complete_day)"
        " values (%s, %s, %s, %s) on conflict (tenant_id) do update"
        " set complete_at = excluded.complete_at, complete_day = excluded.complete_day",
        (tenant_id, f"Tenant {tenant_id}", known_at, day),
    )
    row = connection.execute(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
        " values (%s, %s, %s, 'complete') returning run_id",
        (tenant_id, day, known_at),
    ).fetchone()
    return int(row[0]) if row else 0


def _read_journals(connection: psycopg.Connection[Any], tenant_id: str, run_id: int) -> None:
    connection.execute(
        "insert into xero_ops.extract_endpoints (run_id, tenant_id, endpoint, finished_at)"
        " select %(run)s, %(tenant)s, endpoint, clock_timestamp()"
        " from unnest(array['journals', 'cash_journals']) as endpoint",
        {"run": run_id, "tenant": tenant_id},
    )


def _store(
    connection: psycopg.Connection[Any],
    endpoint: str,
    key: tuple[str, datetime, int],
    rows: list[tuple[str, str]],
) -> None:
    """Close the versions that changed and open new ones, as the extraction does."""
    tenant_id, known_at, run_id = key
    with connection.cursor() as cursor:
        cursor.execute("create temp table said (record_id text, payload jsonb) on commit drop")
        with cursor.copy("copy said from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        table = f"xero_raw.{endpoint}"
        cursor.execute(
            f"update {table} as stored set known_to = %(known_at)s from said"
            " where stored.tenant_id = %(tenant_id)s and stored.record_id = said.record_id"
            " and stored.known_to is null and stored.payload <> said.payload",
            {"known_at": known_at, "tenant_id": tenant_id},
        )
        cursor.execute(
            f"insert into {table} (tenant_id, record_id, known_from, payload, run_id)"
            " select %(tenant_id)s, said.record_id, %(known_at)s, said.payload, %(run_id)s"
            f" from said where not exists (select from {table} as stored"
            " where stored.tenant_id = %(tenant_id)s and stored.record_id = said.record_id"
            " and stored.known_to is null)",
            {"known_at": known_at, "tenant_id": tenant_id, "run_id": run_id},
        )
        cursor.execute("drop table said")
