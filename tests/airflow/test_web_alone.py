"""The public routes as `airflow xero public` serves them, without Airflow beside them."""

import logging

import pytest

from airflow_xero.errors import XeroSetupError
from airflow_xero.web.public import create_public_app
from tests.airflow.public_desk import KAURI, Desk, Visit

pytestmark = pytest.mark.filterwarnings("ignore:Using `httpx`")


@pytest.fixture
def alone() -> Visit:
    """Ask the public routes as `airflow xero public` serves them at https://connect.example."""
    from fastapi.testclient import TestClient

    def ask(path: str, *, redirect_uri: str = "https://connect.example/xero/callback", **asked):
        app = create_public_app(Desk((KAURI,)), redirect_uri=redirect_uri)
        with TestClient(app, base_url="https://connect.example", follow_redirects=False) as client:
            return client.get(path, **asked)

    return ask


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/xero/callback", 400),
        ("/xero/invitation", 200),
        ("/xero/static/notice.css", 200),
        ("/xero/static/invitation.js", 200),
        ("/xero/static/page.js", 404),
        ("/xero/", 404),
        ("/xero", 404),
        ("/", 404),
        ("/xero/connect", 404),
        ("/xero/docs", 404),
        ("/xero/api/organisations", 404),
        ("/xero/callback/", 404),
        ("/docs", 404),
        ("/openapi.json", 404),
        ("/api/v2/version", 404),
    ],
)
def test_nothing_but_callback_and_invitation_is_served_alone(alone, path, status):
    response = alone(path)

    assert response.status_code == status
    assert "location" not in response.headers
    assert response.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("connect.example", 200),
        ("CONNECT.example:8443", 200),
        ("evil.example", 421),
        ("connect.example.evil.example", 421),
        ("connect.example@evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
def test_only_the_redirect_uris_own_host_is_answered(alone, host, status):
    assert alone("/xero/invitation", headers={"Host": host}).status_code == status


def test_a_redirect_uri_below_a_base_path_is_served_there(alone):
    uri = "https://connect.example/airflow/xero/callback"

    assert alone("/airflow/xero/invitation", redirect_uri=uri).status_code == 200
    assert alone("/xero/invitation", redirect_uri=uri).status_code == 404


def test_a_redirect_uri_at_the_root_is_served_there(alone):
    uri = "https://connect.example/callback"

    assert alone("/invitation", redirect_uri=uri).status_code == 200
    assert alone("/callback", redirect_uri=uri).status_code == 400
    assert alone("/xero/invitation", redirect_uri=uri).status_code == 404


def test_a_redirect_uri_with_no_place_beside_it_is_refused_in_words(alone):
    with pytest.raises(XeroSetupError, match="must end with /callback"):
        alone("/xero/invitation", redirect_uri="https://connect.example/from-xero")


def test_its_log_has_no_query(alone, caplog):
    with caplog.at_level(logging.INFO, logger="airflow_xero.web"):
        alone("/xero/callback?state=a-state&code=a-code")
        alone("/xero/callback?code=a-code", headers={"Host": "evil.example"})

    lines = [record.getMessage() for record in caplog.records if "airflow_xero" in record.name]
    assert lines == [
        "method=GET path='/xero/callback' status=409 address=testclient",
        "method=GET path='/xero/callback' status=421 address=testclient",
    ]
