variable "region" {
  type    = string
  default = "ap-northeast-2"
}

variable "bucket" {
  description = "Name of the bucket with the registry, the only thing that both machines share."
  type        = string
}

variable "repository" {
  description = "URL from which the machines clone this project."
  type        = string
}

variable "revision" {
  description = "The commit or tag to run."
  type        = string
}

variable "public_address" {
  description = "Host name of the service; DNS must return serving_address for it."
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
