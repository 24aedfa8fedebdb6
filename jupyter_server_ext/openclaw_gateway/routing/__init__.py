"""Who is heard (access, policy, mention, pairing) and who answers where (bindings, session_keys, target)."""
