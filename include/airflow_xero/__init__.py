"""Connected Xero organisations, every day, in your own Postgres.

Floors, from the bottom: ground (errors, endpoints, oauth) → adapters (client, tokens, raw) →
stories (extract, connect) → airflow (hook, operators, pages). Imports go down only, and only
the airflow floor imports Airflow.
"""

__version__ = "0.1.0"
