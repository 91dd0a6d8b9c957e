"""PDFs of documents, from Xero to an object store: an operator for the Dags of others.

Knows Airflow's ObjectStoragePath, and how a document becomes the name of a file. Must not know how
Xero is asked (`records.py`). No bytes travel between tasks, only paths.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

from airflow.sdk import BaseOperator, ObjectStoragePath

from airflow_xero.asking import guid
from airflow_xero.endpoint import Endpoint
from airflow_xero.errors import BadRequestError, NotFoundError, XeroContractError, XeroSetupError
from airflow_xero.hook import XeroHook
from airflow_xero.offers import NUMBER_FIELDS, WITH_PDF, endpoint_named
from airflow_xero.provider_info import DEFAULT_CONN_ID
from airflow_xero.run_configuration import day_of, require_known

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_xero.records import Record, Records

# Of the 255 bytes that file systems allow, the id and the temporary name take the rest.
_LONGEST_NUMBER_BYTES = 100
_UNFINISHED = ("DRAFT", "DELETED", "VOIDED")
_COMPLAINTS_SHOWN = 10

Path: TypeAlias = ObjectStoragePath


class XeroPdfToObjectStorageOperator(BaseOperator):
    """Puts the PDFs of documents of one organisation into a folder of an object store.

    Which documents: their `ids`, their `numbers`, or all that Xero stamped as changed on the day
    `changed_on` (UTC; bills, drafts, voided and deleted ones left out); several of these add up.
    Each file is called by number and id, as `INV-0001-297c2dc5-….pdf`, so that the same document
    is always the same file. A file appears whole or not at all. A retry goes on where the last try
    stopped: what was written since the run began is not fetched again.

    :param organisation: tenant id, or the name as the page Xero shows it (templated)
    :param dst: absolute folder or URL, such as `s3://aws_default@bucket/pdfs` (templated)
    :param endpoint: invoices, credit_notes, quotes or purchase_orders (templated)
    :param ids: a list, or a text with one on each line (templated)
    :param numbers: the same (templated)
    :param changed_on: a date, or a text like 2026-11-20; empty for none (templated). Of a datetime
        it is the day in UTC; one without a time zone is taken as UTC
    :param dest_conn_id: the connection of the object store, where `dst` does not name it

    Returns the paths. Documents that Xero does not know, or of which it makes no PDF, are named by
    NotFoundError and BadRequestError when all others are written. XeroRetryPolicy knows which
    errors are worth a retry.
    """

    template_fields: Sequence[str] = (
        "organisation",
        "dst",
        "endpoint",
        "ids",
        "numbers",
        "changed_on",
    )

    def __init__(
        self,
        *,
        organisation: str,
        dst: str,
        endpoint: str = "invoices",
        ids: str | Sequence[str] = (),
        numbers: str | Sequence[str] = (),
        changed_on: str | date | None = None,
        xero_conn_id: str = DEFAULT_CONN_ID,
        dest_conn_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.organisation = organisation
        self.dst = dst
        self.endpoint = endpoint
        self.ids = ids
        self.numbers = numbers
        self.changed_on = changed_on
        self.xero_conn_id = xero_conn_id
        self.dest_conn_id = dest_conn_id

    def execute(self, context: Context) -> list[str]:
        """Return the paths of the documents' files."""
        folder = _folder(self.dst, self.dest_conn_id)
        row = endpoint_named(self.endpoint, among=WITH_PDF, has="PDF")
        paths: list[str] = []
        with XeroHook(self.xero_conn_id) as hook:
            tenant = hook.tenant_called(self.organisation)
            records = hook.records(tenant.tenant_id)
            documents, complaints = self._documents(records, row)
            for record_id, number in documents.items():
                file = folder / file_name(number, record_id)
                try:
                    self._fetch(records, row.name, record_id, file=file, context=context)
                except (BadRequestError, NotFoundError) as refusal:
                    complaints.append(refusal)
                else:
                    paths.append(str(file))
        self.log.info(
            "tenant=%s endpoint=%s written=%d refused=%d",
            *(tenant.tenant_id, row.name, len(paths), len(complaints)),
        )
        if complaints:
            raise _together(complaints, written=len(paths))
        return paths

    def _documents(
        self, records: Records, row: Endpoint
    ) -> tuple[dict[str, str], list[XeroContractError]]:
        """Id to number of the documents that are wanted; and which of them Xero does not know."""
        ids, numbers, day = _lines(self.ids), _lines(self.numbers), _day(self.changed_on)
        if not ids and not numbers and day is None:
            raise XeroSetupError("Say which documents: ids, numbers, or the day they changed_on")
        field = NUMBER_FIELDS[row.name]
        by_id = records.several(row.name, ids)
        by_number = records.numbered(row.name, *numbers)
        of_day = () if day is None else _of_day(records, row.name, day)
        found = {
            str(each[row.id_field]): str(each.get(field) or "")
            for each in chain(by_id, by_number, of_day)
        }
        known = {text.casefold() for each in found.items() for text in each}
        complaints: list[XeroContractError] = [
            NotFoundError(f"Xero knows no {row.name} {wanted[:80]}", endpoint=row.name)
            for wanted in (*ids, *numbers)
            if wanted.casefold() not in known
        ]
        return found, complaints

    def _fetch(
        self, records: Records, endpoint: str, record_id: str, *, file: Path, context: Context
    ) -> None:
        began_at = context["dag_run"].start_date
        written_at = _written_at(file)
        if began_at is not None and written_at is not None and written_at >= began_at:
            # A try before this one came so far; what it has fetched costs no further call.
            return
        ti = context["ti"]
        writer = f"{ti.dag_id} {ti.run_id} {ti.task_id} {ti.map_index}"
        _put(records.pdf(endpoint, record_id), file, writer=writer)


def refuse_unknown_params(context: Context) -> None:
    """For `pre_execute`: refuse a run whose configuration names what the Dag's form does not have.

    Airflow itself passes it over. Raises XeroSetupError naming what the form has.
    """
    require_known(context["dag_run"].conf, *context["dag"].params)


def file_name(number: str, record_id: str) -> str:
    """The name of a document's file: one part of a path, whatever its number, at most 150 bytes.

    Letters and digits of every script stay, as do `-`, `_` and `.` inside. The id makes it unique.
    Raises XeroSetupError for an id that is none.
    """
    plain = unicodedata.normalize("NFKC", number[:_LONGEST_NUMBER_BYTES])
    signs = "".join(each if each.isalnum() or each in "-_." else "_" for each in plain)
    kept = signs.encode()[:_LONGEST_NUMBER_BYTES].decode(errors="ignore").strip("._-")
    own_id = guid(record_id, "documents").lower()
    return f"{kept}-{own_id}.pdf" if kept else f"{own_id}.pdf"


def _folder(dst: str, conn_id: str | None) -> Path:
    text = dst.strip()
    if "://" not in text and not text.startswith("/"):
        raise XeroSetupError(
            f"{text[:80]!r} is no absolute path: give one like s3://aws_default@bucket/pdfs or"
            " file:///data/pdfs"
        )
    try:
        folder = ObjectStoragePath(text, conn_id=conn_id)
        folder.fs  # noqa: B018  # Says now, before any call, what would fail after the first one.
    except (ValueError, ImportError) as error:
        raise XeroSetupError(
            f"{text[:80]!r} cannot be written: {error}; install Airflow's provider of that store,"
            " such as apache-airflow-providers-amazon[s3fs] for s3"
        ) from None
    return folder


def _lines(texts: str | Sequence[str]) -> list[str]:
    given = texts.splitlines() if isinstance(texts, str) else map(str, texts)
    return [line.strip() for line in given if line.strip()]


def _day(value: str | date | None) -> date | None:
    if isinstance(value, datetime):
        # A day of UTC, whichever zone the moment has; one without a zone names the day itself.
        return (value.astimezone(UTC) if value.tzinfo else value).date()
    if value is None or isinstance(value, date):
        return value
    return day_of(value.strip(), what="changed_on") if value.strip() else None


def _of_day(records: Records, endpoint: str, day: date) -> Iterator[Record]:
    """Documents that Xero makes a PDF of, among those which it stamped on a day (UTC)."""
    began_at = datetime.combine(day, time(), tzinfo=UTC)
    for record in records.changed(endpoint, since=began_at, until=began_at + timedelta(days=1)):
        is_finished = record.get("Status") not in _UNFINISHED
        if is_finished and not str(record.get("Type", "")).startswith("ACCPAY"):
            yield record


def _written_at(file: Path) -> datetime | None:
    """When a file was last written; None where there is none, or its store does not say."""
    try:
        at: datetime = file.fs.modified(file.path)
    except (FileNotFoundError, NotImplementedError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _put(pdf: bytes, file: Path, *, writer: str) -> None:
    """Write a file that appears whole or not at all."""
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    # The next try of the same task writes to the same place, another task elsewhere.
    mark = hashlib.sha256(writer.encode()).hexdigest()[:16]
    temporary = folder / f".{file.name}.{mark}"
    try:
        with temporary.open("wb") as opened:  # type: ignore[no-untyped-call]
            opened.write(pdf)
        temporary.move(file)
    finally:
        if temporary.exists():
            temporary.unlink()


def _together(complaints: Sequence[XeroContractError], *, written: int) -> XeroContractError:
    first = complaints[0]
    words = "; ".join(each.message for each in complaints[:_COMPLAINTS_SHOWN])
    more = len(complaints) - _COMPLAINTS_SHOWN
    return type(first)(
        f"{written} PDFs are written, {len(complaints)} are not: {words}"
        + (f"; and {more} more" if more > 0 else ""),
        tenant_id=first.tenant_id,
        endpoint=first.endpoint,
        status=first.status,
        correlation_id=first.correlation_id,
    )
