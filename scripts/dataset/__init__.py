"""The training set: its table, its split by date, baselines and metrics."""
