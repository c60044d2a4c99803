variable "a" {}

locals {
  sources = ["source.vsphere-iso.linxu"]
}

source "vsphere-iso" "linux" {}
