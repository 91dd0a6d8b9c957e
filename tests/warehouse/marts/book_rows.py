"""What the sandbox's books say of each record, with the columns of the mart that has it.

Knows the books and the names of columns; what a figure is worth in base currency is computed here
anew. Must not know a model.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeAlias

from xero_sandbox.books.documents import Document
from xero_sandbox.books.lines import Line
from xero_sandbox.books.paper_records import PurchaseOrder, Quote
from xero_sandbox.business.company import Company

Row: TypeAlias = tuple[Any, ...]

APPROVED = {"AUTHORISED", "PAID"}
INVOICES = {"ACCREC": "receivables", "ACCPAY": "payables"}
CREDIT_NOTES = {"ACCRECCREDIT": "receivables", "ACCPAYCREDIT": "payables"}


def in_base(amount: Decimal, rate: Decimal) -> Decimal:
    """An amount in base currency; half a cent goes up."""
    return (amount / rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


def of_types(company: Company, types: Iterable[str]) -> list[Document]:
    return [each for each in company.books.documents.values() if each.type in types]


def line_of(line: Line) -> Row:
    """Prices have two decimals where nobody asks for four."""
    return (
        *(line.line_id, line.account.account_id, line.item_code or None, line.description),
        *(line.quantity, in_base(line.price, Decimal(1)), line.net, line.tax, line.tax_type),
    )


LINE = (
    *("line_item_id", "account_id", "item_code", "description"),
    *("quantity", "unit_amount", "net_amount", "tax_amount", "tax_type"),
)


def lines_of(company: Company, ledgers: Mapping[str, str]) -> Iterator[Row]:
    """The lines of the documents of these types, each with the ledger of its document."""
    for each in of_types(company, ledgers):
        for number, line in enumerate(each.lines, start=1):
            yield (
                *(each.document_id, number, ledgers[each.type], each.on, each.status),
                *(each.counts, each.currency, each.contact.contact_id, *line_of(line)),
            )


def invoice_lines(company: Company) -> Iterator[Row]:
    yield from lines_of(company, INVOICES)


def credit_note_lines(company: Company) -> Iterator[Row]:
    yield from lines_of(company, CREDIT_NOTES)


def credit_notes(company: Company) -> Iterator[Row]:
    for each in of_types(company, CREDIT_NOTES):
        yield (
            *(each.document_id, each.type, CREDIT_NOTES[each.type], each.on, each.number),
            *(each.contact.contact_id, each.status, each.counts, each.currency, each.rate),
            *(each.sub_total, each.total_tax, each.total, each.due),
            *(
                in_base(amount, each.rate)
                for amount in (each.sub_total, each.total_tax, each.total)
            ),
        )


def credit_allocations(company: Company) -> Iterator[Row]:
    """One row for what a credit gave an invoice, however often."""
    given: dict[tuple[Document, Document], Decimal] = defaultdict(Decimal)
    for each in company.books.allocations.values():
        given[each.credit, each.invoice] += each.amount
    for (credit, invoice), amount in given.items():
        kind = credit.type.split("-")[-1].lower() if "-" in credit.type else "credit_note"
        yield (
            *(invoice.document_id, kind, credit.document_id, INVOICES[invoice.type]),
            *(invoice.contact.contact_id, max(credit.on, invoice.on), invoice.currency, amount),
            *(in_base(amount, invoice.rate), in_base(amount, credit.rate)),
        )


def bank_transactions(company: Company) -> Iterator[Row]:
    for each in company.books.bank_transactions.values():
        yield (
            *(each.transaction_id, each.type, each.type.endswith("-TRANSFER"), each.on),
            *(("received", 1) if each.is_receipt else ("spent", -1)),
            *(each.contact.contact_id if each.contact else None, each.account.account_id),
            *(each.status, each.status in APPROVED, each.is_reconciled, each.currency, each.rate),
            *(each.sub_total, each.total_tax, each.total),
            *(
                in_base(amount, each.rate)
                for amount in (each.sub_total, each.total_tax, each.total)
            ),
        )


def bank_transaction_lines(company: Company) -> Iterator[Row]:
    for each in company.books.bank_transactions.values():
        for number, line in enumerate(each.lines, start=1):
            yield (
                *(each.transaction_id, number, each.on, each.status, each.currency),
                *line_of(line),
            )


def bank_transfers(company: Company) -> Iterator[Row]:
    for each in company.books.bank_transfers.values():
        yield (
            *(each.transfer_id, each.from_account.account_id, each.to_account.account_id),
            *(each.on, each.status == "AUTHORISED", each.amount),
        )


def manual_journals(company: Company) -> Iterator[Row]:
    for each in company.books.manual_journals.values():
        for number, line in enumerate(each.lines, start=1):
            yield (
                *(each.journal_id, number, each.on, each.narration, each.status, each.counts),
                *(each.show_on_cash_basis, line.account.account_id, line.description),
                *(line.net, line.tax),
            )


def proposed(each: Quote | PurchaseOrder) -> Row:
    net = sum((line.net for line in each.lines), Decimal(0))
    return (
        *(each.number, each.contact.contact_id, each.status, each.on, each.currency),
        *(net, each.total - net, each.total, in_base(each.total, each.rate)),
    )


def quotes(company: Company) -> Iterator[Row]:
    for each in company.books.quotes.values():
        yield (each.quote_id, each.expiry_date, each.title, *proposed(each))


def purchase_orders(company: Company) -> Iterator[Row]:
    for each in company.books.purchase_orders.values():
        is_approved = each.status in {"AUTHORISED", "BILLED"}
        yield (each.order_id, each.delivery_date, is_approved, *proposed(each))


def items(company: Company) -> Iterator[Row]:
    for each in company.books.items.values():
        yield (
            *(each.item_id, each.code, each.name, each.is_tracked),
            *((each.quantity, each.cost_pool) if each.is_tracked else (None, None)),
            *(each.sale_price, each.sale_account.code if each.sale_account else None),
            *(each.purchase_price, each.purchase_account.code if each.purchase_account else None),
            each.inventory_account.code if each.inventory_account else None,
        )


def currencies(company: Company) -> Iterator[Row]:
    for code in company.books.currencies:
        yield code, code == company.books.base_currency


def tracking_options(company: Company) -> Iterator[Row]:
    for category in company.books.tracking_categories.values():
        for option in category.options:
            is_archived = "ARCHIVED" in (category.status, option.status)
            yield (
                *(option.option_id, option.name, category.category_id, category.name),
                is_archived,
            )


PAPER = (
    *("contact_id", "status"),
    *("currency_code", "net_amount", "tax_amount", "total_amount", "total_base_amount"),
)
# Each mart: its columns, and the books' own rows with the same ones.
FACTS: Mapping[str, tuple[tuple[str, ...], Callable[[Company], Iterator[Row]]]] = {
    "fct_invoice_lines": (
        (
            *("invoice_id", "line_number", "ledger", "invoice_date", "status"),
            *("is_approved", "currency_code", "contact_id", *LINE),
        ),
        invoice_lines,
    ),
    "fct_credit_notes": (
        (
            *("credit_note_id", "credit_note_type", "ledger", "credit_note_date"),
            *("credit_note_number", "contact_id", "status", "is_approved", "currency_code"),
            *("currency_rate", "net_amount", "tax_amount", "total_amount", "remaining_amount"),
            *("net_base_amount", "tax_base_amount", "total_base_amount"),
        ),
        credit_notes,
    ),
    "fct_credit_note_lines": (
        (
            *("credit_note_id", "line_number", "ledger", "credit_note_date", "status"),
            *("is_approved", "currency_code", "contact_id", *LINE),
        ),
        credit_note_lines,
    ),
    "fct_credit_allocations": (
        (
            *("invoice_id", "credit_kind", "credit_id", "ledger", "contact_id"),
            *("allocation_date", "currency_code", "amount"),
            *("invoice_base_amount", "credit_base_amount"),
        ),
        credit_allocations,
    ),
    "fct_bank_transactions": (
        (
            *("bank_transaction_id", "bank_transaction_type", "is_transfer", "transaction_date"),
            *("direction", "sign", "contact_id", "account_id", "status", "is_approved"),
            *("is_reconciled", "currency_code", "currency_rate", "net_amount", "tax_amount"),
            *("total_amount", "net_base_amount", "tax_base_amount", "total_base_amount"),
        ),
        bank_transactions,
    ),
    "fct_bank_transaction_lines": (
        (
            "bank_transaction_id",
            "line_number",
            "transaction_date",
            "status",
            "currency_code",
            *LINE,
        ),
        bank_transaction_lines,
    ),
    "fct_bank_transfers": (
        (
            *("bank_transfer_id", "from_account_id", "to_account_id", "transfer_date"),
            *("is_approved", "amount"),
        ),
        bank_transfers,
    ),
    "fct_manual_journals": (
        (
            *("manual_journal_id", "line_number", "journal_date", "narration", "status"),
            *("is_posted", "is_on_cash_basis", "account_id", "description", "base_amount"),
            "tax_base_amount",
        ),
        manual_journals,
    ),
    "fct_quotes": (
        ("quote_id", "expiry_date", "title", "quote_number", *PAPER[:2], "quote_date", *PAPER[2:]),
        quotes,
    ),
    "fct_purchase_orders": (
        (
            *("purchase_order_id", "delivery_date", "is_approved", "purchase_order_number"),
            *(*PAPER[:2], "purchase_order_date", *PAPER[2:]),
        ),
        purchase_orders,
    ),
    "dim_items": (
        (
            *("item_id", "item_code", "item_name", "is_tracked", "on_hand_quantity"),
            *("inventory_base_amount", "sales_unit_amount", "sales_account_code"),
            *("purchase_unit_amount", "purchase_account_code", "inventory_account_code"),
        ),
        items,
    ),
    "dim_currencies": (("currency_code", "is_base_currency"), currencies),
    "dim_tracking_options": (
        (
            *("tracking_option_id", "tracking_option_name", "tracking_category_id"),
            *("tracking_category_name", "is_archived"),
        ),
        tracking_options,
    ),
}
