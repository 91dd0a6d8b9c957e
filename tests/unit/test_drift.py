"""What is known of Xero: every name stands where it can be found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_xero.drift import known_of
from airflow_xero.endpoint import Reading
from airflow_xero.endpoints import ENDPOINTS

SECTIONS = Path(__file__).resolve().parents[2] / "dbt/macros/statements/sections.sql"
LISTS = [each.name for each in ENDPOINTS if each.reading is not Reading.REPORT]


@pytest.mark.parametrize("endpoint", LISTS)
def test_values_are_known_of_fields_that_are_known(endpoint):
    known = known_of(endpoint)
    assert known is not None
    assert {*known.values, *known.parts} <= set(known.fields)
    assert set(known.part_values) <= set(known.parts)
    for part, values in known.part_values.items():
        assert values
        assert set(values) <= set(known.parts[part])
        assert all(values.values())


def test_values_within_parts_are_those_of_the_endpoint_that_gives_them_by_itself():
    payments, invoices = known_of("payments"), known_of("invoices")
    assert payments is not None
    assert invoices is not None
    assert invoices.part_values["Payments"] == payments.values
    assert payments.part_values["Invoice"] == invoices.values


def test_types_of_account_that_statements_know_are_no_news():
    accounts, journals = known_of("accounts"), known_of("journals")
    assert accounts is not None
    assert journals is not None
    class_of_an_account = SECTIONS.read_text(encoding="utf-8").split("endmacro")[0]
    named = set(re.findall(r"'([A-Z]{4,})'", class_of_an_account))
    assert {"BANK", "WAGESEXPENSE", "PAYGLIABILITY"} <= named
    known = set(accounts.values["Type"])
    # A class, like EQUITY, EXPENSE, LIABILITY and REVENUE, but no type.
    assert named - known == {"ASSET"}
    assert journals.part_values["JournalLines"]["AccountType"] == accounts.values["Type"]
