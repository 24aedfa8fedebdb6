"""Room: automation."""
