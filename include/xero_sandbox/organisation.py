"""What the sandbox asks of an organisation, whoever keeps its books.

The seam between the server and the books. Knows nothing of HTTP, of tokens, or of how an
organisation comes by its figures (a ledger built from a seed, or a folder of given payloads).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

Record = dict[str, object]
"""One record in Xero's wire form: PascalCase keys, `/Date(…)/` strings, Decimal amounts."""

_TENANT_NAMESPACE = uuid.UUID("6d0f8f0e-5e2b-4c5e-9b1a-2f6f3c1a7e55")


def tenant_id_of(name: str, seed: int) -> str:
    """The tenant id of the organisation of this name and seed: known before it is built."""
    return str(uuid.uuid5(_TENANT_NAMESPACE, f"{seed}/{name}"))


class Organisation(Protocol):
    """One organisation, as at the moment it was last advanced to.

    Serving it must not change it; only `advance` and `Editable.act` do.
    """

    @property
    def tenant_id(self) -> str:
        """Its GUID, which is its OrganisationID too."""

    @property
    def name(self) -> str:
        """Its name as typed by its owner: may hold HTML, quotes, every script."""

    def advance(self, now: datetime) -> None:
        """Let the business live on until `now` (aware UTC); never back."""

    def records(self, resource: str) -> Sequence[Record]:
        """The full records of a resource (`"Invoices"`), deleted and archived ones included.

        Ordered by UpdatedDateUTC, then id.
        """

    def report(self, name: str, params: Mapping[str, str]) -> Record | None:
        """The value of `Reports[0]`, or None for a report it does not have."""

    def figures(self) -> dict[str, object]:
        """What the books contain, in a few numbers fit for JSON."""


@runtime_checkable
class Editable(Protocol):
    """An organisation whose documents can be changed through the control door."""

    def act(self, action: str, fields: Mapping[str, object], *, now: datetime) -> Record:
        """Do `action` (`create_invoice`, `pay`, `void`, …) at `now`; the changed record.

        Must depend on nothing but its arguments and the books, so that the same actions in the
        same order give the same books again after a restart. Raises ValueError, with a sentence
        for a person, for an unknown action or fields that do not fit.
        """
