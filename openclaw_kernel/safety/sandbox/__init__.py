"""Sandboxes: backends that run a command where it cannot touch the host, and the choice between them (SAF-17 to SAF-21)."""
