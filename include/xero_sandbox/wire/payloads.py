"""An organisation that consists of given payloads, served record for record as they are.

Knows the folder: `Accounts.json`, `Invoices.json`, … (every array key of the accounting API, and
`Journals.json`), each an envelope as Xero sends it, and
`Reports/TrialBalance@date=2011-03-23.json` (name, then the parameters it was asked with). Must
not compute, correct or complete a record, with one exception: an organisation without an
OrganisationID gets its tenant id, because nobody can store a record without a key. A missing file
is an empty list, a missing report one without amounts; without `Organisation.json` (or
`Organisations.json`) there is a minimal one. A folder with none of these files is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from xero_sandbox.organisation import Record, tenant_id_of
from xero_sandbox.reports import REPORT_NAMES
from xero_sandbox.wire.blank_reports import blank_report
from xero_sandbox.wire.id_fields import ID_FIELDS
from xero_sandbox.wire.records import LONG_AGO, Body, Entry, Shape, Shelf
from xero_sandbox.wire.shelving import RESOURCES

# What Xero sends of a contact only within a page or by its id.
_DETAILS = ("Balances", "ContactPersons", "MergedToContactID", "PaymentTerms")
# Empty in an unpaged list: lines, and the members of a contact group.
_EMPTIED = ("LineItems", "JournalLines", "BudgetLines", "Contacts")
_STUB = ("ContactID", "Name")
# What a report is asked with that does not make it another one, beside its layout.
_ACCRUAL = ("paymentsOnly", "false")
_MS_DATE = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")


class PayloadError(ValueError):
    """A folder that cannot be served; the message names the file and what is wrong with it."""


class PayloadOrganisation:
    """An organisation of given payloads; time passes without changing it."""

    def __init__(
        self,
        tenant_id: str,
        name: str,
        *,
        shelves: Mapping[str, Shelf],
        reports: Mapping[tuple[str, frozenset[tuple[str, str]]], Record],
    ) -> None:
        self.tenant_id = tenant_id
        self.name = name
        self._shelves = shelves
        self._reports = reports
        self._now = LONG_AGO

    def advance(self, now: datetime) -> None:
        """Nothing happens in given payloads."""
        self._now = now

    def entries(self, resource: str) -> Shelf:
        """Return the shelf of a resource; KeyError for an unknown one."""
        return self._shelves[resource]

    def records(self, resource: str) -> Sequence[Record]:
        """Return the records of a resource by UpdatedDateUTC, then id."""
        return [entry.body() for entry in self._shelves[resource].ordered()]

    def report(self, name: str, params: Mapping[str, str]) -> Record | None:
        """Return the stored report asked with these parameters; a blank one for others."""
        asked = frozenset(
            (key, value)
            for key, value in params.items()
            if value and key != "standardLayout" and (key, value.lower()) != _ACCRUAL
        )
        stored = self._reports.get((name, asked))
        if stored is not None:
            return stored
        [organisation] = self.records("Organisations")
        contacts = {
            entry.record_id: str(entry.source.get("Name", ""))
            for entry in self._shelves["Contacts"].ordered()
        }
        return blank_report(
            name,
            params,
            organisation={**organisation, "Name": self.name},
            contacts=contacts,
            now=self._now,
        )

    def figures(self) -> dict[str, object]:
        """Describe the payloads in a few numbers."""
        counts: dict[str, object] = {name: len(shelf) for name, shelf in self._shelves.items()}
        return counts | {"Reports": len(self._reports)}


def load_payloads(folder: Path, name: str | None = None) -> PayloadOrganisation:
    """Return the organisation of a folder; `name` replaces the one in its payload.

    Raises PayloadError for a folder that is missing or has no file named by the convention, a
    file that is not an envelope, and a record without its id.
    """
    if not folder.is_dir():
        raise PayloadError(f"there is no folder {folder}")
    if not _has_payloads(folder):
        raise PayloadError(
            f"no file in {folder} has the name of a payload, like Accounts.json, Invoices.json, "
            "Organisation.json or Reports/TrialBalance@date=2011-03-23.json"
        )
    given = _array(folder, ("Organisation", "Organisations"), "Organisations")
    known = given[0] if given else {}
    title = name or str(known.get("Name", folder.name))
    tenant_id = str(known.get("OrganisationID") or tenant_id_of(f"{folder.name}/{title}", 0))
    organisation = known or {"Name": title, "OrganisationStatus": "ACTIVE"}
    records = {"Organisations": [{**organisation, "OrganisationID": tenant_id}]}
    for resource in (*RESOURCES[1:], "Journals"):
        records[resource] = _array(folder, (resource,), resource)
    shelves = {resource: _shelf(resource, found) for resource, found in records.items()}
    return PayloadOrganisation(tenant_id, title, shelves=shelves, reports=_reports(folder))


def _has_payloads(folder: Path) -> bool:
    names = ("Organisation", *ID_FIELDS)
    reports = (path.stem.partition("@")[0] for path in (folder / "Reports").glob("*.json"))
    return any((folder / f"{name}.json").exists() for name in names) or any(
        name in REPORT_NAMES for name in reports
    )


def _array(folder: Path, names: Sequence[str], key: str) -> list[Body]:
    for name in names:
        path = folder / f"{name}.json"
        if not path.exists():
            continue
        found = _read(path).get(key)
        if not isinstance(found, list) or not all(isinstance(record, dict) for record in found):
            raise PayloadError(f"{path} must hold an object with the array {key}")
        return found
    return []


def _read(path: Path) -> dict[str, Any]:
    try:
        # Decimals keep the places they were written with, and money is never a float.
        content = json.loads(path.read_text(encoding="utf-8-sig"), parse_float=Decimal)
    except (ValueError, OSError) as error:
        raise PayloadError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise PayloadError(f"{path} must hold an object in Xero's envelope")
    return content


def _shelf(resource: str, records: Sequence[Body]) -> Shelf:
    id_field = ID_FIELDS[resource]

    def spell(record: Body, shape: Shape) -> Body:
        return _light(resource, record) if shape in (Shape.LIST, Shape.SUMMARY) else record

    entries = []
    for record in records:
        record_id = record.get(id_field)
        if not isinstance(record_id, str) or not record_id:
            raise PayloadError(f"a record of {resource} has no {id_field}")
        if resource == "Journals" and not isinstance(record.get("JournalNumber"), int):
            raise PayloadError("a record of Journals has no JournalNumber")
        entries.append(Entry(record_id, _updated_at(record), source=record, spell=spell))
    return Shelf(entries)


def _light(resource: str, record: Body) -> Body:
    """What an unpaged list sends of a record: no lines, contacts as stubs, no details."""
    details = _DETAILS if resource == "Contacts" else ()
    light = {key: value for key, value in record.items() if key not in details}
    light |= {key: [] for key in _EMPTIED if key in light}
    contact = light.get("Contact")
    if isinstance(contact, dict):
        light["Contact"] = {key: contact[key] for key in _STUB if key in contact}
    return light


def _updated_at(record: Body) -> datetime:
    """When Xero last changed a record, or made it; long ago for one that does not say."""
    stamp = record.get("UpdatedDateUTC") or record.get("CreatedDateUTC")
    match = _MS_DATE.fullmatch(str(stamp))
    if match is None:
        return LONG_AGO
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(match[1]))


def _reports(folder: Path) -> dict[tuple[str, frozenset[tuple[str, str]]], Record]:
    found = {}
    for path in sorted((folder / "Reports").glob("*.json")):
        name, _, asked = path.stem.partition("@")
        params = frozenset(_param(path, part) for part in asked.split("&") if part)
        array = _read(path).get("Reports")
        if not isinstance(array, list) or not array:
            raise PayloadError(f"{path} must hold an object with the array Reports")
        found[name, params] = array[0]
    return found


def _param(path: Path, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise PayloadError(f"{path.name}: after the @ come parameters like date=2011-03-23")
    return key, value
