"""Start, stop or inspect the programs of `make up`: `python -m sandbox up | down | status | logs`.

`make up` and the other make targets run these commands.
"""

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
    """Print a line immediately, so that the user sees it before the next long step begins."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def down() -> None:
    """Stop every program that `make up` has started, and print the number of stopped processes."""
    count = supervision.stop()
    say(f"stopped {count} processes" if count else "nothing was running")


def status() -> None:
    """Print for each program of `make up` whether it is running."""
    states = supervision.states()
    for name, state in states.items():
        say(f"{name:<24}{state.lower()}")
    if not states:
        say("nothing is running")


def logs() -> None:
    """Print the new lines of all log files, until the user presses Ctrl-C."""
    files = sorted(map(str, LOGS.glob("*.log")))
    if not files:
        say("there are no logs yet")
        return
    os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S606, S607 - no user input


def main(argv: list[str] | None = None) -> int:
    """Run the command in the command line, and return the exit code.

    If an error has a known cause that the user can fix, its message is printed and the exit code
    is 1.
    """
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
