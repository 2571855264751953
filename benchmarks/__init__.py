"""Commands that measure accuracy, speed and memory: `make bench-NAME ARGS='...'`.

Each command starts and stops the services that it needs. The last line of its output is a JSON
object with the measured values.
"""
