"""Local replacements for the outside world, which `make up` starts: TMDB, S3, a supervisor."""
