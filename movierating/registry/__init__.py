"""The model registry in an S3 bucket: versions, their bundles, and the decisions about them."""
