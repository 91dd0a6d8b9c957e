"""The double-entry books of one organisation: documents, rules, ledgers, and what may be done."""
