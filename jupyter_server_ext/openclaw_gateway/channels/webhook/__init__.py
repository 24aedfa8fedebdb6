"""Webhook: any program that can send and take HTTP requests."""
