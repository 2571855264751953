"""Threads that regularly read S3, so that the API can answer requests from memory."""
