"""Telegram: a bot by long poll or webhook (CHN-16), on python-telegram-bot, which is imported when an account starts."""
