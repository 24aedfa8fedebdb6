"""How much SQL may ask for and get."""

LIMIT = 200
"""Rows, unless asked otherwise."""
MAX_LIMIT = 100_000
TIMEOUT_S = 10.0
MAX_TIMEOUT_S = 60.0
MAX_CHARS = 10_000
"""Of the statement."""
