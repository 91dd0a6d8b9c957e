{{ journals_posted('stg_xero__cash_journals') }}
