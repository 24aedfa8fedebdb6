"""Showing: A2UI surfaces."""
