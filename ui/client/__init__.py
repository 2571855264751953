"""What the API answers, read into typed values."""
