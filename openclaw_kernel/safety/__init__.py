"""May it? What a tool declares and what the person set decide: allow, ask, sandbox or deny.

Also here: approvals, sandboxes, redaction, and keeping paths where they belong.
"""
