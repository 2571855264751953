"""Decide which requests go through the proxy of a company's network.

The environment variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in capitals or small
letters, name the proxy and its exceptions. Two rules hold for every program of this project:

- A request to this machine, or to a container beside it, never goes through a proxy. A proxy on
  another machine cannot reach these addresses.
- All other requests follow the variables. Libraries read NO_PROXY in different ways, so the
  project's own clients ask `proxy_for`, and `spare_local_addresses` rewrites NO_PROXY for the
  libraries that send requests themselves, such as Airflow's.
"""

import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from socket import inet_aton
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from movierating.errors import ExplainedError

# The forms of this machine's address, and the addresses at which a machine or container of Amazon
# asks for its role. Every library understands these five entries of NO_PROXY.
_LOCAL: Final = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "169.254.170.2")
# Names that are only known inside a cluster or between containers.
_INNER_DOMAINS: Final = (".localhost", ".svc", ".cluster.local", ".docker.internal")
_KINDS: Final = ("http", "https", "all")
PROXY_VARIABLES: Final = frozenset({"http_proxy", "https_proxy", "all_proxy", "no_proxy"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
PASSWORD_WANTED: Final = 407
_TEMPORARY: Final = frozenset({408, 429})
_SERVER_ERROR: Final = 500
_SHORT_ADDRESS: Final = re.compile(r"(0x[0-9a-f]+|\d+)(\.(0x[0-9a-f]+|\d+)){0,3}")
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})")


class ProxySettingError(ExplainedError, ValueError):
    """A variable does not name a proxy that can be used; the message says what to write."""


@dataclass(frozen=True)
class Proxy:
    """The proxy for a request.

    Attributes:
        variable: The environment variable that names the proxy, such as `HTTPS_PROXY`.
        url: The proxy's address, which may contain a password.
        address: The proxy's host and port, for messages.
    """

    variable: str
    url: str = field(repr=False)
    address: str

    def __str__(self) -> str:
        """Return how a message names the proxy."""
        return f"the proxy in {self.variable} ({self.address})"

    def problem(self, status: int | None = None) -> str:
        """Return the error message for a request that the proxy does not let pass.

        Args:
            status: The HTTP status with which the proxy answers; None if it does not answer.
        """
        proxy = str(self)
        if status == PASSWORD_WANTED:
            return (
                f"{proxy} refuses the user name or password ({status}); write them into "
                f"{self.variable} as http://USER:PASSWORD@HOST:PORT"
            )
        if status:
            return f"{proxy} refuses the request ({status}); check {self.variable} and NO_PROXY"
        return f"{proxy} cannot be reached; check {self.variable} and NO_PROXY"


def is_local(host: str) -> bool:
    """Return whether a host is this machine, or known only inside its network of containers.

    A name without a dot, such as `api` or `seaweedfs`, is the name of a container or a service.
    """
    name = _bare(host)
    if address := _address(name):
        return address.is_loopback or address.is_link_local or address.is_unspecified
    return "." not in name or name.endswith(_INNER_DOMAINS)


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for a request to `url`; None if the request goes to the host directly.

    Raises:
        ProxySettingError: The variable for this request does not name a usable proxy.
    """
    target = urlsplit(url)
    host = target.hostname or ""
    proxies = getproxies()
    if is_local(host):
        return None
    port = target.port or _DEFAULT_PORTS.get(target.scheme)
    if any(_covers(entry, host, port) for entry in _exceptions(proxies.get("no", ""))):
        return None
    for kind in (target.scheme, "all"):
        if proxies.get(kind):
            return _proxy(kind, proxies[kind])
    return None


def proxy_at(url: str) -> Proxy | None:
    """Return the proxy in the environment variables that has the host and port of `url`.

    Returns:
        The proxy; None if no variable such as HTTPS_PROXY names a proxy with this address.
    """
    for kind, each in getproxies().items():
        if kind in _KINDS and each:
            proxy = _proxy(kind, each)
            if proxy.address == _host_and_port(url):
                return proxy
    return None


def tunnel_status(text: str) -> int | None:
    """Find in an error's text the HTTP status with which a proxy refused a connection, if any."""
    found = _TUNNEL.search(text)
    return int(found.group(1)) if found else None


def may_pass_later(status: int | None) -> bool:
    """Return whether a proxy may let the same request pass later.

    Args:
        status: The HTTP status with which the proxy answered; None if it did not answer.
    """
    return status is None or status >= _SERVER_ERROR or status in _TEMPORARY


def check_proxies(*, allow_socks: bool = False) -> None:
    """Check all variables that name a proxy.

    Args:
        allow_socks: Whether the program can use a SOCKS proxy, unlike this project's own clients.

    Raises:
        ProxySettingError: A variable does not name a usable proxy.
    """
    for kind, url in getproxies().items():
        if kind in _KINDS and url and not (allow_socks and url.startswith("socks")):
            _proxy(kind, url)


def spare_local_addresses(environment: MutableMapping[str, str] = os.environ) -> None:
    """Rewrite NO_PROXY so that no library sends requests to local addresses through a proxy.

    The user's exceptions are kept, in the forms that all libraries read. If a variable contains an
    address with a local host, such as `http://wandb:8080`, this host is added. Nothing changes if
    no variable names a proxy.

    Args:
        environment: The environment variables of this process, or of one to be started.
    """
    names = {name.lower(): value for name, value in environment.items() if name.islower()}
    names = {name.lower(): value for name, value in environment.items()} | names
    if not any(names.get(f"{kind}_proxy") for kind in _KINDS):
        return
    entries = list(filter(None, map(_common_form, _exceptions(names.get("no_proxy", "")))))
    entries += [*_LOCAL, *_local_hosts(environment)]
    value = "*" if "*" in entries else ",".join(dict.fromkeys(entries))
    # Some libraries read only one of the two names.
    environment["no_proxy"] = environment["NO_PROXY"] = value


def _local_hosts(environment: Mapping[str, str]) -> Iterator[str]:
    for value in environment.values():
        with suppress(ValueError):  # the value begins like an address, but is not one
            host = urlsplit(value).hostname if value.startswith(("http://", "https://")) else None
            if host and is_local(host):
                yield host


def _proxy(kind: str, url: str) -> Proxy:
    variable, url = _variable(kind), url.strip()
    scheme, separator, _ = url.rpartition("://")
    if scheme.startswith("socks"):
        raise ProxySettingError(
            f"{variable} names a SOCKS proxy, which this project cannot use; set HTTP_PROXY and "
            f"HTTPS_PROXY to an HTTP proxy, or unset {variable}"
        )
    complete = url if separator else f"http://{url}"
    try:
        parts = urlsplit(complete)
        is_usable = bool(parts.hostname) and parts.scheme in _DEFAULT_PORTS and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable:
        raise ProxySettingError(
            f"{variable} is not the address of a proxy; write http://HOST:PORT or "
            "http://USER:PASSWORD@HOST:PORT, with special characters of the password as %XX"
        )
    return Proxy(variable, complete, _host_and_port(complete))


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port or _DEFAULT_PORTS[parts.scheme]}"


def _variable(kind: str) -> str:
    """Return the variable that sets the proxy: the name in small letters takes precedence."""
    small = f"{kind}_proxy"
    return small if os.environ.get(small) else small.upper()


def _exceptions(no_proxy: str) -> Iterator[str]:
    entries = (entry.lower() for entry in re.split(r"[\s,]+", no_proxy) if entry)
    # Some people write a whole address, such as `http://minio:9000/`.
    return (re.sub(r"^https?://([^/]*).*", r"\1", entry) for entry in entries)


def _covers(entry: str, host: str, port: int | None) -> bool:
    """Return whether an entry of NO_PROXY is an exception for a host and port.

    An entry is `*`, a name, a domain with or without `.` or `*.`, an address, or a network; a port
    may follow.
    """
    if entry == "*":
        return True
    name, wanted_port = _name_and_port(entry)
    if wanted_port not in {None, port}:
        return False
    if address := _address(_bare(host)):
        try:
            return address in ip_network(name, strict=False)
        except ValueError:
            return False
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and f".{_bare(host)}".endswith(f".{domain}")


def _name_and_port(entry: str) -> tuple[str, int | None]:
    name, colon, port = entry.rpartition(":")
    is_port = colon and port.isdigit() and (":" not in name or name.endswith("]"))
    return (name.strip("[]"), int(port)) if is_port else (entry.strip("[]"), None)


def _common_form(entry: str) -> str | None:
    """Return an entry of NO_PROXY in the form that all libraries read; None if it has no such form.

    Airflow's HTTP library fails for each request if NO_PROXY has brackets or an IPv6 network.
    """
    name, _ = _name_and_port(entry)
    if ":" in name:
        return None if "/" in name else name
    return entry.removeprefix("*") if entry != "*" else entry


def _bare(host: str) -> str:
    return host.lower().rstrip(".").partition("%")[0]


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        # The system also reads short forms of addresses, such as `127.1`.
        address = ip_address(inet_aton(host) if _SHORT_ADDRESS.fullmatch(host) else host)
    except (ValueError, OSError):
        return None
    return getattr(address, "ipv4_mapped", None) or address
