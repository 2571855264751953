"""Certificates for the connections between the parts of SeaweedFS, the local S3 server.

SeaweedFS consists of five servers in one process, which call each other through network ports. By
default, each of these ports accepts writes from anyone. With the configuration that this module
writes, every port except the one for S3 accepts only clients with a certificate that nobody else
has. The port for S3 asks for access keys.
"""

import json
from pathlib import Path
from typing import Final

import trustme

from sandbox.state import HOST

# The names of SeaweedFS's servers and clients in its configuration, for gRPC and for HTTP.
_PARTS: Final = {
    "grpc": ("master", "volume", "filer", "s3", "admin", "worker", "client"),
    "https": ("master", "volume", "filer", "admin", "client"),
}


def write_certificates(folder: Path) -> None:
    """Write a new certificate, its key, and the configuration that makes SeaweedFS require it.

    Args:
        folder: The folder for SeaweedFS's option `-config_dir`. Only its owner can read it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)  # the folder may have existed before
    authority = trustme.CA()
    issued = authority.issue_cert(HOST)
    certificate, key, issuer = (folder / f"{name}.pem" for name in ("inner", "key", "issuer"))
    issued.cert_chain_pems[0].write_to_path(certificate)
    issued.private_key_pem.write_to_path(key)
    authority.cert_pem.write_to_path(issuer)
    (folder / "security.toml").write_text(_configuration(certificate, key, issuer), "utf-8")


def _configuration(certificate: Path, key: Path, issuer: Path) -> str:
    used = _line("cert", certificate) + _line("key", key)
    text = f"[grpc]\n{_line('ca', issuer)}"
    for part in _PARTS["grpc"]:
        text += f"[grpc.{part}]\n{used}"
    for part in _PARTS["https"]:
        text += f"[https.{part}]\n{used}{_line('ca', issuer)}"
    return f"{text}enabled = true\n"  # in the last section, `https.client`


def _line(name: str, path: Path) -> str:
    return f"{name} = {json.dumps(str(path.absolute()))}\n"  # as in JSON, a text in quotes
