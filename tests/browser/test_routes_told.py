"""What the pages say where something is missing: documentation, a connection, the warehouse."""

import pytest

from tests.browser.organisations import fill
from tests.browser.test_routes import FROM_OUR_PAGE, ONE, ask, publish_docs


def test_docs_that_are_not_built_yet_are_explained(airflow):
    with airflow.client("viewer") as client:
        response = client.get("/xero/docs")

    assert response.status_code == 404
    assert "No documentation yet" in response.text


def test_docs_cannot_act_with_the_login_of_their_reader(airflow, warehouse):
    publish_docs(warehouse, b"<html>docs</html>")

    with airflow.client("viewer") as client:
        response = client.get("/xero/docs")

    assert response.text == "<html>docs</html>"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy


def test_a_missing_xero_connection_is_named(airflow):
    airflow.remove_connection("xero_default")

    with airflow.client("admin") as client:
        as_json, as_page = client.get("/xero/api/organisations"), client.get("/xero/connect")

    assert as_json.status_code == as_page.status_code == 409
    assert "'xero_default' is not defined" in as_json.json()["detail"]
    assert "&#x27;xero_default&#x27; is not defined" in as_page.text


def test_a_missing_warehouse_connection_is_named(airflow):
    airflow.remove_connection("xero_warehouse")

    with airflow.client("admin") as client:
        response = client.get("/xero/api/organisations")

    assert response.status_code == 409
    assert "'xero_warehouse' is not defined" in response.json()["detail"]


def test_an_unreachable_warehouse_is_a_try_later(airflow):
    airflow.set_connection("xero_warehouse", conn_type="postgres", host="127.0.0.1", port=9)

    with airflow.client("admin") as client:
        as_json, as_page = client.get("/xero/api/organisations"), client.get("/xero/connect")

    assert as_json.status_code == as_page.status_code == 503
    assert "The warehouse cannot be reached" in as_json.json()["detail"]
    assert "The warehouse cannot be reached" in as_page.text
    assert "Traceback" not in as_page.text


def test_a_warehouse_without_tables_names_the_command(airflow, empty_database_dsn):
    airflow.set_warehouse(empty_database_dsn)

    with airflow.client("admin") as client:
        response = client.get("/xero/api/organisations")

    assert response.status_code == 409
    assert "airflow xero migrate" in response.json()["detail"]


@pytest.mark.parametrize(("text", "understood"), [("a\\u0000b", True), ("a\\ud800b", False)])
def test_what_is_no_text_is_answered_and_no_fault_of_the_server(airflow, text, understood):
    headers = {"Content-Type": "application/json", **FROM_OUR_PAGE}
    with airflow.client("operator") as client:
        answers = [
            client.post(path, content=f'{{"{field}": "{text}"}}', headers=headers).status_code
            for path, field in (("/xero/api/invitations", "note"), (f"{ONE}/erase", "typed_name"))
        ]

    assert answers == ([201, 404] if understood else [422, 422])


def test_a_warehouse_that_takes_no_writes_is_said_to_be_so(airflow, warehouse):
    tenant_id = fill(warehouse, run="complete")
    (database,) = warehouse.execute("select current_database()").fetchone()
    warehouse.execute(f'alter database "{database}" set default_transaction_read_only = on')

    with airflow.client("operator") as client:
        answer = ask(client, "POST", f"/xero/api/organisations/{tenant_id}/pause")

    assert answer.status_code == 503
    assert "The warehouse takes no writes" in answer.json()["detail"]
