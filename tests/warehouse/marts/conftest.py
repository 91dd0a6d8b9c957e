"""One warehouse for every test of the marts: organisations loaded by SQL, built by dbt.

Knows the raw tables and how dbt is called; must not know what a model computes. The organisations:
the two real demo companies and Xero's published examples (where their payloads are at hand), three
of the sandbox's (their ledgers are code of their own; one has records of every kind), two more that
are loaded with Journals besides, pretend books from a seed in two versions (two nights), a twin
with the same ids and other amounts, one without documents, one with a single draft, one whose
account is of an unknown type, and one whose first extraction never finished.
"""

from __future__ import annotations

import copy
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS, report_key, report_params
from local_stack.postgres import EmbeddedPostgres
from tests.warehouse.marts.ledger_books import (
    WITH_DOCUMENTS,
    load,
    load_reports,
    with_journals,
)
from xero_sandbox.business.company import Company, build_company
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.spelling_journals import JournalBook
from xero_sandbox.wire.spelling_papers import budget_lines

REPOSITORY = Path(__file__).resolve().parents[3]
DBT = REPOSITORY / "dbt"
REAL_PAYLOADS = REPOSITORY.parent / "shared" / "real-payloads"

FIRST_NIGHT = datetime(2026, 11, 19, 12, 0, tzinfo=UTC)
SECOND_NIGHT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LAST_DAY = date(2026, 11, 19)

# What the demo companies have; their examples would need contacts and accounts of their own.
DEMO_ENDPOINTS = {
    "accounts",
    "bank_transactions",
    "contacts",
    "credit_notes",
    "currencies",
    "invoices",
    "payments",
    "tax_rates",
    "trial_balances",
}

Record: TypeAlias = dict[str, Any]
Records: TypeAlias = dict[str, list[Record]]

_ID_FIELDS = {endpoint.name: endpoint.id_field for endpoint in ENDPOINTS}


def stamp(day: date) -> str:
    """A business date as Xero writes it."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return f"/Date({int(moment.timestamp()) * 1000}+0000)/"


# --- Real payloads -------------------------------------------------------------------------------


def australia() -> Records:
    """Xero's Demo Company (AU) as recorded in 2010 and 2011: no timezone, no allocations."""
    files = {
        "organisations": ("organisations.json", "Organisations"),
        "tax_rates": ("tax_rates.json", "TaxRates"),
        "accounts": ("accounts.json", "Accounts"),
        "contacts": ("contacts-full.json", "Contacts"),
        "invoices": ("invoices-full.json", "Invoices"),
        "credit_notes": ("credit_notes-full.json", "CreditNotes"),
        "payments": ("payments.json", "Payments"),
        "manual_journals": ("manual_journals-full.json", "ManualJournals"),
    }
    folder = REAL_PAYLOADS / "demo-company-au-2011"
    records: Records = {
        endpoint: json.loads((folder / name).read_text(encoding="utf-8"))[key]
        for endpoint, (name, key) in files.items()
    }
    report = json.loads((folder / "trial_balance.json").read_text(encoding="utf-8"))["Reports"][0]
    records["trial_balances"] = [report | {"ReportID": "TrialBalance:2011-03-23:accrual"}]
    return records


def new_zealand() -> Records:
    """79 invoices of Xero's Demo Company (NZ), and nothing else but the organisation."""
    page = REAL_PAYLOADS / "demo-company-nz-2020" / "demo-nz-2020-invoices-page1.json"
    return {
        "organisations": [organisation("Demo Company (NZ)")],
        "invoices": json.loads(page.read_text(encoding="utf-8"))["Invoices"],
    }


def published() -> Records:
    """The examples that Xero publishes of everything the demo companies do not have."""
    folder = REAL_PAYLOADS / "openapi-examples"
    records: Records = {"organisations": [organisation("Published")]}
    for endpoint in ENDPOINTS:
        file = folder / f"get_{endpoint.path.replace('/', '_')}_200.json"
        if endpoint.name in records or endpoint.name in DEMO_ENDPOINTS or not file.is_file():
            continue
        found = json.loads(file.read_text(encoding="utf-8"))[endpoint.array_key]
        if endpoint.reading is Reading.REPORT:
            found = [found[0] | {"ReportID": report_key(endpoint, LAST_DAY)}]
        records[endpoint.name] = found
    return records


# --- Pretend books -------------------------------------------------------------------------------


def organisation(name: str, **more: Any) -> Record:
    """An organisation in New Zealand."""
    return {
        "OrganisationID": f"organisation of {name}",
        "Name": name,
        "BaseCurrency": "NZD",
        "CountryCode": "NZ",
        "Timezone": "NEWZEALANDSTANDARDTIME",
        "FinancialYearEndDay": 31,
        "FinancialYearEndMonth": 3,
        **more,
    }


class Books:
    """Writes books from a seed: every kind of document, settled in every way, in two currencies."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.records: Records = {
            "organisations": [organisation(f"Books {seed}")],
            "currencies": [{"Code": "NZD"}, {"Code": "USD"}],
            "tax_rates": [{"TaxType": "NONE", "Name": "No tax", "EffectiveRate": 0}],
            "accounts": [
                {"AccountID": "bank", "Type": "BANK", "CurrencyCode": "NZD", "Code": "090"},
                {"AccountID": "usd-bank", "Type": "BANK", "CurrencyCode": "USD", "Code": "091"},
                {"AccountID": "clearing", "Type": "CURRLIAB", "Code": "800"},
                {"AccountID": "debtors", "Type": "CURRENT", "SystemAccount": "DEBTORS"},
            ],
            "contacts": [{"ContactID": "someone", "Name": "Someone <b>&</b> co 🌙"}],
        }
        for _ in range(70):
            self.invoice()
        for _ in range(25):
            self.bank_transaction(self.dice.choice(["RECEIVE", "SPEND", "SPEND-TRANSFER"]))
        self.add("invoices", {"InvoiceID": "undated", **self.approved("ACCPAY", 5000), "Date": []})

    def add(self, endpoint: str, record: Record) -> Record:
        self.records.setdefault(endpoint, []).append(record)
        return record

    def name(self, endpoint: str) -> str:
        return f"{endpoint}-{len(self.records.get(endpoint, []))}"

    def day(self, around: date | None = None) -> date:
        """A day of the last 200, or up to 30 ahead; or one near another."""
        if around:
            return around + timedelta(days=self.dice.randint(-3, 110))
        return LAST_DAY + timedelta(days=self.dice.randint(-200, 30))

    def currency(self) -> Record:
        kind = self.dice.choice(["base", "base", "bare base", "rated", "rated", "unrated"])
        kinds: dict[str, Record] = {
            "base": {"CurrencyCode": "NZD", "CurrencyRate": 1.0},
            "bare base": {"CurrencyCode": "NZD"},
            "rated": {"CurrencyCode": "USD", "CurrencyRate": self.dice.randint(55, 75) / 97},
            "unrated": {"CurrencyCode": "USD", **self.dice.choice([{}, {"CurrencyRate": 0}])},
        }
        return kinds[kind]

    def approved(self, kind: str, cents: int) -> Record:
        return {
            "Type": kind,
            "Status": "AUTHORISED",
            "Date": stamp(self.day()),
            "Total": cents / 100,
            "Contact": {"ContactID": "someone"},
            "UpdatedDateUTC": "/Date(1795003200000+0000)/",
            **self.currency(),
        }

    def invoice(self) -> None:
        cents = self.dice.randint(1, 500_000)
        invoice = self.approved(self.dice.choice(["ACCREC", "ACCPAY"]), cents)
        invoice["InvoiceID"] = self.name("invoices")
        day = day_of(invoice["Date"])
        if self.dice.random() < 0.9:
            invoice["DueDate"] = stamp(day + timedelta(days=self.dice.randint(-5, 60)))
        self.add("invoices", invoice)
        invoice["Status"] = self.dice.choice(["AUTHORISED"] * 8 + ["DRAFT", "VOIDED", "DELETED"])
        left, paid = cents, 0
        for _ in range(self.dice.randint(0, 3) if invoice["Status"] == "AUTHORISED" else 0):
            part = left if self.dice.random() < 0.4 else self.dice.randint(0, left)
            if part == 0:
                continue
            left -= part
            if self.dice.random() < 0.6:
                paid += part
                self.payment(invoice, "InvoiceID", part)
            else:
                self.credit(invoice, part)
        invoice |= {
            "AmountDue": left / 100,
            "AmountPaid": paid / 100,
            "AmountCredited": (cents - left - paid) / 100,
        }
        if left == 0:
            invoice["Status"] = "PAID"

    def payment(self, document: Record, id_field: str, cents: int, prefix: str = "") -> None:
        is_customers = document["Type"].startswith(("ACCREC", "RECEIVE"))
        letters = {"": "ACCREC" if is_customers else "ACCPAY"}.get(
            prefix, ("AR" if is_customers else "AP") + prefix
        )
        payment = {
            "PaymentID": self.name("payments"),
            "PaymentType": f"{letters}PAYMENT",
            "Status": "AUTHORISED",
            "Date": stamp(self.day(day_of(document["Date"]))),
            "Amount": cents / 100,
            "CurrencyRate": self.dice.randint(55, 75) / 97,
            "Account": {"AccountID": self.dice.choice(["bank", "bank", "usd-bank", "clearing"])},
            id_field.removesuffix("ID"): {
                id_field: document[id_field],
                "CurrencyCode": document["CurrencyCode"],
            },
        }
        if self.dice.random() < 0.7:
            payment["BankAmount"] = round(cents * self.dice.uniform(0.9, 1.7)) / 100
        self.add("payments", payment)
        if self.dice.random() < 0.1:
            self.add(
                "payments", payment | {"PaymentID": self.name("payments"), "Status": "DELETED"}
            )

    def credit(self, invoice: Record, cents: int) -> None:
        """Applies a new credit note, overpayment or prepayment, some of it left over."""
        kind = self.dice.choice(["CreditNote", "CreditNote", "Overpayment", "Prepayment"])
        over = self.dice.choice([0, 0, self.dice.randint(1, 9999)])
        same = {key: invoice[key] for key in ("CurrencyCode", "CurrencyRate") if key in invoice}
        if kind == "CreditNote":
            credit = self.approved(invoice["Type"] + "CREDIT", cents + over) | same
            credit["CreditNoteID"] = self.name("credit_notes")
            if "CurrencyRate" in same and same["CurrencyRate"] not in (0, 1.0):
                credit["CurrencyRate"] = self.dice.randint(55, 75) / 97
            credit["Allocations"] = [
                {"Amount": cents / 100, "Invoice": {"InvoiceID": invoice["InvoiceID"]}},
                {"Amount": 1, "Invoice": {"InvoiceID": invoice["InvoiceID"]}, "IsDeleted": True},
            ]
            self.add("credit_notes", credit)
        else:
            way = "RECEIVE" if invoice["Type"] == "ACCREC" else "SPEND"
            credit = self.approved(f"{way}-{kind.upper()}", cents + over) | same
            credit["BankTransactionID"] = self.name("bank_transactions")
            credit[f"{kind}ID"] = f"of-{credit['BankTransactionID']}"
            self.add("bank_transactions", credit)
        invoice.setdefault(f"{kind}s", []).append(
            {f"{kind}ID": credit[f"{kind}ID"], "AppliedAmount": cents / 100, "Date": credit["Date"]}
        )
        if over and self.dice.random() < 0.5:
            prefix = kind.upper().removesuffix("NOTE")
            self.payment(credit, f"{kind}ID", self.dice.randint(1, over), prefix)

    def bank_transaction(self, kind: str) -> None:
        record = self.approved(kind, self.dice.randint(1, 99_999))
        record["BankTransactionID"] = self.name("bank_transactions")
        record["Status"] = self.dice.choice(["AUTHORISED", "AUTHORISED", "DELETED"])
        record["BankAccount"] = {"AccountID": "bank"}
        self.add("bank_transactions", record)

    def next_night(self) -> None:
        """An invoice is voided, one is paid, one is new, one is back-dated."""
        self.records = copy.deepcopy(self.records)
        untouched = [
            invoice
            for invoice in self.records["invoices"]
            if invoice["Status"] == "AUTHORISED" and invoice.get("AmountDue") == invoice["Total"]
        ]
        voided, paid, moved = untouched[:3]
        voided |= {"Status": "VOIDED", "UpdatedDateUTC": "/Date(1795100000000+0000)/"}
        self.payment(paid, "InvoiceID", round(paid["Total"] * 100))
        paid |= {"Status": "PAID", "AmountDue": 0, "AmountPaid": paid["Total"]}
        moved["Date"] = stamp(LAST_DAY - timedelta(days=150))
        self.invoice()


def day_of(text: str) -> date:
    """The UTC date of a Xero stamp."""
    milliseconds = int(text.removeprefix("/Date(").split("+")[0].rstrip(")/"))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).date()


def debtors_report(records: Records) -> Record:
    """A trial balance that holds exactly what the invoices themselves say is due."""
    approved = [x for x in records["invoices"] if x["Status"] in {"AUTHORISED", "PAID"}]
    due = sum(round(x["AmountDue"] * 100) for x in approved if x["Type"] == "ACCREC")
    account = [{"Id": "account", "Value": "debtors"}]
    cells = ["Accounts Receivable (610)", "", "", f"{due / 100:.2f}", ""]
    row = {"RowType": "Row", "Cells": [{"Value": x, "Attributes": account} for x in cells]}
    return {
        "ReportID": "TrialBalance:2020-05-05:accrual",
        "Rows": [{"RowType": "Header", "Cells": []}, {"RowType": "Section", "Rows": [row]}],
    }


# --- The warehouse -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tenant:
    """One organisation: what was known each night, and its last complete day."""

    tenant_id: str
    nights: Mapping[datetime, Records]
    last_day: date = LAST_DAY
    is_complete: bool = True


def _pretend_tenants() -> dict[str, Tenant]:
    books, twin = Books(1), Books(2)
    first = copy.deepcopy(books.records)
    books.next_night()
    nothing: Records = {"organisations": [organisation("Nothing yet", Timezone="MARSTIME")]}
    return {
        "books": Tenant(_id(1), {FIRST_NIGHT: first, SECOND_NIGHT: books.records}),
        "twin": Tenant(_id(2), {SECOND_NIGHT: twin.records}),
        "empty": Tenant(_id(3), {SECOND_NIGHT: nothing}),
        "unfinished": Tenant(_id(4), {SECOND_NIGHT: books.records}, is_complete=False),
        "one draft": Tenant(_id(8), {SECOND_NIGHT: one_draft()}),
        "unknown type": Tenant(_id(9), {SECOND_NIGHT: unknown_type()}),
    }


def one_draft() -> Records:
    """An organisation that has written one invoice and not approved it; it may read no report."""
    draft = {
        "InvoiceID": "draft",
        "Type": "ACCREC",
        "Status": "DRAFT",
        "Date": stamp(LAST_DAY),
        "DueDate": stamp(LAST_DAY),
        "Total": 11.5,
        "SubTotal": 10,
        "TotalTax": 1.5,
        "AmountDue": 11.5,
        "CurrencyCode": "NZD",
        "LineItems": [{"LineAmount": 10, "TaxAmount": 1.5, "AccountCode": "200"}],
    }
    return {"organisations": [organisation("One draft")], "invoices": [draft]}


def unknown_type() -> Records:
    """Money for something on an account of a type that Xero had not when this was written."""
    spent = {
        "BankTransactionID": "spent",
        "Type": "SPEND",
        "Status": "AUTHORISED",
        "Date": stamp(LAST_DAY),
        "Total": 40,
        "SubTotal": 40,
        "TotalTax": 0,
        "CurrencyCode": "NZD",
        "LineAmountTypes": "NoTax",
        "BankAccount": {"AccountID": "bank"},
        "LineItems": [{"LineAmount": 40, "TaxAmount": 0, "AccountCode": "999"}],
    }
    return {
        "organisations": [organisation("Unknown type")],
        "accounts": [
            {"AccountID": "bank", "Type": "BANK", "CurrencyCode": "NZD", "Code": "090"},
            {"AccountID": "novel", "Type": "HOLOGRAM", "Code": "999", "Name": "Holograms"},
        ],
        "bank_transactions": [spent],
    }


@pytest.fixture(scope="session")
def companies() -> dict[str, Company]:
    """The sandbox's organisations: in base currency alone, in three, with all there can be."""
    traits: dict[str, dict[str, Any]] = {
        "ledger": {},
        "foreign ledger": {"country": "US", "currencies": ["EUR", "GBP"]},
        "every kind": {"features": ["all"]},
    }
    made = {
        name: build_company(name, seed=11, days=150, now=SECOND_NIGHT, traits=given)
        for name, given in traits.items()
    }
    for company in made.values():
        company.advance(SECOND_NIGHT)
    everything = made["every kind"]
    deleted = everything.records("BankTransfers")[-1]["BankTransferID"]
    everything.act("delete_transfer", {"id": deleted}, now=SECOND_NIGHT)
    return made


@pytest.fixture(scope="session")
def ledger_companies() -> dict[str, Company]:
    """The sandbox's organisations whose documents tell everything, each loaded in two ways.

    Without Journals under its own id, with them under another one.
    """
    # Reports revalue foreign balances on every day, which documents do not: one has none.
    at_home = [name for name in WITH_DOCUMENTS if name != "foreign_banks"]
    traits: dict[str, dict[str, Any]] = {
        "every document": {
            "features": list(WITH_DOCUMENTS),
            "currencies": ["USD", "EUR", "JPY"],
        },
        "one currency": {"features": at_home, "year_end": [30, 9]},
    }
    made = {
        name: build_company(name, seed=seed, days=130, now=SECOND_NIGHT, traits=given)
        for seed, (name, given) in enumerate(traits.items(), start=42)
    }
    for company in made.values():
        company.advance(SECOND_NIGHT)
    return made


def _sandbox_tenant(company: Company) -> Tenant:
    records = {
        endpoint.name: json.loads(json.dumps(list(_said(company, endpoint)), default=_number))
        for endpoint in ENDPOINTS
    }
    return Tenant(company.tenant_id, {SECOND_NIGHT: records})


def _said(company: Company, endpoint: Endpoint) -> Iterable[Mapping[str, Any]]:
    """What the organisation says at an endpoint."""
    match endpoint.reading:
        case Reading.REPORT:
            return _reports(company, endpoint)
        case Reading.NUMBERS:
            return _journals(company, is_cash="paymentsOnly" in endpoint.params)
        case Reading.DETAILS:
            return _budgets(company)
        case _:
            return company.records(endpoint.array_key)


def _reports(company: Company, endpoint: Endpoint) -> Iterator[Mapping[str, Any]]:
    for basis in endpoint.report.bases if endpoint.report else ():
        asked = report_params(endpoint, LAST_DAY, basis)
        report = company.report(endpoint.path.removeprefix("Reports/"), asked) or {}
        yield {**report, "ReportID": report_key(endpoint, LAST_DAY, basis)}


def _journals(company: Company, *, is_cash: bool) -> Iterator[Mapping[str, Any]]:
    books = company.books
    ledger = books.cash if is_cash else books.ledger
    names = {rate.tax_type: rate.name for rate in books.country.tax_rates}
    book = JournalBook(company.tenant_id, is_cash, ledger.accounts, names)
    for journal in ledger.journals:
        yield book.spell(journal, is_one=False)


def _budgets(company: Company) -> Iterator[Mapping[str, Any]]:
    accounts = company.books.ledger.accounts
    span = {"first": LAST_DAY.replace(year=2025), "last": LAST_DAY.replace(year=2027)}
    for entry in company.entries("Budgets").ordered():
        lines = budget_lines(entry.source, accounts, **span)
        yield entry.body(Shape.ONE) | {"BudgetLines": lines}


def _number(amount: object) -> float:
    """Two decimals survive a float; the test compares with the Decimals of the ledger."""
    if isinstance(amount, Decimal):
        return float(amount)
    raise TypeError(amount)


def _real_tenants() -> dict[str, Tenant]:
    nz = new_zealand()
    nz["accounts"] = [{"AccountID": "debtors", "Type": "CURRENT", "SystemAccount": "DEBTORS"}]
    nz["trial_balances"] = [debtors_report(nz)]
    return {
        "australia": Tenant(_id(5), {SECOND_NIGHT: australia()}, date(2011, 6, 30)),
        "new zealand": Tenant(_id(6), {SECOND_NIGHT: nz}, date(2020, 5, 5)),
        "published": Tenant(_id(7), {SECOND_NIGHT: published()}),
    }


def _id(number: int) -> str:
    return f"aaaaaaaa-0000-4000-8000-{number:012}"


def _load(connection: psycopg.Connection[Any], tenant: Tenant) -> None:
    connection.execute(
        "insert into xero_ops.tenants (tenant_id, tenant_name) values (%s, %s)",
        (tenant.tenant_id, f"Tenant {tenant.tenant_id}"),
    )
    for known_at, records in tenant.nights.items():
        run_id = _start_run(connection, tenant, known_at)
        for endpoint, rows in records.items():
            for record in rows:
                record_id = str(record.get(_ID_FIELDS[endpoint], "organisation"))
                _store(
                    connection, endpoint, (tenant.tenant_id, record_id, known_at, run_id), record
                )
    if tenant.is_complete:
        connection.execute(
            "update xero_ops.tenants set complete_at = %s, complete_day = %s where tenant_id = %s",
            (max(tenant.nights), tenant.last_day, tenant.tenant_id),
        )


def _start_run(connection: psycopg.Connection[Any], tenant: Tenant, known_at: datetime) -> int:
    nights_before = (max(tenant.nights) - known_at).days
    row = connection.execute(
        "insert into xero_ops.extract_runs (tenant_id, day, known_at, state)"
        " values (%s, %s, %s, %s) returning run_id",
        (
            tenant.tenant_id,
            tenant.last_day - timedelta(days=nights_before),
            known_at,
            "complete" if tenant.is_complete else "running",
        ),
    ).fetchone()
    return int(row[0]) if row else 0


def _store(
    connection: psycopg.Connection[Any],
    endpoint: str,
    key: tuple[str, str, datetime, int],
    record: Record,
) -> None:
    """Close the version that changed and open a new one, as the extraction does."""
    tenant_id, record_id, known_at, run_id = key
    payload = json.dumps(record)
    table = f"xero_raw.{endpoint}"
    current = connection.execute(
        f"select payload = %s::jsonb from {table}"
        " where tenant_id = %s and record_id = %s and known_to is null",
        (payload, tenant_id, record_id),
    ).fetchone()
    if current and current[0]:
        return
    connection.execute(
        f"update {table} set known_to = %s"
        " where tenant_id = %s and record_id = %s and known_to is null",
        (known_at, tenant_id, record_id),
    )
    updated = record.get("UpdatedDateUTC")
    connection.execute(
        f"insert into {table} (tenant_id, record_id, known_from, xero_updated_at, payload,"
        " run_id) values (%s, %s, %s, %s, %s, %s)",
        (
            tenant_id,
            record_id,
            known_at,
            datetime(1970, 1, 1, tzinfo=UTC)
            + timedelta(milliseconds=int(updated.removeprefix("/Date(").split("+")[0].rstrip(")/")))
            if updated
            else None,
            payload,
            run_id,
        ),
    )


@dataclass(frozen=True)
class Warehouse:
    """A loaded database and the means to build and read it."""

    dsn: str
    target: Path
    tenants: Mapping[str, Tenant]

    def dbt(self, *arguments: str, **variables: Any) -> dict[str, str]:
        """Run dbt in a process of its own; each node's status by its name."""
        parts = conninfo_to_dict(self.dsn)
        environment = os.environ | {
            "DBT_HOST": str(parts["host"]),
            "DBT_PORT": str(parts["port"]),
            "DBT_USER": str(parts["user"]),
            "DBT_PASSWORD": str(parts["password"]),
            "DBT_DBNAME": str(parts["dbname"]),
        }
        ended = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("dbt")), *arguments),
                *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
                *("--target-path", str(self.target), "--log-path", str(self.target)),
                *("--vars", json.dumps(variables)),
            ],
            env=environment,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        results = json.loads((self.target / "run_results.json").read_text(encoding="utf-8"))
        return {
            result["unique_id"].split(".")[2 if "unit_test" not in result["unique_id"] else -1]: (
                result["status"]
            )
            for result in results["results"]
        }

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of the warehouse's owner."""
        return psycopg.connect(self.dsn)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    def table(self, name: str, tenant: str) -> list[dict[str, Any]]:
        """One tenant's rows of a table."""
        with psycopg.connect(self.dsn, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute(
                f"select * from {name} where tenant_id = %s",
                (self.tenants[tenant].tenant_id,),
            ).fetchall()

    def fingerprints(self) -> dict[str, str]:
        """A digest of every row of every mart, by table."""
        names = self.rows("select tablename from pg_tables where schemaname = 'xero_marts'")
        return {
            name: self.rows(
                "select md5(string_agg(line, '|' order by line)) from"
                f" (select mart::text as line from xero_marts.{name} as mart) as lines"
            )[0][0]
            for (name,) in names
        }


@pytest.fixture(scope="session")
def loaded_warehouse(
    postgres_server: EmbeddedPostgres,
    warehouse_template: str,
    tmp_path_factory: pytest.TempPathFactory,
    companies: dict[str, Company],
    ledger_companies: dict[str, Company],
) -> Iterator[Warehouse]:
    """The organisations in the raw tables, nothing built yet."""
    postgres_server.create_database("marts", template=warehouse_template)
    tenants = _pretend_tenants() | (_real_tenants() if REAL_PAYLOADS.is_dir() else {})
    tenants |= {name: _sandbox_tenant(company) for name, company in companies.items()}
    dsn = postgres_server.dsn("marts")
    with psycopg.connect(dsn) as connection:
        for tenant in tenants.values():
            _load(connection, tenant)
    load(dsn, ledger_companies.values())
    load_reports(dsn, ledger_companies.values())
    for name, company in ledger_companies.items():
        tenants[name] = Tenant(company.tenant_id, {SECOND_NIGHT: {}})
        tenants[f"{name}, journals"] = Tenant(with_journals(company), {SECOND_NIGHT: {}})
    yield Warehouse(dsn, tmp_path_factory.mktemp("dbt"), tenants)
    postgres_server.drop_database("marts")


@dataclass(frozen=True)
class Built:
    """The warehouse; each node's status and its SQL in the first whole build."""

    warehouse: Warehouse
    statuses: Mapping[str, str]
    compiled: Mapping[str, str]


@pytest.fixture(scope="session")
def built(loaded_warehouse: Warehouse) -> Built:
    """Everything built and tested once, unit tests included."""
    statuses = loaded_warehouse.dbt("build")
    # Read at once: the next build writes other ones into the same place.
    compiled = {
        path.stem: path.read_text(encoding="utf-8")
        for path in (loaded_warehouse.target / "compiled").rglob("*.sql")
        # A unit test's stand-in for a model bears its name, in a folder named like the yml.
        if not path.parent.name.endswith(".yml")
    }
    return Built(loaded_warehouse, statuses, compiled)


@pytest.fixture
def marts(built: Built) -> Warehouse:
    """The built warehouse."""
    return built.warehouse


@pytest.fixture(scope="session")
def first_night(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """The warehouse with its first night rebuilt beside the marts, 60 days restated."""
    # A target of its own: other variables would spoil the partial parse of the next build.
    beside = replace(built.warehouse, target=tmp_path_factory.mktemp("dbt_first_night"))
    beside.dbt(
        *("build", "--resource-type", "seed", "--resource-type", "model"),
        *("--select", "+dim_tenants", "+rpt_daily_statistics"),
        known_at=FIRST_NIGHT.isoformat(),
        schema_suffix="first_night",
        restated_days=60,
    )
    return beside


@pytest.fixture(scope="session")
def xero_day() -> Callable[[str], date]:
    """The UTC date of a Xero stamp."""
    return day_of


@pytest.fixture
def nights() -> tuple[datetime, datetime]:
    """The two moments of knowledge of the pretend books."""
    return FIRST_NIGHT, SECOND_NIGHT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test of a file waits for a whole build, longer than other tests ever take."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(900))
