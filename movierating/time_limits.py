"""Send HTTP requests with a time limit, and through the proxy that `proxy_for` chooses.

This works for requests and boto3, which both use urllib3.

A timeout of these clients limits each single wait for data. A server that sends one byte every few
seconds never exceeds it, and could hold the caller for ever. With this module, the whole response
must arrive within a time limit. Otherwise the read fails as after any other timeout, so no thread
is left behind.
"""

from collections.abc import Mapping
from http.client import HTTPResponse
from io import BufferedReader, RawIOBase
from socket import SocketIO, socket
from time import monotonic
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from movierating.proxies import (
    PASSWORD_WANTED,
    Proxy,
    ProxySettingError,
    may_pass_later,
    proxy_for,
    tunnel_status,
)

Pools = Mapping[str, type[HTTPConnectionPool]]

_URLLIB3_POOLS: Final[Pools] = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
_REDIRECTS: Final = 3  # each redirect is a response of its own, with its own time limit


class ProxyProblemError(requests.exceptions.ProxyError):
    """A request failed because of a proxy; the message names the variable, and no password.

    Attributes:
        retryable: Whether the same request may succeed later.
    """

    def __init__(self, problem: str, *, retryable: bool = False) -> None:
        super().__init__(problem)
        self.retryable = retryable


def reason(error: requests.RequestException) -> str:
    """Return why a request failed, without the address, which may contain a secret."""
    return str(error) if isinstance(error, ProxyProblemError) else type(error).__name__


class _LimitedReader(RawIOBase):
    """The stream of one response from a socket; a read after the deadline fails."""

    def __init__(self, stream: SocketIO, connection: socket, seconds: float) -> None:
        super().__init__()
        self._stream = stream
        self._connection = connection
        self._longest_wait = connection.gettimeout()  # the client's own limit for a single wait
        self._deadline = monotonic() + seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError("the response did not arrive within its time limit")
        self._connection.settimeout(
            left if self._longest_wait is None else min(left, self._longest_wait)
        )
        return self._stream.readinto(buffer)

    def close(self) -> None:
        super().close()
        self._stream.close()


def limited_pools(seconds: float, pools: Pools = _URLLIB3_POOLS) -> dict[str, Any]:
    """Return subclasses of urllib3's connection pools that limit the time of each response.

    Args:
        seconds: Time from the end of the request to the end of the response.
        pools: The pools to limit, by URL scheme.
    """
    return {scheme: _limited_pool(pool, seconds) for scheme, pool in pools.items()}


def _limited_pool(pool: type[HTTPConnectionPool], seconds: float) -> type[HTTPConnectionPool]:
    connection: Any = pool.ConnectionCls
    original: type[HTTPResponse] = connection.response_class

    def __init__(self: Any, connection: socket, *arguments: Any, **options: Any) -> None:  # noqa: N807 - a class's constructor
        original.__init__(self, connection, *arguments, **options)
        self.fp = BufferedReader(_LimitedReader(self.fp.detach(), connection, seconds))

    response = type("LimitedResponse", (original,), {"__init__": __init__})
    limited = type("LimitedConnection", (connection,), {"response_class": response})

    # Redirects are the clients' task. urllib3 would stumble over some of them in boto3's requests.
    # urllib3 calls this itself for a second attempt, and passes the arguments by position.
    def urlopen(  # noqa: PLR0913, PLR0917 - the parameters of urllib3's own method
        self: Any,
        method: str,
        url: str,
        body: Any = None,
        headers: Any = None,
        retries: Any = None,
        redirect: bool = True,  # noqa: ARG001
        *arguments: Any,
        **options: Any,
    ) -> Any:
        return pool.urlopen(self, method, url, body, headers, retries, False, *arguments, **options)

    limited_pool = type("LimitedPool", (pool,), {"ConnectionCls": limited, "urlopen": urlopen})
    return cast("type[HTTPConnectionPool]", limited_pool)


class LimitedAdapter(HTTPAdapter):
    """An adapter for sessions of requests that limits the time of each response."""

    def __init__(self, seconds: float, **options: Any) -> None:
        """Create an adapter to mount in a session.

        Args:
            seconds: Time limit for connecting, and for a whole response.
            options: Options of requests' own adapter.
        """
        self._seconds = seconds
        super().__init__(**options)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        """Create the connection pools, with the time limit."""
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = limited_pools(self._seconds)

    def proxy_manager_for(self, *arguments: Any, **options: Any) -> Any:
        """Return the connection pools for a proxy, with the time limit."""
        manager = super().proxy_manager_for(*arguments, **options)
        manager.pool_classes_by_scheme = limited_pools(self._seconds)
        return manager

    def send(  # noqa: PLR0913, PLR0917 - the signature of requests
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """Send a request; without a `timeout`, each wait has the time limit of the response.

        The argument `proxies` is ignored, because requests reads NO_PROXY in another way than
        `proxy_for`.

        Raises:
            ProxyProblemError: The proxy cannot be used, does not answer, or refuses the request.
        """
        address = request.url or ""
        proxy = _usable_proxy_for(address)
        proxies = {urlsplit(address).scheme: proxy.url} if proxy else {}
        try:
            answer = super().send(request, stream, timeout or self._seconds, verify, cert, proxies)
        except requests.exceptions.ProxyError as error:
            status = tunnel_status(str(error))
        else:
            status = answer.status_code
            if proxy is None or status != PASSWORD_WANTED:
                return answer
            answer.close()
        # Not raised in the `except` block: Python would attach the first error, whose text may
        # contain an API key.
        assert proxy is not None  # noqa: S101 - for the type checker
        raise ProxyProblemError(proxy.problem(status), retryable=may_pass_later(status))


def _usable_proxy_for(url: str) -> Proxy | None:
    try:
        return proxy_for(url)
    except ProxySettingError as error:
        raise ProxyProblemError(str(error)) from None


def limited_session(seconds: float, **options: Any) -> requests.Session:
    """Return a session of requests that limits the time of each response.

    Args:
        seconds: Time limit for connecting, and for a whole response.
        options: Options of requests' own adapter, such as `max_retries`.
    """
    session = requests.Session()
    session.max_redirects = _REDIRECTS
    for scheme in _URLLIB3_POOLS:
        session.mount(f"{scheme}://", LimitedAdapter(seconds, **options))
    return session
