"""Reading reports in tests: cells by label and by account, and tiny books made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random
from typing import Any

from xero_sandbox.books.books import Books
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import (
    BankTransaction,
    Contact,
    Document,
    Line,
    TrackingOption,
    compute_line,
)
from xero_sandbox.books.ids import new_guid
from xero_sandbox.business.chart import chart_of_accounts
from xero_sandbox.reports import build_report

AT = datetime(2026, 5, 20, 2, 0, tzinfo=UTC)


def day(month: int, number: int, year: int = 2026) -> date:
    """A day of 2026, unless a year is given."""
    return date(year, month, number)


def lines(report: Any) -> dict[str, list[str]]:
    """Label of each row to the values of its other cells."""
    return {row["Cells"][0]["Value"]: values(row) for row in all_rows(report)}


def all_rows(report: Any) -> Iterator[Any]:
    """Every row but the header, in order."""
    for part in report["Rows"]:
        yield from part.get("Rows", [])


def values(row: Any) -> list[str]:
    """The values of a row's cells behind its label."""
    return [cell["Value"] for cell in row["Cells"][1:]]


def headings(report: Any) -> list[str]:
    """The column headings behind the first."""
    return values(report["Rows"][0])


def titles(report: Any) -> list[str]:
    """The titles of the sections, in order."""
    return [part["Title"] for part in report["Rows"][1:]]


def by_account(report: Any) -> dict[str, list[Decimal]]:
    """Account id to its amounts, of the rows that are about an account."""
    found = {}
    for row in all_rows(report):
        attributes = row["Cells"][0].get("Attributes")
        if attributes:
            found[attributes[0]["Value"]] = [Decimal(value or 0) for value in values(row)]
    return found


def amounts(report: Any, label: str) -> list[Decimal]:
    """The amounts of the row of a label."""
    return [Decimal(value or 0) for value in lines(report)[label]]


def trial_balance(report: Any) -> dict[str, tuple[Decimal, Decimal]]:
    """Account id to movement of the month and year to date, debit positive."""
    return {
        key: (debit - credit, year_debit - year_credit)
        for key, (debit, credit, year_debit, year_credit) in by_account(report).items()
    }


class TinyBooks:
    """Books of a few documents; amounts are texts, days are (month, day) of 2026."""

    def __init__(
        self,
        country: str = "NZ",
        *,
        currencies: tuple[str, ...] = (),
        year_end: tuple[int, int] = (31, 3),
        foreign_banks: tuple[str, ...] = (),
    ) -> None:
        self.ids = Random(7)
        self.year_end = year_end
        self.rates: dict[date, str] = {}
        land = COUNTRIES[country]
        accounts = chart_of_accounts(
            land, new_id=self.new_id, created_at=AT, foreign_banks=foreign_banks
        )
        self.books = Books(
            land,
            currencies=(land.currency, *currencies),
            accounts=accounts,
            today=date(2026, 5, 20),
        )
        self.contact = self.books.add_contact(Contact(self.new_id(), "Ridgeway", AT, AT))

    def new_id(self) -> str:
        return new_guid(self.ids)

    def account_id(self, code: str) -> str:
        return self.books.account(code).account_id

    def rate_on(self, day: date, currency: str) -> Decimal:
        """The rate of the last day on or before `day` that has one."""
        known = [each for each in self.rates if each <= day]
        return Decimal(self.rates[max(known)])

    def report(self, name: str, *, title: str = "Tiny Ltd", **params: str) -> Any:
        return build_report(
            name,
            params,
            books=self.books,
            title=title,
            year_end=self.year_end,
            rate_on=self.rate_on,
            now=AT,
        )

    def line(
        self,
        amount: str,
        code: str,
        *,
        kind: str = "Exclusive",
        tracking: tuple[TrackingOption, ...] = (),
    ) -> Line:
        account = self.books.account(code)
        return compute_line(
            self.new_id(),
            kind=kind,
            quantity=Decimal(1),
            price=Decimal(amount),
            account=account,
            tax_type=account.tax_type,
            tax_rate=self.books.country.rate_of(account.tax_type),
            tracking=tracking,
        )

    def document(
        self,
        kind: str,
        day: date,
        *lines: Line,
        number: str = "",
        currency: str = "",
        rate: str = "1.000000",
        due: date | None = None,
    ) -> Document:
        return self.books.enter(
            Document(
                document_id=self.new_id(),
                type=kind,
                number=number,
                contact=self.contact,
                on=day,
                due_date=due or day,
                line_kind="Exclusive",
                lines=lines,
                currency=currency or self.books.base_currency,
                created_at=AT,
                updated_at=AT,
                rate=Decimal(rate),
            ),
            at=AT,
        )

    def pay(self, document: Document, amount: str, day: date, *, code: str = "090") -> None:
        self.books.pay(
            document,
            Decimal(amount),
            at=AT,
            on=day,
            account=self.books.account(code),
            ids=self.ids,
            rate=self.rate_on(day, document.currency) if self.rates else None,
        )

    def money(
        self, kind: str, day: date, *lines: Line, code: str = "090", rate: str = "1.000000"
    ) -> BankTransaction:
        account = self.books.account(code)
        return self.books.enter_bank_transaction(
            BankTransaction(
                transaction_id=self.new_id(),
                type=kind,
                contact=self.contact,
                account=account,
                on=day,
                line_kind="Inclusive",
                lines=lines,
                currency=account.currency,
                created_at=AT,
                updated_at=AT,
                rate=Decimal(rate),
            ),
            at=AT,
            ids=self.ids,
        )


def small_business() -> TinyBooks:
    """A sale of last year paid in this one, a sale paid and credited in parts, a bill, money."""
    tiny = TinyBooks()
    paid = tiny.document("ACCREC", day(3, 10), tiny.line("1000", "200"), number="INV-1")
    tiny.money("RECEIVE", day(4, 2), tiny.line("9", "270", kind="Inclusive"))
    tiny.pay(paid, "1150", day(4, 5))
    part_paid = tiny.document(
        "ACCREC", day(4, 20), tiny.line("200", "210"), number="INV-2", due=day(5, 10)
    )
    tiny.document("ACCPAY", day(5, 2), tiny.line("400", "310"), number="B-7", due=day(6, 1))
    tiny.pay(part_paid, "100", day(5, 3))
    tiny.money("SPEND", day(5, 15), tiny.line("115", "400", kind="Inclusive"))
    mistake = tiny.money("SPEND", day(5, 15), tiny.line("50", "400", kind="Inclusive"))
    tiny.books.delete_bank_transaction(mistake, at=AT)
    cheque, savings = (tiny.books.account(code) for code in ("090", "091"))
    tiny.books.transfer(cheque, savings, amount=Decimal(500), on=day(5, 16), at=AT, ids=tiny.ids)
    credit = tiny.document("ACCRECCREDIT", day(5, 18), tiny.line("20", "210"), number="CN-1")
    tiny.books.allocate(credit, part_paid, amount=Decimal(23), at=AT, ids=tiny.ids)
    return tiny
