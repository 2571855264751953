"""Call the API and parse its responses into typed values."""
