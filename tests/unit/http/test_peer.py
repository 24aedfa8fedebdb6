"""Whose request it is behind a reverse proxy."""

from __future__ import annotations

import pytest
from tornado.httputil import HTTPHeaders

from openclaw_gateway.http.peer import peer_address

PROXY = "10.0.0.5"


def address(remote: str, trusted: list[str], *, real_ip: bool = False, **headers: str) -> str:
    given = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return peer_address(remote, given, trusted, real_ip=real_ip)


def test_without_a_proxy_it_is_the_connection():
    assert address("127.0.0.1", []) == "127.0.0.1"
    assert address("198.51.100.7", [PROXY]) == "198.51.100.7"


@pytest.mark.parametrize(
    "header", [{"X_Forwarded_For": "198.51.100.7"}, {"Forwarded": "for=198.51.100.7"}, {"X_Real_IP": "198.51.100.7"}]
)
def test_a_proxy_on_this_machine_does_not_make_its_clients_local(header: dict[str, str]):
    assert address("127.0.0.1", [], **header) == "127.0.0.1 via proxy"


def test_nobody_calls_himself_local_by_a_header():
    assert address("198.51.100.7", [PROXY], X_Forwarded_For="127.0.0.1") == "198.51.100.7 via proxy"


@pytest.mark.parametrize(
    ("chain", "expected"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("127.0.0.1, 198.51.100.7", "198.51.100.7"),  # the client wrote the first hop itself
        ("198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("127.0.0.1, nonsense", f"{PROXY} via proxy"),
        ("10.0.0.9", f"{PROXY} via proxy"),
        ("", f"{PROXY} via proxy"),
    ],
)
def test_a_trusted_proxy_names_the_client(chain: str, expected: str):
    assert address(PROXY, ["10.0.0.0/8"], X_Forwarded_For=chain) == expected


def test_real_ip_counts_only_where_it_is_allowed():
    assert address(PROXY, [PROXY], X_Real_IP="198.51.100.7") == f"{PROXY} via proxy"
    assert address(PROXY, [PROXY], real_ip=True, X_Real_IP="198.51.100.7") == "198.51.100.7"


def test_an_address_of_the_other_family_is_the_same_proxy():
    assert address("::ffff:10.0.0.5", [PROXY], X_Forwarded_For="198.51.100.7") == "198.51.100.7"
