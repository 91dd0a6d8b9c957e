"""The properties of Xero's records and their .NET types: what `where` and `order` can name.

Knows names and types alone, those of Xero's published accounting API (OpenAPI 16.1) and the few
that Xero sends beyond it. Must not know records, grammar or HTTP. A test holds this table against
the published file, and against everything that the sandbox spells.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from xero_sandbox.api.operands import refusal

# Type to the names of its properties, by their type. A List has no properties of its own.
_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "Account": {
        "Boolean": "AddToWatchlist EnablePaymentsToAccount HasAttachments ShowInExpenseClaims",
        "DateTime": "UpdatedDateUTC",
        "Guid": "AccountID",
        "List": "ValidationErrors",
        "String": (
            "BankAccountNumber BankAccountType Class Code CurrencyCode Description Name "
            "ReportingCode ReportingCodeName Status SystemAccount TaxType Type"
        ),
    },
    "AccountsPayable": {
        "Decimal": "Outstanding Overdue",
    },
    "AccountsReceivable": {
        "Decimal": "Outstanding Overdue",
    },
    "Balances": {
        "AccountsPayable": "AccountsPayable",
        "AccountsReceivable": "AccountsReceivable",
    },
    "BankTransaction": {
        "Boolean": "HasAttachments IsReconciled",
        "DateTime": "Date UpdatedDateUTC",
        "Decimal": "CurrencyRate SubTotal Total TotalTax",
        "Guid": "BankTransactionID OverpaymentID PrepaymentID",
        "List": "Attachments LineItems ValidationErrors",
        "String": (
            "CurrencyCode DateString LineAmountTypes Reference Status StatusAttributeString Type "
            "Url"
        ),
        "Account": "BankAccount",
        "BatchPayment": "BatchPayment",
        "Contact": "Contact",
    },
    "BankTransfer": {
        "Boolean": "FromIsReconciled HasAttachments ToIsReconciled",
        "DateTime": "CreatedDateUTC Date",
        "Decimal": "Amount CurrencyRate",
        "Guid": "BankTransferID FromBankTransactionID ToBankTransactionID",
        "List": "Attachments FromTracking ToTracking ValidationErrors",
        "String": "CreatedDateUTCString DateString Reference Status",
        "Account": "FromBankAccount ToBankAccount",
    },
    "BatchPayment": {
        "Boolean": "IsReconciled",
        "DateTime": "Date UpdatedDateUTC",
        "Decimal": "Amount TotalAmount",
        "Guid": "BatchPaymentID",
        "List": "Payments ValidationErrors",
        "String": "Code DateString Details Narrative Particulars Reference Status Type",
        "Account": "Account",
    },
    "BatchPaymentDetails": {
        "String": "BankAccountName BankAccountNumber Code Details Reference",
    },
    "Bill": {
        "Decimal": "Day",
        "String": "Type",
    },
    "BrandingTheme": {
        "DateTime": "CreatedDateUTC",
        "Decimal": "SortOrder",
        "Guid": "BrandingThemeID",
        "String": "LogoUrl Name Type",
    },
    "Contact": {
        "Boolean": "HasAttachments HasValidationErrors IsCustomer IsSupplier",
        "DateTime": "UpdatedDateUTC",
        "Decimal": "Discount",
        "Guid": "ContactID MergedToContactID",
        "List": (
            "Addresses Attachments ContactGroups ContactPersons Phones "
            "PurchasesTrackingCategories SalesTrackingCategories ValidationErrors"
        ),
        "String": (
            "AccountNumber AccountsPayableTaxType AccountsReceivableTaxType BankAccountDetails "
            "CompanyNumber ContactNumber ContactStatus DefaultCurrency EmailAddress FirstName "
            "LastName Name PurchasesDefaultAccountCode PurchasesDefaultLineAmountType "
            "SalesDefaultAccountCode SalesDefaultLineAmountType SkypeUserName "
            "StatusAttributeString TaxNumber TaxNumberType TrackingCategoryName "
            "TrackingCategoryOption Website XeroNetworkKey"
        ),
        "Balances": "Balances",
        "BatchPaymentDetails": "BatchPayments",
        "BrandingTheme": "BrandingTheme",
        "PaymentTerm": "PaymentTerms",
    },
    "ContactGroup": {
        "Boolean": "HasValidationErrors",
        "Guid": "ContactGroupID",
        "List": "Contacts",
        "String": "Name Status",
    },
    "CreditNote": {
        "Boolean": "HasAttachments HasErrors SentToContact",
        "DateTime": "Date DueDate FullyPaidOnDate UpdatedDateUTC",
        "Decimal": (
            "AppliedAmount CISDeduction CISRate CurrencyRate RemainingCredit SubTotal Total "
            "TotalTax"
        ),
        "Guid": "BrandingThemeID CreditNoteID ID",
        "List": (
            "Allocations Attachments InvoiceAddresses LineItems Payments ValidationErrors Warnings"
        ),
        "String": (
            "CreditNoteNumber CurrencyCode DateString DueDateString LineAmountTypes Reference "
            "Status StatusAttributeString Type UpdatedDateUTCString"
        ),
        "Contact": "Contact",
    },
    "Currency": {
        "String": "Code Description",
    },
    "Invoice": {
        "Boolean": "HasAttachments HasErrors IsDiscounted SentToContact",
        "DateTime": (
            "Date DueDate ExpectedPaymentDate FullyPaidOnDate PlannedPaymentDate UpdatedDateUTC"
        ),
        "Decimal": (
            "AmountCredited AmountDue AmountPaid CISDeduction CISRate CurrencyRate SubTotal Total "
            "TotalDiscount TotalTax"
        ),
        "Guid": "BrandingThemeID InvoiceID RepeatingInvoiceID",
        "List": (
            "Attachments CreditNotes InvoiceAddresses LineItems Overpayments Payments Prepayments "
            "ValidationErrors Warnings"
        ),
        "String": (
            "CurrencyCode DateString DueDateString InvoiceNumber LineAmountTypes Reference Status "
            "StatusAttributeString Type UpdatedDateUTCString Url"
        ),
        "Contact": "Contact",
    },
    "Item": {
        "Boolean": "IsPurchased IsSold IsTrackedAsInventory",
        "DateTime": "UpdatedDateUTC",
        "Decimal": "QuantityAvailable QuantityOnBackOrder QuantityOnHand TotalCostPool",
        "Guid": "ItemID",
        "List": "ValidationErrors",
        "String": (
            "Code Description InventoryAssetAccountCode Name PurchaseDescription "
            "StatusAttributeString"
        ),
        "Purchase": "PurchaseDetails SalesDetails",
    },
    "ManualJournal": {
        "Boolean": "HasAttachments ShowOnCashBasisReports",
        "DateTime": "Date UpdatedDateUTC",
        "Guid": "ManualJournalID",
        "List": "Attachments JournalLines ValidationErrors Warnings",
        "String": "DateString LineAmountTypes Narration Status StatusAttributeString Url",
    },
    "Overpayment": {
        "Boolean": "HasAttachments HasErrors",
        "DateTime": "Date UpdatedDateUTC",
        "Decimal": "AppliedAmount CurrencyRate RemainingCredit SubTotal Total TotalTax",
        "Guid": "ID OverpaymentID",
        "List": "Allocations Attachments LineItems Payments",
        "String": (
            "CurrencyCode DateString LineAmountTypes Reference Status Type UpdatedDateUTCString"
        ),
        "Contact": "Contact",
    },
    "Payment": {
        "Boolean": "HasAccount HasValidationErrors IsReconciled",
        "DateTime": "Date UpdatedDateUTC",
        "Decimal": "Amount BankAmount CurrencyRate",
        "Guid": "BatchPaymentID PaymentID",
        "List": "ValidationErrors Warnings",
        "String": (
            "BankAccountNumber Code CreditNoteNumber DateString Details InvoiceNumber Particulars "
            "PaymentType Reference Status StatusAttributeString UpdatedDateUTCString"
        ),
        "Account": "Account",
        "BatchPayment": "BatchPayment",
        "CreditNote": "CreditNote",
        "Invoice": "Invoice",
        "Overpayment": "Overpayment",
        "Prepayment": "Prepayment",
    },
    "PaymentTerm": {
        "Bill": "Bills Sales",
    },
    "Prepayment": {
        "Boolean": "HasAttachments HasErrors",
        "DateTime": "Date UpdatedDateUTC",
        "Decimal": "AppliedAmount CurrencyRate RemainingCredit SubTotal Total TotalTax",
        "Guid": "BrandingThemeID ID PrepaymentID",
        "List": "Allocations Attachments LineItems Payments",
        "String": (
            "CurrencyCode DateString InvoiceNumber LineAmountTypes Reference Status Type "
            "UpdatedDateUTCString"
        ),
        "Contact": "Contact",
    },
    "Purchase": {
        "Decimal": "UnitPrice",
        "String": "AccountCode COGSAccountCode TaxType",
    },
    "PurchaseOrder": {
        "Boolean": "HasAttachments HasErrors IsDiscounted SentToContact",
        "DateTime": "Date DeliveryDate ExpectedArrivalDate UpdatedDateUTC",
        "Decimal": "CurrencyRate SubTotal Total TotalDiscount TotalTax",
        "Guid": "BrandingThemeID PurchaseOrderID",
        "List": "Attachments LineItems ValidationErrors Warnings",
        "String": (
            "AttentionTo CurrencyCode DateString DeliveryAddress DeliveryDateString "
            "DeliveryInstructions LineAmountTypes PurchaseOrderNumber Reference Status "
            "StatusAttributeString Telephone Type"
        ),
        "Contact": "Contact",
    },
    "Quote": {
        "DateTime": "Date ExpiryDate UpdatedDateUTC",
        "Decimal": "CurrencyRate SubTotal Total TotalDiscount TotalTax",
        "Guid": "BrandingThemeID QuoteID",
        "List": "LineItems ValidationErrors",
        "String": (
            "CurrencyCode DateString ExpiryDateString LineAmountTypes QuoteNumber Reference "
            "Status StatusAttributeString Summary Terms Title"
        ),
        "Contact": "Contact",
    },
    "RepeatingInvoice": {
        "Boolean": "ApprovedForSending HasAttachments IncludePDF MarkAsSent SendCopy",
        "Decimal": "SubTotal Total TotalTax",
        "Guid": "BrandingThemeID ID RepeatingInvoiceID",
        "List": "Attachments LineItems",
        "String": "CurrencyCode LineAmountTypes Reference Status Type",
        "Contact": "Contact",
        "Schedule": "Schedule",
    },
    "Schedule": {
        "DateTime": "EndDate NextScheduledDate StartDate",
        "Decimal": "DueDate Period",
        "String": "DueDateType Unit",
    },
    "TaxRate": {
        "Boolean": (
            "CanApplyToAssets CanApplyToEquity CanApplyToExpenses CanApplyToLiabilities "
            "CanApplyToRevenue"
        ),
        "Decimal": "DisplayTaxRate EffectiveRate",
        "List": "TaxComponents",
        "String": "Name ReportTaxType Status TaxType",
    },
    "TrackingCategory": {
        "Guid": "TrackingCategoryID TrackingOptionID",
        "List": "Options",
        "String": "Name Option Status",
    },
    "User": {
        "Boolean": "IsSubscriber",
        "DateTime": "UpdatedDateUTC",
        "Guid": "UserID",
        "String": "EmailAddress FirstName LastName OrganisationRole",
    },
}

PROPERTIES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        owner: MappingProxyType(
            {name.lower(): kind for kind, names in by_kind.items() for name in names.split()}
        )
        for owner, by_kind in _PROPERTIES.items()
    }
)
"""Type to its properties, names in lower case, each with its type."""


def type_of(key: str) -> str:
    """The type of the records of an array key: `Invoice` of `Invoices`."""
    return f"{key.removesuffix('ies')}y" if key.endswith("ies") else key.removesuffix("s")


def kind_in(owner: str, name: str, *, at: int) -> str:
    """The type of a property of a type, found in any case.

    Raises QueryParseError, naming the place, for one that the type does not have.
    """
    kind = PROPERTIES.get(owner, {}).get(name.lower())
    if kind is None:
        raise refusal(f"No property or field '{name}' exists in type '{owner}'", at)
    return kind
