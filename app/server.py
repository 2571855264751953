"""Start the API as a process: `python -m app.server`."""

import argparse
import gc
import logging
import os
import signal
import sys
from contextlib import suppress
from errno import EADDRINUSE
from socket import AF_INET, AF_INET6, SO_ACCEPTCONN, SO_REUSEADDR, SOL_SOCKET, socket
from types import FrameType
from typing import Final, NoReturn

from uvicorn.config import Config
from uvicorn.server import Server as UvicornServer

from app import logs
from app.deadline import Deadline
from app.draining import Draining
from app.main import create_app
from app.protocol import Protocol
from movierating.errors import ExplainedError
from movierating.settings import ApiSettings, api_settings

logger = logging.getLogger(__name__)

FINISH_SECONDS: Final = 5  # for requests in progress, after draining
# From the end of draining until the process is ended by force; with a draining of 1 s, less than
# the 10 s after which Docker kills a process.
LAST_SECONDS: Final = 8
# Load balancers keep a connection for 60 s. If the server closed it first, a request that is on its
# way would be lost.
KEEP_ALIVE_SECONDS: Final = 75
# How long a calculation in another thread may delay the event loop; Python's default is 5 ms.
_SWITCH_SECONDS: Final = 0.001

parser = argparse.ArgumentParser(prog="python -m app.server", description=__doc__)
parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
parser.add_argument("--port", type=int, help="the port to listen on, instead of API_PORT")


class PortError(ExplainedError):
    """The API cannot listen at its address; the message says what to change."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        """Create the error: the operating system refuses the address, for a reason."""
        super().__init__(
            f"cannot listen on {host}, port {port}: {reason}; set API_PORT to a free port"
        )


class Server(UvicornServer):
    """A uvicorn server that still answers requests for a while after SIGTERM.

    In this time load balancers notice the shutdown, and send new requests to other replicas.
    """

    def __init__(self, config: Config, draining: Draining) -> None:
        """Create a server that starts to drain on SIGTERM.

        Args:
            config: Uvicorn's configuration.
            draining: The shutdown's progress, which the API reads too.
        """
        super().__init__(config)
        self._draining = draining
        self._deadline = Deadline(draining.seconds + LAST_SECONDS)

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Start to answer requests, once everything is loaded.

        Raises:
            PortError: Another program listens on the port, which it took at the same time.
        """
        with suppress(OSError):  # raised by asyncio's event loop; uvloop's closes the socket
            await super().startup(sockets)
        if not all(map(_listens, sockets or ())):
            raise PortError(self.config.host, self.config.port, os.strerror(EADDRINUSE))
        # What is loaded stays, so the garbage collector need not look through it again and again.
        # Each time, it would hold up all requests.
        gc.freeze()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Handle a signal: the first SIGTERM starts draining, any other signal ends the server."""
        self._deadline.begin()
        if sig == signal.SIGTERM and not self._draining.has_begun:
            self._draining.begin()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Return whether to shut down now; uvicorn calls this ten times per second."""
        return await super().on_tick(counter) or self._draining.is_over()


def server_for(settings: ApiSettings, host: str, port: int) -> Server:
    """Create the API application, and the server that runs it."""
    draining = Draining(settings.drain_seconds)
    config = Config(
        create_app(settings, draining=draining),
        http=Protocol,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the application does this, for the proxies in its settings
        server_header=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    return Server(config, draining)


def bound_socket(host: str, port: int) -> socket:
    """Take a port for the API, before the slow start; nobody can connect to it yet.

    Two programs that start at the same time can both take it. The later one then cannot listen.

    Raises:
        PortError: The port is taken, or the address is not one of this machine.
    """
    bound = socket(AF_INET6 if ":" in host else AF_INET)
    bound.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except (OSError, OverflowError) as error:
        bound.close()
        reason = getattr(error, "strerror", None) or str(error).removesuffix(".")
        raise PortError(host, port, reason) from error
    return bound


def _listens(bound: socket) -> bool:
    try:
        return bool(bound.getsockopt(SOL_SOCKET, SO_ACCEPTCONN))
    except OSError:
        return False


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal ends the process; return its exit status."""
    options = parser.parse_args(argv)
    logs.configure()
    try:
        settings = api_settings()
        port = options.port or settings.api_port
        with bound_socket(options.host, port) as bound:
            server = server_for(settings, options.host, port)
            sys.setswitchinterval(_SWITCH_SECONDS)
            server.run([bound])
    except ExplainedError as error:
        logger.error("%s", error)  # noqa: TRY400 - the sentence is enough, without a traceback
        return 1
    return 0


def end(status: int) -> NoReturn:
    """End the process without Python's own shutdown.

    A thread in the background may still load a model with ONNX Runtime. Python's shutdown ends such
    a thread inside of C++ code, which then aborts the whole process with SIGABRT.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    end(main())
