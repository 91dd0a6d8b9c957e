"""Asking for an organisation to be erased: by its name, and what follows at once."""

from __future__ import annotations

import pytest

from airflow_xero import erasures
from airflow_xero.errors import (
    NotConnectedError,
    XeroSetupError,
)
from airflow_xero.extract import Tenant
from airflow_xero.standing import tenants_to_extract
from tests.warehouse.erasing.conftest import NAME
from tests.warehouse.erasures_asked import ask, figures, run


@pytest.mark.parametrize("typed", ["", "Kowhai & Sons <Roasters>", "kōwhai & sons <roasters>", "%"])
def test_another_name_than_the_organisations_erases_nothing(typed, two, xero, warehouse):
    with pytest.raises(XeroSetupError, match="name that was typed"):
        ask(warehouse, two[0], typed)
    warehouse.rollback()

    assert erasures.erasures(warehouse) == []
    assert len(tenants_to_extract(warehouse, "xero_default")) == 2


@pytest.mark.parametrize(
    "typed", ["  Ko\u0304whai  &  Sons <Roasters> ", "\u202eKōwhai & Sons\u200b <Roasters>"]
)
def test_a_name_may_be_typed_with_other_spaces_forms_of_letters_and_unseen_signs(
    typed, two, warehouse
):
    ask(warehouse, two[0], typed)

    assert erasures.open_erasures(warehouse) == [two[0].tenant_id]


@pytest.mark.parametrize(
    "tenant_id", ["99999999-9999-9999-9999-999999999999", "'; drop table", "../../etc/passwd"]
)
def test_an_organisation_that_the_app_does_not_know_cannot_be_erased(tenant_id, two, warehouse):
    with pytest.raises(NotConnectedError):
        ask(warehouse, Tenant(tenant_id, NAME, "-"))


def test_what_nobody_asked_for_is_not_erased(two, xero):
    before = figures(xero.dsn, two[0])

    with pytest.raises(XeroSetupError, match="Nobody asked"):
        run(xero, two[0])

    assert figures(xero.dsn, two[0]) == before


def test_asking_leaves_the_organisation_out_of_every_run_at_once(two, xero, warehouse):
    ask(warehouse, two[0])

    assert [each.tenant_id for each in tenants_to_extract(warehouse, "xero_default")] == [
        two[1].tenant_id
    ]
