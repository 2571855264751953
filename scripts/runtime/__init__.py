"""Code that every pipeline step uses: command line, clock, files, progress, model provenance."""
