"""Books kept by hand: a small organisation whose every document a test writes itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

from xero_sandbox.books.books import Books
from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import (
    BankTransaction,
    Contact,
    Document,
    Line,
    TrackingCategory,
    TrackingOption,
    compute_line,
)
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import Account, Journal, Ledger
from xero_sandbox.books.paper_records import Item
from xero_sandbox.business.chart import chart_of_accounts

AT = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
LATER = AT + timedelta(days=40)
TODAY = date(2026, 5, 4)


class Bookkeeper:
    """Writes documents into books in NZD that know EUR and JPY, with one foreign bank account."""

    def __init__(self) -> None:
        self.ids = Random(1)
        accounts = chart_of_accounts(
            COUNTRIES["NZ"], new_id=self.new_id, created_at=AT - timedelta(days=1)
        )
        self.books = Books(
            COUNTRIES["NZ"], currencies=("NZD", "EUR", "JPY"), accounts=accounts, today=TODAY
        )
        euro = replace(
            self.books.account("090"),
            account_id=self.new_id(),
            code="99E",
            name="Euro Account",
            currency="EUR",
        )
        self.books.add_account(euro)
        self.contact = self.books.add_contact(Contact(self.new_id(), "Ridgeway", AT, AT))
        self.region = TrackingCategory(self.new_id(), "Region")
        self.books.add_tracking_category(self.region, at=AT)
        self.north = self.books.add_option(TrackingOption(self.new_id(), "North", self.region))
        self.south = self.books.add_option(TrackingOption(self.new_id(), "South", self.region))

    def new_id(self) -> str:
        return new_guid(self.ids)

    @property
    def bank(self) -> Account:
        return self.books.account("090")

    @property
    def euro_bank(self) -> Account:
        return self.books.account("99E")

    def line(
        self,
        price: str,
        *,
        code: str = "200",
        kind: str = "Exclusive",
        quantity: str = "1",
        item: str = "",
        tracking: TrackingOption | None = None,
    ) -> Line:
        account = self.books.account(code)
        return compute_line(
            self.new_id(),
            kind=kind,
            quantity=Decimal(quantity),
            price=Decimal(price),
            account=account,
            tax_type=account.tax_type,
            tax_rate=self.books.country.rate_of(account.tax_type),
            item_code=item,
            tracking=() if tracking is None else (tracking,),
        )

    def document(
        self, *lines: Line, kind: str = "ACCREC", rate: str = "1.000000", on: date = TODAY
    ) -> Document:
        """A document in NZD, or in EUR when it has a rate of its own; not entered yet."""
        return Document(
            document_id=self.new_id(),
            type=kind,
            number="X-1",
            contact=self.contact,
            on=on,
            due_date=on,
            line_kind="Exclusive",
            lines=lines,
            currency="NZD" if rate == "1.000000" else "EUR",
            created_at=AT,
            updated_at=AT,
            rate=Decimal(rate),
        )

    def enter(
        self, *lines: Line, kind: str = "ACCREC", rate: str = "1.000000", on: date = TODAY
    ) -> Document:
        return self.books.enter(self.document(*lines, kind=kind, rate=rate, on=on), at=AT)

    def money(
        self, kind: str, *lines: Line, rate: str = "1.000000", on: date = TODAY
    ) -> BankTransaction:
        """Money received or spent, on the euro account when it has a rate of its own; entered."""
        account = self.bank if rate == "1.000000" else self.euro_bank
        record = BankTransaction(
            transaction_id=self.new_id(),
            type=kind,
            contact=self.contact,
            account=account,
            on=on,
            line_kind="Exclusive",
            lines=lines,
            currency=account.currency,
            created_at=AT,
            updated_at=AT,
            rate=Decimal(rate),
        )
        return self.books.enter_bank_transaction(record, at=AT, ids=self.ids)

    def credit(self, kind: str, *lines: Line, rate: str = "1.000000", on: date = TODAY) -> Document:
        """The prepayment or overpayment that came with money."""
        credit = self.money(kind, *lines, rate=rate, on=on).credit
        assert credit is not None
        return credit

    def widget(self) -> Item:
        """An item with stock: bought on 630, sold on 200, its cost on 310."""
        item = Item(
            item_id=self.new_id(),
            code="WIDGET",
            name="Widget",
            updated_at=AT,
            sale_account=self.books.account("200"),
            purchase_account=self.books.account("310"),
            inventory_account=self.books.account("630"),
        )
        return self.books.add_item(item, at=AT)

    def pay(
        self,
        document: Document,
        amount: str | None = None,
        *,
        rate: str | None = None,
        account: Account | None = None,
        on: date = TODAY,
    ) -> str:
        """Pay, all that is due when no amount is given; the payment's id."""
        payment = self.books.pay(
            document,
            document.due if amount is None else Decimal(amount),
            at=AT,
            on=on,
            account=account or self.bank,
            ids=self.ids,
            rate=None if rate is None else Decimal(rate),
        )
        return payment.payment_id

    def standing(self, source_id: str) -> list[Journal]:
        """The journals of a source that nothing cancelled."""
        journals = self.books.ledger.all_standing()
        return [journal for journal in journals if journal.source_id == source_id]

    def balances(self, on: date = date.max, *, ledger: Ledger | None = None) -> dict[str, Decimal]:
        """Balances by account name, zeros left out."""
        books = self.books
        found = (ledger or books.ledger).balances(on).items()
        return {books.ledger.accounts[key].name: amount for key, amount in found if amount}

    def cash_balances(self, on: date = date.max) -> dict[str, Decimal]:
        return self.balances(on, ledger=self.books.cash)


def amounts(**named: str) -> dict[str, Decimal]:
    """Amounts by account name, underscores for blanks."""
    return {name.replace("_", " "): Decimal(amount) for name, amount in named.items()}
