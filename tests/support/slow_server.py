"""A TCP server that is slow on purpose: it is silent, or sends a response byte by byte."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PAUSE_SECONDS = 0.05
HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n"


@contextmanager
def slow_server(beginning: bytes = b"", drip: bytes = b"") -> Iterator[str]:
    """Run a server that answers each connection in a thread, and yield its address.

    Args:
        beginning: What the server sends at once.
        drip: What the server sends after that, again and again and with pauses; empty for silence.
    """
    ended = threading.Event()

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65_536)
            connection.sendall(beginning)
            while not ended.wait(_PAUSE_SECONDS):
                connection.sendall(drip)

    def accept(server: socket.socket) -> None:
        with suppress(OSError):  # the end of the block closes the socket
            while True:
                threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            ended.set()
            server.shutdown(socket.SHUT_RDWR)
