"""Bytes that survive a crash: append-only JSONL, ledgers, atomic writes, the state lock and the runtime file."""
