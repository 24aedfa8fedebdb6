"""Room: routing. Who may be heard (access, policy, mention, pairing) and who answers where (bindings, session_keys, target)."""
