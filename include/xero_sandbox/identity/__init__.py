"""Who somebody is and what an app may do: login, consent, tokens, connections, scopes."""
