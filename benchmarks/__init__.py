"""Measurements of the promises about speed. Results are kept in results.md beside this file."""
