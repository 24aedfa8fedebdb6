"""Chat platforms: the contract a channel fulfils, the accounts that run, the inbox and outbox ledgers, one folder a channel.

No platform's SDK is loaded before a channel is configured that needs it.
"""
