"""What many records share on the wire: lines, tracking, stubs, attachments, moments.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know which record a part stands in, the ledger, HTTP or how documents come about.
Amounts stay decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from urllib.parse import quote

from xero_sandbox.books.documents import CREDIT_NOTE_TYPES, Document, Line, TrackingOption
from xero_sandbox.books.money import places
from xero_sandbox.books.paper_records import Attachment, ContactGroup
from xero_sandbox.wire.attached_files import bytes_of
from xero_sandbox.wire.records import Body, Shape

_FILES_URL = "https://api.xero.com/api.xro/2.0"


@dataclass(slots=True)
class Surroundings:
    """What a record shows although it is no part of the record itself.

    `today` is the organisation's own date. `theme_id` is the branding theme that papers for
    customers have, empty without one. `attachments` are by record id, `groups` by contact id and
    then group id.
    """

    today: date = date.min
    theme_id: str = ""
    attachments: dict[str, Sequence[Attachment]] = field(default_factory=dict)
    groups: dict[str, dict[str, ContactGroup]] = field(default_factory=dict)


def moment_text(at: datetime) -> str:
    """`2026-11-20T03:04:05Z`, the companion of UpdatedDateUTC."""
    at = at.astimezone(UTC)
    return (
        f"{at.year:04d}-{at.month:02d}-{at.day:02d}T{at.hour:02d}:{at.minute:02d}:{at.second:02d}Z"
    )


def line(record: Line, shape: Shape, *, with_account_id: bool = False) -> Body:
    """Spell a line; unit prices have four decimals only where `unitdp=4` asked for them."""
    body: Body = {}
    if record.item_code:
        body["ItemCode"] = record.item_code
    body["Description"] = record.description
    body["UnitAmount"] = places(record.price, 4 if shape.has_four_decimals else 2)
    body["TaxType"] = record.tax_type
    body["TaxAmount"] = record.tax
    body["LineAmount"] = record.amount
    body["AccountCode"] = record.account.code
    body["Tracking"] = tracking_of_line(record.tracking, shape)
    body["Quantity"] = places(record.quantity, 4)
    if record.discount_rate:
        body["DiscountRate"] = record.discount_rate
    body["LineItemID"] = record.line_id
    if with_account_id:
        body["AccountID"] = record.account.account_id
    return body


def lines(records: Sequence[Line], shape: Shape, *, with_account_id: bool = False) -> list[Body]:
    """Spell the lines of a document; an unpaged list has none."""
    if shape.is_light:
        return []
    return [line(each, shape, with_account_id=with_account_id) for each in records]


def tracking_of_line(options: Sequence[TrackingOption], shape: Shape = Shape.ONE) -> list[Body]:
    """Spell what a line is tracked by; a page names the option only, without its id."""
    return [_tracked(option, shape) for option in options]


def _tracked(option: TrackingOption, shape: Shape) -> Body:
    body: Body = {
        "Name": option.category.name,
        "Option": option.name,
        "TrackingCategoryID": option.category.category_id,
    }
    if shape.is_one:
        return body | {"TrackingOptionID": option.option_id}
    return body | {"Options": []}


def tracking(options: Sequence[TrackingOption]) -> list[Body]:
    """Spell what a transfer, a budget or the line of a quote is tracked by."""
    return [
        {
            "TrackingCategoryID": option.category.category_id,
            "TrackingOptionID": option.option_id,
            "Name": option.category.name,
            "Option": option.name,
        }
        for option in options
    ]


def discount_of(records: Sequence[Line]) -> Decimal:
    """Return what the discounts of the lines take away, in the document's currency."""
    whole = (places(each.quantity * each.price, 2) - each.amount for each in records)
    return sum(
        (taken for taken, each in zip(whole, records, strict=True) if each.discount_rate),
        start=Decimal("0.00"),
    )


def document_kind(record: Document) -> str:
    """Return what Xero calls it where it stands inside another record: `CreditNote`, …."""
    if record.type in CREDIT_NOTE_TYPES:
        return "CreditNote"
    if record.type.endswith("-PREPAYMENT"):
        return "Prepayment"
    return "Overpayment" if record.type.endswith("-OVERPAYMENT") else "Invoice"


def invoice_stub(record: Document, **more: object) -> Body:
    """Spell an invoice inside another record: its empty lists mean nothing."""
    return {
        "InvoiceID": record.document_id,
        **more,
        "Payments": [],
        "CreditNotes": [],
        "Prepayments": [],
        "Overpayments": [],
        "HasErrors": False,
        "IsDiscounted": False,
        "LineItems": [],
    }


def attachments(path: str, record_id: str, around: Surroundings) -> list[Body]:
    """Spell the attachments inside a record; `path` is how Xero writes its resource there."""
    return [
        attachment(each, attachment_url(path, record_id, each.file_name))
        for each in around.attachments.get(record_id, ())
    ]


def attachment_url(path: str, record_id: str, file_name: str) -> str:
    """Return where the bytes of an attachment can be read."""
    return f"{_FILES_URL}/{path}/{record_id}/Attachments/{quote(file_name)}"


def attachment(record: Attachment, url: str) -> Body:
    """Spell one attachment."""
    return {
        "AttachmentID": record.attachment_id,
        "FileName": record.file_name,
        "Url": url,
        "MimeType": record.mime_type,
        "ContentLength": len(bytes_of(record)),
    }
