"""Single records of one organisation, on demand: what a Dag author asks Xero for by name.

Knows what can be asked, and checks every id, number and name before it becomes part of an
address. Must not know limits, retries or tokens (`client.py`), Postgres or Airflow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from airflow_xero.answers import moment_of
from airflow_xero.asking import (
    Param,
    aware,
    code,
    equals,
    groups,
    guid,
    is_guid,
    is_one_part,
    number_of,
)
from airflow_xero.client import XeroClient
from airflow_xero.endpoint import Endpoint, Reading
from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import BadRequestError, NotFoundError, XeroSetupError
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
from airflow_xero.record_answers import Record, RecordAnswers, like

__all__ = ["Param", "Record", "Records"]

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
        self._answers = RecordAnswers(client, tenant_id)

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
        found = self._answers.listed(row, key, what=f"{row.name} {key}", params=params)
        for record in found:
            if str(record.get(row.id_field, "")).casefold() == key.casefold():
                return record
        raise self._answers.missing(row, what=f"{row.name} {key}")

    def several(self, endpoint: str, record_ids: Iterable[str | UUID]) -> list[Record]:
        """Records by their ids, in that order; unknown ones are left out.

        Invoices and contacts cost a call for some 30, others a call each.
        """
        row = endpoint_named(endpoint)
        keys = list(dict.fromkeys(guid(each, row.name).lower() for each in record_ids))
        found: dict[str, Record] = {}
        if row.name in _WITH_IDS_FILTER:
            for group in groups(keys):
                for record in self._answers.walk(row, {"IDs": ",".join(group)}):
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
        return self._answers.walk(row, {"ContactIDs": guid(contact_id, "contacts")})

    def changed(
        self, endpoint: str, *, since: datetime, until: datetime | None = None
    ) -> Iterator[Record]:
        """Records that Xero stamped as changed from `since` on and before `until`.

        Raises XeroSetupError, before anything is asked, for a moment without a time zone.
        """
        stamped = [each.name for each in ENDPOINTS if each.reading is Reading.CHANGES]
        row = endpoint_named(endpoint, among=stamped, has="list of changes")
        bounds = (aware(since, "since"), None if until is None else aware(until, "until"))
        return self._changed(row, *bounds)

    def _changed(self, row: Endpoint, since: datetime, until: datetime | None) -> Iterator[Record]:
        for record in self._answers.walk(row, {}, since=since):
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
        return self._answers.listed(of_record, key, "History", what=f"{row.name} {key}")

    def attachments(self, endpoint: str, record_id: str | UUID) -> list[Record]:
        """The files that hang on a record: AttachmentID, FileName, MimeType, ContentLength."""
        row, key = _with_attachments(endpoint), guid(record_id, endpoint)
        return self._answers.listed(row, key, "Attachments", what=f"{row.name} {key}")

    def attachment(self, endpoint: str, record_id: str | UUID, attachment_id: str | UUID) -> bytes:
        """The bytes of one file, by its AttachmentID."""
        row, key = _with_attachments(endpoint), guid(record_id, endpoint)
        file = guid(attachment_id, "attachments")
        what = f"attachment {file} of {row.name} {key}"
        return self._answers.of(row, key, "Attachments", file, what=what, accept=_FILE).body

    def pdf(self, endpoint: str, record_id: str | UUID) -> bytes:
        """The PDF of an invoice, credit note, quote or purchase order.

        BadRequestError where Xero makes none, as of a draft.
        """
        row = endpoint_named(endpoint, among=WITH_PDF, has="PDF")
        key = guid(record_id, row.name)
        what = f"{row.name} {key}"
        try:
            answer = self._answers.of(replace(row, params={}), key, what=what, accept=_PDF)
        except BadRequestError as error:
            raise like(
                error, f"Xero makes no PDF of {what}, as of a draft or a bill: {error.message}"
            ) from None
        if not answer.body.startswith(b"%PDF-") or b"%%EOF" not in answer.body[-1024:]:
            raise self._answers.unexpected(
                row, answer, f"The PDF of {what} is none, or not all of it"
            )
        return answer.body

    def report(self, name: str, **params: Param) -> Record:
        """One of Xero's reports by Xero's name (`BalanceSheet`) or its endpoint's.

        `params` are Xero's own, such as `date`, `periods` or `paymentsOnly`; a name that the report
        does not have is refused, because Xero would ignore it. A published report, such as a return
        of sales tax, is named by its id (see `published_reports`).
        """
        if is_guid(name):
            found = self._answers.listed(PUBLISHED_REPORTS, name, what=f"published report {name}")
            return self._answers.first(found, PUBLISHED_REPORTS, what=f"published report {name}")
        offer = report_named(name)
        if unknown := set(params) - set(offer.params):
            raise XeroSetupError(
                f"{offer.endpoint.path} cannot be asked for {', '.join(sorted(unknown))}, only"
                f" for: {', '.join(offer.params)}"
            )
        found = self._answers.listed(offer.endpoint, what=offer.endpoint.path, params=params)
        return self._answers.first(found, offer.endpoint, what=offer.endpoint.path)

    def published_reports(self) -> list[Record]:
        """The reports that somebody published in Xero, with their ids."""
        return self._answers.listed(PUBLISHED_REPORTS, what="published reports")

    def _found_by_number(self, row: Endpoint, numbers: list[str]) -> Iterator[Record]:
        field = NUMBER_FIELDS[row.name]
        if row.name == "invoices":
            # The parts of that filter are separated by commas.
            plain = [number for number in numbers if "," not in number]
            filters = [equals(field, number) for number in numbers if "," in number]
            for group in groups(plain):
                yield from self._answers.walk(row, {"InvoiceNumbers": ",".join(group)})
            for condition in filters:
                yield from self._answers.walk(row, {"where": condition})
        elif row.name == "quotes":
            for number in numbers:
                yield from self._answers.walk(row, {"QuoteNumber": number})
        elif row.name == "purchase_orders":
            yield from self._purchase_orders(row, numbers)
        else:
            for condition in [equals(field, number) for number in numbers]:
                yield from self._answers.walk(row, {"where": condition})

    def _purchase_orders(self, row: Endpoint, numbers: list[str]) -> Iterator[Record]:
        for number in (each for each in numbers if is_one_part(each)):
            with suppress(NotFoundError):
                yield from self._answers.listed(row, number, what=f"{row.name} {number}")
        if not all(map(is_one_part, numbers)):
            # No address can hold these, and there is no filter: look through all of them.
            yield from self._answers.walk(row, {})


def _with_attachments(endpoint: str) -> Endpoint:
    row = endpoint_named(endpoint, among=WITH_ATTACHMENTS, has="attachments")
    # A refusal names the scopes of the endpoint, and attachments have one of their own.
    return replace(row, array_key="Attachments", params={}, scopes=ATTACHMENT_SCOPES)


def _unlike(records: list[Record], id_field: str) -> Iterable[Record]:
    """Each record once, though two questions may have found it."""
    return {str(record.get(id_field)): record for record in records}.values()
