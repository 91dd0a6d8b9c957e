"""The id of a record: under which field Xero sends it.

Knows array keys alone. A currency goes by its code, a tax rate by its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ID_FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "Accounts": "AccountID",
        "BankTransactions": "BankTransactionID",
        "BankTransfers": "BankTransferID",
        "BatchPayments": "BatchPaymentID",
        "BrandingThemes": "BrandingThemeID",
        "Budgets": "BudgetID",
        "ContactGroups": "ContactGroupID",
        "Contacts": "ContactID",
        "CreditNotes": "CreditNoteID",
        "Currencies": "Code",
        "Invoices": "InvoiceID",
        "Items": "ItemID",
        "Journals": "JournalID",
        "LinkedTransactions": "LinkedTransactionID",
        "ManualJournals": "ManualJournalID",
        "Organisations": "OrganisationID",
        "Overpayments": "OverpaymentID",
        "Payments": "PaymentID",
        "Prepayments": "PrepaymentID",
        "PurchaseOrders": "PurchaseOrderID",
        "Quotes": "QuoteID",
        "RepeatingInvoices": "RepeatingInvoiceID",
        "TaxRates": "TaxType",
        "TrackingCategories": "TrackingCategoryID",
        "Users": "UserID",
    }
)
"""Array key to the field that holds a record's id."""
