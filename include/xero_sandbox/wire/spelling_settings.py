"""How settings are spelled on the wire: accounts, tax rates, items, users, the organisation.

Knows the JSON of Xero's accounting API, as its published examples and recorded answers show it.
Must not know the ledger, HTTP or how records come about. Amounts stay decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from xero_sandbox.books.countries import TaxRate
from xero_sandbox.books.documents import TrackingCategory
from xero_sandbox.books.ledger import Account
from xero_sandbox.books.money import cents, places
from xero_sandbox.books.paper_records import BrandingTheme, Item, StaffMember
from xero_sandbox.wire.format import ms_date, ms_date_bare
from xero_sandbox.wire.records import Body, Shape
from xero_sandbox.wire.spelling import Surroundings, attachments


def account(record: Account, shape: Shape, around: Surroundings) -> Body:
    """Spell an account; empty fields are left out, as Xero does."""
    body: Body = {
        "AccountID": record.account_id,
        "Code": record.code,
        "Name": record.name,
        "Status": record.status,
        "Type": record.type,
        "TaxType": record.tax_type,
    }
    if record.description:
        body["Description"] = record.description
    body["Class"] = record.account_class
    if record.system:
        body["SystemAccount"] = record.system
    body["EnablePaymentsToAccount"] = record.takes_payments
    body["ShowInExpenseClaims"] = False
    if record.type == "BANK":
        body["BankAccountNumber"] = record.bank_account_number
        body["BankAccountType"] = "BANK"
        body["CurrencyCode"] = record.currency
    body["ReportingCode"] = _REPORTING_CODES.get(record.account_class, "")
    body["HasAttachments"] = record.account_id in around.attachments
    if body["HasAttachments"] and shape.is_one:
        body["Attachments"] = attachments("Accounts", record.account_id, around)
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["AddToWatchlist"] = record.system == "DEBTORS"
    return body


_REPORTING_CODES = {
    "ASSET": "ASS",
    "LIABILITY": "LIA",
    "EQUITY": "EQU",
    "REVENUE": "REV",
    "EXPENSE": "EXP",
}


def tax_rate(record: TaxRate, _: Shape, __: Surroundings) -> Body:
    """Spell a tax rate; its key is the TaxType, it has no id."""
    return {
        "Name": record.name,
        "TaxType": record.tax_type,
        "ReportTaxType": record.report_type,
        "CanApplyToAssets": record.on_expenses or record.on_revenue,
        "CanApplyToEquity": record.on_expenses or record.on_revenue,
        "CanApplyToExpenses": record.on_expenses,
        "CanApplyToLiabilities": record.on_expenses or record.on_revenue,
        "CanApplyToRevenue": record.on_revenue,
        "DisplayTaxRate": places(record.rate, 4),
        "EffectiveRate": places(record.rate, 4),
        "Status": "ACTIVE",
        "TaxComponents": [
            {
                "Name": name,
                "Rate": places(rate, 4),
                "IsCompound": False,
                "IsNonRecoverable": False,
            }
            for name, rate in record.components
        ],
    }


def item(record: Item, _: Shape, __: Surroundings) -> Body:
    """Spell an item; quantities and values only of a tracked one."""
    body: Body = {"ItemID": record.item_id, "Code": record.code, "Description": record.description}
    if record.purchase_description:
        body["PurchaseDescription"] = record.purchase_description
    body["UpdatedDateUTC"] = ms_date(record.updated_at)
    body["PurchaseDetails"] = _purchase_details(record)
    body["SalesDetails"] = _details(
        record.sale_price, record.sale_account, record.sale_tax_type, code="AccountCode"
    )
    body["Name"] = record.name
    body["IsTrackedAsInventory"] = record.is_tracked
    if record.inventory_account is not None:
        body["InventoryAssetAccountCode"] = record.inventory_account.code
        body["TotalCostPool"] = cents(record.cost_pool)
        body["QuantityOnHand"] = places(record.quantity, 4)
        body["QuantityAvailable"] = places(record.quantity, 4)
        body["QuantityOnBackOrder"] = places(Decimal(0), 4)
    body["IsSold"] = record.sale_price is not None or record.sale_account is not None
    body["IsPurchased"] = record.purchase_price is not None or record.purchase_account is not None
    return body


def _purchase_details(record: Item) -> Body:
    """Purchases of a tracked item go to stock; its account is that of the cost of goods sold."""
    code = "COGSAccountCode" if record.is_tracked else "AccountCode"
    price, account_bought = record.purchase_price, record.purchase_account
    return _details(price, account_bought, record.purchase_tax_type, code=code)


def _details(price: Decimal | None, posted_to: Account | None, tax_type: str, *, code: str) -> Body:
    body: Body = {}
    if price is not None:
        body["UnitPrice"] = places(price, 4)
    if posted_to is not None:
        body[code] = posted_to.code
    if tax_type:
        body["TaxType"] = tax_type
    return body


def tracking_category(record: TrackingCategory, _: Shape, __: Surroundings) -> Body:
    """Spell a tracking category with all its options, archived ones, too."""
    return {
        "Name": record.name,
        "Status": record.status,
        "TrackingCategoryID": record.category_id,
        "Options": [
            {
                "TrackingOptionID": option.option_id,
                "Name": option.name,
                "Status": option.status,
                "HasValidationErrors": False,
                "IsDeleted": False,
                "IsArchived": option.status == "ARCHIVED",
                "IsActive": option.status == "ACTIVE",
            }
            for option in record.options
        ],
    }


def branding_theme(record: BrandingTheme, _: Shape, __: Surroundings) -> Body:
    """Spell a branding theme."""
    return {
        "BrandingThemeID": record.theme_id,
        "Name": record.name,
        "Type": record.type,
        "SortOrder": record.sort_order,
        "CreatedDateUTC": ms_date(record.created_at),
    }


def user(record: StaffMember, _: Shape, __: Surroundings) -> Body:
    """Spell a user of the organisation."""
    return {
        "UserID": record.user_id,
        "EmailAddress": record.email,
        "FirstName": record.first_name,
        "LastName": record.last_name,
        "UpdatedDateUTC": ms_date(record.updated_at),
        "IsSubscriber": record.is_subscriber,
        "OrganisationRole": record.role,
    }


def organisation(fields: Mapping[str, Any]) -> Body:
    """Spell an organisation: `fields` in Xero's names, dates and moments still as Python's."""
    return {key: _stamp(value) for key, value in fields.items()}


def _stamp(value: object) -> object:
    """A date as everywhere, a moment without offset, which it has nowhere else."""
    if isinstance(value, datetime):
        return ms_date_bare(value)
    return ms_date(value) if isinstance(value, date) else value
