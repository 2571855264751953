"""Send requests to the project's API, and convert its JSON responses to Python objects."""
