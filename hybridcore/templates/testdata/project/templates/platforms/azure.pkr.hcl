variable "azure_location" { type = string }

locals {
  sources = ["source.azure-arm.any"]
}

source "azure-arm" "any" {}
