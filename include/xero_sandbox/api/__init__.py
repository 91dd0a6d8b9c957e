"""The accounting API: the gate, lists, records, files, filters and limits."""
