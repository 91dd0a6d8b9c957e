{{ journals_posted('stg_xero__journals') }}
