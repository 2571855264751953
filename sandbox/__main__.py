"""The sandbox from the command line: `python -m sandbox up | down | status | logs`."""

import argparse
import os
import sys

from movierating.errors import ExplainedError
from movierating.settings import all_settings
from sandbox import supervision
from sandbox.state import LOGS
from sandbox.up import up

PARSER = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
PARSER.add_argument("command", choices=["up", "down", "status", "logs"])


def say(line: str) -> None:
    """Print a line immediately; long steps would otherwise look as if nothing happened."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def down() -> None:
    """Stop every program that `make up` started, and print how many there were."""
    count = supervision.stop()
    say(f"stopped {count} processes" if count else "nothing was running")


def status() -> None:
    """Print the state of every program."""
    states = supervision.states()
    for name, state in states.items():
        say(f"{name:<24}{state.lower()}")
    if not states:
        say("nothing is running")


def logs() -> None:
    """Print new lines of all log files until interrupted."""
    files = sorted(map(str, LOGS.glob("*.log")))
    if not files:
        say("there are no logs yet")
        return
    os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S606, S607 - no user input


def main(argv: list[str] | None = None) -> int:
    """Run one command. If the user can fix an error, print it in one sentence and return 1."""
    command = PARSER.parse_args(argv).command
    try:
        if command == "up":
            up(all_settings(), say)
        else:
            {"down": down, "status": status, "logs": logs}[command]()
    except ExplainedError as error:
        say(f"make {command}: {error}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
