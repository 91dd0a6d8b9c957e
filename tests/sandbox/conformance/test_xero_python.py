"""The official SDK, xero-python, unmodified: every method that reads, and what becomes of it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from xero_python.accounting import AccountingApi
from xero_python.exceptions import HTTPStatusException

from tests.sandbox.conformance.answers import Query, Reader, without_envelope
from tests.sandbox.conformance.conftest import EVE, SCOPES, Everything
from tests.sandbox.conformance.explained import MISSING, SCHEMA, SDK_FIELDS, SDK_METHODS
from tests.sandbox.conformance.operations import ACCOUNTING, ONLY_AMERICAN, SERVED, Operation
from tests.sandbox.conformance.sdk import SOCKETS, Sdk, connected

pytestmark = SOCKETS


@pytest.fixture(scope="module")
def sdk(everything: Everything, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    # Its own, because the SDK renews them itself.
    tokens = everything.app.connect(EVE, scopes=SCOPES)
    with connected(everything.app, tokens) as made:
        made.client.configuration.temp_folder_path = str(tmp_path_factory.mktemp("sdk"))
        yield made


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


# Every method that reads something of a tenant, by the name of its operation.
METHODS = {
    _plain(name): name
    for name, method in inspect.getmembers(AccountingApi, inspect.isfunction)
    if name.startswith("get_") and "xero_tenant_id" in inspect.signature(method).parameters
}


def test_every_reading_method_of_the_sdk_is_an_operation_of_the_list() -> None:
    listed = {_plain(operation.name) for operation in ACCOUNTING}
    assert set(METHODS) ^ listed == {_plain(name) for name in SDK_METHODS}


def call(sdk: Sdk, operation: Operation, *arguments: str) -> Callable[..., Any]:
    """The SDK's method for an operation, with tenant and ids given."""
    method = getattr(sdk.accounting, METHODS[_plain(operation.name)])

    def bound(tenant_id: str, query: Query) -> Any:
        names = {_plain(name): name for name in inspect.signature(method).parameters}
        # As Python's callers say it: numbers, True and False.
        given = {names[_plain(key)]: _spoken(value) for key, value in query.items()}
        if "content_type" in names.values():
            given["content_type"] = "application/octet-stream"
        return method(tenant_id, *arguments, **given)

    return bound


def _spoken(text: str) -> Any:
    if text.isdecimal():
        return int(text)
    return {"true": True, "false": False}.get(text, text)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def parameters(operation: Operation) -> list[str]:
    """The query parameters that the SDK's method takes, as Xero spells them."""
    method = getattr(AccountingApi, METHODS[_plain(operation.name)])
    in_path = {_plain(name) for name in operation.parameters}
    names = inspect.signature(method).parameters
    return [camel(name) for name in names if _plain(name) not in in_path]


Lost = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def lost(sdk: Sdk, reader: Reader, american: Reader) -> Lost:
    """Operation to what its typed answers lack of the JSON that was served."""
    found: Lost = {}
    for operation in SERVED:
        asked = american if operation in ONLY_AMERICAN else reader
        found[operation.name] = {
            field: value
            for arguments in asked.arguments(operation)
            for query in asked.queries(operation, parameters(operation))
            for field, value in lost_in_a_call(sdk, operation, arguments, asked.tenant_id, query)
        }
    return found


def lost_in_a_call(
    sdk: Sdk, operation: Operation, arguments: tuple[str, ...], tenant_id: str, query: Query
) -> list[tuple[str, str]]:
    try:
        typed = call(sdk, operation, *arguments)(tenant_id, query)
    except HTTPStatusException as error:
        is_expected = error.status == 404 and operation.name in MISSING
        return [] if is_expected else [(f"{operation.path} {query}", f"{error.status}")]
    served = sdk.client.last_response
    if isinstance(typed, str):
        same = Path(typed).read_bytes() == served.data
        return [] if same else [(operation.path, "other bytes")]
    return list(losses(without_envelope(json.loads(served.data)), typed))


def losses(served: Any, typed: Any, home: str = "") -> Iterator[tuple[str, str]]:
    """Every field of the JSON that the typed object does not carry: its name, and its value."""
    if hasattr(typed, "attribute_map"):
        kind = type(typed).__name__
        attributes = {key: name for name, key in typed.attribute_map.items()}
        for key, value in served.items():
            if key not in attributes:
                yield f"{kind}.{key}", repr(value)[:80]
            else:
                yield from losses(value, getattr(typed, attributes[key]), f"{kind}.{key}")
    elif isinstance(served, list) and isinstance(typed, list):
        if len(served) != len(typed):
            yield home, f"{len(served)} became {len(typed)}"
        for inner, each in zip(served, typed, strict=False):
            yield from losses(inner, each, home)
    elif not same_value(served, typed):
        yield home, f"{served!r} became {typed!r}"[:120]


def same_value(served: Any, typed: Any) -> bool:
    if isinstance(typed, Enum):
        return bool(served == typed.value)
    if isinstance(typed, datetime | date):
        return same_moment(str(served), typed)
    if isinstance(typed, Decimal | float | int) and not isinstance(typed, bool):
        return Decimal(str(served)) == Decimal(str(typed))
    return bool(served == typed)


def same_moment(served: str, typed: datetime | date) -> bool:
    if not served.startswith("/Date("):
        return typed.isoformat().startswith(served[:19])
    milliseconds = int(served.removeprefix("/Date(").removesuffix(")/").removesuffix("+0000"))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
    return bool(typed == (moment if isinstance(typed, datetime) else moment.date()))


@pytest.mark.parametrize("operation", SERVED, ids=lambda operation: operation.name)
def test_no_field_is_lost_in_the_typed_answer(lost: Lost, operation: Operation) -> None:
    # What the published file does not know, the SDK that was made of it does not know either.
    explained = {key.removesuffix(" unknown") for key in SCHEMA} | set(SDK_FIELDS)
    unexplained = {k: v for k, v in lost[operation.name].items() if k not in explained}
    assert unexplained == {}


def test_no_explanation_of_a_lost_field_is_stale(lost: Lost) -> None:
    needed = {field for found in lost.values() for field in found}
    assert set(SDK_FIELDS) - needed == set()


def test_pages_hold_every_invoice_once(sdk: Sdk, everything: Everything) -> None:
    api, tenant = sdk.accounting, everything.british
    first = api.get_invoices(tenant, page=1, page_size=50)
    pages = [first] + [
        api.get_invoices(tenant, page=number, page_size=50)
        for number in range(2, first.pagination.page_count + 1)
    ]
    assert len(pages) > 2
    seen = [invoice.invoice_id for page in pages for invoice in page.invoices]
    assert len(seen) == len(set(seen)) == first.pagination.item_count
    assert api.get_invoices(tenant, page=len(pages) + 1, page_size=50).invoices == []


def test_journals_are_walked_by_offset_until_there_is_none(
    sdk: Sdk, everything: Everything
) -> None:
    numbers: list[int] = []
    while True:
        offset = {"offset": numbers[-1]} if numbers else {}
        page = sdk.accounting.get_journals(everything.british, **offset).journals
        if not page:
            break
        numbers += [journal.journal_number for journal in page]
    assert len(numbers) > 100
    assert numbers == sorted(set(numbers))


def test_filters_select_as_the_sdk_spells_them(sdk: Sdk, everything: Everything) -> None:
    def found(**query: Any) -> list[Any]:
        invoices: list[Any] = sdk.accounting.get_invoices(
            everything.british, page=1, page_size=1000, **query
        ).invoices
        return invoices

    whole = found()
    one = next(each for each in whole if each.type == "ACCREC" and each.invoice_number)
    same_contact = [x for x in whole if x.contact.contact_id == one.contact.contact_id]
    assert ids(found(i_ds=[one.invoice_id])) == [one.invoice_id]
    assert ids(found(invoice_numbers=[one.invoice_number])) == [one.invoice_id]
    assert set(ids(found(contact_i_ds=[one.contact.contact_id]))) == set(ids(same_contact))
    paid = [each for each in whole if each.status == "PAID"]
    assert set(ids(found(statuses=["PAID"]))) == set(ids(paid))
    assert set(ids(found(where='Status=="PAID"'))) == set(ids(paid))
    assert one.invoice_id in ids(found(search_term=one.invoice_number))
    days = [each.date for each in found(order="Date DESC")]
    assert days == sorted(days, reverse=True)
    since = sorted(each.updated_date_utc for each in whole)[-5]
    changed = [x for x in whole if x.updated_date_utc >= since.replace(microsecond=0)]
    assert set(ids(found(if_modified_since=since))) == set(ids(changed))
    assert found(if_modified_since=datetime(2027, 1, 1, tzinfo=UTC)) == []
    assert not any(each.line_items for each in found(summary_only=True))


def ids(invoices: list[Any]) -> list[str]:
    return [invoice.invoice_id for invoice in invoices]


def test_files_arrive_whole(sdk: Sdk, everything: Everything) -> None:
    api, tenant = sdk.accounting, everything.british
    invoices = api.get_invoices(tenant, page=1, page_size=1000).invoices
    one = next(each for each in invoices if each.has_attachments)
    attached = api.get_invoice_attachments(tenant, one.invoice_id).attachments
    assert attached
    for each in attached:
        by_id = api.get_invoice_attachment_by_id(
            tenant, one.invoice_id, each.attachment_id, each.mime_type
        )
        by_name = api.get_invoice_attachment_by_file_name(
            tenant, one.invoice_id, each.file_name, each.mime_type
        )
        assert Path(by_id).stat().st_size == each.content_length
        assert Path(by_id).read_bytes() == Path(by_name).read_bytes()
    pdf = Path(api.get_invoice_as_pdf(tenant, one.invoice_id)).read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert pdf.rstrip().endswith(b"%%EOF")
