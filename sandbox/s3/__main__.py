"""Start a local S3 server: `python -m sandbox.s3 --folder FOLDER --port PORT --bucket BUCKET`.

The environment variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY contain the access keys that
may do anything. S3_READER_ACCESS_KEY_ID and S3_READER_SECRET_ACCESS_KEY may read the bucket.
"""

import argparse
import os
import sys
from pathlib import Path

from sandbox.s3.access_keys import VARIABLES, AccessKeys
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
    try:
        keys = AccessKeys.of(os.environ)
    except ValueError as error:
        parser.error(str(error))
    os.umask(0o077)  # the server's log names access keys, so only its owner may read it
    options.folder.mkdir(parents=True, exist_ok=True)
    keys.write(access := options.folder / "access.json", options.bucket)
    command = prepare_s3(
        Path(sys.executable).with_name("weed"),
        options.folder,
        [options.port, *free_ports(PORT_COUNT - 1)],
        f"-bucket={options.bucket}",
        f"-s3.config={access}",
        host=options.host,
    )
    inherited = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    os.execve(command[0], command, inherited)  # noqa: S606 - no shell is needed


if __name__ == "__main__":
    main()
