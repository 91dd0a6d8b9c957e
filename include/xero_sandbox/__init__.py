"""A Xero on your own machine: OAuth2, the accounting API, and books that balance.

Knows nothing of any client: whoever speaks Xero's protocol over HTTP may use it.
"""
