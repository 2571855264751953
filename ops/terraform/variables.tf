variable "region" {
  type    = string
  default = "ap-northeast-2"
}

variable "bucket" {
  description = "Name of the S3 bucket with the model registry. The two machines share nothing else."
  type        = string
}

variable "repository" {
  description = "URL from which the machines clone this project."
  type        = string
}

variable "revision" {
  description = "The commit or tag of the project to run on both machines."
  type        = string
}

variable "public_address" {
  description = "Public host name of the service; DNS must return the output serving_address for it."
  type        = string
}

variable "training_type" {
  type    = string
  default = "t3.small" # 2 GiB
}

variable "serving_type" {
  type    = string
  default = "t3.micro" # 1 GiB
}

variable "session_agent" {
  description = "Version of the agent of AWS Session Manager, and the SHA-256 of its Debian package; docs/operations.md says how to find them."
  type        = object({ version = string, sha256 = string })
}

variable "keys_in_settings" {
  description = "Instances whose settings contain AWS keys. Their containers do not use the machine's role, and cannot get its keys."
  type        = set(string)
  default     = []
}
