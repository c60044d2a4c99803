packer {
  required_version = ">= 1.10.0"
  required_plugins {
    ansible = {
      source  = "github.com/hashicorp/ansible"
      version = ">= 1.1.2"
    }
  }
}

variable "run_id" { type = string }

variable "memory" {
  type    = number
  default = 2048
}

variable "build_password" {
  type      = string
  sensitive = true
}
