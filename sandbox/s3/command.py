"""Build the command that starts SeaweedFS, the local S3 server.

`make up` gives this command to the program `supervisor`, which runs it. `sandbox.s3.process` runs
the command itself.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sandbox.state import HOST

# SeaweedFS consists of five servers, each with one port for HTTP and one for gRPC. The first port
# is the one for S3 requests.
_PORT_OPTIONS: Final = tuple(
    f"-{part}.{port}"
    for part in ("s3", "master", "volume", "filer", "admin")
    for port in ("port", "port.grpc")
)
PORT_COUNT: Final = len(_PORT_OPTIONS)


def s3_command(program: Path, folder: Path, ports: Sequence[int], *options: str) -> tuple[str, ...]:
    """Return the command line that starts a local S3 server.

    Args:
        program: The path of SeaweedFS's program file, `weed`.
        folder: The folder in which the server stores its data.
        ports: `PORT_COUNT` free ports. The server receives S3 requests on the first one.
        options: More command-line options for `weed mini`.
    """
    return (
        str(program),
        "mini",
        f"-dir={folder}",
        f"-ip={HOST}",
        f"-ip.bind={HOST}",
        "-s3.autoCreateBucket=false",  # as in Amazon's S3, a misspelt bucket name is an error
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-admin.ui=false",
        "-webdav=false",
        "-master.telemetry=false",
        *options,
        *(f"{name}={port}" for name, port in zip(_PORT_OPTIONS, ports, strict=True)),
    )


def s3_url(ports: Sequence[int]) -> str:
    """Return the address for S3 requests to a server that uses these ports."""
    return f"http://{HOST}:{ports[0]}"
