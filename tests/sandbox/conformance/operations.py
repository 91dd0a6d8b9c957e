"""Every GET operation that Xero publishes, and which of them the sandbox does not serve, and why.

Knows names and paths of the published OpenAPI files 16.1, which are not part of this repository:
a test compares this list with them where they are. Must not know how an operation is called.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CLOSED = "its scope, `accounting.classicexpenses`, is closed to new apps"
_NO_SCHEME = "nobody here is in the Construction Industry Scheme: 404, as for a real such contact"
_NO_RETURNS = "nobody publishes a tax return here, so every id is unknown"

UNSERVED: dict[str, str] = {
    "Receipts": _CLOSED,
    "ExpenseClaims": _CLOSED,
    "Contacts/{ContactID}/CISSettings": _NO_SCHEME,
    "Reports/{ReportID}": _NO_RETURNS,
}
"""Resource, or a single path, to the reason why it is not served."""


@dataclass(frozen=True, order=True)
class Operation:
    """One published GET: its `path`, with parameters in braces, and its published `name`."""

    path: str
    name: str

    @property
    def resource(self) -> str:
        """What it reads from: `Invoices`, or a report such as `Reports/TrialBalance`."""
        first, *rest = self.path.strip("/").split("/")
        is_report = first == "Reports" and rest and not rest[0].startswith("{")
        return f"{first}/{rest[0]}" if is_report else first

    @property
    def tail(self) -> tuple[str, ...]:
        """The segments below the resource: `("{InvoiceID}", "Attachments", "{FileName}")`."""
        return tuple(self.path.strip("/").split("/")[self.resource.count("/") + 1 :])

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in braces, in their order."""
        return tuple(re.findall(r"\{(\w+)\}", self.path))

    @property
    def why_not(self) -> str | None:
        """Why it is not served; None for one that is."""
        return UNSERVED.get(self.resource) or UNSERVED.get(self.path.strip("/"))


_ACCOUNTING = """
/Accounts getAccounts
/Accounts/{AccountID} getAccount
/Accounts/{AccountID}/Attachments getAccountAttachments
/Accounts/{AccountID}/Attachments/{AttachmentID} getAccountAttachmentById
/Accounts/{AccountID}/Attachments/{FileName} getAccountAttachmentByFileName
/BankTransactions getBankTransactions
/BankTransactions/{BankTransactionID} getBankTransaction
/BankTransactions/{BankTransactionID}/Attachments getBankTransactionAttachments
/BankTransactions/{BankTransactionID}/Attachments/{AttachmentID} getBankTransactionAttachmentById
/BankTransactions/{BankTransactionID}/Attachments/{FileName} getBankTransactionAttachmentByFileName
/BankTransactions/{BankTransactionID}/History getBankTransactionsHistory
/BankTransfers getBankTransfers
/BankTransfers/{BankTransferID} getBankTransfer
/BankTransfers/{BankTransferID}/Attachments getBankTransferAttachments
/BankTransfers/{BankTransferID}/Attachments/{AttachmentID} getBankTransferAttachmentById
/BankTransfers/{BankTransferID}/Attachments/{FileName} getBankTransferAttachmentByFileName
/BankTransfers/{BankTransferID}/History getBankTransferHistory
/BatchPayments getBatchPayments
/BatchPayments/{BatchPaymentID} getBatchPayment
/BatchPayments/{BatchPaymentID}/History getBatchPaymentHistory
/BrandingThemes getBrandingThemes
/BrandingThemes/{BrandingThemeID} getBrandingTheme
/BrandingThemes/{BrandingThemeID}/PaymentServices getBrandingThemePaymentServices
/Budgets getBudgets
/Budgets/{BudgetID} getBudget
/ContactGroups getContactGroups
/ContactGroups/{ContactGroupID} getContactGroup
/Contacts getContacts
/Contacts/{ContactID} getContact
/Contacts/{ContactID}/Attachments getContactAttachments
/Contacts/{ContactID}/Attachments/{AttachmentID} getContactAttachmentById
/Contacts/{ContactID}/Attachments/{FileName} getContactAttachmentByFileName
/Contacts/{ContactID}/CISSettings getContactCISSettings
/Contacts/{ContactID}/History getContactHistory
/Contacts/{ContactNumber} getContactByContactNumber
/CreditNotes getCreditNotes
/CreditNotes/{CreditNoteID} getCreditNote
/CreditNotes/{CreditNoteID}/Attachments getCreditNoteAttachments
/CreditNotes/{CreditNoteID}/Attachments/{AttachmentID} getCreditNoteAttachmentById
/CreditNotes/{CreditNoteID}/Attachments/{FileName} getCreditNoteAttachmentByFileName
/CreditNotes/{CreditNoteID}/History getCreditNoteHistory
/CreditNotes/{CreditNoteID}/pdf getCreditNoteAsPdf
/Currencies getCurrencies
/ExpenseClaims getExpenseClaims
/ExpenseClaims/{ExpenseClaimID} getExpenseClaim
/ExpenseClaims/{ExpenseClaimID}/History getExpenseClaimHistory
/InvoiceReminders/Settings getInvoiceReminders
/Invoices getInvoices
/Invoices/{InvoiceID} getInvoice
/Invoices/{InvoiceID}/Attachments getInvoiceAttachments
/Invoices/{InvoiceID}/Attachments/{AttachmentID} getInvoiceAttachmentById
/Invoices/{InvoiceID}/Attachments/{FileName} getInvoiceAttachmentByFileName
/Invoices/{InvoiceID}/History getInvoiceHistory
/Invoices/{InvoiceID}/OnlineInvoice getOnlineInvoice
/Invoices/{InvoiceID}/pdf getInvoiceAsPdf
/Items getItems
/Items/{ItemID} getItem
/Items/{ItemID}/History getItemHistory
/Journals getJournals
/Journals/{JournalID} getJournal
/Journals/{JournalNumber} getJournalByNumber
/LinkedTransactions getLinkedTransactions
/LinkedTransactions/{LinkedTransactionID} getLinkedTransaction
/ManualJournals getManualJournals
/ManualJournals/{ManualJournalID} getManualJournal
/ManualJournals/{ManualJournalID}/Attachments getManualJournalAttachments
/ManualJournals/{ManualJournalID}/Attachments/{AttachmentID} getManualJournalAttachmentById
/ManualJournals/{ManualJournalID}/Attachments/{FileName} getManualJournalAttachmentByFileName
/ManualJournals/{ManualJournalID}/History getManualJournalsHistory
/Organisation getOrganisations
/Organisation/Actions getOrganisationActions
/Organisation/{OrganisationID}/CISSettings getOrganisationCISSettings
/Overpayments getOverpayments
/Overpayments/{OverpaymentID} getOverpayment
/Overpayments/{OverpaymentID}/History getOverpaymentHistory
/PaymentServices getPaymentServices
/Payments getPayments
/Payments/{PaymentID} getPayment
/Payments/{PaymentID}/History getPaymentHistory
/Prepayments getPrepayments
/Prepayments/{PrepaymentID} getPrepayment
/Prepayments/{PrepaymentID}/History getPrepaymentHistory
/PurchaseOrders getPurchaseOrders
/PurchaseOrders/{PurchaseOrderID} getPurchaseOrder
/PurchaseOrders/{PurchaseOrderID}/Attachments getPurchaseOrderAttachments
/PurchaseOrders/{PurchaseOrderID}/Attachments/{AttachmentID} getPurchaseOrderAttachmentById
/PurchaseOrders/{PurchaseOrderID}/Attachments/{FileName} getPurchaseOrderAttachmentByFileName
/PurchaseOrders/{PurchaseOrderID}/History getPurchaseOrderHistory
/PurchaseOrders/{PurchaseOrderID}/pdf getPurchaseOrderAsPdf
/PurchaseOrders/{PurchaseOrderNumber} getPurchaseOrderByNumber
/Quotes getQuotes
/Quotes/{QuoteID} getQuote
/Quotes/{QuoteID}/Attachments getQuoteAttachments
/Quotes/{QuoteID}/Attachments/{AttachmentID} getQuoteAttachmentById
/Quotes/{QuoteID}/Attachments/{FileName} getQuoteAttachmentByFileName
/Quotes/{QuoteID}/History getQuoteHistory
/Quotes/{QuoteID}/pdf getQuoteAsPdf
/Receipts getReceipts
/Receipts/{ReceiptID} getReceipt
/Receipts/{ReceiptID}/Attachments getReceiptAttachments
/Receipts/{ReceiptID}/Attachments/{AttachmentID} getReceiptAttachmentById
/Receipts/{ReceiptID}/Attachments/{FileName} getReceiptAttachmentByFileName
/Receipts/{ReceiptID}/History getReceiptHistory
/RepeatingInvoices getRepeatingInvoices
/RepeatingInvoices/{RepeatingInvoiceID} getRepeatingInvoice
/RepeatingInvoices/{RepeatingInvoiceID}/Attachments getRepeatingInvoiceAttachments
/RepeatingInvoices/{RepeatingInvoiceID}/Attachments/{AttachmentID} getRepeatingInvoiceAttachmentById
/RepeatingInvoices/{RepeatingInvoiceID}/Attachments/{FileName} getRepeatingInvoiceAttachmentByFileName
/RepeatingInvoices/{RepeatingInvoiceID}/History getRepeatingInvoiceHistory
/Reports getReportsList
/Reports/AgedPayablesByContact getReportAgedPayablesByContact
/Reports/AgedReceivablesByContact getReportAgedReceivablesByContact
/Reports/BalanceSheet getReportBalanceSheet
/Reports/BankSummary getReportBankSummary
/Reports/BudgetSummary getReportBudgetSummary
/Reports/ExecutiveSummary getReportExecutiveSummary
/Reports/ProfitAndLoss getReportProfitAndLoss
/Reports/TenNinetyNine getReportTenNinetyNine
/Reports/TrialBalance getReportTrialBalance
/Reports/{ReportID} getReportFromId
/TaxRates getTaxRates
/TaxRates/{TaxType} getTaxRateByTaxType
/TrackingCategories getTrackingCategories
/TrackingCategories/{TrackingCategoryID} getTrackingCategory
/Users getUsers
/Users/{UserID} getUser
"""  # noqa: E501
_IDENTITY = """
/Connections getConnections
"""


def _read(table: str) -> tuple[Operation, ...]:
    return tuple(Operation(*line.split()) for line in table.split("\n") if line)


ACCOUNTING = _read(_ACCOUNTING)
"""In the order of their paths, relative to `/api.xro/2.0`."""

IDENTITY = _read(_IDENTITY)
"""Relative to the host."""

SERVED = tuple(operation for operation in ACCOUNTING if operation.why_not is None)

ONLY_AMERICAN = tuple(each for each in SERVED if each.resource == "Reports/TenNinetyNine")
"""What no organisation outside the United States answers."""

EVERYWHERE = tuple(each for each in SERVED if each not in ONLY_AMERICAN)
"""What organisations anywhere are asked."""
