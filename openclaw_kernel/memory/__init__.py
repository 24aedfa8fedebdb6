"""Remembering: Markdown notes."""
