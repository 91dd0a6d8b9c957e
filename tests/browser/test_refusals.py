"""What is refused is said in words, and stands in the audit log with who wanted it."""

import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.browser.organisations import fill, fill_many
from tests.browser.server import Airflow
from tests.browser.test_routes import FROM_OUR_PAGE, ONE, UNKNOWN, ask

OUTCOME = "refused: not permitted"
# So many lines of a person in a minute say from where, and of which organisation.
LINES_A_MINUTE = 20
# How long an answer waits for the warehouse.
PATIENCE_SECONDS = 5


@pytest.mark.parametrize(
    ("known", "said"),
    [
        ({"paused_by": "bob"}, "Kauri is paused: resume it"),
        ({"grant_state": "needs_reconnect"}, "needs its Xero user to press Connect to Xero again"),
    ],
)
def test_what_no_run_would_read_is_not_queued(airflow, warehouse, known, said):
    tenant_id = fill(warehouse, run="complete", **known)

    with airflow.client("admin") as client:
        answer = ask(client, "POST", f"/xero/api/organisations/{tenant_id}/extract")

    assert answer.status_code == 409
    assert said in answer.json()["detail"]
    assert airflow.runs_of("xero_extract") == []
    assert audited(warehouse) == [("admin", "extract", "refused: XeroSetupError", tenant_id)]


@pytest.fixture
def no_run_taken(airflow: Airflow) -> Iterator[None]:
    """Airflow's database takes no run any more, as where its disk is full."""
    change_airflow(
        airflow,
        "create trigger no_run before insert on dag_run begin select raise(abort, 'full'); end",
    )
    yield
    change_airflow(airflow, "drop trigger no_run")


def change_airflow(airflow: Airflow, statement: str) -> None:
    with closing(sqlite3.connect(airflow.database)) as database, database:
        database.execute(statement)


def test_an_extraction_that_was_asked_for_and_not_started_says_so_in_the_audit_log(
    airflow, warehouse, no_run_taken
):
    tenant_id = fill(warehouse, run="complete")

    with airflow.client("admin") as client:
        answer = ask(client, "POST", f"/xero/api/organisations/{tenant_id}/extract")

    assert answer.status_code == 503
    assert "Airflow's own database does not answer" in answer.json()["detail"]
    assert audited(warehouse) == [
        ("admin", "extract", "asked for", tenant_id),
        ("admin", "extract", "failed: XeroBusyError", tenant_id),
    ]


def test_an_erasure_that_was_asked_for_says_so_where_its_dag_cannot_be_started(
    airflow, warehouse, no_run_taken
):
    tenant_id = fill(warehouse, run="complete")

    with airflow.client("admin") as client:
        path = f"/xero/api/organisations/{tenant_id}/erase"
        answer = client.post(path, json={"typed_name": "Kauri"}, headers=FROM_OUR_PAGE)

    assert answer.status_code == 202
    assert answer.json()["message"].startswith("Kauri will be erased. Airflow's own database")
    assert audited(warehouse) == [("admin", "erase", "requested", tenant_id)]


def audited(warehouse: psycopg.Connection) -> list[tuple[str, ...]]:
    return warehouse.execute(
        "select actor, action, outcome, tenant_id::text from xero_ops.audit_log order by entry_id"
    ).fetchall()


def test_what_is_refused_is_in_the_audit_log_as_well(airflow, warehouse):
    tenant_id = fill(warehouse, run="complete")
    one = f"/xero/api/organisations/{tenant_id}"
    with airflow.client("operator") as client:
        wrong = client.post(
            f"{one}/erase", json={"typed_name": "Kaur"}, headers=FROM_OUR_PAGE
        ).status_code
        warehouse.execute("update xero_ops.connections set disconnected_at = now()")
        gone = ask(client, "POST", f"{one}/disconnect").status_code
        not_open = ask(client, "DELETE", f"/xero/api/invitations/{UNKNOWN}").status_code

    assert (wrong, gone, not_open) == (409, 409, 409)
    assert audited(warehouse) == [
        ("operator", "erase", "refused: XeroSetupError", tenant_id),
        ("operator", "disconnect", "refused: NotConnectedError", tenant_id),
        ("operator", "revoke", "not revoked", None),
    ]


def test_what_a_role_may_not_do_is_in_the_audit_log_with_who_wanted_it(airflow, warehouse):
    tenant_id = fill(warehouse, run="complete")
    one = f"/xero/api/organisations/{tenant_id}"
    with airflow.client("viewer") as client:
        changes = [ask(client, "POST", f"{one}/{word}") for word in ("erase", "extract")]
        changes += [ask(client, "POST", "/xero/api/invitations")]
        changes += [ask(client, "POST", "/xero/api/organisations/nonsense/pause")]
        begun = client.get("/xero/connect")
        # Nobody wanted what another site made their browser ask for; and looking is no action.
        lured = client.get("/xero/connect", headers={"Sec-Fetch-Site": "cross-site"})
        looked = client.get("/xero/api/organisations")

    assert {answer.status_code for answer in (*changes, begun, lured, looked)} == {403}
    assert audited(warehouse) == [
        ("viewer", "erase", "refused: not permitted", tenant_id),
        ("viewer", "extract", "refused: not permitted", tenant_id),
        ("viewer", "invite", "refused: not permitted", None),
        ("viewer", "pause", "refused: not permitted", None),
        ("viewer", "connect", "refused: not permitted", None),
    ]
    (from_where,) = warehouse.execute(
        "select array_agg(distinct host(address)) from xero_ops.audit_log"
    ).fetchone()
    assert from_where == ["127.0.0.1"]


def test_who_may_do_nothing_learns_nothing_of_a_warehouse_that_is_out_of_reach(airflow):
    before = times_logged(airflow)
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)

    with airflow.client("viewer") as client:
        refused = ask(client, "POST", f"{ONE}/erase")

    assert refused.status_code == 403
    assert "delete access to connections" in refused.json()["detail"]
    assert times_logged(airflow) == before + 1


def test_a_warehouse_that_takes_no_writes_makes_no_error_of_a_refusal(airflow, warehouse):
    (database,) = warehouse.execute("select current_database()").fetchone()
    before = times_logged(airflow)
    warehouse.execute(f'alter database "{database}" set default_transaction_read_only = on')

    with airflow.client("viewer") as client:
        refused = [ask(client, "POST", f"{ONE}/erase"), client.get("/xero/connect")]

    assert [answer.status_code for answer in refused] == [403, 403]
    assert times_logged(airflow) == before + 2


def times_logged(airflow: Airflow) -> int:
    """How often the server's own log took what the audit log could not."""
    return airflow.log.read_text().count("not in the audit log: refused user='viewer'")


def test_a_warehouse_that_hangs_keeps_nobody_waiting_and_holds_one_connection(airflow):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=port)
        began = time.monotonic()

        with airflow.client("viewer") as client:
            answers = {ask(client, "POST", f"{ONE}/erase").status_code for _ in range(20)}

        assert answers == {403}
        # The first waits a little, in case it is only slow.
        assert time.monotonic() - began < PATIENCE_SECONDS * 3
        held, _ = silent.accept()
        silent.settimeout(0.5)
        with pytest.raises(TimeoutError):
            silent.accept()
        held.close()
    # What came meanwhile was tried once, for all of them.
    until(lambda: "times=19" in airflow.log.read_text())


def test_an_organisation_that_nobody_connected_is_not_named_and_hides_no_other(airflow, warehouse):
    made_up, tenant_id = 2 * LINES_A_MINUTE, fill(warehouse, run="complete")
    with airflow.client("viewer") as client:
        for one in (*(uuid4() for _ in range(made_up)), tenant_id):
            assert ask(client, "POST", f"/xero/api/organisations/{one}/pause").status_code == 403

    assert counted(warehouse, "tenant_id::text") == {None: made_up, tenant_id: 1}


def test_the_same_refused_from_two_addresses_is_two_lines(airflow, warehouse):
    for address in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        transport = httpx.HTTPTransport(local_address=address)
        with airflow.client("viewer", transport=transport) as client:
            assert ask(client, "POST", f"{ONE}/pause").status_code == 403

    assert counted(warehouse, "host(address)") == {"127.0.0.1": 2, "127.0.0.2": 1}


def test_who_wants_to_take_an_invitation_back_wants_another_thing_than_to_invite(
    airflow, warehouse
):
    with airflow.client("viewer") as client:
        asked = [
            ask(client, "POST", "/xero/api/invitations"),
            ask(client, "DELETE", f"/xero/api/invitations/{UNKNOWN}"),
        ]

    assert [answer.status_code for answer in asked] == [403, 403]
    assert counted(warehouse, "action") == {"invite": 1, "revoke": 1}


def counted(warehouse: psycopg.Connection, what: str) -> dict[str | None, int]:
    """How often something was refused, by what the lines say of it."""
    rows = warehouse.execute(
        f"select {what}, sum(coalesce((detail ->> 'times')::int, 1))::int"
        " from xero_ops.audit_log where outcome = %s group by 1",
        (OUTCOME,),
    )
    return dict(rows.fetchall())


def until(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread of the server is about to do."""
    deadline = time.monotonic() + PATIENCE_SECONDS * 3
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_script_that_asks_again_and_again_writes_a_few_lines_and_a_count(airflow, warehouse):
    asked, began = 300, time.monotonic()
    fill_many(warehouse, 3 * LINES_A_MINUTE)
    ids = warehouse.execute("select tenant_id::text from xero_ops.tenants").fetchall()
    airflow.token("user")

    def asks(number: int) -> int:
        (one,) = ids[number % len(ids)]
        with airflow.client("user") as client:
            return ask(client, "POST", f"/xero/api/organisations/{one}/pause").status_code

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(asks, range(asked)))
    minutes = int((time.monotonic() - began) // 60) + 2

    assert answers == {403}
    # None is lost; beyond some organisations a line does not say any more which it was.
    until(lambda: counted(warehouse, "actor") == {"user": asked})
    of_organisations = counted(warehouse, "tenant_id::text")
    assert None in of_organisations
    assert 1 < len(of_organisations) - 1 <= minutes * LINES_A_MINUTE
    (lines,) = warehouse.execute("select count(*) from xero_ops.audit_log").fetchone()
    assert lines <= minutes * (LINES_A_MINUTE + 1)
