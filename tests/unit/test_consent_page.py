"""Asking for Xero's consent page first: its refusals in words, and nothing else."""

from dataclasses import replace

import pytest

from airflow_xero.consent_page import try_authorize
from airflow_xero.errors import UnavailableError, XeroSetupError


def test_an_app_that_xero_knows_may_go_on(app, http):
    try_authorize(app, http=http)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"client_id": "unknown"}, "correct the client id"),
        ({"redirect_uri": "https://elsewhere.example/xero/callback"}, "letter by letter"),
        ({"scopes": ("openid", "no.such.scope")}, "Xero does not let this app ask"),
    ],
)
def test_a_refusal_names_the_field(app, http, changed, said):
    with pytest.raises(XeroSetupError, match=said) as refused:
        try_authorize(replace(app, **changed), http=http)

    assert "xero_default" in refused.value.message


@pytest.mark.parametrize("status", [200, 403, 500])
def test_an_answer_of_another_kind_is_left_to_the_browser(app, http, xero_sandbox, status):
    page = {"path": "/identity/connect/authorize", "kind": "status", "status": status}
    xero_sandbox.control("POST", "faults", {**page, "body": "<h1>Access denied</h1>"})

    try_authorize(app, http=http)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_login_page_that_is_down_is_said_to_be(app, http, xero_sandbox, status):
    page = {"path": "/identity/connect/authorize", "kind": "status", "status": status}
    xero_sandbox.control("POST", "faults", page)

    with pytest.raises(UnavailableError, match=f"does not answer .{status}."):
        try_authorize(app, http=http)


def test_a_login_page_out_of_reach_is_xeros_affair(app, http):
    with pytest.raises(UnavailableError):
        try_authorize(replace(app, login_url="http://localhost:9"), http=http)
