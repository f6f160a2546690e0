"""Ports that parts of one machine listen on."""

import socket

from deploy import waiting

FIRST_TAKEN_BY_CHANCE = 32768


def test_ports_are_different_free_and_out_of_the_way_of_what_goes_out() -> None:
    ports = waiting.free_ports(50)
    assert len(set(ports)) == 50
    assert max(ports) < FIRST_TAKEN_BY_CHANCE
    assert not any(waiting.answers("127.0.0.1", port) for port in ports)


def test_a_port_that_is_meant_for_something_else_or_in_use_is_left_alone() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", waiting.free_port()))
        other.listen()
        used = other.getsockname()[1]
        but = [port for port in waiting.OURS if port not in (used, used - 1)]
        assert waiting.free_ports(1, but=but) in ([used - 1], [])
