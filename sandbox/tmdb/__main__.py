"""Start the TMDB stand-in (a local imitation of TMDB): `python -m sandbox.tmdb --port 8090`."""

import argparse
import logging
import socket
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import uvicorn

from sandbox.tmdb import world
from sandbox.tmdb.access import RateLimit
from sandbox.tmdb.api import create_app
from sandbox.tmdb.catalogue import CatalogueError, CatalogueFile
from sandbox.tmdb.films import FilmStore
from sandbox.tmdb.odd_films import WorldWithOddFilms
from sandbox.tmdb.service import StandIn
from sandbox.tmdb.unkindness import Unkindness, always_failing

HOST = "127.0.0.1"
BAD_USAGE = 2
KEEP_ALIVE_SECONDS = 75
# At its end the server waits this long for responses in progress. Only slow faults need longer.
SHUTDOWN_SECONDS = 1


def positive(text: str) -> int:
    """Convert the text of a command-line option to a whole number of at least 1."""
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


parser = argparse.ArgumentParser(
    prog="python -m sandbox.tmdb",
    description="Serve TMDB's v3 API with invented films, or with the films in a file.",
)
parser.add_argument("--host", default=HOST, help=f"address to listen on (default: {HOST})")
parser.add_argument("--port", type=int, default=8090, help="port to listen on; 0: any free port")
parser.add_argument(
    "--catalogue", type=Path, help="serve the films in this parquet file instead of invented ones"
)
parser.add_argument(
    "--today", type=date.fromisoformat, help="the stand-in's date, YYYY-MM-DD (default: today)"
)
parser.add_argument(
    "--requests-per-second", type=positive, default=40, help="rate limit (default: 40)"
)
parser.add_argument("--seed", type=int, default=world.SEED, help="seed of the synthetic world")
parser.add_argument(
    "--films",
    type=positive,
    default=world.SIZE,
    help=f"films in the synthetic world (default: {world.SIZE})",
)
parser.add_argument(
    "--unkind",
    action=argparse.BooleanOptionalAction,
    default=True,
    help="also do what surprises clients of TMDB: see sandbox/tmdb/unkindness.py and odd_films.py",
)


def main(argv: list[str] | None = None) -> int:
    """Serve the TMDB stand-in's API until the program is interrupted.

    Returns:
        The exit code. It is 2 if the parquet file with the films cannot be used, and 1 if the port
        cannot be used.
    """
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    today: date = args.today or datetime.now(UTC).date()
    try:
        store = open_store(args.catalogue, args.seed, today, args.films, unkind=args.unkind)
    except CatalogueError as error:
        sys.stderr.write(f"{error}\n")
        return BAD_USAGE
    try:
        listener = socket.create_server((args.host, args.port))
        # asyncio sets this only on its own sockets; without it, an answer takes 40 ms longer.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"--port {args.port}: cannot listen there ({error})\n")
        return 1
    unkindness = unkindness_of(store) if args.unkind else None
    stand_in = StandIn(store, today, RateLimit(args.requests_per_second), unkindness)
    serve(stand_in, listener)
    return 0


def open_store(
    catalogue: Path | None, seed: int, today: date, films: int = world.SIZE, *, unkind: bool = False
) -> FilmStore:
    """Create the source of the films that the TMDB stand-in serves.

    Args:
        catalogue: The path of a parquet file with films. If it is None, films are invented.
        today: The date that the stand-in uses as the current date.
        seed: The seed for the invented films.
        films: The number of invented films.
        unkind: Whether to add unusual films to the invented ones (see `odd_films`).

    Raises:
        CatalogueError: The parquet file cannot be used.
    """
    if catalogue is not None:
        return CatalogueFile(catalogue, today)
    invented = world.World(today, seed, films)
    return WorldWithOddFilms(invented) if unkind else invented


def unkindness_of(store: FilmStore) -> Unkindness:
    """Return the settings with which the TMDB stand-in surprises its clients, as TMDB does.

    For some of the unusual films (see `odd_films`), it always answers with an error.
    """
    failing = store.failing if isinstance(store, WorldWithOddFilms) else []
    return Unkindness(always_failing(failing))


def serve(stand_in: StandIn, listener: socket.socket) -> None:
    """Print the address of the TMDB stand-in, then serve its API until the user interrupts it."""
    host, port = listener.getsockname()[:2]
    films = len(stand_in.store.columns.ids)
    sys.stdout.write(f"{films} films at http://{host}:{port}/3\n")
    sys.stdout.flush()
    # No access log: it would contain the keys in the parameter api_key.
    config = uvicorn.Config(
        create_app(stand_in),
        log_config=None,
        access_log=False,
        date_header=False,  # the stand-in sends its own date
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    sys.exit(main())
