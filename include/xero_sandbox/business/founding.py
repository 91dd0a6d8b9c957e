"""How an organisation begins: its chart of accounts, its owner, what it says of itself.

Knows what Xero has of an organisation before its first document. Must not know what its business
does, time or HTTP.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime
from typing import Any

from xero_sandbox.books.books import Books
from xero_sandbox.books.ids import new_guid, random_of
from xero_sandbox.books.paper_records import BrandingTheme, StaffMember
from xero_sandbox.business.chart import chart_of_accounts
from xero_sandbox.business.names import person
from xero_sandbox.business.traits import Traits
from xero_sandbox.wire import spelling_settings


def open_books(
    name: str, *, tenant_id: str, traits: Traits, seed: str, opened_at: datetime, today: date
) -> Books:
    """Return the books of an organisation that was made at `opened_at` and has done nothing."""
    ids = random_of(seed, "chart")
    accounts = chart_of_accounts(
        traits.land,
        new_id=lambda: new_guid(ids),
        created_at=opened_at,
        foreign_banks=traits.currencies if "foreign_banks" in traits.features else (),
        has_card="transfers" in traits.features,
    )
    currencies = (traits.land.currency, *traits.currencies)
    books = Books(traits.land, currencies=currencies, accounts=accounts, today=today)
    described = _describe(name, tenant_id=tenant_id, traits=traits, seed=seed, opened_at=opened_at)
    books.shelve_organisation(tenant_id, spelling_settings.organisation(described))
    owner = random_of(seed, "owner")
    user_id, (first, last) = new_guid(owner), person(owner)
    books.add_staff(
        StaffMember(
            user_id,
            "owner@example.com",
            first,
            last,
            role="STANDARD",
            updated_at=opened_at,
            is_subscriber=True,
        )
    )
    books.add_branding_theme(BrandingTheme(new_guid(owner), "Standard", 0, opened_at))
    return books


def _describe(
    name: str, *, tenant_id: str, traits: Traits, seed: str, opened_at: datetime
) -> dict[str, Any]:
    land = traits.land
    year_end_day, year_end_month = traits.year_end or land.year_end
    digits = random_of(seed, "organisation").getrandbits(64)
    city = land.cities[digits % len(land.cities)]
    described: dict[str, Any] = {
        "APIKey": f"{digits:016X}",
        "Name": name,
        "LegalName": name,
        "PaysTax": True,
        "Version": land.version,
        "OrganisationType": "COMPANY",
        "BaseCurrency": land.currency,
        "CountryCode": land.code,
        "IsDemoCompany": traits.is_demo,
        "OrganisationStatus": "ACTIVE",
        "TaxNumber": f"{digits % 10**9:09d}",
        "FinancialYearEndDay": year_end_day,
        "FinancialYearEndMonth": year_end_month,
        "SalesTaxBasis": land.sales_tax_basis,
        "SalesTaxPeriod": land.sales_tax_period,
        "DefaultSalesTax": "Tax Exclusive",
        "DefaultPurchasesTax": "Tax Exclusive",
        "CreatedDateUTC": opened_at,
        "OrganisationEntityType": "COMPANY",
        "Timezone": traits.timezone,
        "ShortCode": f"!{digits % 36**5:05X}"[:6],
        "OrganisationID": tenant_id,
        "Edition": "BUSINESS",
        "Class": "DEMO" if traits.is_demo else land.class_name,
        "Addresses": [
            {
                "AddressType": "STREET",
                "AddressLine1": f"{digits % 400 + 1} Harbour Street",
                "City": city,
                "Region": "",
                "PostalCode": f"{digits % 10_000:04d}",
                "Country": land.code,
                "AttentionTo": "",
            }
        ],
        "Phones": [{"PhoneType": "OFFICE", "PhoneNumber": f"{digits % 10**7:07d}"}],
        "ExternalLinks": [],
        "PaymentTerms": {
            "Bills": {"Day": 20, "Type": "OFFOLLOWINGMONTH"},
            "Sales": {"Day": 14, "Type": "DAYSAFTERBILLDATE"},
        },
    }
    if "upkeep" in traits.features:
        described["RegistrationNumber"] = f"{digits % 10**8:08d}"
        described["EndOfYearLockDate"] = _locked_until(opened_at.date(), traits)
    return described


def _locked_until(opened_on: date, traits: Traits) -> date:
    """The end of the last year but one: nothing of these books is dated before it."""
    day, month = traits.year_end or traits.land.year_end
    year = opened_on.year - 2
    return date(year, month, min(day, monthrange(year, month)[1]))
