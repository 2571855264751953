"""Start a local S3 server for `make up`, the tests and the benchmarks: the program SeaweedFS."""
