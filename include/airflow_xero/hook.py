"""XeroHook: from an Airflow connection to Xero's records, to a client, to an open warehouse.

Knows where Airflow keeps the `xero` connection (its fields: `connection_form.py`) and that the
warehouse is opened by PostgresHook. Must not know endpoints, raw tables or what is extracted.
Every secret that passes is masked.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

import httpx
import psycopg
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from airflow_xero import oauth
from airflow_xero.asking import is_guid
from airflow_xero.client import XeroClient
from airflow_xero.connect import reconcile, tenants_to_extract
from airflow_xero.connection_form import app_of, fields_of, try_app
from airflow_xero.endpoints import Endpoint, chosen_endpoints
from airflow_xero.errors import NotConnectedError, WarehouseBusyError, XeroError, XeroSetupError
from airflow_xero.migrate import require_migrated
from airflow_xero.oauth import XeroApp
from airflow_xero.progress import count_calls
from airflow_xero.provider_info import CONN_TYPE, DEFAULT_CONN_ID, FIELD_DEFAULTS, FIELD_LABELS
from airflow_xero.records import Param, Record, Records
from airflow_xero.settings import reserved_calls, token_keys_from_environment
from airflow_xero.tokens import TokenStore, cipher_of

if TYPE_CHECKING:
    from uuid import UUID

    from airflow.providers.postgres.hooks.postgres import PostgresHook
    from airflow.sdk import Connection

    from airflow_xero.extract import Tenant
    from airflow_xero.sdk_client import SafeApiClient

__all__ = ["XeroHook", "token_keys_from_environment"]

_NOT_CONNECTED = "No live grant reaches this organisation: press Connect to Xero on the page Xero"
_NAME_IT = (
    "give a tenant id, which xero_ops.tenants has, or find the organisation by its name with"
    " hook.tenant_called; if it is not there, press Connect to Xero on the page Xero"
)


class XeroHook(BaseHook):
    """One app registered with Xero, and the warehouse its organisations are read into.

    For a Dag author: `get` is one record, `records` everything else about an organisation, and
    `get_conn` Xero's own SDK. Use it as a context manager, or close it: it keeps one HTTP client.

        with XeroHook() as hook:
            invoice = hook.get("invoices", invoice_id, tenant_id=tenant_id)
            pdf = hook.records(tenant_id).pdf("invoices", invoice_id)
    """

    conn_name_attr = "xero_conn_id"
    default_conn_name = DEFAULT_CONN_ID
    conn_type = CONN_TYPE
    hook_name = "Xero"

    def __init__(self, xero_conn_id: str = DEFAULT_CONN_ID) -> None:
        super().__init__()
        self.xero_conn_id = xero_conn_id
        self._http: httpx.Client | None = None
        self._described: Connection | None = None
        self._store: PostgresHook | None = None
        self._asking: list[tuple[str, XeroClient]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the HTTP client; the hook opens another when it is used again.

        The calls of its `records` are counted in xero_ops.costs now. What it knows of its Airflow
        connections is looked up again, too.
        """
        self._count_calls()
        self._described = self._store = None
        if self._http is not None:
            self._http.close()
            self._http = None

    def http(self) -> httpx.Client:
        """The hook's HTTP client, opened when first needed and closed by `close`."""
        if self._http is None:
            self._http = oauth.new_http()
        return self._http

    def app(self) -> XeroApp:
        """The app as the connection describes it; fields left empty take their defaults.

        Raises XeroSetupError naming the connection and the field that is missing or wrong.
        """
        connection = self._connection()
        mask_secret((connection.password or "").strip())
        return app_of(
            self.xero_conn_id,
            fields_of(connection.extra_dejson),
            login=connection.login,
            password=connection.password,
        )

    def warehouse(self) -> psycopg.Connection[Any]:
        """An open connection to the warehouse; the caller closes it.

        Raises XeroSetupError when the Postgres connection is not defined, WarehouseBusyError
        when its server cannot be reached or refuses the login.
        """
        store_conn_id = self.store_conn_id()
        try:
            connection = self._postgres(store_conn_id).get_conn()
        except AirflowNotFoundException:
            raise XeroSetupError(
                f"The Airflow connection {store_conn_id!r} is not defined: create it (type"
                f" Postgres), or correct {FIELD_LABELS['store_conn_id']!r} in"
                f" {self.xero_conn_id!r}"
            ) from None
        except psycopg.OperationalError as error:
            if "No space left" in str(error):
                raise WarehouseBusyError(
                    "The warehouse's disk is full: free space on the Postgres server. Nothing is"
                    " lost: the next try continues where this one stopped."
                ) from None
            raise WarehouseBusyError(
                f"The warehouse cannot be reached; check the Airflow connection {store_conn_id!r}"
                f" ({' '.join(str(error).split())})"
            ) from None
        if not isinstance(connection, psycopg.Connection):
            raise XeroSetupError("Airflow opened the warehouse without psycopg 3: install psycopg")
        return connection

    def store_conn_id(self) -> str:
        """The id of the warehouse's Airflow connection.

        The usual one while the Xero connection is not there yet: a warehouse can be migrated
        before anybody registers an app.
        """
        try:
            return fields_of(self._looked_up().extra_dejson)["store_conn_id"]
        except AirflowNotFoundException:
            return FIELD_DEFAULTS["store_conn_id"]

    def token_store(self) -> TokenStore:
        """The grants of this app, in the warehouse; raises XeroSetupError without keys."""
        return TokenStore(
            self.app(),
            connect=self.warehouse,
            keys=token_keys_from_environment(),
            http=self.http(),
            on_secret=lambda tokens: mask_secret([*tokens]),
        )

    def tenant(
        self, tenant_id: str | UUID, *, warehouse: psycopg.Connection[Any] | None = None
    ) -> Tenant:
        """A connected organisation with a live grant, asked over `warehouse` when it is open.

        Raises NotConnectedError when there is none, and for what is no tenant id.
        """
        wanted = str(tenant_id).strip()
        if not is_guid(wanted):
            raise NotConnectedError(f"{tenant_id!r:.80} is no organisation: {_NAME_IT}")
        with self.warehouse() if warehouse is None else nullcontext(warehouse) as connection:
            found = tenants_to_extract(connection, self.xero_conn_id, tenant_id=wanted)
        if not found:
            raise NotConnectedError(f"{wanted}: {_NOT_CONNECTED}", tenant_id=wanted)
        return found[0]

    def tenant_called(self, organisation: str) -> Tenant:
        """A connected organisation by its tenant id, or by its name as the page Xero shows it.

        Raises NotConnectedError for one that nobody connected, XeroSetupError for a name that
        several have.
        """
        wanted = str(organisation or "").strip()
        if not wanted:
            raise NotConnectedError(f"No organisation is named: {_NAME_IT}")
        found = [each for each in self._tenants() if wanted in (each.tenant_id, each.tenant_name)]
        if len(found) > 1:
            ids = ", ".join(each.tenant_id for each in found)
            raise XeroSetupError(f"Several organisations are called {wanted!r}; name one of {ids}")
        if not found:
            raise NotConnectedError(f"{wanted[:80]!r}: {_NOT_CONNECTED}")
        return found[0]

    def records(self, tenant_id: str | UUID) -> Records:
        """What Xero knows about a connected organisation, one question at a time.

        Single records, invoices of a contact, documents by number, histories, attachments, PDFs
        and reports. Its calls count towards the organisation's limits, of which
        `[xero] reserved_calls` are left alone, and in xero_ops.costs once the hook is closed.
        Raises NotConnectedError.
        """
        tenant = self.tenant(tenant_id)
        client = self.client(tenant)
        self._asking.append((tenant.tenant_id, client))
        return Records(client, tenant.tenant_id)

    def get(
        self, endpoint: str, record_id: str | UUID, *, tenant_id: str | UUID, **params: Param
    ) -> Record:
        """One record of a connected organisation, as Xero spells it, numbers as Decimal.

        See `Records.get`; for several questions, `records` looks the organisation up only once.
        Raises NotConnectedError, NotFoundError, XeroSetupError for an id that is none.
        """
        return self.records(tenant_id).get(endpoint, record_id, **params)

    def _count_calls(self) -> None:
        made = [(tenant_id, dict(client.calls_made)) for tenant_id, client in self._asking]
        self._asking = []
        if not any(calls for _, calls in made):
            return
        try:
            with self.warehouse() as warehouse:
                for tenant_id, calls in made:
                    count_calls(warehouse, tenant_id, calls)
        except (XeroError, psycopg.Error) as error:
            # The records came: who asked for them must not fail for the account of their cost.
            self.log.warning("calls not counted reason=%s", type(error).__name__)

    def _tenants(self) -> list[Tenant]:
        with self.warehouse() as warehouse:
            return tenants_to_extract(warehouse, self.xero_conn_id)

    def client(
        self, tenant: Tenant, *, warehouse: psycopg.Connection[Any] | None = None
    ) -> XeroClient:
        """The library's client for reading one organisation.

        With an idle `warehouse` the token is looked up over it now, and not over a connection of
        its own at the first call. Raises WarehouseBusyError then, when somebody held the grant for
        minutes: the first call would wait as long again.
        """
        tokens = self.token_store()
        if warehouse is not None:
            try:
                tokens.fresh(tenant.grant_id, over=warehouse)
            except WarehouseBusyError:
                raise
            except XeroError as error:
                # It is told by the first call, which belongs to a run.
                self.log.debug("no token yet: %s", type(error).__name__)
        return XeroClient(
            self.app(),
            access_token=lambda: tokens.fresh(tenant.grant_id).value,
            renewed_token=lambda value: tokens.fresh(tenant.grant_id, rejected=value).value,
            http=self.http(),
            reserved_calls=reserved_calls(),
        )

    def endpoints(self) -> tuple[Endpoint, ...]:
        """The endpoints to read of this app's organisations.

        Raises XeroSetupError for a name in the connection that does not exist.
        """
        return chosen_endpoints(fields_of(self._connection().extra_dejson)["endpoints"])

    def reconcile(self, tenant: Tenant, warehouse: psycopg.Connection[Any]) -> None:
        """Leave out from now on what the tenant's grant does not reach any more, if Xero says."""
        try:
            reconcile(
                self.app(),
                tenant.grant_id,
                warehouse=warehouse,
                tokens=self.token_store(),
                http=self.http(),
                now=_now(),
                refused_tenant_id=tenant.tenant_id,
            )
        except XeroError as error:
            self.log.warning("connections not reconciled: %s", error)

    def get_conn(self) -> SafeApiClient:
        """xero-python's ApiClient for a Dag author: `AccountingApi(hook.get_conn())`.

        Every call is signed for the tenant id it is given. Time-outs are set and nothing is
        sent twice: a failed call raises what xero-python raises.
        """
        # xero-python costs a second of imports.
        from airflow_xero.sdk_client import SafeApiClient

        app, tokens = self.app(), self.token_store()
        return SafeApiClient(
            app.api_url,
            access_token=lambda tenant_id: tokens.fresh(self.tenant(tenant_id).grant_id).value,
        )

    def test_connection(self) -> tuple[bool, str]:
        """What the Test button of the connection form says: whether all is well, and why not."""
        try:
            app = self.app()
            try_app(app, http=self.http(), now=_now())
            cipher_of(token_keys_from_environment())
            return True, self._test_warehouse()
        except XeroError as error:
            return False, error.message
        finally:
            self.close()

    def _test_warehouse(self) -> str:
        with self.warehouse() as warehouse:
            require_migrated(warehouse)
        return (
            "Xero accepts the client id and secret, and the warehouse"
            f" {self.store_conn_id()!r} is ready."
        )

    def _connection(self) -> Connection:
        try:
            return self._looked_up()
        except AirflowNotFoundException:
            raise XeroSetupError(
                f"The Airflow connection {self.xero_conn_id!r} is not defined: create it under"
                " Admin, Connections, with the type Xero, or give the id of one that is there"
            ) from None

    def _looked_up(self) -> Connection:
        # In a task each look-up is a call to Airflow's API server.
        if self._described is None:
            self._described = self._of_our_type(self.get_connection(self.xero_conn_id))
        return self._described

    def _of_our_type(self, connection: Connection) -> Connection:
        if connection.conn_type == CONN_TYPE:
            return connection
        raise XeroSetupError(
            f"The Airflow connection {self.xero_conn_id!r} is of the type {connection.conn_type!r},"
            f" not {CONN_TYPE!r}: give the id of one of the type Xero, or change its type under"
            " Admin, Connections"
        )

    def _postgres(self, store_conn_id: str) -> PostgresHook:
        # It keeps its connection's description, which is one more call.
        if self._store is None:
            # Half a second of imports that a Dag file must not pay when it is parsed.
            from airflow.providers.postgres.hooks.postgres import PostgresHook

            self._store = PostgresHook(postgres_conn_id=store_conn_id)
        return self._store


def _now() -> datetime:
    return datetime.now(UTC)
