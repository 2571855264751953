"""The steps of the pipeline, such as `collect` and `train`: functions that also run as commands."""
