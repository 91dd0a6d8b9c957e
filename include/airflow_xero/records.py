"""Single records of one organisation, on demand: what a Dag author asks Xero for by name.

Knows what can be asked, and checks every id, number and name before it becomes part of an
address. Must not know limits, retries or tokens (`client.py`), Postgres or Airflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from airflow_xero.answers import moment_of
from airflow_xero.asking import (
    Param,
    code,
    equals,
    groups,
    guid,
    is_guid,
    is_one_part,
    number_of,
    spelled,
)
from airflow_xero.client import XeroClient
from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import (
    BadRequestError,
    NotFoundError,
    UnexpectedPayloadError,
    XeroError,
    XeroSetupError,
)
from airflow_xero.offers import (
    ATTACHMENT_SCOPES,
    NUMBER_FIELDS,
    PUBLISHED_REPORTS,
    WITH_ATTACHMENTS,
    WITH_CODES,
    WITH_HISTORY,
    WITH_PDF,
    WITHOUT_ROUTE_BY_ID,
    endpoint_named,
    report_named,
)
from airflow_xero.page import Answer, Page, records_in

__all__ = ["Param", "Record", "Records"]

Record: TypeAlias = dict[str, Any]
"""A record as Xero spells it; a number with a point is a Decimal, never a float."""

_PDF = "application/pdf"
_FILE = "application/octet-stream"
_WITH_IDS_FILTER = ("contacts", "invoices")


class Records:
    """Asks Xero for single records of one organisation; nothing is stored.

    An endpoint is named as in `endpoints.py` (`credit_notes`) or as Xero does (`CreditNotes`). Each
    method raises XeroSetupError for what Xero cannot be asked, NotFoundError naming what Xero does
    not know, ScopeMissingError naming the scope, and the other classes of `errors.py`; a short
    wait for a limit happens inside, a long one is RateLimitError.
    """

    def __init__(self, client: XeroClient, tenant_id: str) -> None:
        self._client = client
        self._tenant_id = tenant_id

    def get(self, endpoint: str, record_id: str | UUID, **params: Param) -> Record:
        """One record by its id (a GUID; of a tax rate its `TaxType`), with lines and details.

        `params` are Xero's own, such as `DateFrom` and `DateTo` of a budget. One call.
        """
        row = endpoint_named(endpoint)
        if row.name in WITHOUT_ROUTE_BY_ID:
            raise XeroSetupError(
                f"Xero gives {row.name} as a whole list only: read xero_raw.{row.name}"
            )
        key = code(record_id, row.id_field) if row.name in WITH_CODES else guid(record_id, row.name)
        found = self._listed(row, key, what=f"{row.name} {key}", params=params)
        for record in found:
            if str(record.get(row.id_field, "")).casefold() == key.casefold():
                return record
        raise _missing(f"{row.name} {key}", row, self._tenant_id)

    def several(self, endpoint: str, record_ids: Iterable[str | UUID]) -> list[Record]:
        """Records by their ids, in that order; unknown ones are left out.

        Invoices and contacts cost a call for some 30, others a call each.
        """
        row = endpoint_named(endpoint)
        keys = list(dict.fromkeys(guid(each, row.name).lower() for each in record_ids))
        found: dict[str, Record] = {}
        if row.name in _WITH_IDS_FILTER:
            for group in groups(keys):
                for record in self._walk(row, {"IDs": ",".join(group)}):
                    found[str(record.get(row.id_field, "")).lower()] = record
        else:
            for key in keys:
                with suppress(NotFoundError):
                    found[key] = self.get(row.name, key)
        return [found[key] for key in keys if key in found]

    def numbered(self, endpoint: str, *numbers: str) -> list[Record]:
        """Documents by the numbers that people see, in that order; unknown ones are left out.

        Of invoices, credit notes, quotes and purchase orders. Bills may share a number: then all
        of them come. Case does not matter.
        """
        row = endpoint_named(endpoint, among=NUMBER_FIELDS, has="numbers")
        wanted = list(dict.fromkeys(number_of(each) for each in numbers))
        found = list(self._found_by_number(row, wanted))
        field = NUMBER_FIELDS[row.name]
        return [
            record
            for number in dict.fromkeys(each.casefold() for each in wanted)
            for record in _unlike(found, row.id_field)
            if str(record.get(field, "")).strip().casefold() == number
        ]

    def invoices_of(self, contact_id: str | UUID) -> Iterator[Record]:
        """Every invoice and bill of a contact, with lines, in any status; 1,000 a call.

        None for a contact that Xero does not know.
        """
        row = endpoint_named("invoices")
        return self._walk(row, {"ContactIDs": guid(contact_id, "contacts")})

    def changed(
        self, endpoint: str, *, since: datetime, until: datetime | None = None
    ) -> Iterator[Record]:
        """Records that Xero stamped as changed from `since` on and before `until` (both aware)."""
        stamped = [each.name for each in ENDPOINTS if each.reading is Reading.CHANGES]
        row = endpoint_named(endpoint, among=stamped, has="list of changes")
        for record in self._walk(row, {}, since=since):
            changed_at = moment_of(record.get("UpdatedDateUTC"))
            # Xero gives a few more: it compares whole seconds.
            is_early = changed_at is not None and changed_at < since
            is_late = changed_at is not None and until is not None and changed_at >= until
            if not is_early and not is_late:
                yield record

    def history(self, endpoint: str, record_id: str | UUID) -> list[Record]:
        """What happened to a record, newest first: Changes, DateUTC, User, Details."""
        row = endpoint_named(endpoint, among=WITH_HISTORY, has="history")
        key = guid(record_id, row.name)
        of_record = replace(row, array_key="HistoryRecords", params={})
        return self._listed(of_record, key, "History", what=f"{row.name} {key}")

    def attachments(self, endpoint: str, record_id: str | UUID) -> list[Record]:
        """The files that hang on a record: AttachmentID, FileName, MimeType, ContentLength."""
        row, key = _with_attachments(endpoint), guid(record_id, endpoint)
        return self._listed(row, key, "Attachments", what=f"{row.name} {key}")

    def attachment(self, endpoint: str, record_id: str | UUID, attachment_id: str | UUID) -> bytes:
        """The bytes of one file, by its AttachmentID."""
        row, key = _with_attachments(endpoint), guid(record_id, endpoint)
        file = guid(attachment_id, "attachments")
        what = f"attachment {file} of {row.name} {key}"
        return self._ask(row, key, "Attachments", file, what=what, accept=_FILE).body

    def pdf(self, endpoint: str, record_id: str | UUID) -> bytes:
        """The PDF of an invoice, credit note, quote or purchase order.

        BadRequestError where Xero makes none, as of a draft.
        """
        row = endpoint_named(endpoint, among=WITH_PDF, has="PDF")
        key = guid(record_id, row.name)
        what = f"{row.name} {key}"
        try:
            answer = self._ask(replace(row, params={}), key, what=what, accept=_PDF)
        except BadRequestError as error:
            raise _like(
                error, f"Xero makes no PDF of {what}, as of a draft or a bill: {error.message}"
            ) from None
        if not answer.body.startswith(b"%PDF-") or b"%%EOF" not in answer.body[-1024:]:
            raise self._unexpected(row, answer, f"The PDF of {what} is none, or not all of it")
        return answer.body

    def report(self, name: str, **params: Param) -> Record:
        """One of Xero's reports by Xero's name (`BalanceSheet`) or its endpoint's.

        `params` are Xero's own, such as `date`, `periods` or `paymentsOnly`; a name that the report
        does not have is refused, because Xero would ignore it. A published report, such as a return
        of sales tax, is named by its id (see `published_reports`).
        """
        if is_guid(name):
            found = self._listed(PUBLISHED_REPORTS, name, what=f"published report {name}")
            return self._first(found, PUBLISHED_REPORTS, what=f"published report {name}")
        offer = report_named(name)
        if unknown := set(params) - set(offer.params):
            raise XeroSetupError(
                f"{offer.endpoint.path} cannot be asked for {', '.join(sorted(unknown))}, only"
                f" for: {', '.join(offer.params)}"
            )
        found = self._listed(offer.endpoint, what=offer.endpoint.path, params=params)
        return self._first(found, offer.endpoint, what=offer.endpoint.path)

    def published_reports(self) -> list[Record]:
        """The reports that somebody published in Xero, with their ids."""
        return self._listed(PUBLISHED_REPORTS, what="published reports")

    def _found_by_number(self, row: Endpoint, numbers: list[str]) -> Iterator[Record]:
        if row.name == "invoices":
            # The parts of that filter are separated by commas.
            plain = [number for number in numbers if "," not in number]
            for group in groups(plain):
                yield from self._walk(row, {"InvoiceNumbers": ",".join(group)})
            for number in (each for each in numbers if "," in each):
                yield from self._walk(row, {"where": equals(NUMBER_FIELDS[row.name], number)})
        elif row.name == "quotes":
            for number in numbers:
                yield from self._walk(row, {"QuoteNumber": number})
        elif row.name == "purchase_orders":
            yield from self._purchase_orders(row, numbers)
        else:
            for number in numbers:
                yield from self._walk(row, {"where": equals(NUMBER_FIELDS[row.name], number)})

    def _purchase_orders(self, row: Endpoint, numbers: list[str]) -> Iterator[Record]:
        for number in (each for each in numbers if is_one_part(each)):
            with suppress(NotFoundError):
                yield from self._listed(row, number, what=f"{row.name} {number}")
        if not all(map(is_one_part, numbers)):
            # No address can hold these, and there is no filter: look through all of them.
            yield from self._walk(row, {})

    def _walk(
        self, row: Endpoint, params: Mapping[str, str], *, since: datetime | None = None
    ) -> Iterator[Record]:
        for page in self._client.pages(row, self._tenant_id, since=since, params=params):
            yield from self._records_of(page)

    def _records_of(self, page: Page) -> list[Record]:
        records = records_in(page.body, page.endpoint.array_key)
        if records is None:
            raise page.unexpected(f"{page.endpoint.array_key} is no list")
        return records

    def _listed(
        self, row: Endpoint, *below: str, what: str, params: Mapping[str, Param] | None = None
    ) -> list[Record]:
        answer = self._ask(row, *below, what=what, params=params)
        records = records_in(answer.body, row.array_key)
        if records is None or not all(isinstance(each, dict) for each in records):
            raise self._unexpected(row, answer, f"The answer about {what} lacks {row.array_key}")
        return records

    def _ask(
        self,
        row: Endpoint,
        *below: str,
        what: str,
        params: Mapping[str, Param] | None = None,
        accept: str = "application/json",
    ) -> Answer:
        query = {name: spelled(value) for name, value in (params or {}).items()}
        try:
            return self._client.ask(row, self._tenant_id, below=below, params=query, accept=accept)
        except NotFoundError as error:
            raise _like(error, _unknown(what)) from None

    def _first(self, found: list[Record], row: Endpoint, *, what: str) -> Record:
        if not found:
            raise _missing(what, row, self._tenant_id)
        return found[0]

    def _unexpected(self, row: Endpoint, answer: Answer, message: str) -> UnexpectedPayloadError:
        return UnexpectedPayloadError(
            f"{message}; please report it",
            tenant_id=self._tenant_id,
            endpoint=row.name,
            correlation_id=answer.correlation_id,
        )


def _with_attachments(endpoint: str) -> Endpoint:
    row = endpoint_named(endpoint, among=WITH_ATTACHMENTS, has="attachments")
    # A refusal names the scopes of the endpoint, and attachments have one of their own.
    return replace(row, array_key="Attachments", params={}, scopes=ATTACHMENT_SCOPES)


def _unlike(records: list[Record], id_field: str) -> Iterable[Record]:
    """Each record once, though two questions may have found it."""
    return {str(record.get(id_field)): record for record in records}.values()


def _missing(what: str, row: Endpoint, tenant_id: str) -> NotFoundError:
    return NotFoundError(_unknown(what), tenant_id=tenant_id, endpoint=row.name)


def _unknown(what: str) -> str:
    return f"Xero knows no {what} in this organisation: it was deleted, or is another one's"


def _like(error: XeroError, message: str) -> XeroError:
    """The same error in other words."""
    return type(error)(
        message,
        tenant_id=error.tenant_id,
        endpoint=error.endpoint,
        status=error.status,
        correlation_id=error.correlation_id,
    )
