"""Acting: one file per tool family, one registry."""
