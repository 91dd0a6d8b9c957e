"""Which endpoints a connection asks for."""

from __future__ import annotations

import pytest

from airflow_xero.endpoints import DEFAULT_ENDPOINTS, chosen_endpoints
from airflow_xero.errors import XeroSetupError

USUAL = [endpoint.name for endpoint in DEFAULT_ENDPOINTS]


def names(text: str) -> list[str]:
    return [endpoint.name for endpoint in chosen_endpoints(text)]


@pytest.mark.parametrize("text", ["", "  ", "invoices"])
def test_nothing_said_means_the_usual_ones_without_journals(text):
    assert names(text) == USUAL
    assert "journals" not in USUAL


def test_journals_are_added_and_others_left_out_in_the_order_of_reading():
    wanted = [name for name in USUAL if name not in ("quotes", "budgets")]
    wanted.insert(wanted.index("trial_balances"), "journals")
    assert names("journals, -quotes\n-budgets") == wanted


@pytest.mark.parametrize("text", ["invoice", "-journal", "-organisations", "%s {0}"])
def test_a_name_that_does_not_exist_is_refused_with_those_that_do(text):
    with pytest.raises(XeroSetupError, match="the names are accounts, balance_sheets"):
        chosen_endpoints(text)
