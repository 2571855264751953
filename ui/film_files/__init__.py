"""Read films from the files that people have, and write their forecasts to a file."""
