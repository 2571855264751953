"""The data set: cleaning, its table, the split by date, baselines and metrics."""
