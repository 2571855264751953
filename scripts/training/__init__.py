"""From the training set to a bundle that can be served."""
