"""Using an invitation up, once, while the consent that it began is completed.

Knows xero_ops.invitations. Must not know how an invitation is made or looked at, nor OAuth.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg

from airflow_xero.errors import ConsentRefusedError, XeroError
from airflow_xero.invitations import ASK_AGAIN, IS_OPEN
from airflow_xero.warehouse import warehouse_errors


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
            raise ConsentRefusedError(
                f"This invitation was used, has expired or was taken back: {ASK_AGAIN}"
            )
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


_CLAIM = f"""
update xero_ops.invitations set used_at = %(now)s
where invitation_id = %(id)s and expires_at > %(now)s and {IS_OPEN}
"""  # noqa: S608

_GIVE_BACK = """
update xero_ops.invitations set used_at = null
where invitation_id = %(id)s and used_by_email is null
"""
