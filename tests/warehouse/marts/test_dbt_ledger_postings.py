"""The two ledgers against the sandbox's own, which shares no code with dbt: to the cent.

Here one organisation for each rule; twenty of them over two years are in test_dbt_twenty_books.
"""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.warehouse.marts.ledger_books import (
    LEDGERS,
    NIGHT,
    built_movements,
    differences,
    ledger_of,
    less,
    movements_of,
    without_documents,
)

BUILDERS = {"documents": "every document", "journals": "every document, journals"}
every_builder = pytest.mark.parametrize("tenant", BUILDERS.values(), ids=BUILDERS)


@pytest.fixture
def company(ledger_companies):
    """The organisation that has every document there is, in four currencies."""
    return ledger_companies["every document"]


@every_builder
@pytest.mark.parametrize("basis", LEDGERS)
def test_a_ledger_equals_the_sandboxs_on_every_account_and_day(marts, company, basis, tenant):
    ledger = ledger_of(company, basis)
    posted = movements_of(ledger.journals)
    with marts.connect() as connection:
        built = built_movements(connection, basis, marts.tenants[tenant].tenant_id)
    assert len(posted) > 300
    assert differences(built, posted, ledger) == []


@pytest.mark.parametrize("basis", LEDGERS)
@pytest.mark.parametrize("nights_before", [70, 9])
def test_journals_tell_the_ledger_of_a_night_before_the_first_extraction(
    marts, company, basis, nights_before
):
    """What was edited, voided or dated back since was not yet so."""
    moment = NIGHT - timedelta(days=nights_before)
    rows = marts.rows(
        f"select account_id, posting_date, sum(base_amount) from xero_marts.{LEDGERS[basis]}"
        " where tenant_id = %s and created_at <= %s group by 1, 2 having sum(base_amount) <> 0",
        *(marts.tenants[BUILDERS["journals"]].tenant_id, moment),
    )
    known = {(account, day): amount for account, day, amount in rows}
    ledger = ledger_of(company, basis)
    then = movements_of(each for each in ledger.journals if each.created_at <= moment)
    assert len(then) > 50
    assert differences(known, then, ledger) == []
    # Today the same days say something else.
    days = {day for _, day in then if day <= moment.date()}
    today = movements_of(ledger.journals)
    assert {key: amount for key, amount in today.items() if key[1] in days} != {
        key: amount for key, amount in then.items() if key[1] in days
    }


@pytest.mark.parametrize(("tenant", "is_told"), [("documents", False), ("journals", True)])
@pytest.mark.parametrize("basis", LEDGERS)
def test_only_journals_say_when_they_were_posted(marts, basis, tenant, is_told):
    found = marts.rows(
        f"select distinct created_at is not null from xero_marts.{LEDGERS[basis]}"
        " where tenant_id = %s",
        marts.tenants[BUILDERS[tenant]].tenant_id,
    )
    assert found == [(is_told,)]


@pytest.mark.parametrize("basis", LEDGERS)
def test_what_no_document_shows_is_exactly_what_is_missing(marts, companies, basis):
    company = companies["every kind"]
    ledger = ledger_of(company, basis)
    with marts.connect() as connection:
        built = built_movements(connection, basis, company.tenant_id)
    unshown = without_documents(company, basis)
    assert len(unshown) > 10
    assert differences(less(movements_of(ledger.journals), built), unshown, ledger) == []


def test_every_source_sums_to_zero_on_every_day(built):
    assert built.statuses["assert_every_posting_day_sums_to_zero"] == "pass"
    for table in LEDGERS.values():
        assert (
            built.warehouse.rows(
                f"select source_id from xero_marts.{table}"
                " group by tenant_id, source_id, posting_date having sum(base_amount) <> 0"
            )
            == []
        )


def test_every_posting_rule_is_named_and_tried(marts, companies, ledger_companies):
    named = {rule for (rule,) in marts.rows("select rule from xero_staging.posting_rules")}
    tenants = [
        marts.tenants[name].tenant_id
        for each in ledger_companies
        for name in (each, f"{each}, journals")
    ]
    tenants.append(companies["every kind"].tenant_id)
    tried = {
        rule
        for table in (*LEDGERS.values(), "fct_reported_movements")
        for (rule,) in marts.rows(
            f"select distinct rule from xero_marts.{table} where tenant_id::text = any(%s)", tenants
        )
    }
    assert tried == named


@every_builder
def test_postings_name_their_document_and_contact(marts, company, tenant):
    tenant_id = marts.tenants[tenant].tenant_id
    found = marts.rows(
        "select source_type, count(*), count(document_id), count(contact_id)"
        " from xero_marts.fct_ledger_postings where tenant_id = %s"
        " and source_type in ('ACCREC', 'ACCPAY', 'ACCRECPAYMENT', 'ACCPAYPAYMENT', 'CASHREC')"
        " group by source_type",
        tenant_id,
    )
    assert len(found) == 5
    assert [row for row in found if len(set(row[1:])) > 1] == []
    known = {
        (document.document_id, document.contact.contact_id)
        for document in company.books.documents.values()
    }
    posted = marts.rows(
        "select document_id, contact_id from xero_marts.fct_ledger_postings where tenant_id = %s"
        " and source_type in ('ACCREC', 'ACCPAY', 'ACCRECPAYMENT', 'ACCPAYPAYMENT')",
        tenant_id,
    )
    assert set(posted) <= known


@every_builder
def test_income_and_costs_by_tracking_option_equal_the_sandboxs(marts, company, tenant):
    ledger = company.books.ledger
    temporary = {key for key, account in ledger.accounts.items() if account.is_temporary}
    options = [
        option
        for category in company.books.tracking_categories.values()
        for option in category.options
    ]
    built = {
        (option, account): amount
        for option, account, amount in marts.rows(
            "select option_id, account_id, sum(base_amount) from xero_marts.fct_ledger_postings"
            " cross join lateral (values (tracking_option_1_id), (tracking_option_2_id))"
            " as tracked (option_id) where tenant_id = %s and option_id is not null group by 1, 2",
            marts.tenants[tenant].tenant_id,
        )
        if account in temporary and amount
    }
    posted = {
        (option.option_id, account): amount
        for option in options
        for account, amount in ledger.tracked_balances(date.max, options=[option]).items()
        if account in temporary and amount
    }
    assert len(posted) > 10
    assert built == posted


def test_the_planner_expects_as_many_documents_as_were_touched(marts):
    documents, touched = (
        f"xero_intermediate.{name}"
        for name in ("int_posting_documents_gathered", "int_documents_touched")
    )
    with marts.connect() as connection:
        connection.execute(f"delete from {touched}")
        connection.execute(f"insert into {touched} select tenant_id, document_id from {documents}")
        connection.execute(f"analyze {touched}")
        plan = connection.execute(
            f"explain (format json) select from {documents} as record where exists"
            f" (select from {touched} as touched where record.tenant_id = touched.tenant_id"
            " and record.document_id = touched.document_id)"
        ).fetchone()
        count = connection.execute(f"select count(*) from {documents}").fetchone()
        connection.rollback()
    # A join of the two columns would make it expect a handful, and loop within loops.
    assert plan[0][0]["Plan"]["Plan Rows"] > count[0] / 2


def test_on_cash_basis_only_money_is_posted_by_rules_that_real_journals_prove(marts):
    """Of what settles documents: what is recognised with it no real journal has shown."""
    found = marts.rows(
        "select distinct posting_id ~ ':account$', rule from xero_marts.fct_cash_basis_postings"
        " where tenant_id = %s and posting_id ~ ':[12]:(control|line|rounding|tax|gain|account)'",
        marts.tenants[BUILDERS["documents"]].tenant_id,
    )
    proved = {
        rule
        for (rule,) in marts.rows(
            "select rule from xero_staging.posting_rules where proof = 'real_journals'"
        )
    }
    recognised = {rule for is_money, rule in found if not is_money}
    assert recognised.isdisjoint(proved)
    assert recognised >= {"cash_settlement", "cash_overpayment", "allocation_of_prepayment"}
    assert "payment" in {rule for is_money, rule in found if is_money}
