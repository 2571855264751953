"""A film as it is known before its release, and its text and tokens."""
