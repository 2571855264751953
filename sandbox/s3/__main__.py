"""Start a local S3 server: `python -m sandbox.s3 --folder FOLDER --port PORT`.

The access keys of its administrator are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the
environment.
"""

import argparse
import os
import sys
from pathlib import Path

from sandbox.s3.command import PORT_COUNT, prepare_s3
from sandbox.state import HOST, free_ports

parser = argparse.ArgumentParser(prog="python -m sandbox.s3", description=__doc__)
parser.add_argument("--folder", type=Path, required=True, help="where the server stores its data")
parser.add_argument("--host", default=HOST, help="the address to listen on")
parser.add_argument("--port", type=int, required=True, help="the port for S3 requests")
parser.add_argument("--bucket", required=True, help="this bucket is created if it is missing")


def main(argv: list[str] | None = None) -> None:
    """Replace this process by SeaweedFS."""
    options = parser.parse_args(argv)
    os.umask(0o077)  # the server's log names access keys, so only its owner may read it
    options.folder.mkdir(parents=True, exist_ok=True)
    ports = [options.port, *free_ports(PORT_COUNT - 1)]
    command = prepare_s3(
        Path(sys.executable).with_name("weed"),
        options.folder,
        ports,
        f"-bucket={options.bucket}",
        host=options.host,
    )
    os.execv(command[0], command)  # noqa: S606 - no shell is needed


if __name__ == "__main__":
    main()
