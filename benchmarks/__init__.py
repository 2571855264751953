"""Every figure that the project names, as a command: `make bench-NAME ARGS='...'`.

Each module ends by printing one JSON object; it starts and stops what it needs.
"""
