"""The films to train on: cleaning, their table, the split by date, baselines and metrics."""
