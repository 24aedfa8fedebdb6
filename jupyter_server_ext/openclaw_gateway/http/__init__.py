"""Room: http."""
