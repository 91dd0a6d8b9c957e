"""Reads every operation of one organisation, with real ids, and remembers what came back.

Knows HTTP and the list of operations. Must not know what a right answer is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any
from urllib.parse import quote

import httpx

from tests.sandbox.conformance.operations import Operation

Record = dict[str, Any]
Query = dict[str, str]

# Every accounting answer is wrapped in these (recorded), which neither the published file nor the
# SDK's models describe.
ENVELOPE = ("Id", "Status", "ProviderName", "DateTimeUTC")

# A record is worth reading by id when, among those of its type, it has another status or a field
# that none before it had.
_TYPES = ("Type", "PaymentType", "SourceType")
_STATES = ("Status", "ContactStatus", "IsCustomer")
# So many files of a resource are fetched.
_FILES = 4
_WHOLE: Query = {"page": "1", "pageSize": "1000", "includeArchived": "true"}
# Parameter to a query that makes an answer look different.
_SHAPES: dict[str, Query] = {
    "pageSize": {"page": "1", "pageSize": "1000"},
    "unitdp": {"unitdp": "4"},
    "summaryOnly": {"summaryOnly": "true"},
    "includeArchived": {"includeArchived": "true"},
    "includeDeleted": {"includeDeleted": "true"},
    "paymentsOnly": {"paymentsOnly": "true"},
    "periods": {"periods": "3"},
    "timeframe": {"periods": "2", "timeframe": "MONTH"},
    "standardLayout": {"standardLayout": "true"},
}


class Reader:
    """The accounting API of one organisation, for an app that may read all of it.

    `tokens` is asked at every call, because a reader may outlive an access token.
    """

    def __init__(
        self, http: httpx.Client, tenant_id: str, *, tokens: Callable[[], Mapping[str, str]]
    ) -> None:
        self.tenant_id = tenant_id
        self._http = http
        self._tokens = tokens
        self._listings: dict[str, list[Record]] = {}

    def get(
        self, path: str, query: Mapping[str, str] | None = None, **headers: str
    ) -> httpx.Response:
        """One answer, whatever its status; `path` as in the list of operations."""
        sent = {
            "Accept": "application/json",
            "Authorization": f"Bearer {self._tokens()['access_token']}",
            "xero-tenant-id": self.tenant_id,
        } | headers
        return self._http.get(f"/api.xro/2.0{path}", params=query, headers=sent)

    def listing(self, resource: str) -> list[Record]:
        """The records of a resource, as its list sends them; none when it is not served."""
        if resource not in self._listings:
            self._listings[resource] = array_of(self.get(f"/{resource}", _WHOLE))
        return self._listings[resource]

    def samples(self, resource: str, field: str) -> list[Record]:
        """Records that have this field, so few that each shows something new."""
        seen: set[tuple[str, ...]] = set()
        chosen = []
        for record in self.listing(resource):
            if record.get(field) and not _traits_of(record) <= seen:
                seen |= _traits_of(record)
                chosen.append(record)
        return chosen

    def arguments(self, operation: Operation) -> Iterator[tuple[str, ...]]:
        """The ids that fill an operation's path, of records of every kind."""
        if not operation.parameters:
            yield ()
            return
        first, *further = operation.parameters
        if further:
            yield from islice(self._files(operation.resource, first, further[0]), _FILES)
            return
        for record in self.samples(operation.resource, first):
            yield (str(record[first]),)

    def _files(self, resource: str, first: str, second: str) -> Iterator[tuple[str, str]]:
        for record in self.listing(resource):
            # A quote alone does not say whether it has files.
            if record.get("HasAttachments", resource == "Quotes"):
                for each in self.listing(f"{resource}/{record[first]}/Attachments"):
                    yield str(record[first]), str(each[second])

    def queries(self, operation: Operation, known: Sequence[str]) -> Iterator[Query]:
        """An operation's queries: a plain one, and one for each parameter that changes a shape.

        `known`: the query parameters that it takes.
        """
        if "contactId" in known:
            kind = "ACCREC" if "Receivable" in operation.resource else "ACCPAY"
            owing = (r for r in self.samples("Invoices", "InvoiceID") if r["Type"] == kind)
            for contact_id in sorted({each["Contact"]["ContactID"] for each in owing}):
                yield {"contactId": contact_id}
            return
        yield {}
        for name in known:
            if name in _SHAPES:
                shape = _SHAPES[name]
                # Alone among the reports, this one counts its months.
                is_counted = "Budget" in operation.resource and "timeframe" in shape
                yield shape | {"timeframe": "3"} if is_counted else shape


def without_envelope(whole: Record) -> Record:
    """The JSON of an accounting answer without the fields that wrap all of them."""
    assert list(whole)[: len(ENVELOPE)] == list(ENVELOPE), list(whole)
    return {key: value for key, value in whole.items() if key not in ENVELOPE}


def path_of(operation: Operation, arguments: Sequence[str]) -> str:
    """The path of an operation with its parameters filled in."""
    path = operation.path
    for name, value in zip(operation.parameters, arguments, strict=True):
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return path


def _traits_of(record: Record) -> set[tuple[str, ...]]:
    kind = tuple(str(record.get(name)) for name in _TYPES)
    states = {(*kind, name, str(record.get(name))) for name in _STATES}
    return states | {(*kind, name) for name, value in record.items() if value}


def array_of(response: httpx.Response) -> list[Record]:
    """The records of an answer, which are the only array of its envelope; none of a refusal."""
    if not response.is_success:
        return []
    arrays = [value for value in response.json().values() if isinstance(value, list)]
    assert len(arrays) == 1, f"{response.url}: {len(arrays)} arrays"
    found: list[Record] = arrays[0]
    return found
