"""Create HTTP sessions with which the commands in `ops` call the containers on this machine."""

import requests


def local_session() -> requests.Session:
    """Return a session that ignores any proxy in the environment variables.

    A proxy on another machine cannot reach the containers on this machine.
    """
    session = requests.Session()
    session.trust_env = False
    return session
