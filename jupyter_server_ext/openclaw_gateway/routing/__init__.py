"""Room: routing."""
