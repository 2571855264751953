"""The model registry in a bucket: versions, their bundles, and the decisions about them."""
