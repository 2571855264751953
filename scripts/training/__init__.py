"""Turn the training films into a bundle that the service can load."""
