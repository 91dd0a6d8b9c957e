"""What can be chosen about an organisation, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count

import pytest

from xero_sandbox.books.countries import COUNTRIES, CURRENCY_NAMES, TIMEZONES
from xero_sandbox.books.documents import compute_line
from xero_sandbox.books.money import ONE
from xero_sandbox.books.rates import rate_on
from xero_sandbox.business.chart import chart_of_accounts
from xero_sandbox.business.traits import FEATURES, SIZES, TraitError, traits_of

SYSTEM_ACCOUNTS = {
    "BANKCURRENCYGAIN",
    "CREDITORS",
    "DEBTORS",
    "GST",
    "HISTORICAL",
    "REALISEDCURRENCYGAIN",
    "RETAINEDEARNINGS",
    "ROUNDING",
    "TRACKINGTRANSFERS",
    "UNPAIDEXPCLM",
    "UNREALISEDCURRENCYGAIN",
    "WAGEPAYABLES",
}


def test_all_stands_for_every_feature_and_brings_currencies() -> None:
    traits = traits_of({"features": ["all"], "country": "US"})
    assert set(traits.features) == set(FEATURES)
    assert traits.currencies == ("EUR", "JPY")


def test_features_are_kept_in_one_order_each_once() -> None:
    given = traits_of({"features": ["tracking", "quotes", "tracking"]})
    assert given.features == ("quotes", "tracking")
    assert given == traits_of({"features": ("quotes", "tracking")})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"colour": "red"}, "unknown traits: colour (known: bank_transactions_per_day, "),
        ({"country": "XX"}, "country 'XX' is not one of AU, CA, GB, NZ, US"),
        ({"currencies": ["DEM"]}, "currencies 'DEM' is not one of"),
        ({"invoices_per_day": -1}, "invoices_per_day must be a number of at least 0"),
        ({"features": ["dancing"]}, "'dancing' is not one of all, approvals, attachments"),
        ({"features": "all"}, "features must be a list, got 'all'"),
        ({"size": "vast"}, "size 'vast' is not one of huge, large, medium, small"),
        ({"year_end": [31, 2]}, "year_end must be a day and a month"),
        ({"year_end": [31]}, "year_end must be a day and a month"),
        ({"year_end": ["31", "3"]}, "year_end must be a day and a month"),
        ({"extra_lines": 1.5}, "extra_lines must be a number"),
        ({"customers": -1}, "at least 0"),
        ({"timezone": "Pacific/Auckland"}, "timezone 'Pacific/Auckland' is not one of"),
    ],
)
def test_a_wrong_trait_is_refused_with_what_is_allowed(
    given: dict[str, object], message: str
) -> None:
    with pytest.raises(TraitError) as caught:
        traits_of(given)
    assert message in str(caught.value)


@pytest.mark.parametrize("size", SIZES)
def test_a_size_gives_the_averages_that_are_not_given(size: str) -> None:
    traits = traits_of({"size": size, "customers": 7})
    assert traits.customers == 7
    expected = SIZES[size].get("invoices_per_day", 2.0)
    assert traits.invoices_per_day == expected


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_chart_has_the_system_accounts_once_and_codes_of_its_own(country: str) -> None:
    ids = count()
    accounts = chart_of_accounts(
        COUNTRIES[country],
        new_id=lambda: str(next(ids)),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        foreign_banks=("JPY", "EUR"),
        has_card=True,
    )
    systems = [account.system for account in accounts if account.system]
    assert sorted(systems) == sorted(SYSTEM_ACCOUNTS)
    assert len({account.code for account in accounts}) == len(accounts)
    assert len({account.name for account in accounts}) == len(accounts)
    types = {account.type for account in accounts}
    assert types >= {"BANK", "INVENTORY", "TERMLIAB", "FIXED", "DEPRECIATN", "DIRECTCOSTS"}
    assert any(account.takes_payments and account.type != "BANK" for account in accounts)
    known = {rate.tax_type for rate in COUNTRIES[country].tax_rates}
    assert {account.tax_type for account in accounts} <= known
    assert not any("{" in account.name for account in accounts)


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_its_taxes_and_a_rate_of_several_components(country: str) -> None:
    land = COUNTRIES[country]
    types = [rate.tax_type for rate in land.tax_rates]
    assert len(set(types)) == len(types)
    named = {land.sales_tax, land.purchase_tax, land.no_tax, land.export_tax}
    assert named | {*land.rare_sales_taxes, *land.rare_purchase_taxes} <= set(types)
    assert any(len(rate.components) > 1 for rate in land.tax_rates)
    for rate in land.tax_rates:
        assert sum((part for _, part in rate.components), Decimal(0)) == rate.rate
    assert land.timezone in TIMEZONES
    assert land.currency in CURRENCY_NAMES


def test_time_zones_reach_from_pago_pago_to_kiritimati() -> None:
    assert {"Pacific/Pago_Pago", "Pacific/Kiritimati"} <= set(TIMEZONES.values())


@pytest.mark.parametrize("currency", sorted(CURRENCY_NAMES))
def test_every_currency_has_a_rate_that_moves(currency: str) -> None:
    rates = [
        rate_on(date(2026, month, 1), base="NZD", currency=currency, seed="1")
        for month in range(1, 13)
    ]
    assert all(rate > 0 for rate in rates)
    assert (set(rates) == {ONE}) if currency == "NZD" else (len(set(rates)) == 12)


def test_a_multi_component_tax_is_taxed_as_one() -> None:
    ids = count()
    [account, *_] = chart_of_accounts(
        COUNTRIES["US"],
        new_id=lambda: str(next(ids)),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    line = compute_line(
        "l",
        kind="Exclusive",
        quantity=Decimal(1),
        price=Decimal(100),
        account=account,
        tax_type="TAX001",
        tax_rate=COUNTRIES["US"].rate_of("TAX001"),
    )
    assert line.tax == Decimal("8.63")
