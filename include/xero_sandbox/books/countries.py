"""What differs from country to country: currency, tax rates, year end, words of the tax office.

Knows Xero's tax types as its organisations have them, time zones in its spelling, and currencies.
Must not know accounts (`chart.py`), documents or how a business behaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# Xero's spelling of the time zones that organisations of the sandbox can have.
TIMEZONES = {
    "ALASKANSTANDARDTIME": "America/Anchorage",
    "ARABIANSTANDARDTIME": "Asia/Dubai",
    "ATLANTICSTANDARDTIME": "America/Halifax",
    "AUSCENTRALSTANDARDTIME": "Australia/Darwin",
    "AUSEASTERNSTANDARDTIME": "Australia/Sydney",
    "AZORESSTANDARDTIME": "Atlantic/Azores",
    "CENAUSTRALIASTANDARDTIME": "Australia/Adelaide",
    "CENTRALSTANDARDTIME": "America/Chicago",
    "CHATHAMISLANDSSTANDARDTIME": "Pacific/Chatham",
    "CHINASTANDARDTIME": "Asia/Shanghai",
    "EASTERNSTANDARDTIME": "America/New_York",
    "EAUSTRALIASTANDARDTIME": "Australia/Brisbane",
    "ESOUTHAMERICASTANDARDTIME": "America/Sao_Paulo",
    "FIJISTANDARDTIME": "Pacific/Fiji",
    "GMTSTANDARDTIME": "Europe/London",
    "HAWAIIANSTANDARDTIME": "Pacific/Honolulu",
    "INDIASTANDARDTIME": "Asia/Kolkata",
    "ISRAELSTANDARDTIME": "Asia/Jerusalem",
    "LINEISLANDSSTANDARDTIME": "Pacific/Kiritimati",
    "LORDHOWESTANDARDTIME": "Australia/Lord_Howe",
    "MARQUESASSTANDARDTIME": "Pacific/Marquesas",
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
    "TONGASTANDARDTIME": "Pacific/Tongatapu",
    "UTC": "UTC",
    "UTC11": "Pacific/Pago_Pago",
    "WAUSTRALIASTANDARDTIME": "Australia/Perth",
    "WEUROPESTANDARDTIME": "Europe/Berlin",
}

CURRENCY_NAMES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "CHF": "Swiss Franc",
    "CNY": "Chinese Yuan Renminbi",
    "DKK": "Danish Krone",
    "EUR": "Euro",
    "FJD": "Fiji Dollar",
    "GBP": "British Pound",
    "HKD": "Hong Kong Dollar",
    "INR": "Indian Rupee",
    "JPY": "Japanese Yen",
    "NOK": "Norwegian Krone",
    "NZD": "New Zealand Dollar",
    "SEK": "Swedish Krona",
    "SGD": "Singapore Dollar",
    "THB": "Thai Baht",
    "USD": "United States Dollar",
    "ZAR": "South African Rand",
}


@dataclass(frozen=True, slots=True)
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

    `sales_tax`, `purchase_tax`, `no_tax` and `export_tax` are tax types of `tax_rates`;
    `rare_sales_taxes` and `rare_purchase_taxes` those of goods that the usual rate is not for.
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
    payroll_tax: str
    pension: str
    rare_sales_taxes: tuple[str, ...]
    rare_purchase_taxes: tuple[str, ...]
    sales_tax_basis: str
    sales_tax_period: str
    class_name: str = "PREMIUM"

    def rate_of(self, tax_type: str) -> Decimal:
        """Return the percentage of a tax type; 0 for one the country does not have."""
        for rate in self.tax_rates:
            if rate.tax_type == tax_type:
                return rate.rate
        return Decimal(0)


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


def _parts(tax_type: str, name: str, *, report: str = "OUTPUT", **components: str) -> TaxRate:
    """A rate of several components, on sales (OUTPUT) or purchases (INPUT)."""
    parts = tuple((part.replace("_", " "), Decimal(rate)) for part, rate in components.items())
    rate = sum((rate for _, rate in parts), Decimal(0))
    is_sale = report == "OUTPUT"
    return TaxRate(tax_type, name, rate, parts, report, on_revenue=is_sale, on_expenses=not is_sale)


_NEW_ZEALAND = Country(
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
        _plain("GSTONIMPORTS", "GST on Imports", "GST"),
        _parts("TAX001", "Visitor levy and GST", GST="15", Visitor_levy="2.5"),
    ),
    cities=("Auckland", "Wellington", "Ōtautahi", "Whanganui", "Ōamaru"),
    payroll_tax="PAYE",
    pension="KiwiSaver",
    rare_sales_taxes=("ZERORATED", "NONE", "TAX001"),
    rare_purchase_taxes=("GSTONIMPORTS", "NONE", "ZERORATED"),
    sales_tax_basis="PAYMENTS",
    sales_tax_period="TWOMONTHS",
)

_AUSTRALIA = Country(
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
        _plain("EXEMPTOUTPUT", "GST Free Income", "GST"),
        _plain("EXEMPTEXPENSES", "GST Free Expenses", "GST"),
        _plain("INPUTTAXED", "Input Taxed", "GST"),
        _plain("GSTONIMPORTS", "GST on Imports", "GST"),
        _parts("TAX001", "GST and wine equalisation", GST="10", WET="29"),
    ),
    cities=("Sydney", "Melbourne", "Fremantle", "Hobart"),
    payroll_tax="PAYG Withholdings",
    pension="Superannuation",
    rare_sales_taxes=("EXEMPTOUTPUT", "INPUTTAXED", "TAX001"),
    rare_purchase_taxes=("EXEMPTEXPENSES", "GSTONIMPORTS", "BASEXCLUDED"),
    sales_tax_basis="CASH",
    sales_tax_period="QUARTERLY1",
)

_UNITED_KINGDOM = Country(
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
        *_pair("OUTPUT2/INPUT2", "20% (VAT on Income)/20% (VAT on Expenses)", rate="20", tax="VAT"),
        *_pair("RROUTPUT/RRINPUT", "5% (VAT on Income)/5% (VAT on Expenses)", rate="5", tax="VAT"),
        _plain("NONE", "No VAT", "VAT"),
        _plain("ZERORATEDOUTPUT", "Zero Rated Income", "VAT"),
        _plain("ZERORATEDINPUT", "Zero Rated Expenses", "VAT"),
        _plain("EXEMPTOUTPUT", "Exempt Income", "VAT"),
        _plain("EXEMPTINPUT", "Exempt Expenses", "VAT"),
        _parts("TAX001", "VAT and deposit", VAT="20", Deposit_scheme="1.75"),
    ),
    cities=("Leeds", "Bristol", "Llanfairpwll", "St Ives", "Edinburgh"),
    payroll_tax="PAYE",
    pension="Pensions",
    rare_sales_taxes=("RROUTPUT", "ZERORATEDOUTPUT", "EXEMPTOUTPUT", "TAX001"),
    rare_purchase_taxes=("RRINPUT", "ZERORATEDINPUT", "EXEMPTINPUT"),
    sales_tax_basis="ACCRUALS",
    sales_tax_period="QUARTERLY",
)

_UNITED_STATES = Country(
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
        _parts("TAX001", "San Francisco Sales Tax", California="6.0", County_and_district="2.625"),
        *_pair("OUTPUT/INPUT", "Tax on Sales/Tax on Purchases", rate="0", tax="Tax"),
        _plain("NONE", "Tax Exempt", "Tax"),
        _parts("TAX002", "Seattle Sales Tax", Washington="6.5", Seattle="3.85"),
        _parts("TAX003", "Use tax", report="INPUT", California="6.0", County="1.25"),
    ),
    cities=("San Francisco", "Portland", "Coeur d'Alene", "Española"),
    payroll_tax="Payroll Taxes",
    pension="401(k)",
    rare_sales_taxes=("TAX002", "NONE", "OUTPUT"),
    rare_purchase_taxes=("TAX003", "INPUT"),
    sales_tax_basis="ACCRUALS",
    sales_tax_period="MONTHLY",
)

_CANADA = Country(
    code="CA",
    version="GLOBAL",
    currency="CAD",
    timezone="EASTERNSTANDARDTIME",
    year_end=(31, 12),
    tax_name="Sales Tax",
    sales_tax="TAX001",
    purchase_tax="TAX002",
    no_tax="NONE",
    export_tax="TAX003",
    tax_rates=(
        _parts("TAX001", "GST and QST on Sales", GST="5", QST="9.975"),
        _parts("TAX002", "GST and QST on Purchases", report="INPUT", GST="5", QST="9.975"),
        _plain("NONE", "Tax Exempt", "Tax"),
        _plain("TAX003", "Zero-rated Export", "GST"),
        _parts("TAX004", "HST on Sales (ON)", HST="13"),
        _parts("TAX005", "GST on Purchases", report="INPUT", GST="5"),
        *_pair("OUTPUT/INPUT", "Tax on Sales/Tax on Purchases", rate="0", tax="Tax"),
    ),
    cities=("Montréal", "Québec", "Trois-Rivières", "Saint-Jérôme"),
    payroll_tax="Source Deductions",
    pension="Canada Pension Plan",
    rare_sales_taxes=("TAX004", "TAX003", "NONE"),
    rare_purchase_taxes=("TAX005", "NONE"),
    sales_tax_basis="ACCRUALS",
    sales_tax_period="QUARTERLY",
)

COUNTRIES = {
    country.code: country
    for country in (_NEW_ZEALAND, _AUSTRALIA, _UNITED_KINGDOM, _UNITED_STATES, _CANADA)
}
