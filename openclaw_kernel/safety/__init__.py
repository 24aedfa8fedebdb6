"""May it? Decisions, approvals, redaction."""
