"""Run the whole project on one machine: local replacements for TMDB and S3, and a supervisor."""
