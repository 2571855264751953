"""The service as a process: `python -m app.server`."""

import argparse
import logging
import signal
import sys
from types import FrameType
from typing import Final

import uvicorn

from app import logs
from app.draining import Draining
from app.main import create_app
from movierating.errors import ExplainedError
from movierating.settings import ApiSettings, api_settings

logger = logging.getLogger(__name__)

FINISH_SECONDS: Final = 5  # for answers under way, after draining

parser = argparse.ArgumentParser(prog="python -m app.server", description=__doc__)
parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
parser.add_argument("--port", type=int, help="in place of API_PORT")


class Server(uvicorn.Server):
    """Answers for a while after SIGTERM, so that whoever sends requests can turn away."""

    def __init__(self, config: uvicorn.Config, draining: Draining) -> None:
        """Serve with `config`."""
        super().__init__(config)
        self._draining = draining

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain; end at once when told again."""
        if sig == signal.SIGTERM and not self._draining.has_begun:
            self._draining.begin()
        else:
            super().handle_exit(sig, frame)

    async def on_tick(self, counter: int) -> bool:
        """Say whether it is time to end."""
        return await super().on_tick(counter) or self._draining.is_over()


def server_for(settings: ApiSettings, host: str, port: int) -> Server:
    """A server of the application, ready to run."""
    draining = Draining(settings.drain_seconds)
    config = uvicorn.Config(
        create_app(settings, draining=draining),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the application trusts whom its settings name
        server_header=False,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
    return Server(config, draining)


def main(argv: list[str] | None = None) -> int:
    """Serve until told to end."""
    options = parser.parse_args(argv)
    logs.configure()
    try:
        settings = api_settings()
        server = server_for(settings, options.host, options.port or settings.api_port)
    except ExplainedError as error:
        logger.error("%s", error)  # noqa: TRY400 - a sentence, without a traceback
        return 1
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
