"""What `make up` needs in place of the outside world: TMDB, S3, supervision."""
