"""The routes of the API, grouped into modules by topic."""
