"""The working folder `.sandbox` of `make up`, and the passwords, keys and ports that it uses.

`make clean` deletes this folder.
"""

import itertools
import json
import os
import secrets
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / ".sandbox"
LOGS: Final = FOLDER / "logs"
SETTINGS_MARK: Final = FOLDER / "settings.mark"  # digest of the services' settings
HOST: Final = "127.0.0.1"
_FIRST_PORT: Final = 10_000
_FEWEST_PORTS: Final = 1_000  # to choose from
_DEFAULT_FIRST_PORT_OF_CONNECTIONS: Final = 32_768  # the lowest default of the common systems


@dataclass(frozen=True)
class Secrets:
    """The passwords and keys of the services that `make up` starts.

    They are generated once, and are valid only for these services.
    """

    airflow_password: str
    session: str
    jwt: str
    fernet: str
    s3_key: str
    s3_secret: str
    s3_reader_key: str
    s3_reader_secret: str
    tmdb_token: str

    @classmethod
    def kept(cls) -> Self:
        """Load the passwords and keys from the file `secrets.json`.

        A missing one is generated and added to the file. At the first call, all are missing; after
        an update of the project, new ones may be. Only the file's owner can read the file.
        """
        path = FOLDER / "secrets.json"
        stored: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        known = {each.name for each in fields(cls)}
        kept = {name: value for name, value in stored.items() if name in known}
        complete = asdict(cls._new()) | kept
        if complete != stored:
            # Write another file and rename it, so that no process reads an incomplete file.
            partial = path.with_suffix(".partial")
            partial.touch(mode=0o600)
            partial.write_text(json.dumps(complete))
            partial.replace(path)
        return cls(**complete)

    @classmethod
    def _new(cls) -> Self:
        return cls(
            airflow_password=secrets.token_urlsafe(9),
            session=secrets.token_hex(32),
            jwt=secrets.token_hex(32),
            fernet=secrets.token_urlsafe(32) + "=",  # Fernet needs the padding that Python omits
            s3_key=secrets.token_hex(10),
            s3_secret=secrets.token_hex(20),
            s3_reader_key=secrets.token_hex(10),
            s3_reader_secret=secrets.token_hex(20),
            tmdb_token=f"{secrets.token_urlsafe(24)}.{secrets.token_urlsafe(48)}",
        )


def is_taken(port: int) -> bool:
    """Return whether another program already listens on this network port."""
    with socket.socket() as probe:
        # With this option, a port whose last connection has just closed is treated as free. The
        # services can use such a port, because they set the same option.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def free_ports(count: int) -> list[int]:
    """Return the numbers of `count` free network ports that stay free until a service starts.

    The system gives the ports of its own range to connections that programs open, at any
    moment. A port of that range can be taken before a service listens on it, so the ports come
    from below the range. Each process searches from a place of its own and never returns the
    same port twice, because several processes search at the same time.
    """
    free = (port for port in _CANDIDATES if not is_taken(port))
    return list(itertools.islice(free, count))


def _candidates() -> Iterator[int]:
    first, last = _FIRST_PORT, _first_port_of_connections()
    if last < first + _FEWEST_PORTS:  # this system leaves no room below its own range
        last = _DEFAULT_FIRST_PORT_OF_CONNECTIONS
    # Process numbers often follow each other; the factor keeps the places apart.
    start = os.getpid() * 307
    return (first + (start + step) % (last - first) for step in itertools.count())


def _first_port_of_connections() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except OSError:
        return _DEFAULT_FIRST_PORT_OF_CONNECTIONS


_CANDIDATES = _candidates()
