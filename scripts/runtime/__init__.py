"""The parts that every step uses: command line, clock, files, progress and provenance."""
