"""Decide whether a request to the API goes through the proxy of a company's network."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

# Names that are only known inside a cluster or between containers.
_INNER_DOMAINS: Final = (".localhost", ".svc", ".cluster.local", ".docker.internal")


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
        address = ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_INNER_DOMAINS)
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_loopback or address.is_link_local or address.is_unspecified
