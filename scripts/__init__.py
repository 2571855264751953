"""The pipeline's steps: plain functions, each with a small command line."""
