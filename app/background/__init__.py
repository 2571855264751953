"""Threads that poll S3, so that requests are answered from memory."""
