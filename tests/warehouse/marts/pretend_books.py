"""Books written here: from a seed, with every kind of document, and small ones that lack something.

Knows how Xero spells its records; must not know where they are stored.
"""

from __future__ import annotations

import copy
import random
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any, TypeAlias

LAST_DAY = date(2026, 11, 19)

Record: TypeAlias = dict[str, Any]
Records: TypeAlias = dict[str, list[Record]]


def stamp(day: date) -> str:
    """A business date as Xero writes it."""
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return f"/Date({int(moment.timestamp()) * 1000}+0000)/"


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


def mistyped() -> Records:
    """A financial year that ends in no month, and an invoice of the year 216."""
    sold = {
        "InvoiceID": "of old",
        "Type": "ACCREC",
        "Status": "AUTHORISED",
        "Date": stamp(date(216, 3, 4)),
        "DueDate": stamp(date(216, 4, 4)),
        "Total": 40,
        "SubTotal": 40,
        "TotalTax": 0,
        "AmountDue": 40,
        "AmountPaid": 0,
        "CurrencyCode": "NZD",
        "CurrencyRate": 1,
        "LineAmountTypes": "NoTax",
        "LineItems": [{"LineAmount": 40, "TaxAmount": 0, "AccountCode": "200"}],
    }
    debtors = {"AccountID": "debtors", "Type": "CURRENT", "Class": "ASSET"}
    return {
        "organisations": [
            organisation("Mistyped", FinancialYearEndDay=10**12, FinancialYearEndMonth=13)
        ],
        "accounts": [
            {**debtors, "SystemAccount": "DEBTORS", "Name": "Accounts Receivable"},
            {"AccountID": "sales", "Type": "REVENUE", "Class": "REVENUE", "Code": "200"},
        ],
        "invoices": [sold],
    }


def by_hand() -> Records:
    """A bookkeeper's own journals over two financial years and nothing else; one has no date."""
    days = [LAST_DAY - timedelta(days=back) for back in (300, 30)]
    journals = [
        {
            "ManualJournalID": f"wages of {day}",
            "Status": "POSTED",
            "Narration": "Wages",
            "Date": stamp(day),
            "LineAmountTypes": "NoTax",
            "JournalLines": [
                {"LineAmount": 100, "TaxAmount": 0, "AccountCode": "477"},
                {"LineAmount": -100, "TaxAmount": 0, "AccountCode": "825"},
            ],
        }
        for day in days
    ]
    undated = {**journals[0], "ManualJournalID": "undated", "Date": []}
    draft = {**undated, "ManualJournalID": "draft", "Status": "DRAFT"}
    return {
        "organisations": [organisation("By hand")],
        "accounts": [
            {"AccountID": "wages", "Type": "EXPENSE", "Class": "EXPENSE", "Code": "477"},
            {"AccountID": "owed", "Type": "CURRLIAB", "Class": "LIABILITY", "Code": "825"},
        ],
        "manual_journals": [*journals, undated, draft],
    }


def half_read() -> Records:
    """An invoice that mentions a credit note which is on no list that the app may read."""
    sold = {
        "InvoiceID": "sold",
        "Type": "ACCREC",
        "Status": "AUTHORISED",
        "Date": stamp(LAST_DAY),
        "DueDate": stamp(LAST_DAY),
        "Total": 40,
        "SubTotal": 40,
        "TotalTax": 0,
        "AmountDue": 30,
        "AmountPaid": 0,
        "AmountCredited": 10,
        "CurrencyCode": "NZD",
        "CurrencyRate": 1,
        "LineAmountTypes": "NoTax",
        "LineItems": [{"LineAmount": 40, "TaxAmount": 0, "AccountCode": "200"}],
        "CreditNotes": [{"CreditNoteID": "unread", "AppliedAmount": 10, "Date": stamp(LAST_DAY)}],
    }
    return {
        "organisations": [organisation("Half read")],
        "accounts": [
            {"AccountID": "debtors", "Type": "CURRENT", "SystemAccount": "DEBTORS"},
            {"AccountID": "sales", "Type": "REVENUE", "Class": "REVENUE", "Code": "200"},
        ],
        "invoices": [sold],
    }


def beyond_measure() -> Records:
    """Values that a payload can hold and no column: each spoils its own record and nothing else."""
    endless = _endless_text()
    sold = half_read()["invoices"][0] | {"CreditNotes": [], "AmountCredited": 0, "AmountDue": 40}

    def other(name: str, **fields: Any) -> dict[str, Any]:
        return {**sold, "InvoiceID": name, **fields}

    far = {"LineItems": [{"LineAmount": 10**17, "TaxAmount": 0, "AccountCode": "200"}]}
    paid = {
        "PaymentType": "ACCRECPAYMENT",
        "Status": "AUTHORISED",
        "Date": stamp(LAST_DAY),
        "Amount": 7,
        "CurrencyRate": 1,
        "Account": {"AccountID": "bank"},
    }
    return half_read() | {
        "organisations": [organisation("Beyond measure")],
        "accounts": [*half_read()["accounts"], {"AccountID": "bank", "Type": "BANK"}],
        "invoices": [
            sold,
            other("dated before all calendars", Date="/Date(-999999999999999)/"),
            other("dated after all years", Date="/Date(253402300800000+0000)/"),
            other("dated in the year nothing", Date="0000-05-05"),
            other("due after all years", DueDate="/Date(999999999999999)/"),
            other("of endless money", Total=10**17, SubTotal=10**17, **far),
            other("of money in words", Total="1e17"),
            other("in an endless currency", CurrencyCode=endless, CurrencyRate=1.5),
            other("at a rate of nearly nothing", CurrencyCode="USD", CurrencyRate=1e-12),
            other("of an endless contact", Contact={"ContactID": endless, "Name": endless}),
            other(
                "of lines of endless money",
                LineItems=[
                    {"LineAmount": 2 * 10**13, "TaxAmount": 0, "AccountCode": "200"},
                    {"LineAmount": 40 - 2 * 10**13, "TaxAmount": 0, "AccountCode": "200"},
                ],
                CreditNotes=[{"CreditNoteID": "of one left out", "AppliedAmount": 10}],
            ),
            other("of endless cents", Total="0." + "1" * 16_384),
        ],
        "payments": [
            paid | {"PaymentID": "of nothing"},
            paid | {"PaymentID": "of an endless id", "Invoice": {"InvoiceID": endless}},
            paid | {"PaymentID": "of one left out", "Invoice": {"InvoiceID": "of money in words"}},
        ],
        "credit_notes": [
            {
                **sold,
                "CreditNoteID": "of one left out",
                "Type": "ACCRECCREDIT",
                "Total": 10,
                "SubTotal": 10,
                "RemainingCredit": 0,
                "LineItems": [{"LineAmount": 10, "TaxAmount": 0, "AccountCode": "200"}],
                "Allocations": [
                    {
                        "Amount": 10,
                        "Date": stamp(LAST_DAY),
                        "Invoice": {"InvoiceID": "of lines of endless money"},
                    }
                ],
            }
        ],
        "bank_transactions": [
            {
                **sold,
                "BankTransactionID": "leg of a transfer",
                "Type": "SPEND-TRANSFER",
                "BankAccount": {"AccountID": "bank"},
                **far,
            }
        ],
        "manual_journals": [
            {
                "ManualJournalID": "of lines of endless money",
                "Status": "POSTED",
                "Narration": "Wages",
                "Date": stamp(LAST_DAY),
                "LineAmountTypes": "NoTax",
                "JournalLines": [
                    {"LineAmount": amount, "AccountCode": "200"}
                    for amount in (18 * 10**12, -9 * 10**12, -9 * 10**12)
                ],
            }
        ],
        "quotes": [
            {"QuoteID": "of no day", "Status": "SENT", "Total": 5, "CurrencyCode": "USD"},
            {
                "QuoteID": "of endless money",
                "Status": "SENT",
                "Date": stamp(LAST_DAY),
                "Total": 10**17,
                "CurrencyCode": "NZD",
            },
        ],
        "bank_transfers": [
            {
                "BankTransferID": "stamped before all calendars",
                "Status": "DELETED",
                "Date": stamp(LAST_DAY),
                "Amount": 1,
                "CreatedDateUTC": "/Date(-999999999999999+0000)/",
            }
        ],
    }


def reports_beyond_measure() -> Records:
    """Reports with a figure, a label and an account that no column holds, and one account twice."""
    reports = {"trial_balances": "TrialBalance", "balance_sheets": "BalanceSheet"}
    return half_read() | {
        "organisations": [organisation("Reports beyond measure")],
        **{
            endpoint: [_endless_report(f"{report}:{LAST_DAY}:accrual")]
            for endpoint, report in reports.items()
        },
        "executive_summaries": [_endless_report(f"ExecutiveSummary:{LAST_DAY}:accrual")],
    }


def _endless_text() -> str:
    """Nine thousand characters that do not compress, so that no index holds them."""
    return "".join(sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(150))


def _endless_report(report_id: str) -> Record:
    endless = _endless_text()

    def row(account_id: str, label: str, figure: str) -> Record:
        account = [{"Id": "account", "Value": account_id}]
        cells = [label, figure, "", figure, ""]
        return {"RowType": "Row", "Cells": [{"Value": x, "Attributes": account} for x in cells]}

    rows = [
        row("debtors", "Accounts Receivable", "30.00"),
        row("", "Debtors", "30.00"),
        row("", "Debtors", "30.00"),
        row("bank", "Bank", "9" * 27),
        row(endless, endless, "1.00"),
        row("sales", "Sales", "7.00"),
        row("sales", "Sales", "8.00"),
    ]
    return {
        "ReportID": report_id,
        "Rows": [{"RowType": "Header", "Cells": []}, {"RowType": "Section", "Rows": rows}],
    }


def journals_beyond_measure() -> Records:
    """Journals, of which one can be read; the others lack a day, or an amount of a line."""

    def journal(name: str, *amounts: int, **fields: Any) -> Record:
        accounts = ("debtors", "sales", "sales")
        return {
            "JournalID": name,
            "JournalDate": stamp(LAST_DAY),
            "SourceType": "ACCREC",
            "SourceID": f"source of {name}",
            "JournalLines": [
                {"AccountID": account_id, "NetAmount": amount}
                for account_id, amount in zip(accounts, amounts, strict=False)
            ],
            **fields,
        }

    journals = [
        journal("good", 40, -40),
        journal("dated after all years", 1, -1, JournalDate="/Date(253402300800000+0000)/"),
        journal("of no day and no source", 1, -1, JournalDate=None, SourceID=None),
        journal("of endless money", 18 * 10**12, -9 * 10**12, -9 * 10**12),
    ]
    return {
        "organisations": [organisation("Journals beyond measure")],
        "accounts": half_read()["accounts"],
        "journals": journals,
        "cash_journals": journals,
    }
