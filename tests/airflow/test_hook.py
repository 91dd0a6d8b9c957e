"""XeroHook: the connection's fields, the Test button's words, clients that share no token."""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import urllib3
from xero_python.accounting import AccountingApi, Invoices
from xero_python.exceptions import HTTPStatusException
from xero_python.identity import IdentityApi

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.errors import (
    ConsentLostError,
    NotConnectedError,
    WarehouseBusyError,
    XeroSetupError,
)
from airflow_xero.extract import Tenant
from airflow_xero.hook import XeroHook
from airflow_xero.listing_operators import ListWaitingOperator
from airflow_xero.provider_info import DEFAULT_SCOPES
from airflow_xero.sdk_client import SafeApiClient


def test_fields_left_empty_take_their_defaults(set_connection):
    set_connection(
        "xero_default", conn_type="xero", login=" an-id ", password="s3cret", extra={"api_url": ""}
    )

    app = XeroHook().app()

    assert app.client_id == "an-id"
    assert app.api_url == "https://api.xero.com"
    assert app.identity_url == "https://identity.xero.com"
    assert app.login_url == "https://login.xero.com"
    assert app.scopes == tuple(DEFAULT_SCOPES.split())
    assert XeroHook().store_conn_id() == "xero_warehouse"


def test_a_connection_made_in_the_form_without_extra_works(set_connection):
    set_connection("xero_default", conn_type="xero", login="an-id", password="s3cret", port=0)

    assert XeroHook().app().redirect_uri == "http://localhost:8080/xero/callback"


@pytest.mark.parametrize(
    ("field", "label"), [("login", "Client id"), ("password", "Client secret")]
)
def test_an_empty_field_is_named(field, label, set_connection):
    set_connection(
        "xero_default", **{"conn_type": "xero", "login": "a", "password": "b", field: ""}
    )

    with pytest.raises(XeroSetupError, match=f"'{label}' of the Airflow connection 'xero_default'"):
        XeroHook().app()


def test_a_missing_connection_says_where_to_create_it(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_XERO_DEFAULT", raising=False)

    with pytest.raises(XeroSetupError, match="Admin, Connections"):
        XeroHook().app()


@pytest.mark.parametrize("conn_type", ["postgres", "http"])
def test_a_connection_of_another_type_is_named_with_its_type_and_what_to_do(
    conn_type, set_connection
):
    set_connection("my_xero", conn_type=conn_type, login="a", password="b", host="db")
    asks: list[Callable[[XeroHook], Any]] = [
        XeroHook.app,
        XeroHook.warehouse,
        XeroHook.endpoints,
        XeroHook.get_conn,
        lambda hook: hook.tenant("99999999-9999-9999-9999-999999999999"),
        lambda hook: ListWaitingOperator(
            task_id="list_waiting", xero_conn_id=hook.xero_conn_id
        ).execute({"dag_run": SimpleNamespace(conf={})}),
    ]

    for ask in asks:
        with pytest.raises(XeroSetupError) as refused:
            ask(XeroHook("my_xero"))
        assert refused.value.message == (
            f"The Airflow connection 'my_xero' is of the type '{conn_type}', not 'xero': give the"
            " id of one of the type Xero, or change its type under Admin, Connections"
        )


def test_a_base_url_without_encryption_is_refused(set_connection):
    set_connection(
        "xero_default",
        conn_type="xero",
        login="a",
        password="b",
        extra={"api_url": "http://xero.example.com"},
    )

    assert XeroHook().test_connection()[0] is False


def test_the_warehouse_is_opened_by_psycopg_3(warehouse):
    with XeroHook().warehouse() as opened:
        assert isinstance(opened, psycopg.Connection)
        assert opened.execute("select 1").fetchone() == (1,)


# --- The Test button -------------------------------------------------------------------------


def change(set_connection, sandbox, **fields: Any) -> None:
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), sandbox.url)
    extra = {**urls, **fields.pop("extra", {})}
    usual = {"login": sandbox.client_id, "password": sandbox.client_secret}
    set_connection("xero_default", conn_type="xero", extra=extra, **{**usual, **fields})


def test_the_test_button_accepts_what_is_right(xero):
    assert XeroHook().test_connection() == (
        True,
        "Xero accepts the client id and secret, and the warehouse 'xero_warehouse' is ready.",
    )


@pytest.mark.parametrize("wrong", [{"login": "someone-else"}, {"password": "wr0ng-s3cret"}])
def test_the_test_button_names_wrong_credentials(wrong, xero, set_connection):
    change(set_connection, xero, **wrong)

    is_well, said = XeroHook().test_connection()

    assert not is_well
    assert "'Client id' or 'Client secret'" in said
    assert "wr0ng-s3cret" not in said
    assert xero.client_secret not in said


@pytest.mark.parametrize(
    ("field", "label"), [("identity_url", "Identity base URL"), ("api_url", "API base URL")]
)
def test_the_test_button_names_the_host_that_cannot_be_reached(field, label, xero, set_connection):
    change(set_connection, xero, extra={field: "http://localhost:9"})

    is_well, said = XeroHook().test_connection()

    assert not is_well
    assert f"'{label}' http://localhost:9" in said


def test_the_test_button_names_the_warehouse_that_cannot_be_reached(xero, set_connection):
    set_connection(
        "xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9, password="hunter2"
    )

    is_well, said = XeroHook().test_connection()

    assert not is_well
    assert "check the Airflow connection 'xero_warehouse'" in said
    assert "hunter2" not in said


def test_the_test_button_names_a_warehouse_that_is_not_migrated(
    xero, empty_database_dsn, set_warehouse
):
    set_warehouse(empty_database_dsn)

    assert "airflow xero migrate" in XeroHook().test_connection()[1]


def test_the_test_button_names_missing_keys(xero, monkeypatch):
    monkeypatch.delenv("XERO_TOKEN_KEYS")

    assert "XERO_TOKEN_KEYS" in XeroHook().test_connection()[1]


# --- The library's own client -----------------------------------------------------------------


class Counted(XeroHook):
    """Counts the connections that it opens to the warehouse."""

    opened = 0

    def warehouse(self) -> psycopg.Connection[Any]:
        self.opened += 1
        return super().warehouse()


@pytest.mark.parametrize("is_lent", [True, False], ids=["a lent one", "its own"])
def test_a_client_looks_its_token_up_over_the_connection_it_is_lent(is_lent, tenants):
    name, tenant_id = next(iter(tenants.items()))
    with Counted() as hook, hook.warehouse() as warehouse:
        tenant = hook.tenant(tenant_id, warehouse=warehouse)
        client = hook.client(tenant, warehouse=warehouse if is_lent else None)
        [page] = client.pages(ENDPOINTS[0], tenant_id)

    assert [each["Name"] for each in page.records()] == [name]
    assert hook.opened == (1 if is_lent else 2)


def test_a_client_of_a_lost_consent_says_so_at_its_first_call(tenants, warehouse):
    warehouse.execute("update xero_ops.grants set state = 'needs_reconnect', state_reason = 'gone'")
    tenant_id = next(iter(tenants.values()))
    (grant_id,) = warehouse.execute(
        "select grant_id::text from xero_ops.connections where tenant_id = %s", (tenant_id,)
    ).fetchone()
    with XeroHook() as hook, hook.warehouse() as lent:
        client = hook.client(Tenant(tenant_id, "Kauri", grant_id), warehouse=lent)
        with pytest.raises(ConsentLostError, match="gone"):
            list(client.pages(ENDPOINTS[0], tenant_id))


def test_a_client_whose_grant_is_held_for_ever_is_refused_before_its_first_call(
    tenants, warehouse_dsn, xero
):
    tenant_id = next(iter(tenants.values()))
    xero.control("DELETE", "requests")
    with (
        Counted() as hook,
        hook.warehouse() as lent,
        psycopg.connect(warehouse_dsn) as holder,
    ):
        tenant = hook.tenant(tenant_id, warehouse=lent)
        # Shorter than the two minutes that the store grants.
        lent.execute("set statement_timeout = 200")
        lent.commit()
        holder.execute("select from xero_ops.grants for update")
        with pytest.raises(WarehouseBusyError, match="Nothing is lost"):
            hook.client(tenant, warehouse=lent)

    assert hook.opened == 1
    assert xero.control("GET", "requests") == []


# --- xero-python ------------------------------------------------------------------------------


@pytest.fixture
def tenants(connect_organisations) -> dict[str, str]:
    """The organisations of both demo users, name to tenant id."""
    connected = [
        *connect_organisations("ava@example.com"),
        *connect_organisations("kaito@example.com"),
    ]
    return {organisation.tenant_name: organisation.tenant_id for organisation in connected}


def test_xero_python_reads_the_organisation_it_is_asked_for(tenants):
    with XeroHook() as hook:
        api = AccountingApi(hook.get_conn())
        names = {
            api.get_organisations(tenant_id).organisations[0].name for tenant_id in tenants.values()
        }

    assert names == set(tenants)
    assert len(names) == 3


def test_xero_python_reads_documents_with_paging(tenants):
    tenant_id = next(iter(tenants.values()))

    with XeroHook() as hook:
        invoices = AccountingApi(hook.get_conn()).get_invoices(tenant_id, page=1, page_size=10)

    assert len(invoices.invoices) == 10


def test_a_tenant_nobody_connected_is_refused_before_any_request(tenants, xero):
    xero.control("DELETE", "requests")

    with XeroHook() as hook, pytest.raises(NotConnectedError):
        AccountingApi(hook.get_conn()).get_organisations("99999999-9999-9999-9999-999999999999")

    assert xero.control("GET", "requests") == []


def test_a_call_without_organisation_is_refused(xero):
    with XeroHook() as hook, pytest.raises(NotConnectedError, match="tenant id"):
        IdentityApi(hook.get_conn()).get_connections()


def test_a_foreign_host_never_gets_a_token(tenants):
    tenant_id = next(iter(tenants.values()))

    with XeroHook() as hook, pytest.raises(XeroSetupError, match=r"evil\.example\.com"):
        AccountingApi(
            hook.get_conn(), base_url="https://evil.example.com/api.xro/2.0"
        ).get_organisations(tenant_id)


@pytest.mark.parametrize("status", [429, 503])
def test_nothing_is_sent_twice(status, tenants, xero):
    tenant_id = next(iter(tenants.values()))
    xero.control(
        "POST",
        "faults",
        {
            "path": "/api.xro/2.0/Organisation",
            "status": status,
            "headers": {"Retry-After": "1"},
            "times": 5,
        },
    )
    xero.control("DELETE", "requests")

    with XeroHook() as hook, pytest.raises(HTTPStatusException):
        AccountingApi(hook.get_conn()).get_organisations(tenant_id)

    assert [request["path"] for request in xero.control("GET", "requests")] == [
        "/api.xro/2.0/Organisation"
    ]


def test_a_document_whose_answer_was_lost_is_not_created_again():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        received: list[bytes] = []

        def hang_up_on_every_caller() -> None:
            with suppress(OSError):
                while True:
                    caller, _ = listening.accept()
                    received.append(caller.recv(65536))
                    caller.close()

        threading.Thread(target=hang_up_on_every_caller, daemon=True).start()
        url = f"http://localhost:{listening.getsockname()[1]}"
        api = AccountingApi(SafeApiClient(url, access_token=lambda _: "a-token"))

        with pytest.raises(urllib3.exceptions.HTTPError):
            api.create_invoices("a-tenant", Invoices(invoices=[]))
        listening.shutdown(socket.SHUT_RDWR)

    assert [request.split()[0] for request in received] == [b"PUT"]


def test_every_call_has_time_outs(xero):
    with XeroHook() as hook:
        client = hook.get_conn()
    seen: list[Any] = []
    client.rest_client.GET = lambda _, **options: seen.append(options["_request_timeout"])

    for wanted in (None, 5, 0.5, (3.05, 27)):
        client.request("GET", f"{client._api_url}/connections", _request_timeout=wanted)

    assert seen == [(10, 90), (5, 5), (0.5, 0.5), (3.05, 27)]
    assert client.rest_client.pool_manager.connection_pool_kw["retries"].total == 0


def test_two_connections_in_one_process_share_nothing(xero, set_connection):
    change(set_connection, xero)
    set_connection("xero_second", conn_type="xero", login="second", password="other")

    with XeroHook() as first, XeroHook("xero_second") as second:
        clients = [first.get_conn(), second.get_conn()]

    assert clients[0].configuration is not clients[1].configuration
    assert clients[0].configuration.oauth2_token is None
    assert clients[0]._api_url != clients[1]._api_url


def test_threads_of_two_connections_never_carry_each_others_token(
    xero, set_connection, connect_organisations
):
    change(set_connection, xero)
    urls = dict.fromkeys(("api_url", "identity_url", "login_url"), xero.url)
    set_connection(
        "xero_second",
        conn_type="xero",
        login=xero.client_id,
        password=xero.client_secret,
        extra=urls,
    )
    ava = connect_organisations("ava@example.com")[0]
    kaito = connect_organisations("kaito@example.com", "xero_second")[0]
    # Each user may read one of them only: a token of the other one would be refused.
    wrong: list[object] = []

    def read(conn_id: str, tenant_id: str, name: str) -> None:
        with XeroHook(conn_id) as hook:
            api = AccountingApi(hook.get_conn())
            for _ in range(15):
                try:
                    found = api.get_organisations(tenant_id).organisations[0].name
                except HTTPStatusException as refused:
                    found = refused.status
                if found != name:
                    wrong.append(found)

    threads = [
        threading.Thread(target=read, args=("xero_default", ava.tenant_id, ava.tenant_name)),
        threading.Thread(target=read, args=("xero_second", kaito.tenant_id, kaito.tenant_name)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_no_secret_is_in_a_repr_or_a_log(tenants, xero, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    with XeroHook() as hook:
        client = hook.get_conn()
        AccountingApi(client).get_organisations(next(iter(tenants.values())))
        shown = [repr(hook.app()), repr(hook.token_store()), repr(client), caplog.text]
        token = hook.token_store().fresh(hook.tenant(next(iter(tenants.values()))).grant_id)

    shown += capfd.readouterr()
    assert not any(secret in text for text in shown for secret in (xero.client_secret, token.value))
