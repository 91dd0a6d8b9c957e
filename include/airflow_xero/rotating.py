"""Re-encrypting what is sealed in the warehouse with the first key, while everything runs.

Knows which columns are sealed. Must not know what they hold, HTTP or Airflow.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from cryptography.fernet import InvalidToken, MultiFernet
from psycopg.rows import tuple_row

from airflow_xero.errors import XeroSetupError
from airflow_xero.sealing import no_key_opens


@dataclass(frozen=True)
class _Place:
    """How the keys of a table's rows are listed, and a row's secret is locked and written."""

    listing: str
    read: str
    write: str


def rotate(connection: psycopg.Connection[Any], cipher: MultiFernet, *, newest: MultiFernet) -> int:
    """Re-encrypt what another key than the first sealed; how many grants.

    `newest` is the cipher of the first key alone. Row by row, each in its own transaction under its
    own lock: tasks go on meanwhile, a refresh under way holds up its own grant alone, and who is
    stopped half way runs it again. Raises XeroSetupError, after all others are done, for a grant
    that no key opens.
    """
    rotated, refusal = 0, None
    for key in _keys_of(connection, _GRANTS):
        try:
            rotated += _rotate(connection, _GRANTS, key=key, cipher=cipher, newest=newest)
        except XeroSetupError as error:
            refusal = error
    for key in _keys_of(connection, _CONSENTS):
        # One that no key opens is ten minutes old at most, and says so when it comes back.
        with suppress(XeroSetupError):
            _rotate(connection, _CONSENTS, key=key, cipher=cipher, newest=newest)
    if refusal is not None:
        raise refusal
    return rotated


def _keys_of(connection: psycopg.Connection[Any], place: _Place) -> list[Any]:
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        return [key for (key,) in cursor.execute(place.listing).fetchall()]


def _rotate(
    connection: psycopg.Connection[Any],
    place: _Place,
    *,
    key: object,
    cipher: MultiFernet,
    newest: MultiFernet,
) -> bool:
    """Whether the row was there and sealed with another key than the first."""
    with connection.transaction(), connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(place.read, (key,)).fetchone()
        if row is None or _opens(newest, bytes(row[0])):
            return False
        try:
            renewed = cipher.rotate(bytes(row[0]))
        except InvalidToken:
            raise no_key_opens() from None
        cursor.execute(place.write, (renewed, key))
    return True


def _opens(cipher: MultiFernet, sealed: bytes) -> bool:
    try:
        cipher.decrypt(sealed)
    except InvalidToken:
        return False
    return True


# A grant that was revoked has no tokens.
_GRANTS = _Place(
    listing="select grant_id from xero_ops.grants where tokens <> '' order by grant_id",
    read="select tokens from xero_ops.grants where grant_id = %s and tokens <> '' for update",
    write="update xero_ops.grants set tokens = %s where grant_id = %s",
)
_CONSENTS = _Place(
    listing="select state_hash from xero_ops.authorisations",
    read="select code_verifier from xero_ops.authorisations where state_hash = %s for update",
    write="update xero_ops.authorisations set code_verifier = %s where state_hash = %s",
)
