"""What a run's configuration may say, and that everything else is refused in words."""

from __future__ import annotations

from datetime import date

import pytest

from airflow_xero.errors import XeroSetupError
from airflow_xero.run_configuration import (
    ACCEPT_DELETIONS,
    DAY,
    FRESH,
    TENANTS,
    accepts_deletions,
    asked_tenants,
    day_in,
    is_fresh,
    require_known,
)

ONE = "6f5b2a0e-0000-4000-8000-000000000001"
KAURI, OTHER = "5b4c7a1e-2d3f-4a5b-8c6d-7e8f9a0b1c2d", "00000000-0000-0000-0000-000000000001"


@pytest.mark.parametrize("conf", [None, {}, {"day": "2026-11-20", "fresh": True}])
def test_what_a_dag_knows_is_taken(conf):
    require_known(conf, DAY, FRESH)


def test_a_mistyped_key_is_refused_with_the_keys_that_there_are():
    with pytest.raises(XeroSetupError) as refused:
        require_known({"tennant_ids": [ONE], "day": "2026-11-20"}, DAY, ACCEPT_DELETIONS)

    assert refused.value.message == (
        "The run's configuration has 'tennant_ids', which this Dag does not know; it knows 'day',"
        " 'accept_deletions'. Correct it and trigger a new run"
    )


def test_a_dag_that_knows_no_key_says_so():
    with pytest.raises(XeroSetupError, match="it knows none"):
        require_known({"day": "2026-11-20"})


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"day": "20261120"}, "must look like 2026-11-20"),
        ({"fresh": "yes"}, "must be true or false"),
        ({"accept_deletions": "Kauri"}, "true, or a list of tenant ids"),
    ],
)
def test_a_value_that_its_key_does_not_hold_is_refused_with_the_keys(conf, words):
    with pytest.raises(XeroSetupError, match=words):
        require_known(conf, DAY, FRESH, ACCEPT_DELETIONS, TENANTS)


def test_a_day_is_taken_in_the_one_form_that_everybody_reads_alike():
    assert day_in({"day": "2026-02-28"}) == date(2026, 2, 28)
    assert day_in({}) is None


@pytest.mark.parametrize(
    "day",
    [
        *("31/10/2026", "", 20261031, ["2026-10-31"], "2026-02-30", True),
        *(
            "20261031",
            "2026-W44-6",
            "2026-10-31T00:00:00",
            " 2026-10-31",
            "2026-1-3",
            "2026-10-3\u0661",
        ),
    ],
)
def test_any_other_spelling_of_a_day_says_how_it_must_look(day):
    with pytest.raises(XeroSetupError, match=r'configuration "day" is .*must look like 2026-11-20'):
        day_in({"day": day})


@pytest.mark.parametrize(
    ("said", "unless_said", "reads_again"),
    [({}, True, True), ({}, False, False), ({"fresh": False}, True, False)],
)
def test_freshness_is_what_the_run_says_and_else_what_the_dag_does(said, unless_said, reads_again):
    assert is_fresh(said, unless_said=unless_said) is reads_again


@pytest.mark.parametrize("spelled", [ONE, ONE.upper(), f"{{{ONE}}}"])
def test_an_id_is_known_however_it_is_spelled(spelled):
    assert asked_tenants({"tenants": [spelled]}) == {ONE}


@pytest.mark.parametrize(
    "conf", [None, {}, {"tenants": []}, {"tenants": ONE}, {"tenants": ["all"]}, {"tenants": 7}]
)
def test_a_run_that_asks_for_nothing_says_what_it_wants(conf):
    with pytest.raises(XeroSetupError, match="must be a list of tenant ids"):
        asked_tenants(conf)


@pytest.mark.parametrize(
    ("agreed", "accepts"),
    [
        *((None, False), ({}, False), ([], False), (False, False), (True, True)),
        *(([OTHER], False), ([OTHER, KAURI], True), ([KAURI.upper()], True)),
    ],
)
def test_who_agrees_to_deletions_agrees_for_the_organisations_he_names(agreed, accepts):
    conf = agreed if agreed is None or agreed == {} else {"accept_deletions": agreed}

    assert accepts_deletions(conf, KAURI) is accepts


@pytest.mark.parametrize("agreed", [KAURI, "true", 1, None, ["Kauri"], [1], {"a": 1}])
def test_an_agreement_that_names_no_organisation_is_refused(agreed):
    with pytest.raises(XeroSetupError, match="true, or a list of tenant ids"):
        accepts_deletions({"accept_deletions": agreed}, KAURI)
