"""Whose request it is when a reverse proxy hands it on: `gateway.trustedProxies` says whose word counts."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from openclaw_gateway.methods.services import GatewayServices

FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")
"""Headers only a proxy sets. A request that has one did not begin on this machine, wherever its connection did."""


def peer_of(request: HTTPServerRequest, services: GatewayServices) -> str:
    """The address a request comes from, by the configuration in force."""
    gateway = services.settings.gateway
    return peer_address(
        request.remote_ip or "", request.headers, gateway.trusted_proxies, real_ip=gateway.allow_real_ip_fallback
    )


def peer_address(remote: str, headers: HTTPHeaders, trusted: Sequence[str], *, real_ip: bool = False) -> str:
    """The client's address: the connection's own, or what the nearest trusted proxies say of it.

    `trusted` holds addresses and networks (`10.0.0.0/8`). A forwarded request of a proxy nobody named never counts as this
    machine's own: its address is `<connection> via proxy`, one for all it brings. `real_ip` lets `X-Real-IP` speak where
    `X-Forwarded-For` is silent.
    """
    if not any(name in headers for name in FORWARDED):
        return remote
    unknown = f"{remote} via proxy"
    if not _listed(remote, trusted):
        return unknown
    hops = [hop.strip() for line in headers.get_list("X-Forwarded-For") for hop in line.split(",")]
    for hop in reversed(hops):
        address = _address(hop)
        if address is None:
            return unknown
        if not _listed(address, trusted):
            return address
    if not hops and real_ip:
        return _address(headers.get("X-Real-IP", "").strip()) or unknown
    return unknown


def _address(text: str) -> str | None:
    """One hop without its port; `None` for what is no IP address."""
    bare = text.strip('"')
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return None


def _listed(address: str, networks: Sequence[str]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return any(ip in ipaddress.ip_network(network, strict=False) for network in networks)
