"""Start SeaweedFS, the local S3 server of the sandbox, the tests and the benchmarks."""
