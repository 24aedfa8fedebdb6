"""What happens without anybody writing: planned jobs, the heartbeat, wake-ups and hooks.

Every occurrence is a ledger row before it runs, so that it happens once.
"""
