"""Train models on the training films, and build the bundle of model files that the API loads."""
