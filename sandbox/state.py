"""The working folder `.sandbox` of `make up`, and the passwords, keys and ports that it uses.

`make clean` deletes this folder.
"""

import json
import secrets
import socket
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final, Self

ROOT: Final = Path(__file__).parent.parent
FOLDER: Final = ROOT / ".sandbox"
LOGS: Final = FOLDER / "logs"
SETTINGS_MARK: Final = FOLDER / "settings.mark"  # digest of the services' settings
HOST: Final = "127.0.0.1"


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

        Those that the file does not have are generated and added to it: all of them at the first
        call, and new ones after an update of the project. Only the file's owner can read it.
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
    """Return the numbers of `count` free network ports."""
    # All probes stay open until the end, so that no port is returned twice.
    probes = [socket.create_server((HOST, 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports
