"""One specimen of each kind of record, with every field filled, on shelves of its own."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from xero_sandbox.books.countries import COUNTRIES
from xero_sandbox.books.documents import (
    Allocation,
    BankTransaction,
    BankTransfer,
    BatchPayment,
    Contact,
    ContactPerson,
    Document,
    JournalLine,
    Line,
    ManualJournal,
    Payment,
    PaymentTerm,
    TrackingCategory,
    TrackingOption,
    compute_line,
)
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.paper_records import (
    Attachment,
    BrandingTheme,
    Budget,
    ContactGroup,
    Item,
    LinkedTransaction,
    PurchaseOrder,
    Quote,
    RepeatingInvoice,
    StaffMember,
)
from xero_sandbox.business.chart import chart_of_accounts
from xero_sandbox.wire.records import Shape
from xero_sandbox.wire.shelving import Shelving

AT = datetime(2026, 3, 19, 2, 44, 11, 967_000, tzinfo=UTC)
ON = date(2026, 3, 19)
DUE = date(2026, 4, 20)
_NUMBERS = count(1)


def guid() -> str:
    """A GUID that nothing else here has."""
    return str(uuid.UUID(int=next(_NUMBERS) << 64, version=4))


@dataclass
class Specimens:
    """Builds records on the chart of New Zealand, and shelves them when told."""

    shelving: Shelving = field(default_factory=Shelving)

    def __post_init__(self) -> None:
        self.land = COUNTRIES["NZ"]
        accounts = chart_of_accounts(self.land, new_id=guid, created_at=AT)
        self.accounts: dict[str, Account] = {account.code: account for account in accounts}
        self.region = TrackingCategory(guid(), "Region")
        self.north = TrackingOption(guid(), "North", self.region)
        self.region.options.append(self.north)
        self.contact = Contact(
            guid(), "Ngā Pou Ltd 🌙", AT, AT, email="pou@example.com", first_name="Mere",
            last_name="Pou", phone="123", city="Ōamaru", account_number="A1", tax_number="T1",
            currency="NZD", is_customer=True, is_supplier=True,
            persons=(ContactPerson("Sue", "Johnson", "sue@example.com"),),
            sales_terms=PaymentTerm(14, "DAYSAFTERBILLDATE"),
            bill_terms=PaymentTerm(20, "OFFOLLOWINGMONTH"),
        )  # fmt: skip

    def line(self, **changes: Any) -> Line:
        given: dict[str, Any] = {
            "kind": "Exclusive", "quantity": Decimal(2), "price": Decimal("20.1234"),
            "account": self.accounts["200"], "tax_type": "OUTPUT2", "tax_rate": Decimal(15),
            "description": "Beans", "item_code": "BEANS", "discount_rate": Decimal(10),
            "tracking": (self.north,),
        }  # fmt: skip
        return compute_line(guid(), **(given | changes))

    def document(self, kind: str, number: str = "INV-0001", **changes: Any) -> Document:
        given: dict[str, Any] = {
            "line_kind": "Exclusive", "lines": (self.line(),), "currency": "NZD",
            "created_at": AT, "updated_at": AT, "reference": "Red fish",
        }  # fmt: skip
        return Document(guid(), kind, number, self.contact, ON, DUE, **(given | changes))

    def payment(self, document: Document, **changes: Any) -> Payment:
        given: dict[str, Any] = {"created_at": AT, "updated_at": AT, "reference": "Paid"} | changes
        amounts = (document.total, document.total, Decimal("1.000000"))
        made = Payment(guid(), document, self.accounts["090"], ON, *amounts, **given)
        document.payments.append(made)
        return made

    def batch(self, *documents: Document) -> BatchPayment:
        payments = tuple(self.payment(document) for document in documents)
        made = BatchPayment(
            guid(), "RECBATCH", self.accounts["090"], ON, payments, AT, AT, reference="Batch"
        )
        for payment in payments:
            payment.batch = made
        return made

    def allocation(self, credit: Document, invoice: Document, on: date = DUE) -> Allocation:
        made = Allocation(guid(), credit, invoice, on, Decimal("1.00"))
        credit.allocations.append(made)
        invoice.allocations.append(made)
        return made

    def bank_transaction(self, kind: str = "RECEIVE", **changes: Any) -> BankTransaction:
        given: dict[str, Any] = {"reference": "Cash"} | changes
        return BankTransaction(
            guid(), kind, self.contact, self.accounts["090"], ON, "Exclusive", (self.line(),),
            "NZD", AT, AT, **given,
        )  # fmt: skip

    def bank_transfer(self) -> BankTransfer:
        made = BankTransfer(
            guid(), self.accounts["090"], self.accounts["091"], ON, Decimal("20.00"),
            Decimal("20.00"), AT, reference="Sub", tracking=(self.north,),
        )  # fmt: skip
        made.from_leg = self.bank_transaction("SPEND-TRANSFER", transfer=made)
        made.to_leg = self.bank_transaction("RECEIVE-TRANSFER", transfer=made)
        made.from_leg.contact = made.to_leg.contact = None
        return made

    def manual_journal(self) -> ManualJournal:
        lines = tuple(
            JournalLine(
                self.accounts[code], "Accrued", Decimal(amount), "NONE", Decimal("0.00"),
                Decimal(amount), (self.north,),
            )
            for code, amount in (("429", "100.00"), ("200", "-100.00"))
        )  # fmt: skip
        return ManualJournal(guid(), "Accruals", ON, lines, AT, AT, url="https://example.com")

    def quote(self) -> Quote:
        return Quote(
            quote_id=guid(), number="QU-0001", contact=self.contact, on=ON, expiry_date=DUE,
            line_kind="Exclusive", lines=(self.line(),), currency="NZD", created_at=AT,
            updated_at=AT, reference="Ref", title="Your quote", summary="Please",
            terms="Not valid later",
        )  # fmt: skip

    def purchase_order(self) -> PurchaseOrder:
        return PurchaseOrder(
            order_id=guid(), number="PO-0001", contact=self.contact, on=ON, delivery_date=DUE,
            line_kind="Exclusive", lines=(self.line(),), currency="NZD", created_at=AT,
            updated_at=AT, reference="Ref",
        )  # fmt: skip

    def repeating_invoice(self) -> RepeatingInvoice:
        return RepeatingInvoice(
            guid(), "ACCREC", self.contact, "Exclusive", (self.line(),), "NZD", ON, DUE, 1,
            "MONTHLY", 10, reference="[Week]", end_date=DUE,
        )  # fmt: skip

    def linked_transaction(self) -> LinkedTransaction:
        return LinkedTransaction(
            guid(), guid(), guid(), self.contact, AT, target_id=guid(), target_line_id=guid()
        )

    def item(self) -> Item:
        return Item(
            guid(), "BEANS", "Beans", AT, description="Roasted", purchase_description="Green",
            sale_price=Decimal(50), sale_account=self.accounts["200"], sale_tax_type="OUTPUT2",
            purchase_price=Decimal(25), purchase_account=self.accounts["310"],
            purchase_tax_type="INPUT2", inventory_account=self.accounts["710"],
            quantity=Decimal(10), cost_pool=Decimal("250.00"),
        )  # fmt: skip

    def budget(self) -> Budget:
        months = {date(2026, month, 1): Decimal(month) for month in range(1, 13)}
        amounts = {self.accounts["200"].account_id: months}
        return Budget(guid(), "TRACKING", "North", AT, amounts, (self.north,))

    def contact_group(self) -> ContactGroup:
        return ContactGroup(guid(), "Oasis", [self.contact])

    def branding_theme(self) -> BrandingTheme:
        return BrandingTheme(guid(), "Standard", 0, AT)

    def user(self) -> StaffMember:
        return StaffMember(guid(), "ava@example.com", "Ava", "Ngata", "STANDARD", AT)

    def attachment(self) -> Attachment:
        return Attachment(guid(), "scan 1.png", "image/png", 7)

    def shelve_all(self) -> None:
        """Put one complete specimen of every kind of record on its shelf."""
        shelving = self.shelving
        shelving.begin_day(date(2026, 5, 1))
        shelving.organisation(guid(), {"Name": "Specimens"})
        shelving.settings(self.land, ("NZD",))
        shelving.account(self.accounts["090"])
        shelving.contact(self.contact)
        shelving.contact_group(self.contact_group())
        shelving.tracking_category(self.region)
        shelving.branding_theme(self.branding_theme())
        shelving.user(self.user())
        shelving.item(self.item())
        shelving.budget(self.budget())
        invoice = self.document("ACCREC", is_sent=True, repeating_id=guid(), fully_paid_on=DUE)
        open_invoice = self.document("ACCREC", "INV-0002")
        self.contact.open_documents[open_invoice.document_id] = open_invoice
        batch = self.batch(invoice)
        shelving.batch_payment(batch)
        for payment in batch.payments:
            shelving.payment(payment)
        for kind in ("ACCRECCREDIT", "RECEIVE-OVERPAYMENT", "RECEIVE-PREPAYMENT"):
            credit = self.document(kind, "CN-0001", fully_paid_on=DUE)
            self.payment(credit)
            self.allocation(credit, invoice)
            shelving.document(credit)
            shelving.attached(credit.document_id, [self.attachment()])
        shelving.document(invoice)
        received = self.bank_transaction("RECEIVE-PREPAYMENT", credit=credit)
        shelving.bank_transaction(received)
        transfer = self.bank_transfer()
        shelving.bank_transfer(transfer)
        shelving.manual_journal(self.manual_journal())
        shelving.quote(self.quote())
        shelving.purchase_order(self.purchase_order())
        shelving.repeating_invoice(self.repeating_invoice())
        shelving.linked_transaction(self.linked_transaction())
        for resource, shelf in shelving.shelves.items():
            if resource in _WITH_FILES:
                for entry in shelf.ordered():
                    shelving.attached(entry.record_id, [self.attachment()])

    def spelled(self, resource: str, shape: Shape) -> dict[str, Any]:
        """The first record of a resource."""
        return self.shelving.shelves[resource].ordered()[0].body(shape)


_WITH_FILES = (
    "Accounts",
    "BankTransactions",
    "BankTransfers",
    "Contacts",
    "Invoices",
    "ManualJournals",
    "PurchaseOrders",
    "RepeatingInvoices",
)


def complete() -> Specimens:
    """Specimens of everything, shelved."""
    made = Specimens()
    made.shelve_all()
    return made
