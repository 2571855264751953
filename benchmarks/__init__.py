"""Commands that measure accuracy, speed and memory: `make bench-NAME ARGS='...'`.

Each starts and stops the services it needs, and prints one JSON object as its last line.
"""
