"""What the tasks of xero_erase do: erase what was asked for, and end what is dead at Xero.

Knows the hook and the stories. Must not know SQL, HTTP or when anything runs. What travels between
tasks, and what Airflow keeps of them, are ids and counts: no name of what is to be erased.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from airflow_xero.erasing import erase, open_erasures
from airflow_xero.hook import XeroHook
from airflow_xero.lapsing import renew_unused
from airflow_xero.migrate import require_migrated
from airflow_xero.purging import purge
from airflow_xero.run_configuration import require_known

if TYPE_CHECKING:
    from airflow.sdk import Context


class ListErasuresOperator(BaseOperator):
    """Names the organisations whose erasure was asked for and is not done, as tenant ids.

    The run's configuration may say of which one the page starts it, `{"tenant_id": "<id>"}`; it
    erases all of them.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> list[str]:
        """Return them in the order in which they were asked for; usually none."""
        require_known(context["dag_run"].conf, "tenant_id")
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            return open_erasures(warehouse)


class EraseTenantOperator(BaseOperator):
    """Erases one organisation; expand it over what ListErasuresOperator gives.

    Run it in the pool of the dbt builds. Raises XeroError; what it did until then stays done.
    """

    def __init__(self, *, tenant_id: str, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.tenant_id = tenant_id
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Return how many rows went and how many are left, which is none."""
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            erased = erase(
                hook.app(),
                self.tenant_id,
                warehouse=warehouse,
                tokens=hook.token_store(),
                http=hook.http(),
                now=datetime.now(UTC),
            )
        self.log.info(
            "tenant=%s rows_deleted=%d rows_left=%d",
            self.tenant_id,
            erased.rows_deleted,
            erased.rows_left,
        )
        for table, rows in erased.elsewhere.items():
            self.log.warning("a copy that is not ours: table=%s rows=%d", table, rows)
        return {"rows_deleted": erased.rows_deleted, "rows_left": erased.rows_left}


class PurgeConnectionsOperator(BaseOperator):
    """Ends at Xero the connections that count against the app's cap and serve nobody.

    Also renews the consents that Xero would forget because nothing uses them.
    """

    def __init__(self, *, xero_conn_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xero_conn_id = xero_conn_id

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002
        """Return how many connections were ended, and how many consents revoked and renewed."""
        with XeroHook(self.xero_conn_id) as hook, hook.warehouse() as warehouse:
            require_migrated(warehouse)
            tokens, now = hook.token_store(), datetime.now(UTC)
            purged = purge(
                hook.app(), warehouse=warehouse, tokens=tokens, http=hook.http(), now=now
            )
            renewed = renew_unused(warehouse, self.xero_conn_id, tokens=tokens, now=now)
        return {**vars(purged), "renewed": renewed}
