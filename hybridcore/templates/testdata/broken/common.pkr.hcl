packer {
  required_version = 1
  required_plugins {
    ansible = { source = "github.com/hashicorp/ansible" }
    other   = "1.0"
    called  = { source = env("X"), version = "1" }
  }
}

variable "memory" {
  type    = number
  default = "much"
}

variable "admin_password" {
  type = string
}

variable "a" {}

variable "a" {}
