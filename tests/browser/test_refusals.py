"""What is refused is said in words, and stands in the audit log with who wanted it."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest

from tests.browser.organisations import fill
from tests.browser.test_routes import FROM_OUR_PAGE, ONE, UNKNOWN, ask

OUTCOME = "refused: not permitted"
# Of so many organisations a person's refusals have lines of their own in a minute.
ORGANISATIONS_A_MINUTE = 20


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
        ("operator", "invite", "not revoked", None),
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
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)

    with airflow.client("viewer") as client:
        refused = ask(client, "POST", f"{ONE}/erase")

    assert refused.status_code == 403
    assert "delete access to connections" in refused.json()["detail"]


def test_a_script_that_asks_again_and_again_writes_a_few_lines_and_a_count(airflow, warehouse):
    asked, organisations = 300, 60
    airflow.token("user")
    began = time.monotonic()

    def asks(number: int) -> int:
        one = UUID(int=number % organisations)
        with airflow.client("user") as client:
            return ask(client, "POST", f"/xero/api/organisations/{one}/pause").status_code

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(asks, range(asked)))
    minutes = int((time.monotonic() - began) // 60) + 2

    assert answers == {403}
    lines = warehouse.execute(
        "select count(*), count(distinct tenant_id), sum(coalesce((detail ->> 'times')::int, 1))"
        " from xero_ops.audit_log where actor = 'user' and action = 'pause' and outcome = %s",
        (OUTCOME,),
    ).fetchone()
    # None is lost; beyond some organisations a line does not say any more which it was.
    assert lines[2] == asked
    assert 1 < lines[0] <= minutes * (ORGANISATIONS_A_MINUTE + 1) < asked
    assert lines[1] <= minutes * ORGANISATIONS_A_MINUTE
