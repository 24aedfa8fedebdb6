"""Acting: what the assistant can do, one file per tool family, each tool a value in a list."""
