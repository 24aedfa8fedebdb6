"""Adding to the gateway: the API that built-in parts and other people's packages register through, and who is let in."""
