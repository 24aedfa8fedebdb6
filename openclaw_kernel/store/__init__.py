"""Bytes that survive a crash: append-only JSONL, ledger, atomic write, lock."""
