packer {
  required_plugins {
    vsphere = {
      source  = "github.com/hashicorp/vsphere"
      version = ">= 1.4.0"
    }
  }
}

variable "vsphere_endpoint" { type = string }

locals {
  platform = "vsphere"
  sources  = ["source.vsphere-iso.linux", "source.vsphere-iso.windows"]
}

source "vsphere-iso" "linux" {}

source "vsphere-iso" "windows" {}
