"""How records are spelled and kept for serving, and organisations of given payloads."""
