"""What every step needs of its machine: clock, files, logs, provenance."""
