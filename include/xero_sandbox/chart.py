"""What Xero gives a new organisation: chart of accounts, tax rates, currency names, time zones.

Knows the differences between countries. Must not know documents or how a business behaves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from xero_sandbox.ledger import Account

# Xero's spelling of the time zones that organisations of the sandbox can have.
TIMEZONES = {
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "CENTRALSTANDARDTIME": "America/Chicago",
    "CHATHAMISLANDSSTANDARDTIME": "Pacific/Chatham",
    "EASTERNSTANDARDTIME": "America/New_York",
    "EAUSTRALIASTANDARDTIME": "Australia/Brisbane",
    "GMTSTANDARDTIME": "Europe/London",
    "HAWAIIANSTANDARDTIME": "Pacific/Honolulu",
    "INDIASTANDARDTIME": "Asia/Kolkata",
    "LINEISLANDSSTANDARDTIME": "Pacific/Kiritimati",
    "MOUNTAINSTANDARDTIME": "America/Denver",
    "NEPALSTANDARDTIME": "Asia/Kathmandu",
    "NEWFOUNDLANDSTANDARDTIME": "America/St_Johns",
    "NEWZEALANDSTANDARDTIME": "Pacific/Auckland",
    "PACIFICSTANDARDTIME": "America/Los_Angeles",
    "ROMANCESTANDARDTIME": "Europe/Paris",
    "SAMOASTANDARDTIME": "Pacific/Apia",
    "SINGAPORESTANDARDTIME": "Asia/Singapore",
    "SOUTHAFRICASTANDARDTIME": "Africa/Johannesburg",
    "TOKYOSTANDARDTIME": "Asia/Tokyo",
    "UTC": "UTC",
    "UTC11": "Pacific/Pago_Pago",
    "WAUSTRALIASTANDARDTIME": "Australia/Perth",
    "WEUROPESTANDARDTIME": "Europe/Berlin",
}

CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "EUR": "Euro",
    "GBP": "British Pound",
    "JPY": "Japanese Yen",
    "NZD": "New Zealand Dollar",
    "SGD": "Singapore Dollar",
    "USD": "United States Dollar",
}


@dataclass(frozen=True)
class TaxRate:
    """One tax rate; `rate` is a percentage, `components` its parts by name."""

    tax_type: str
    name: str
    rate: Decimal
    components: tuple[tuple[str, Decimal], ...]
    report_type: str
    on_revenue: bool
    on_expenses: bool


@dataclass(frozen=True)
class Country:
    """What differs from country to country.

    `sales_tax`, `purchase_tax`, `no_tax` and `export_tax` are tax types of `tax_rates`.
    """

    code: str
    version: str
    currency: str
    timezone: str
    year_end: tuple[int, int]
    tax_name: str
    sales_tax: str
    purchase_tax: str
    no_tax: str
    export_tax: str
    tax_rates: tuple[TaxRate, ...]
    cities: tuple[str, ...]
    class_name: str = "PREMIUM"

    def rate_of(self, tax_type: str) -> Decimal:
        """Return the percentage of a tax type; 0 for one the country does not have."""
        return next((t.rate for t in self.tax_rates if t.tax_type == tax_type), Decimal(0))


def _rate(
    tax_type: str, name: str, rate: str, *, component: str, report: str, sales: bool, costs: bool
) -> TaxRate:
    value = Decimal(rate)
    return TaxRate(tax_type, name, value, ((component, value),), report, sales, costs)


def _pair(types: str, names: str, *, rate: str, tax: str) -> tuple[TaxRate, TaxRate]:
    """The rates for sales and for purchases, from `OUTPUT/INPUT` and `… Income/… Expenses`."""
    output, input_ = types.split("/")
    on_sales, on_costs = names.split("/")
    return (
        _rate(output, on_sales, rate, component=tax, report="OUTPUT", sales=True, costs=False),
        _rate(input_, on_costs, rate, component=tax, report="INPUT", sales=False, costs=True),
    )


def _plain(tax_type: str, name: str, tax: str) -> TaxRate:
    return _rate(tax_type, name, "0", component=tax, report="NONE", sales=True, costs=True)


COUNTRIES = {
    "NZ": Country(
        code="NZ",
        version="NZ",
        currency="NZD",
        timezone="NEWZEALANDSTANDARDTIME",
        year_end=(31, 3),
        tax_name="GST",
        sales_tax="OUTPUT2",
        purchase_tax="INPUT2",
        no_tax="NONE",
        export_tax="ZERORATED",
        tax_rates=(
            *_pair("OUTPUT2/INPUT2", "15% GST on Income/15% GST on Expenses", rate="15", tax="GST"),
            _plain("NONE", "No GST", "GST"),
            _plain("ZERORATED", "Zero Rated", "GST"),
        ),
        cities=("Auckland", "Wellington", "Ōtautahi", "Whanganui", "Ōamaru"),
    ),
    "AU": Country(
        code="AU",
        version="AU",
        currency="AUD",
        timezone="AUSEASTERNSTANDARDTIME",
        year_end=(30, 6),
        tax_name="GST",
        sales_tax="OUTPUT",
        purchase_tax="INPUT",
        no_tax="BASEXCLUDED",
        export_tax="EXEMPTEXPORT",
        tax_rates=(
            *_pair("OUTPUT/INPUT", "GST on Income/GST on Expenses", rate="10", tax="GST"),
            _plain("BASEXCLUDED", "BAS Excluded", "GST"),
            _plain("EXEMPTEXPORT", "GST Free Exports", "GST"),
        ),
        cities=("Sydney", "Melbourne", "Fremantle", "Hobart"),
    ),
    "GB": Country(
        code="GB",
        version="UK",
        currency="GBP",
        timezone="GMTSTANDARDTIME",
        year_end=(31, 12),
        tax_name="VAT",
        sales_tax="OUTPUT2",
        purchase_tax="INPUT2",
        no_tax="NONE",
        export_tax="ZERORATEDOUTPUT",
        tax_rates=(
            *_pair(
                "OUTPUT2/INPUT2",
                "20% (VAT on Income)/20% (VAT on Expenses)",
                rate="20",
                tax="VAT",
            ),
            *_pair(
                "RROUTPUT/RRINPUT", "5% (VAT on Income)/5% (VAT on Expenses)", rate="5", tax="VAT"
            ),
            _plain("NONE", "No VAT", "VAT"),
            _plain("ZERORATEDOUTPUT", "Zero Rated Income", "VAT"),
        ),
        cities=("Leeds", "Bristol", "Llanfairpwll", "St Ives", "Edinburgh"),
    ),
    "US": Country(
        code="US",
        version="US",
        currency="USD",
        timezone="PACIFICSTANDARDTIME",
        year_end=(30, 6),
        tax_name="Sales Tax",
        sales_tax="TAX001",
        purchase_tax="NONE",
        no_tax="NONE",
        export_tax="NONE",
        tax_rates=(
            TaxRate(
                "TAX001",
                "San Francisco Sales Tax",
                Decimal("8.625"),
                (("California", Decimal("6.0")), ("County and district", Decimal("2.625"))),
                "OUTPUT",
                on_revenue=True,
                on_expenses=False,
            ),
            *_pair("OUTPUT/INPUT", "Tax on Sales/Tax on Purchases", rate="0", tax="Tax"),
            _plain("NONE", "Tax Exempt", "Tax"),
        ),
        cities=("San Francisco", "Portland", "Coeur d'Alene", "Española"),
    ),
}

# code, name, type, kind of tax (s sales, p purchases, n none), system account, takes payments
_ACCOUNTS: tuple[tuple[str, str, str, str, str, bool], ...] = (
    ("200", "Sales", "REVENUE", "s", "", False),
    ("210", "Services", "REVENUE", "s", "", False),
    ("260", "Other Revenue", "OTHERINCOME", "s", "", False),
    ("270", "Interest Income", "OTHERINCOME", "n", "", False),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "p", "", False),
    ("400", "Advertising", "EXPENSE", "p", "", False),
    ("404", "Bank Fees", "EXPENSE", "n", "", False),
    ("408", "Cleaning", "EXPENSE", "p", "", False),
    ("412", "Consulting & Accounting", "EXPENSE", "p", "", False),
    ("425", "Freight & Courier", "EXPENSE", "p", "", False),
    ("429", "General Expenses", "EXPENSE", "p", "", False),
    ("433", "Insurance", "EXPENSE", "p", "", False),
    ("437", "Interest Expense", "EXPENSE", "n", "", False),
    ("445", "Light, Power, Heating", "EXPENSE", "p", "", False),
    ("449", "Motor Vehicle Expenses", "EXPENSE", "p", "", False),
    ("453", "Office Expenses", "EXPENSE", "p", "", False),
    ("469", "Rent", "EXPENSE", "p", "", False),
    ("473", "Repairs and Maintenance", "EXPENSE", "p", "", False),
    ("485", "Subscriptions", "EXPENSE", "p", "", False),
    ("489", "Telephone & Internet", "EXPENSE", "p", "", False),
    ("493", "Travel - National", "EXPENSE", "p", "", False),
    ("497", "Bank Revaluations", "EXPENSE", "n", "BANKCURRENCYGAIN", False),
    ("498", "Unrealised Currency Gains", "EXPENSE", "n", "UNREALISEDCURRENCYGAIN", False),
    ("499", "Realised Currency Gains", "EXPENSE", "n", "REALISEDCURRENCYGAIN", False),
    ("610", "Accounts Receivable", "CURRENT", "n", "DEBTORS", False),
    ("710", "Office Equipment", "FIXED", "p", "", False),
    ("800", "Accounts Payable", "CURRLIAB", "n", "CREDITORS", False),
    ("801", "Unpaid Expense Claims", "CURRLIAB", "n", "UNPAIDEXPCLM", False),
    ("820", "{tax}", "CURRLIAB", "n", "GST", False),
    ("840", "Historical Adjustment", "CURRLIAB", "n", "HISTORICAL", False),
    ("860", "Rounding", "CURRLIAB", "n", "ROUNDING", False),
    ("877", "Tracking Transfers", "CURRLIAB", "n", "TRACKINGTRANSFERS", False),
    ("881", "Owner A Funds Introduced", "EQUITY", "n", "", True),
    ("960", "Retained Earnings", "EQUITY", "n", "RETAINEDEARNINGS", False),
    ("970", "Owner A Share Capital", "EQUITY", "n", "", False),
)

_DESCRIPTIONS = {
    "200": "Income from any normal business activity",
    "404": "Fees charged by your bank for transactions regarding your bank account(s).",
    "610": "Outstanding invoices the company has issued out to the client but has not yet received",
    "800": "Outstanding invoices the company has received from suppliers but has not yet paid",
}


def chart_of_accounts(
    country: Country, *, new_id: Callable[[], str], created_at: datetime
) -> list[Account]:
    """Return the accounts of a new organisation: two bank accounts and Xero's default chart."""
    tax_types = {"s": country.sales_tax, "p": country.purchase_tax, "n": country.no_tax}
    banks = [
        _bank_account(code, name, land=country, new_id=new_id(), at=created_at)
        for code, name in (("090", "Business Bank Account"), ("091", "Business Savings Account"))
    ]
    others = [
        Account(
            account_id=new_id(),
            code=code,
            name=name.format(tax=country.tax_name),
            type=type_,
            tax_type=tax_types[tax],
            updated_at=created_at,
            system=system,
            description=_DESCRIPTIONS.get(code, ""),
            takes_payments=takes_payments,
        )
        for code, name, type_, tax, system, takes_payments in _ACCOUNTS
    ]
    return banks + others


def _bank_account(code: str, name: str, *, land: Country, new_id: str, at: datetime) -> Account:
    return Account(
        account_id=new_id,
        code=code,
        name=name,
        type="BANK",
        tax_type=land.no_tax,
        updated_at=at,
        currency=land.currency,
        bank_account_number=f"0209087654{code}50",
        takes_payments=True,
    )
