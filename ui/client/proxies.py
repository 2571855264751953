"""Decide whether a request to the API goes through the proxy of a company's network."""

import re
from ipaddress import ip_address
from socket import inet_aton
from typing import Final
from urllib.parse import urlsplit

# Names that are only known inside a cluster or between containers.
_INNER_DOMAINS: Final = (".localhost", ".svc", ".cluster.local", ".docker.internal")
_SHORT_ADDRESS: Final = re.compile(r"(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}")


def is_local(url: str) -> bool:
    """Return whether an address is on this machine, or inside its network of containers.

    A proxy on another machine cannot reach such an address. The pipeline and the API have the same
    rule in `movierating.proxies`, which the UI must not import.
    """
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").partition("%")[0]
    except ValueError:  # no address at all; the request will fail with the right error
        return True
    try:
        # The system also reads short forms of addresses, such as `127.1`.
        address = ip_address(inet_aton(host) if _SHORT_ADDRESS.fullmatch(host) else host)
    except (ValueError, OSError):
        return "." not in host or host.endswith(_INNER_DOMAINS)
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified
