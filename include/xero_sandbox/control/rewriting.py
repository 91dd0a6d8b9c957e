"""Answers of the real handler, changed on the way out; and records changed right after.

Knows the shape of Xero's answers: an envelope with one array of records, or a bare array. Must
not know which call gets a change (`faults.py`). An answer without a record stays as it is.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from xero_sandbox.control.faults import Fault
from xero_sandbox.errors import ControlError
from xero_sandbox.wire.format import dump
from xero_sandbox.world import World

logger = logging.getLogger("xero_sandbox")

_Record = dict[str, Any]

# The first one that a record has is the one to rewrite.
_ENUMS = ("Status", "ContactStatus", "OrganisationStatus", "Type", "SourceType", "tenantType")
_TEXTS = ("Reference", "Name", "Narration", "Description", "FileName", "tenantName")
_NEW_VALUE = "BRANDNEWVALUE"
_NEW_FIELD = "BrandNewField"

# How a record of each array is edited: the action, its own id, the field that changes.
EDITS: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "Accounts": ("edit_account", "AccountID", "description"),
        "BankTransactions": ("edit_bank_transaction", "BankTransactionID", "reference"),
        "Contacts": ("edit_contact", "ContactID", "city"),
        "CreditNotes": ("edit_invoice", "CreditNoteID", "reference"),
        "Invoices": ("edit_invoice", "InvoiceID", "reference"),
        "ManualJournals": ("edit_manual_journal", "ManualJournalID", "narration"),
        # A payment cannot be edited, only deleted; that moves it, too.
        "Payments": ("delete_payment", "PaymentID", ""),
    }
)


def rewritten(response: Response, fault: Fault) -> Response:
    """The response with one of its records changed as the fault says; spelled as before."""
    body = _json_of(response)
    _, records = _records_of(body)
    if not records:
        return response
    if fault.kind == "empty_list":
        _empty(body, records)
    else:
        _rewrite(_picked(records, fault.record), fault)
    headers = {k: v for k, v in response.headers.items() if k.casefold() != "content-length"}
    return Response(dump(body), response.status_code, headers=headers)


async def edit_between_pages(
    world: World, tenant_id: str, *, response: Response, record: int, generation: int
) -> None:
    """Edit a record of the response through its organisation's books, as a person might.

    Its UpdatedDateUTC becomes now, so that it moves to the end of the list. Where the asked
    record cannot be edited (it is voided, say) the next one that can is taken.
    """
    key, records = _records_of(_json_of(response))
    if key not in EDITS or not records:
        logger.warning("event=not_edited tenant_id=%s reason=no_record key=%s", tenant_id, key)
        return
    action, id_field, changed = EDITS[key]
    start = records.index(_picked(records, record))
    async with world.turn(tenant_id, generation):
        text = f"Edited between two pages at {world.business.now():%H:%M:%S.%f}"
        for each in (*records[start:], *records[:start]):
            try:
                fields = {"id": str(each[id_field])} | ({changed: text} if changed else {})
                await run_in_threadpool(world.act, tenant_id, action, fields, generation=generation)
            except ControlError as error:
                logger.info("event=not_edited tenant_id=%s reason=%s", tenant_id, error)
            else:
                return


def _empty(body: Any, records: list[_Record]) -> None:
    records.clear()
    if isinstance(body, dict) and "pagination" in body:
        body["pagination"] |= {"pageCount": 0, "itemCount": 0}


def _rewrite(record: _Record, fault: Fault) -> None:
    match fault.kind:
        case "unknown_enum":
            record[fault.field or _first(record, _ENUMS)] = fault.value or _NEW_VALUE
        case "unknown_field":
            record[fault.field or _NEW_FIELD] = fault.value or "new"
        case "nul_character":
            field = fault.field or _first(record, _TEXTS)
            text = fault.value or str(record.get(field, ""))
            record[field] = f"{text[: len(text) // 2]}\0{text[len(text) // 2 :]}"


def _first(record: _Record, names: Sequence[str]) -> str:
    return next((name for name in names if isinstance(record.get(name), str)), names[0])


def _picked(records: list[_Record], wanted: int) -> _Record:
    """The record of this index, or the nearest to it."""
    return records[max(-len(records), min(wanted, len(records) - 1))]


def _json_of(response: Response) -> Any:
    try:
        return json.loads(bytes(response.body), parse_float=Decimal)
    except ValueError:
        # A file or a PDF holds no record.
        return None


def _records_of(body: Any) -> tuple[str, list[_Record]]:
    """The array of records within an answer, and its key (blank for a bare array)."""
    arrays = {"": body} if isinstance(body, list) else body if isinstance(body, dict) else {}
    for key, value in arrays.items():
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return str(key), value
    return "", []
