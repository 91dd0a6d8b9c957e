"""Daily statistics against an oracle that walks every document on every day.

The oracle reads the payloads themselves, knows nothing of SQL, and adds up day by day.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import pytest

CENT = Decimal("0.01")
APPROVED = {"AUTHORISED", "PAID"}
EXPECTED_DAYS = (7, 30, 60, 90)
BUCKETS = ["not_due", "overdue_1_30", "overdue_31_60", "overdue_61_90", "overdue_91_plus"]


def day_of(text) -> date:
    milliseconds = int(text.removeprefix("/Date(").split("+")[0].rstrip(")/"))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).date()


def money(number) -> Decimal:
    return Decimal(str(number))


@dataclass
class Document:
    kind: str
    ledger: str
    day: date
    due: date | None
    total: Decimal
    currency: str
    rate: Decimal | None
    # (own date, effective date, amount)
    settlements: list[tuple[date, date, Decimal]] = field(default_factory=list)

    def base(self, amount: Decimal) -> Decimal:
        if self.rate is None:
            return Decimal(0)
        return (amount / self.rate).quantize(CENT, ROUND_HALF_UP)

    def left(self, day: date) -> tuple[Decimal, Decimal]:
        """What is open at the close of the day, in its currency and in base currency."""
        if self.day > day:
            return Decimal(0), Decimal(0)
        settled = [amount for _, effective, amount in self.settlements if effective <= day]
        return (
            self.total - sum(settled, Decimal(0)),
            self.base(self.total) - sum((self.base(amount) for amount in settled), Decimal(0)),
        )


def rate_of(record, base: str = "NZD") -> Decimal | None:
    if record.get("CurrencyCode") == base:
        return Decimal(1)
    rate = money(record.get("CurrencyRate") or 0)
    return rate if rate > 0 else None


def documents_of(records) -> dict[str, Document]:
    found = {}
    for invoice in records["invoices"]:
        if invoice["Status"] in APPROVED and invoice["Date"]:
            found[invoice["InvoiceID"]] = document(invoice, "invoice", invoice["Type"] == "ACCREC")
    for note in records["credit_notes"]:
        if note["Status"] in APPROVED:
            is_customers = note["Type"] == "ACCRECCREDIT"
            found[note["CreditNoteID"]] = document(note, "credit", is_customers)
    for line in records["bank_transactions"]:
        if line["Status"] in APPROVED and line["Type"].endswith(("OVERPAYMENT", "PREPAYMENT")):
            kind = "credit" if line["Type"].endswith("OVERPAYMENT") else "prepayment"
            name = line.get("OverpaymentID") or line["PrepaymentID"]
            found[name] = document(line, kind, line["Type"].startswith("RECEIVE"))
    return found


def document(record, kind, is_customers) -> Document:
    return Document(
        kind=kind,
        ledger="receivables" if is_customers else "payables",
        day=day_of(record["Date"]),
        due=day_of(record["DueDate"]) if "DueDate" in record else None,
        total=money(record["Total"]),
        currency=record["CurrencyCode"],
        rate=rate_of(record),
    )


def settle(records, documents) -> None:
    for payment in records["payments"]:
        if payment["Status"] in APPROVED:
            kind = kind_of(payment)
            paid = documents[payment[kind][f"{kind}ID"]]
            day = day_of(payment["Date"])
            paid.settlements.append((day, max(day, paid.day), money(payment["Amount"])))
    for note in records["credit_notes"]:
        for allocation in note["Allocations"]:
            if not allocation.get("IsDeleted"):
                apply(
                    documents[allocation["Invoice"]["InvoiceID"]],
                    documents[note["CreditNoteID"]],
                    money(allocation["Amount"]),
                )
    for invoice in records["invoices"]:
        for key in ("Overpayment", "Prepayment"):
            for stub in invoice.get(f"{key}s", []):
                apply(
                    documents[invoice["InvoiceID"]],
                    documents[stub[f"{key}ID"]],
                    money(stub["AppliedAmount"]),
                )


def kind_of(payment) -> str:
    kinds = ("Invoice", "CreditNote", "Overpayment", "Prepayment")
    return next(kind for kind in kinds if kind in payment)


def apply(invoice: Document, credit: Document, amount: Decimal) -> None:
    later = max(invoice.day, credit.day)
    invoice.settlements.append((later, later, amount))
    credit.settlements.append((later, later, amount))


class Oracle:
    """Statistics by (day, currency), every measure, by brute force."""

    def __init__(self, records, first_day: date, last_day: date) -> None:
        self.records = records
        self.documents = documents_of(records)
        settle(records, self.documents)
        self.days = [first_day + timedelta(days=n) for n in range((last_day - first_day).days + 1)]
        self.found: dict[tuple[date, str], dict[str, Decimal]] = defaultdict(
            lambda: defaultdict(Decimal)
        )
        for day in self.days:
            self.levels(day)
            self.unapproved(day)
        self.flows()
        self.errors()

    def add(self, day, currency, measure, amount, base, count=0) -> None:
        row = self.found[day, currency]
        row[f"{measure}_amount"] += amount
        row[f"{measure}_base_amount"] += base
        row[f"{measure}_count"] += count

    def levels(self, day: date) -> None:
        for each in self.documents.values():
            amount, base = each.left(day)
            if each.kind == "invoice" and each.day <= day:
                late = (day - each.due).days if each.due else 0
                bucket = BUCKETS[0 if late <= 0 else 1 + min((late - 1) // 30, 3)]
                is_open = int(amount != 0)
                self.add(day, each.currency, f"{each.ledger}_{bucket}", amount, base)
                self.add(day, each.currency, f"{each.ledger}_outstanding", amount, base, is_open)
                if late > 0:
                    self.add(day, each.currency, f"{each.ledger}_overdue", amount, base, is_open)
                for ahead in EXPECTED_DAYS:
                    if each.due and day < each.due <= day + timedelta(days=ahead):
                        name = f"{each.ledger}_expected_in_{ahead}_days"
                        self.add(day, each.currency, name, amount, base)
            elif each.kind != "invoice":
                levels = {"credit": "unapplied_credit", "prepayment": "unapplied_prepayment"}
                self.add(day, each.currency, f"{each.ledger}_{levels[each.kind]}", amount, base)
            for own, effective, part in each.settlements:
                if own <= day < effective and each.kind != "prepayment":
                    sign = 1 if each.kind == "invoice" else -1
                    self.add(
                        day,
                        each.currency,
                        f"{each.ledger}_paid_ahead",
                        sign * part,
                        sign * each.base(part),
                    )

    def unapproved(self, day: date) -> None:
        for invoice in self.records["invoices"]:
            if invoice["Status"] in ("DRAFT", "SUBMITTED") and day_of(invoice["Date"]) <= day:
                each = document(invoice, "draft", invoice["Type"] == "ACCREC")
                measure = f"{each.ledger}_{invoice['Status'].lower()}"
                self.add(day, each.currency, measure, each.total, each.base(each.total), 1)

    def flows(self) -> None:
        for each in self.documents.values():
            if each.kind == "invoice":
                self.flow(each, "issued")
        for note in self.records["credit_notes"]:
            self.flow(self.documents[note["CreditNoteID"]], "credit_notes_issued")
        for invoice in self.records["invoices"]:
            if invoice["Status"] == "VOIDED":
                ledger = "receivables" if invoice["Type"] == "ACCREC" else "payables"
                milliseconds = int(invoice["UpdatedDateUTC"][6:].split("+")[0])
                moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
                day = moment.astimezone(ZoneInfo("Pacific/Auckland")).date()
                total, rate = money(invoice["Total"]), rate_of(invoice)
                base = (total / rate).quantize(CENT, ROUND_HALF_UP) if rate else Decimal(0)
                self.add(day, invoice["CurrencyCode"], f"{ledger}_voided", total, base, 1)
        for payment in self.records["payments"]:
            if payment["Status"] in APPROVED:
                self.paid(payment)
        for line in self.records["bank_transactions"]:
            if line["Status"] in APPROVED and not line["Type"].endswith("TRANSFER"):
                way = "received" if line["Type"].startswith("RECEIVE") else "spent"
                each = document(line, "cash", is_customers=True)
                self.add(
                    each.day, each.currency, f"cash_{way}", each.total, each.base(each.total), 1
                )

    def flow(self, each: Document, name: str) -> None:
        measure = f"{each.ledger}_{name}"
        self.add(each.day, each.currency, measure, each.total, each.base(each.total), 1)

    def paid(self, payment) -> None:
        kind = kind_of(payment)
        paid = self.documents[payment[kind][f"{kind}ID"]]
        day, amount = day_of(payment["Date"]), money(payment["Amount"])
        if kind == "Invoice":
            self.add(day, paid.currency, f"{paid.ledger}_paid", amount, paid.base(amount), 1)
        account = payment["Account"]["AccountID"]
        if account == "clearing":
            return
        way = "received" if (paid.ledger == "receivables") == (kind == "Invoice") else "spent"
        self.add(day, paid.currency, f"cash_{way}", amount, self.bank_base(payment, paid), 1)

    def bank_base(self, payment, paid: Document) -> Decimal:
        rate = money(payment["CurrencyRate"])
        bank = money(payment["BankAmount"]) if "BankAmount" in payment else None
        amount = money(payment["Amount"])
        if payment["Account"]["AccountID"] == "bank":
            if bank is not None:
                return bank
            return (
                amount if paid.currency == "NZD" else (amount / rate).quantize(CENT, ROUND_HALF_UP)
            )
        # Of a document in the base currency it is what is paid, whatever left the bank.
        if paid.currency == "NZD":
            return amount
        return ((amount if bank is None else bank) / rate).quantize(CENT, ROUND_HALF_UP)

    def errors(self) -> None:
        bad = [
            (day_of(record["Date"]), record["CurrencyCode"])
            for endpoint in ("invoices", "credit_notes", "bank_transactions")
            for record in self.records[endpoint]
            if record["Status"] in APPROVED and record["Date"] and rate_of(record) is None
        ]
        for payment in self.records["payments"]:
            if payment["Status"] in APPROVED and self.cannot_convert(payment):
                kind = next(
                    k
                    for k in ("Invoice", "CreditNote", "Overpayment", "Prepayment")
                    if k in payment
                )
                bad.append((day_of(payment["Date"]), payment[kind]["CurrencyCode"]))
        for day in self.days:
            for since, currency in bad:
                if since <= day:
                    self.found[day, currency]["conversion_error_count"] += 1

    def cannot_convert(self, payment) -> bool:
        kind = kind_of(payment)
        paid = self.documents[payment[kind][f"{kind}ID"]]
        return paid.rate is None

    def by_currency(self, day: date, currency: str, column: str) -> Decimal:
        return self.found[day, currency][column]

    def in_base(self, day: date, column: str) -> Decimal:
        return sum((self.found[day, each][column] for each in ("NZD", "USD")), Decimal(0))


DERIVED = ("cash_surplus", "control_base_amount", "undated_document_count")


def measures(row) -> list[str]:
    ends = ("_amount", "_count")
    return [
        name for name in row if name.endswith(ends) and not any(part in name for part in DERIVED)
    ]


def in_all_currencies(rows_by_currency) -> list[str]:
    """Measures that the table of the whole organisation has, too: not those in other currencies."""
    return [
        name for name in measures(rows_by_currency[0]) if name.endswith(("_base_amount", "_count"))
    ]


def differences(rows, expected, names=None) -> list[tuple]:
    return [
        (row["day"], row.get("currency_code"), name, row[name], expected(row, name))
        for row in rows
        for name in names or measures(row)
        if row[name] != expected(row, name)
    ]


@pytest.fixture(scope="session")
def oracles(loaded_warehouse):
    made = {}

    def oracle_of(tenant, night, first_day, last_day):
        key = (tenant, night, first_day, last_day)
        if key not in made:
            records = loaded_warehouse.tenants[tenant].nights[night]
            made[key] = Oracle(records, first_day, last_day)
        return made[key]

    return oracle_of


def days(rows):
    return min(row["day"] for row in rows), max(row["day"] for row in rows)


@pytest.mark.parametrize("tenant", ["books", "twin"])
def test_every_measure_of_every_day_equals_a_walk_over_all_documents(
    marts, oracles, nights, tenant
):
    rows = marts.table("xero_marts.rpt_daily_statistics_by_currency", tenant)
    oracle = oracles(tenant, nights[1], *days(rows))
    assert {row["currency_code"] for row in rows} == {"NZD", "USD"}
    assert len(rows) == 2 * len(oracle.days)
    assert len(measures(rows[0])) == 103
    wrong = differences(
        rows, lambda row, name: oracle.by_currency(row["day"], row["currency_code"], name)
    )
    assert wrong == []


@pytest.mark.parametrize("tenant", ["books", "twin"])
def test_statistics_of_an_organisation_sum_its_currencies(marts, oracles, nights, tenant):
    rows = marts.table("xero_marts.rpt_daily_statistics", tenant)
    oracle = oracles(tenant, nights[1], *days(rows))
    assert [row["day"] for row in sorted(rows, key=lambda row: row["day"])] == oracle.days
    names = in_all_currencies(marts.table("xero_marts.rpt_daily_statistics_by_currency", tenant))
    assert len(names) == 61
    assert differences(rows, lambda row, name: oracle.in_base(row["day"], name), names) == []
    for row in rows:
        for ledger in ("receivables", "payables"):
            assert row[f"{ledger}_control_base_amount"] == (
                row[f"{ledger}_outstanding_base_amount"]
                - row[f"{ledger}_unapplied_credit_base_amount"]
                - row[f"{ledger}_paid_ahead_base_amount"]
            )
        assert row["cash_surplus_base_amount"] == (
            row["cash_received_base_amount"] - row["cash_spent_base_amount"]
        )
        assert row["undated_document_count"] == 1


def test_an_earlier_night_is_rebuilt_as_it_was_known_and_a_short_window_opens_right(
    first_night, oracles, nights
):
    rows = first_night.table("xero_marts_first_night.rpt_daily_statistics", "books")
    last_day = date(2026, 11, 18)
    assert days(rows) == (last_day - timedelta(days=60), last_day)
    assert {row["known_at"] for row in rows} == {nights[0]}
    oracle = oracles("books", nights[0], *days(rows))
    names = in_all_currencies(
        first_night.table("xero_marts_first_night.rpt_daily_statistics_by_currency", "books")
    )
    assert differences(rows, lambda row, name: oracle.in_base(row["day"], name), names) == []


def test_an_earlier_night_knows_no_organisation_that_came_later(first_night):
    tenants = first_night.rows("select tenant_id::text from xero_marts_first_night.dim_tenants")
    assert tenants == [(first_night.tenants["books"].tenant_id,)]


def test_drafts_and_what_waits_for_approval_are_shown_apart(marts, companies):
    last_day = max(
        row["day"] for row in marts.table("xero_marts.rpt_daily_statistics", "every kind")
    )
    told: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for invoice in companies["every kind"].records("Invoices"):
        is_dated = invoice["DateString"][:10] <= last_day.isoformat()
        if is_dated and invoice["Status"] in ("DRAFT", "SUBMITTED"):
            ledger = "receivables" if invoice["Type"] == "ACCREC" else "payables"
            measure = f"{ledger}_{invoice['Status'].lower()}"
            told[invoice["CurrencyCode"], f"{measure}_count"] += 1
            told[invoice["CurrencyCode"], f"{measure}_amount"] += money(invoice["Total"])
    shown = {
        (row["currency_code"], name): row[name]
        for row in marts.table("xero_marts.rpt_daily_statistics_by_currency", "every kind")
        if row["day"] == last_day
        for name in row
        if name.endswith(("_draft_count", "_draft_amount", "_submitted_count", "_submitted_amount"))
    }
    assert {key: figure for key, figure in shown.items() if figure} == told
    assert {status for _, name in told for status in name.split("_")} >= {"draft", "submitted"}


def test_an_organisation_without_documents_has_its_last_day_all_zero(marts):
    (row,) = marts.table("xero_marts.rpt_daily_statistics", "empty")
    assert row["day"] == marts.tenants["empty"].last_day
    assert row["base_currency_code"] == "NZD"
    (by_currency,) = marts.table("xero_marts.rpt_daily_statistics_by_currency", "empty")
    assert {by_currency[name] for name in measures(by_currency)} == {0}
    assert {row[name] for name in in_all_currencies([by_currency])} == {0}


def test_an_organisation_that_was_never_complete_is_not_published(marts):
    assert marts.table("xero_marts.dim_tenants", "unfinished") == []
    assert marts.table("xero_marts.fct_invoices", "unfinished") == []
    assert marts.table("xero_marts.rpt_daily_statistics", "unfinished") == []


@pytest.mark.parametrize("tenant", ["books", "twin"])
def test_days_to_pay_and_days_late_are_those_of_ninety_days_weighed_by_money(
    marts, oracles, nights, tenant
):
    rows = marts.table("xero_marts.rpt_daily_statistics", tenant)
    oracle = oracles(tenant, nights[1], *days(rows))
    paid = [
        (each.ledger, max(day_of(payment["Date"]), each.day), each, each.base(amount))
        for payment in oracle.records["payments"]
        if payment["Status"] in APPROVED and kind_of(payment) == "Invoice"
        for each in [oracle.documents[payment["Invoice"]["InvoiceID"]]]
        for amount in [money(payment["Amount"])]
    ]

    def average(ledger, day, since) -> Decimal | None:
        weighed = [
            (base, (on - since(each)).days)
            for other, on, each, base in paid
            if other == ledger and since(each) and day - timedelta(days=90) < on <= day
        ]
        total = sum((base for base, _ in weighed), Decimal(0))
        waited = sum((base * waits for base, waits in weighed), Decimal(0))
        return (waited / total).quantize(Decimal("0.000001"), ROUND_HALF_UP) if total else None

    wrong = [
        (row["day"], name, row[name], expected)
        for row in rows
        for ledger in ("receivables", "payables")
        for name, expected in (
            (
                f"{ledger}_average_days_to_pay_trailing_90_days",
                average(ledger, row["day"], lambda each: each.day),
            ),
            (
                f"{ledger}_average_days_late_trailing_90_days",
                average(ledger, row["day"], lambda each: each.due),
            ),
        )
        if row[name] != expected
    ]
    assert wrong == []
    assert any(row["payables_average_days_late_trailing_90_days"] for row in rows)


@pytest.mark.parametrize(
    "moved",
    [
        "fct_outstanding_documents set due_date = due_date - 40 where due_date > '2026-09-01'",
        "rpt_daily_statistics_by_currency set payables_not_due_amount = payables_not_due_amount"
        " + 0.01, payables_outstanding_amount = payables_outstanding_amount + 0.01"
        " where day = '2026-11-19' and currency_code = 'USD'",
    ],
)
def test_a_bucket_that_is_not_what_open_documents_put_there_is_named(built, moved):
    name = "assert_outstanding_equals_sum_of_ageing_buckets"
    assert built.statuses[name] == "pass"
    with built.warehouse.connect() as connection:
        connection.execute(f"update xero_marts.{moved}")
        named = connection.execute(built.compiled[name]).fetchall()
        connection.rollback()
    assert named


def test_without_stock_there_are_no_days_of_it_and_still_a_cash_conversion_cycle(marts):
    debtor, creditor = (
        "debtor_days_on_income_of_365_days",
        "creditor_days_on_direct_costs_and_expenses_of_365_days",
    )
    rows = marts.rows(
        f"select inventory_on_accounts_base_amount = 0, inventory_days, {debtor}, {creditor},"
        " cash_conversion_cycle_days from xero_marts.rpt_daily_statistics"
    )
    assert {days for is_without, days, *_ in rows if is_without} == {0}
    services = [row for row in rows if row[0] and None not in row[2:4]]
    assert services
    assert all(cycle == debtors - creditors for _, _, debtors, creditors, cycle in services)
    assert any(days for is_without, days, *_ in rows if not is_without)
