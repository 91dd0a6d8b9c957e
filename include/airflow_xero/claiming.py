"""Using an invitation up, once, while the consent that it began is completed; bounding its tries.

Knows xero_ops.invitations, and what is kept and audited of the consents that one began. Must not
know how an invitation is made or looked at, nor OAuth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import scalar_row

from airflow_xero.authorisations import CONSENT_TIME
from airflow_xero.errors import ConsentRefusedError, XeroError
from airflow_xero.invitations import ASK_AGAIN, HANDOVER_TIME, IS_OPEN, NOT_TWICE
from airflow_xero.warehouse import warehouse_errors

MOST_TRIES = 20
"""How many consents an invitation may begin that lead nowhere: each is a line of the audit log."""


def require_tries_left(
    warehouse: psycopg.Connection[Any], invitation_id: str | None, *, now: datetime
) -> None:
    """Raise ConsentRefusedError where the invitation was tried too often; none has no bound.

    Those that were refused count for good, those under way until they are too old. Of several at
    once each waits for the others to commit, if a transaction is open around it.
    """
    if invitation_id is None:
        return
    values = {"id": invitation_id, "since": now - CONSENT_TIME}
    with (
        warehouse_errors(),
        warehouse.transaction(),
        warehouse.cursor(row_factory=scalar_row) as cursor,
    ):
        # A statement of its own: what is counted is what the others had committed by then.
        cursor.execute(_LOCK, values)
        tries = cursor.execute(_TRIES, values).fetchone() or 0
    if tries >= MOST_TRIES:
        raise ConsentRefusedError(
            f"This invitation was tried {tries} times and connected nothing: {ASK_AGAIN}"
        )


@contextmanager
def claimed(
    warehouse: psycopg.Connection[Any], invitation_id: str | None, *, now: datetime
) -> Iterator[list[str]]:
    """Use an invitation up while its consent is completed; without an id there is none to use.

    Of two consents at once one gets it. It is given back when the consent fails with a XeroError;
    the caller appends the email of the Xero user. Raises ConsentRefusedError.
    """
    used_by: list[str] = []
    if invitation_id is None:
        yield used_by
        return
    values = {"id": invitation_id, "now": now}
    with warehouse_errors(), warehouse.transaction():
        if warehouse.execute(_CLAIM, values).rowcount != 1:
            raise ConsentRefusedError(_why_refused(warehouse, invitation_id))
    try:
        yield used_by
    except XeroError:
        with warehouse_errors(), warehouse.transaction():
            warehouse.execute(_GIVE_BACK, values)
        raise
    with warehouse_errors(), warehouse.transaction():
        warehouse.execute(
            "update xero_ops.invitations set used_by_email = %s where invitation_id = %s",
            (next(iter(used_by), None), invitation_id),
        )


def _why_refused(warehouse: psycopg.Connection[Any], invitation_id: str) -> str:
    with warehouse.cursor(row_factory=scalar_row) as cursor:
        values = {"id": invitation_id, "own": HANDOVER_TIME}
        is_own = cursor.execute(_IS_OWN, values).fetchone()
    if is_own:
        return NOT_TWICE
    return f"This invitation was used, has expired or was taken back: {ASK_AGAIN}"


_LOCK = "select invitation_id from xero_ops.invitations where invitation_id = %(id)s for update"

# What no organisation is in is found by index from the invitation's making on; the day is for
# clocks that differ.
_TRIES = """
select
    (
        select count(*) from xero_ops.authorisations
        where invitation_id = invitation.invitation_id and started_at >= %(since)s
    )
    + (
        select count(*) from xero_ops.audit_log
        where
            tenant_id is null
            and happened_at > invitation.created_at - interval '1 day'
            and action = 'connect'
            and outcome like 'refused: %%'
            and detail ->> 'invitation_id' = invitation.invitation_id::text
    )
from xero_ops.invitations as invitation
where invitation_id = %(id)s
"""

_CLAIM = f"""
update xero_ops.invitations set used_at = %(now)s
where invitation_id = %(id)s and expires_at > %(now)s and {IS_OPEN}
"""  # noqa: S608

_IS_OWN = """
select expires_at - created_at <= %(own)s from xero_ops.invitations where invitation_id = %(id)s
"""

_GIVE_BACK = """
update xero_ops.invitations set used_at = null
where invitation_id = %(id)s and used_by_email is null
"""
