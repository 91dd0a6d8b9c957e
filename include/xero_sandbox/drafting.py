"""What a business writes: lines with prices and tax, invoices, bills, credit notes, receipts.

Knows prices, tax types and numbers of documents. Must not know when or why a document is written
(`business.py`), nor the ledger. Nothing here changes the books, except that it takes numbers.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books import Books
from xero_sandbox.documents import BankTransaction, Contact, Document, Line, compute_line
from xero_sandbox.habits import DAY
from xero_sandbox.ids import new_guid
from xero_sandbox.money import ONE, ZERO, cents, places
from xero_sandbox.names import PURCHASES, Product
from xero_sandbox.rates import rate_on


class Desk:
    """Where the papers of one business are written."""

    def __init__(
        self, books: Books, products: tuple[Product, ...], *, seed: str, first_day: date
    ) -> None:
        self._books = books
        self._land = books.country
        self._seed = seed
        self.products = products
        # Price lists are in US dollars; each currency's list was fixed on the first day.
        self._levels = {
            currency: rate_on(first_day, base="USD", currency=currency, seed=seed)
            for currency in books.currencies
        }

    def rate(self, on: date, currency: str) -> Decimal:
        """Return the rate of a day, 1 for the base currency."""
        if currency == self._books.base_currency:
            return ONE
        return rate_on(on, base=self._books.base_currency, currency=currency, seed=self._seed)

    def invoice(
        self, contact: Contact, on: date, *, terms_days: int, at: datetime, random: Random
    ) -> Document:
        """Write an approved sales invoice of one to four lines."""
        document = self._document("ACCREC", contact, on=on, at=at, random=random)
        document.number = self._books.next_number("ACCREC")
        document.due_date = on + terms_days * DAY
        document.reference = random.choice(("", "", "Monthly", f"PO {random.randrange(10_000)}"))
        document.is_sent = True
        return document

    def bill(self, contact: Contact, on: date, *, at: datetime, random: Random) -> Document:
        """Write a bill as a supplier sent it, with the supplier's number."""
        document = self._document("ACCPAY", contact, on=on, at=at, random=random)
        document.number = f"{random.choice('ABKRX')}{on:%y%m}-{random.randrange(100, 9999)}"
        document.due_date = on + 20 * DAY
        if random.random() < 0.4:
            document.planned_payment_date = document.due_date
        return document

    def credit_note(self, invoice: Document, on: date, *, at: datetime, random: Random) -> Document:
        """Write a credit note over all or a part of a document's first line."""
        kind = "ACCRECCREDIT" if invoice.is_receivable else "ACCPAYCREDIT"
        line = invoice.lines[0]
        share = Decimal(random.choice(("1", "1", "0.5", "0.25")))
        credited = compute_line(
            new_guid(random),
            kind=invoice.line_kind,
            quantity=places(line.quantity * share, 4),
            price=line.price,
            account=line.account,
            tax_type=line.tax_type,
            tax_rate=self._land.rate_of(line.tax_type),
            description=f"Credit: {line.description}",
            discount_rate=line.discount_rate,
        )
        return Document(
            document_id=new_guid(random),
            type=kind,
            number=self._books.next_number(kind),
            contact=invoice.contact,
            on=on,
            due_date=on,
            line_kind=invoice.line_kind,
            lines=(credited,),
            currency=invoice.currency,
            created_at=at,
            updated_at=at,
            rate=self.rate(on, invoice.currency),
            reference=invoice.number,
            is_sent=invoice.is_receivable,
        )

    def bank_transaction(
        self,
        kind: str,
        product: Product,
        *,
        contact: Contact,
        on: date,
        at: datetime,
        random: Random,
        reference: str = "",
    ) -> BankTransaction:
        """Write money received (RECEIVE) or spent (SPEND) in base currency, tax included."""
        base = self._books.base_currency
        line = self._line(product, "Inclusive", currency=base, is_sale=False, random=random)
        return BankTransaction(
            transaction_id=new_guid(random),
            type=kind,
            contact=contact,
            account=self._books.account("090"),
            on=on,
            line_kind="Inclusive",
            lines=(line,),
            currency=base,
            created_at=at,
            updated_at=at,
            reference=reference,
            is_reconciled=random.random() < 0.8,
        )

    def _document(
        self, kind: str, contact: Contact, *, on: date, at: datetime, random: Random
    ) -> Document:
        is_sale = kind == "ACCREC"
        currency = contact.currency or self._books.base_currency
        products = self.products if is_sale else PURCHASES
        line_kind = random.choices(("Exclusive", "Inclusive", "NoTax"), (78, 18, 4))[0]
        lines = tuple(
            self._line(
                random.choice(products),
                line_kind,
                currency=currency,
                is_sale=is_sale,
                random=random,
            )
            for _ in range(random.choice((1, 1, 2, 2, 3, 4) if is_sale else (1, 1, 1, 2)))
        )
        return Document(
            document_id=new_guid(random),
            type=kind,
            number="",
            contact=contact,
            on=on,
            due_date=on,
            line_kind=line_kind,
            lines=lines,
            currency=currency,
            created_at=at,
            updated_at=at,
            rate=self.rate(on, currency),
        )

    def _line(
        self, product: Product, line_kind: str, *, currency: str, is_sale: bool, random: Random
    ) -> Line:
        account = self._books.account(product.account_code)
        price = product.price * self._levels[currency]
        price *= Decimal(random.randrange(90, 116)) / 100
        has_small_parts = product.price != cents(product.price)
        quantity = Decimal(random.choice((1, 1, 1, 2, 3, 5, 10, 12)) if is_sale else 1)
        if has_small_parts:
            quantity *= Decimal("7.25")
        tax_type = self._tax_type(account.tax_type, line_kind, currency=currency, is_sale=is_sale)
        return compute_line(
            new_guid(random),
            kind=line_kind,
            quantity=quantity,
            price=places(price, 4 if has_small_parts else 2),
            account=account,
            tax_type=tax_type,
            tax_rate=self._land.rate_of(tax_type),
            description=product.description,
            item_code=product.item_code if is_sale else "",
            discount_rate=Decimal("10.00") if is_sale and random.random() < 0.05 else ZERO,
        )

    def _tax_type(self, usual: str, line_kind: str, *, currency: str, is_sale: bool) -> str:
        if line_kind == "NoTax":
            return self._land.no_tax
        if currency != self._books.base_currency:
            return self._land.export_tax if is_sale else self._land.no_tax
        return usual
