"""Where the sandbox differs from what Xero published or recorded, and why: the only such lists.

An entry that is never needed fails a test, as does a difference that is not here.
"""

from __future__ import annotations

_STRING = "sent beside every date (recorded), which the published file forgot"
_FILES = "by id, a record that has files lists them (recorded); the file forgot it here"
_ID = "the same as the record's own id, in the file's own example"
_EXAMPLE = "in the file's own example, but not in its schema"
_NEWER = "newer than 16.1; xero-python 15.2, made of version 19, knows it"
_FLAGS = "on Xero's page about the resource, but not in the file"

MISSING: dict[str, str] = {
    "getOnlineInvoice": "404 for a bill, a draft, and what was voided: there is nothing to pay",
}
"""Operations that answer for some records alone, and with 404 for the others."""

EMPTY: dict[str, str] = {
    "getBrandingThemePaymentServices": "nobody here has registered a payment service",
    "getPaymentServices": "nobody here has registered a payment service",
    "getReportsList": "nobody here publishes a report",
}
"""Operations that answer without any record."""

SCHEMA: dict[str, str] = {
    "Account.Attachments unknown": _FILES,
    "BankTransaction.Attachments unknown": _FILES,
    "BankTransaction.DateString unknown": _STRING,
    "BankTransfer.Attachments unknown": _FILES,
    "BankTransfer.CreatedDateUTCString unknown": _STRING,
    "BankTransfer.DateString unknown": _STRING,
    "Budget.Status unknown": _EXAMPLE,
    "ContactGroup.HasValidationErrors unknown": _EXAMPLE,
    "CreditNote.Attachments unknown": _FILES,
    "Connection.createdDateUtc format": "recorded without a zone",
    "Connection.updatedDateUtc format": "recorded without a zone",
    "CreditNote.DateString unknown": _STRING,
    "CreditNote.DueDateString unknown": _STRING,
    "CreditNote.ID unknown": _ID,
    "HistoryRecord.DateUTCString unknown": _STRING,
    "Invoice.DateString unknown": _STRING,
    "Invoice.DueDateString unknown": _STRING,
    "Invoice.EnteredTotal unknown": _NEWER,
    "Invoice.RoundingAmount unknown": _NEWER,
    "Item.QuantityAvailable unknown": _NEWER,
    "Item.QuantityOnBackOrder unknown": _NEWER,
    "LineItemTracking.Options unknown": "recorded: an empty array in the tracking of every line",
    "Overpayment.DateString unknown": _STRING,
    "Overpayment.HasErrors unknown": "as in the recorded stub of a credit note",
    "Overpayment.ID unknown": _ID,
    "Prepayment.DateString unknown": _STRING,
    "Prepayment.HasErrors unknown": "as in the recorded stub of a credit note",
    "Prepayment.ID unknown": _ID,
    "PurchaseOrder.DateString unknown": _STRING,
    "PurchaseOrder.DeliveryDateString unknown": _STRING,
    "PurchaseOrder.HasErrors unknown": _EXAMPLE,
    "PurchaseOrder.IsDiscounted unknown": _EXAMPLE,
    "PurchaseOrder.Type unknown": _EXAMPLE,
    "Report.Fields unknown": _EXAMPLE,
    "TrackingOption.HasValidationErrors unknown": _FLAGS,
    "TrackingOption.IsActive unknown": _FLAGS,
    "TrackingOption.IsArchived unknown": _FLAGS,
    "TrackingOption.IsDeleted unknown": _FLAGS,
}
"""What the published file has against our answers: field and broken rule, to why it errs."""

SDK_METHODS: dict[str, str] = {}
"""Operations that either the SDK or the published file lacks."""

SDK_FIELDS: dict[str, str] = {}
"""What the models of xero-python 15.2 do not carry of an answer: field to why it is served."""

_NO_DATA = "no company here has any: nothing in the books depends on it"
_XML = "the recording was XML; its translator gave every date a text beside it"
_WRITING = "what answers to writing carry; the examples show it empty"
_PUBLISHED = "in the published file; the records that were recorded had none"
_SLIP = "a slip of the pen in the example"
_OLD = "an old field, in examples alone"
_NO_SERVICE = "nobody here has registered one"
_NO_CONTRACTOR = "nobody here is a contractor to report"

RECORDINGS: dict[str, str] = {
    "Contacts.Addresses.AddressLine{2,3,4} lacking": _NO_DATA,
    "{CreditNotes,Invoices}.Contact.Addresses.AddressLine{2,3} lacking": _NO_DATA,
    "Organisations.Addresses.AddressLine2 lacking": _NO_DATA,
    "{Contacts,PurchaseOrders.Contact}.Addresses.AttentionTo lacking": _NO_DATA,
    "{CreditNotes,Invoices,Overpayments}.Contact.Addresses.AttentionTo lacking": _NO_DATA,
    "{Over,Pre}payments.LineItems.DiscountEnteredAsPercent lacking": _OLD,
    "RepeatingInvoices.LineItems.DiscountEnteredAsPercent lacking": _OLD,
    "{Contacts,Invoices.Contact}.SkypeUserName lacking": "of 2011; Xero has dropped it",
    "{Invoices,Items}.ValidationErrors lacking": _WRITING,
    "{BankTransactions,CreditNotes,Invoices}.LineItems.ValidationErrors lacking": _WRITING,
    "{Overpayments,Prepayments,Payments.Invoice}.LineItems.ValidationErrors lacking": _WRITING,
    "Accounts.ReportingCodeName lacking": "given by an adviser who maps accounts for reports",
    "BankTransactions.BatchPayment lacking": "a batch is paid by its payments alone here",
    "CISSettings.CISEnambed lacking": _SLIP,
    "CISSettings.Rate lacking": "of subcontractors, which nobody here is",
    "Contacts.{Sales,Purchases}Default{AccountCode,LineAmountType} lacking": _NO_DATA,
    "Contacts.Accounts{Receivable,Payable}TaxType lacking": _NO_DATA,
    "Contacts.BatchPayments lacking": _NO_DATA,
    "Contacts.BrandingTheme lacking": _NO_DATA,
    "Contacts.CompanyNumber lacking": _NO_DATA,
    "Contacts.Discount lacking": _NO_DATA,
    "Contacts.TaxNumbeType lacking": _SLIP,
    "Contacts.Website lacking": _NO_DATA,
    "Invoices.Payments.DateString lacking": _XML,
    "Invoices.StatusAttributeString lacking": _WRITING,
    "ManualJournals.DateString lacking": _XML,
    "Organisations.PeriodLockDate lacking": _NO_DATA,
    "Organisations.Phones.PhoneAreaCode lacking": _NO_DATA,
    "Overpayments.Attachments lacking": "nothing published attaches a file to one",
    "PaymentServices.PaymentService{ID,Name,Type,Url} lacking": _NO_SERVICE,
    "PaymentServices.PayNowText lacking": _NO_SERVICE,
    "Payments.DateString lacking": _XML,
    "Prepayments.Attachments lacking": "nothing published attaches a file to one",
    "Prepayments.InvoiceNumber lacking": _NO_DATA,
    "PurchaseOrders.AttentionTo lacking": _NO_DATA,
    "PurchaseOrders.Delivery{Address,Instructions} lacking": _NO_DATA,
    "PurchaseOrders.Telephone lacking": _NO_DATA,
    "Reports.Contacts.Box{1,2,3,4,5,6,7,8,9,10,11,14} lacking": _NO_CONTRACTOR,
    "Reports.Contacts.{BusinessName,ContactId,Email,LegalName,Name,TaxID} lacking": _NO_CONTRACTOR,
    "Reports.Contacts.{City,State,StreetAddress,Zip} lacking": _NO_CONTRACTOR,
    "Reports.Contacts.FederalTax{Classification,IDType} lacking": _NO_CONTRACTOR,
    "Account.AddToWatchlist unseen": _PUBLISHED,
    "Account.Attachments unseen": _FILES,
    "Account.HasAttachments unseen": _PUBLISHED,
    "Allocation.AllocationID unseen": _PUBLISHED,
    "Allocation.IsDeleted unseen": _PUBLISHED,
    "BankTransaction.Reference unseen": _PUBLISHED,
    "BrandingTheme.Type unseen": _PUBLISHED,
    "CISSetting.CIS{Contractor,SubContractor}Enabled unseen": _PUBLISHED,
    "Contact.MergedToContactID unseen": _PUBLISHED,
    "Invoice.EnteredTotal unseen": _NEWER,
    "Invoice.ExpectedPaymentDate unseen": _PUBLISHED,
    "Invoice.PlannedPaymentDate unseen": _PUBLISHED,
    "Invoice.RoundingAmount unseen": _NEWER,
    "Item.Quantity{Available,OnBackOrder} unseen": _NEWER,
    "Option.HasValidationErrors unseen": _FLAGS,
    "Option.Is{Active,Archived,Deleted} unseen": _FLAGS,
    "Option.Status unseen": _PUBLISHED,
    "Overpayment.AppliedAmount unseen": _PUBLISHED,
    "Overpayment.HasErrors unseen": "as in the recorded stub of a credit note",
    "Payment.CreditNote unseen": _PUBLISHED,
    "Payment.Overpayment unseen": _PUBLISHED,
    "Payment.Prepayment unseen": _PUBLISHED,
    "Prepayment.AppliedAmount unseen": _PUBLISHED,
    "Prepayment.HasErrors unseen": "as in the recorded stub of a credit note",
    "TrackingCategorie.Option unseen": _PUBLISHED,
    "TrackingCategorie.TrackingOptionID unseen": _PUBLISHED,
}
"""Where our records differ from recordings: a difference, to its reason.

`Invoices.X lacking`: recorded, and never sent. `Invoice.X unseen`: sent, and never recorded.
Braces are read as in a shell, each combination being a difference of its own that must be there.
"""

REPORTS: dict[str, str] = {}
"""Where the words of our reports differ from recordings."""

WIRE: dict[str, str] = {
    "Connection": "belongs to the connection, which the server decides",
    "Content-Length": "an answer may be sent in pieces",
    "Expires": "its meaning is in Cache-Control",
    "Server": "names the software behind Xero, which is not ours",
    "Vary": "about compression, which the sandbox leaves out",
    "X-Client-TLS-ver": "says how the client's encryption was",
    "X-N": "inner matter of Xero's network",
    "Xero-Activity-Id": "inner matter of Xero's network",
    "Xero-Causation-Id": "inner matter of Xero's network",
    "Xero-Message-Id": "inner matter of Xero's network",
    "Xero-Origin-Id": "inner matter of Xero's network",
}
"""Recorded headers that the sandbox does not send."""

REFUSALS: dict[str, str] = {
    "bad_request": "of the bank feeds API",
    "connections": "no refusal; compared by its fields",
    "generic_response_error": "of the bank feeds API",
    "object_not_found": "of the bank feeds API",
}
"""Recorded refusals that are not of this API."""
