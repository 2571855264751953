variable "region" {
  type    = string
  default = "ap-northeast-2"
}

variable "bucket" {
  description = "Name of the bucket that holds the registry; the only thing both machines know."
  type        = string
}

variable "repository" {
  description = "Where the machines clone this project from."
  type        = string
}

variable "revision" {
  description = "The commit or tag that runs."
  type        = string
}

variable "public_address" {
  description = "The name by which the service is reached; DNS must lead to serving_address."
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
