"""The gateway protocol, version 4: frames, handshake, scopes, dispatch and broadcast, and the devices and nodes that connect.
It knows no method's meaning.
"""
