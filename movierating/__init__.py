"""The code that training and serving share, so that both compute the same."""
