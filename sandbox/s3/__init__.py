"""The local S3 server, SeaweedFS: for the sandbox, the tests and the benchmarks alike."""
