"""A stand-in for TMDB: the v3 API over a synthetic world or a catalogue file."""
