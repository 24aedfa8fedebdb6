"""What everything speaks of: messages, events, keys, errors. Frozen values, no I/O."""
