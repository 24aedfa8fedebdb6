"""The network, and sockets of the host."""

import fcntl
import os
import socket
import struct
import threading

from base import CONTROL, FACTS, attempt, call, first


def connected(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as client:
        client.settimeout(3)
        client.connect(address)
        return "connected"


def listening(address):
    """A control has a network of its own in which the far address answers."""
    if not CONTROL:
        return None
    call("unshare", 0x40000000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        named = struct.pack("16sH2x4s8x", b"lo", socket.AF_INET, socket.inet_aton(address))
        fcntl.ioctl(handle, 0x8916, named)  # SIOCSIFADDR
        fcntl.ioctl(handle, 0x8914, struct.pack("16sH14x", b"lo", 0x41))  # SIOCSIFFLAGS: up, running
    server, names = socket.create_server((address, 80)), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    names.bind((address, 53))

    def answer():
        data, peer = names.recvfrom(512)
        names.sendto(data, peer)

    threading.Thread(target=answer, daemon=True).start()
    return server


@attempt
def gateway_port():
    return connected(("127.0.0.1", FACTS["port"]))


@attempt
def host_address():
    return connected((FACTS["address"], FACTS["port"]))


@attempt
def internet():
    server = listening("1.1.1.1")
    return connected(("1.1.1.1", 80)) if server or not CONTROL else ""


@attempt
def metadata_service():
    server = listening("169.254.169.254")
    return connected(("169.254.169.254", 80)) if server or not CONTROL else ""


@attempt
def names_lookup():
    server = listening("9.9.9.9")
    query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(3)
        client.sendto(query, ("9.9.9.9", 53))
        return f"answered {len(client.recv(512))} bytes" if server or not CONTROL else ""


@attempt
def raw_socket():
    return str(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))


@attempt
def packet_socket():
    return str(socket.socket(17, socket.SOCK_RAW, socket.htons(3)))


@attempt
def machine_socket():
    return str(socket.socket(40, socket.SOCK_STREAM))


@attempt
def abstract_socket():
    return connected("\0" + FACTS["abstract"], socket.AF_UNIX)


def answering(paths):
    return first(lambda path: connected(path, socket.AF_UNIX), paths)


@attempt
def engine_socket():
    return first(
        lambda path: connected(path, socket.AF_UNIX), [*FACTS["engines"], "/var/run/docker.sock", "/run/podman/podman.sock"]
    )


@attempt
def agent_and_bus_sockets():
    named = [os.environ.get("SSH_AUTH_SOCK", ""), os.environ.get("DBUS_SESSION_BUS_ADDRESS", "").partition("path=")[2]]
    return first(
        lambda path: connected(path, socket.AF_UNIX), [*filter(None, named), FACTS["agent"], "/run/dbus/system_bus_socket"]
    )


@attempt
def display_socket():
    return connected(FACTS["display"], socket.AF_UNIX)
