"""Work beside the requests: what is polled from the bucket."""
