"""Ports are free only when nobody listens on them, on IPv4 and on IPv6."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from local_stack.ports import free_port, is_free


@contextmanager
def _listening(family: socket.AddressFamily, address: str) -> Iterator[int]:
    with socket.socket(family, socket.SOCK_STREAM) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip(f"this machine has no {address}")
        server.listen()
        yield server.getsockname()[1]


@pytest.mark.parametrize(
    ("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
)
def test_a_port_is_busy_when_somebody_listens_on_either_loopback(
    family: socket.AddressFamily, address: str
) -> None:
    with _listening(family, address) as port:
        assert not is_free(port)
        assert free_port(port) != port


def test_a_port_is_busy_when_somebody_listens_on_every_address() -> None:
    with _listening(socket.AF_INET, "0.0.0.0") as port:
        assert not is_free(port)


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    port = free_port()
    assert is_free(port)
    assert free_port(port) == port


def test_a_port_promised_to_another_is_not_given_again() -> None:
    port = free_port()
    assert free_port(port, taken={port}) != port
