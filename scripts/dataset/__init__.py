"""The films to train on: clean them, store them as a table, split them by date, score them."""
