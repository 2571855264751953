"""Benchmarks: commands that measure the accuracy, speed and memory of this project.

Run one with `make bench-NAME ARGS='...'`, for example `make bench-swap ARGS='--swaps 10'`.

Each command starts and stops the services that it needs. The last line of its output is a JSON
object with the measured values.
"""

from movierating.proxies import spare_local_addresses

# The services that the benchmarks call are on this machine, which no proxy can reach.
spare_local_addresses()
