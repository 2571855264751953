"""The offline steps: plain functions, each with a small command line."""
