"""HTTP and WebSocket handlers: thin, tornado only; the logic is in methods/ and protocol/."""
