"""The ports that `make up` and the tests choose."""

import socket
import subprocess
import sys
from itertools import islice

import pytest

from sandbox.state import HOST, ROOT, _candidates, free_ports, is_taken

ASK = "from sandbox.state import free_ports; print(*free_ports(50))"


def test_no_port_can_be_taken_by_a_connection_that_a_program_opens() -> None:
    with socket.create_server((HOST, 0)) as server:
        connections = [socket.create_connection(server.getsockname()) for _ in range(50)]
        given_by_the_system = {connection.getsockname()[1] for connection in connections}
        for connection in connections:
            connection.close()
    assert max(free_ports(50)) < min(given_by_the_system)


def test_no_port_is_returned_twice_by_a_process() -> None:
    assert len({*free_ports(20), *free_ports(20)}) == 40


def test_no_port_is_returned_while_a_program_listens_on_it() -> None:
    (port,) = free_ports(1)
    assert not is_taken(port)
    with socket.create_server((HOST, port + 1)):
        assert port + 1 not in free_ports(10)


def test_processes_that_search_at_the_same_time_find_different_ports() -> None:
    command = [sys.executable, "-c", ASK]
    searches = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    found = [port for search in searches for port in search.communicate()[0].split()]
    assert len(found) == 200
    assert len(set(found)) == 200


@pytest.mark.parametrize("first", [1_024, 10_000, 10_500])
def test_system_whose_own_range_begins_early_leaves_ports_too(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.state._first_port_of_connections", lambda: first)
    ports = list(islice(_candidates(), 50))
    assert all(10_000 <= port < 32_768 for port in ports)
    assert len(set(ports)) == 50
