"""What a person may grant: every scope of an app stands behind exactly one choice."""

import pytest

from airflow_xero.endpoints import ENDPOINTS
from airflow_xero.scope_choices import (
    BROAD,
    SIGN_IN,
    USUAL,
    are_read_only,
    choices_of,
    chosen,
    expanded,
    why_refused,
)

JOURNALS = "accounting.journals.read"


@pytest.mark.parametrize("era", list(USUAL))
def test_every_scope_of_an_era_stands_behind_one_choice(era):
    scopes = (*USUAL[era], JOURNALS, "accounting.attachments.read", "files.read")

    behind = [scope for one in choices_of(scopes) for scope in one.scopes]

    assert sorted([*SIGN_IN, *behind]) == sorted(scopes)


@pytest.mark.parametrize(
    ("era", "offered"),
    [
        ("granular", ["accounting", "manual_journals", "reports", "budgets"]),
        ("broad", ["accounting", "reports", "budgets"]),
    ],
)
def test_what_the_connection_does_not_name_is_told_as_not_offered(era, offered):
    told = choices_of(USUAL[era])

    assert [one.key for one in told if one.is_offered] == offered
    assert [one.key for one in told if not one.is_offered] == ["journals", "attachments"]
    assert [one.key for one in told if one.is_required] == ["accounting"]
    assert all(one.is_offered == one.is_default == bool(one.scopes) for one in told)


@pytest.mark.parametrize("era", list(USUAL))
def test_the_usual_scopes_of_an_era_open_every_usual_endpoint(era):
    granted = set(USUAL[era])

    closed = {one.name for one in ENDPOINTS if one.is_default and granted.isdisjoint(one.scopes)}

    assert closed == set()
    assert BROAD.isdisjoint(granted) == (era == "granular")


def test_a_choice_leaves_out_the_others_and_never_what_is_needed():
    asked = chosen(USUAL["granular"], ["budgets", "unknown"])

    assert asked == tuple(
        scope
        for scope in USUAL["granular"]
        if "reports" not in scope and "manualjournals" not in scope
    )


def test_who_is_not_asked_grants_everything_that_the_connection_names():
    assert chosen(("openid", "files.read"), None) == ("openid", "files.read")


def test_who_chooses_nothing_grants_what_is_needed_alone():
    asked = ("openid", "accounting.settings.read", "accounting.budgets.read", "files.read")

    assert chosen(asked, []) == ("openid", "accounting.settings.read")


@pytest.mark.parametrize(
    ("more", "promised"),
    [
        ((), True),
        ((JOURNALS, "files.read"), True),
        (("accounting.transactions",), False),
        (("accounting.attachments",), False),
        (("paymentservices",), False),
    ],
)
def test_nothing_is_promised_that_a_scope_does_not_keep(more, promised):
    for usual in USUAL.values():
        assert are_read_only((*usual, *more)) == promised


def test_the_words_of_the_eras_stand_for_their_scopes():
    assert expanded("granular") == USUAL["granular"]
    assert expanded(f" broad\n{JOURNALS} openid") == (*USUAL["broad"], JOURNALS)
    assert expanded("openid  openid") == ("openid",)


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        ((*USUAL["broad"], JOURNALS), f"leave out {JOURNALS}"),
        (USUAL["broad"], "the word granular"),
        (USUAL["granular"], "the word broad"),
    ],
)
def test_a_refusal_names_what_to_change(scopes, said):
    assert said in why_refused(scopes)
