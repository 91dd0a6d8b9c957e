"""What a business writes: invoices, bills, credit notes, receipts.

Knows what a document of each kind holds, and its number; `pricing.py` writes the lines. Must not
know when or why a document is written (`business`), nor the ledger. Nothing here changes the
books, except that it takes numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from random import Random

from xero_sandbox.books.documents import BankTransaction, Contact, Document, Line, compute_line
from xero_sandbox.books.ids import new_guid
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import ZERO, places
from xero_sandbox.business.habits import DAY
from xero_sandbox.business.names import PURCHASES, Product
from xero_sandbox.business.pricing import Pricing


@dataclass(frozen=True, slots=True)
class Paper:
    """What was written, before it is decided what it becomes: an offer, an order, an invoice."""

    line_kind: str
    lines: tuple[Line, ...]
    currency: str


class Desk(Pricing):
    """Where the papers of one business are written."""

    def invoice(
        self, contact: Contact, on: date, *, terms_days: int, at: datetime, random: Random
    ) -> Document:
        """Write an approved sales invoice of one to four lines."""
        paper = self.paper(contact, is_sale=True, random=random)
        document = self.document("ACCREC", contact, paper, on=on, at=at, random=random)
        document.number = self._books.next_number("ACCREC")
        document.due_date = on + terms_days * DAY
        document.reference = random.choice(("", "", "Monthly", f"PO {random.randrange(10_000)}"))
        document.is_sent = True
        document.expected_payment_date = self.style.expected(
            document.document_id, document.due_date
        )
        return document

    def bill(self, contact: Contact, on: date, *, at: datetime, random: Random) -> Document:
        """Write a bill as a supplier sent it, with the supplier's number."""
        paper = self.paper(contact, is_sale=False, random=random)
        document = self.document("ACCPAY", contact, paper, on=on, at=at, random=random)
        document.number = f"{random.choice('ABKRX')}{on:%y%m}-{random.randrange(100, 9999)}"
        document.due_date = on + 20 * DAY
        document.rounding = self.style.rounding(document.document_id, document.total)
        document.add_up()
        if random.random() < 0.4:
            document.planned_payment_date = document.due_date
        return document

    def credit_note(self, invoice: Document, on: date, *, at: datetime, random: Random) -> Document:
        """Write a credit note over all or a part of a document's first line."""
        kind = "ACCRECCREDIT" if invoice.is_receivable else "ACCPAYCREDIT"
        line = invoice.lines[0]
        share = Decimal(random.choice(("1", "1", "0.5", "0.25")))
        item = self._books.items.get(line.item_code)
        if item is not None and item.is_tracked:
            # Nobody brings half a piece back.
            share = Decimal(1)
        credited = compute_line(
            new_guid(random),
            kind=invoice.line_kind,
            quantity=places(line.quantity * share, 4),
            price=line.price,
            account=line.account,
            tax_type=line.tax_type,
            tax_rate=self._land.rate_of(line.tax_type),
            description=f"Credit: {line.description}",
            item_code=line.item_code,
            discount_rate=line.discount_rate,
            tracking=line.tracking,
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
        account: Account | None = None,
    ) -> BankTransaction:
        """Write money received (RECEIVE…) or spent (SPEND…), tax included.

        `account` is a bank account, the cheque account when not given; its currency counts.
        """
        bank = account or self._books.account("090")
        line = self.line(product, "Inclusive", currency=bank.currency, is_sale=False, random=random)
        return BankTransaction(
            transaction_id=new_guid(random),
            type=kind,
            contact=contact,
            account=bank,
            on=on,
            line_kind="Inclusive",
            lines=(line,),
            currency=bank.currency,
            created_at=at,
            updated_at=at,
            rate=self.rate(on, bank.currency),
            reference=reference,
            is_reconciled=random.random() < 0.8,
        )

    def exactly(
        self,
        kind: str,
        amount: Decimal,
        *,
        code: str,
        description: str,
        contact: Contact,
        on: date,
        at: datetime,
        random: Random,
        account: Account | None = None,
    ) -> BankTransaction:
        """Write money of a given amount, on the account of a code, without tax."""
        bank = account or self._books.account("090")
        line = compute_line(
            new_guid(random),
            kind="NoTax",
            quantity=Decimal(1),
            price=amount,
            account=self._books.account(code),
            tax_type=self._land.no_tax,
            tax_rate=ZERO,
            description=description,
        )
        return BankTransaction(
            transaction_id=new_guid(random),
            type=kind,
            contact=contact,
            account=bank,
            on=on,
            line_kind="NoTax",
            lines=(line,),
            currency=bank.currency,
            created_at=at,
            updated_at=at,
            rate=self.rate(on, bank.currency),
            reference=description,
            is_reconciled=True,
        )

    def paper(self, contact: Contact, *, is_sale: bool, random: Random) -> Paper:
        """Write the lines of an offer, order or invoice: one to four for sales, else one or two."""
        currency = contact.currency or self._books.base_currency
        products = self.products if is_sale else PURCHASES
        line_kind = random.choices(("Exclusive", "Inclusive", "NoTax"), (78, 18, 4))[0]
        line_kind = self.style.line_kind(contact, line_kind)
        count = random.choice((1, 1, 2, 2, 3, 4) if is_sale else (1, 1, 1, 2))
        lines = tuple(
            self.line(
                random.choice(products),
                line_kind,
                currency=currency,
                is_sale=is_sale,
                random=random,
            )
            for _ in range(count + self._extra_lines * is_sale)
        )
        return Paper(line_kind, lines, currency)

    def order(self, supplier: Contact, random: Random) -> Paper:
        """Write the lines of an order: as on a bill, some of them for goods, some discounted."""
        paper = self.paper(supplier, is_sale=False, random=random)
        kind, currency = paper.line_kind, paper.currency
        lines = tuple(self.ordered(line, kind, currency=currency) for line in paper.lines)
        return replace(paper, lines=lines)

    def charged(
        self, line: Line, *, contact: Contact, source: Document, on: date, random: Random
    ) -> Paper:
        """Write the line of an invoice that charges a bill's line on, at what it cost."""
        currency = contact.currency or self._books.base_currency
        cost = places(line.net / source.rate * self.rate(on, currency), 2)
        account = self._books.account("260")
        is_foreign = currency != self._books.base_currency
        tax_type = self._land.export_tax if is_foreign else account.tax_type
        charged = compute_line(
            new_guid(random),
            kind="Exclusive",
            quantity=Decimal(1),
            price=cost,
            account=account,
            tax_type=tax_type,
            tax_rate=self._land.rate_of(tax_type),
            description=f"Charged on: {line.description}",
            tracking=line.tracking,
        )
        return Paper("Exclusive", (charged,), currency)

    def document(
        self, kind: str, contact: Contact, paper: Paper, *, on: date, at: datetime, random: Random
    ) -> Document:
        """Make an approved document without number or terms of what was written."""
        return Document(
            document_id=new_guid(random),
            type=kind,
            number="",
            contact=contact,
            on=on,
            due_date=on,
            line_kind=paper.line_kind,
            lines=paper.lines,
            currency=paper.currency,
            created_at=at,
            updated_at=at,
            rate=self.rate(on, paper.currency),
        )


def copied(paper: Paper, random: Random) -> Paper:
    """Return the same lines under ids of their own: what a quote says, an invoice says again."""
    lines = tuple(replace(line, line_id=new_guid(random)) for line in paper.lines)
    return replace(paper, lines=lines)
