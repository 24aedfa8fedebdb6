"""Talking to a gateway, finding or starting one."""
