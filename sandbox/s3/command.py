"""Build the command that starts SeaweedFS, the local S3 server.

`python -m sandbox.s3` runs this command for `make up` and the container trial.
`sandbox.s3.process` runs it for tests and benchmarks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sandbox.s3.certificates import write_certificates
from sandbox.state import HOST

# SeaweedFS consists of five servers, each with one port for HTTP and one for gRPC. The first port
# is the one for S3 requests.
_PORT_OPTIONS: Final = tuple(
    f"-{part}.{port}"
    for part in ("s3", "master", "volume", "filer", "admin")
    for port in ("port", "port.grpc")
)
PORT_COUNT: Final = len(_PORT_OPTIONS)


def prepare_s3(
    program: Path, folder: Path, ports: Sequence[int], *options: str, host: str = HOST
) -> tuple[str, ...]:
    """Write the server's certificates; return the command line that starts a local S3 server.

    The first port receives S3 requests. All other ports refuse every client without a
    certificate of this server, because SeaweedFS's other servers check no access keys.

    Args:
        program: The path of SeaweedFS's program file, `weed`.
        folder: The folder in which the server stores its data.
        ports: `PORT_COUNT` free ports.
        options: More command-line options for `weed mini`.
        host: The address to listen on.
    """
    certificates = folder / "certificates"
    write_certificates(certificates)
    return (
        str(program),
        f"-config_dir={certificates}",
        "mini",
        f"-dir={folder}",
        f"-ip={HOST}",  # the address of the certificates, and by which the servers call each other
        f"-ip.bind={host}",
        "-disableHttp",  # the master and the filer then answer gRPC only; S3 is not affected
        "-s3.autoCreateBucket=false",  # as in Amazon's S3, a misspelt bucket name is an error
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        "-admin.ui=false",
        "-webdav=false",
        "-master.telemetry=false",
        *options,
        *(f"{name}={port}" for name, port in zip(_PORT_OPTIONS, ports, strict=True)),
    )


def s3_url(port: int) -> str:
    """Return the address for S3 requests to a server that receives them on this port."""
    return f"http://{HOST}:{port}"
