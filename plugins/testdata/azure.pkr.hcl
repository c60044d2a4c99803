packer {
  required_plugins {
    azure = {
      source  = "github.com/hashicorp/azure"
      version = ">= 2.5.0"
    }
  }
}
variable "azure_subscription_id" {}
variable "azure_tenant_id" {}
variable "azure_client_id" {}
variable "azure_client_secret" {}
variable "azure_metadata_host" {}
variable "azure_cloud_environment_name" {}
variable "build_username" {}
variable "communicator_port" { type = number }
variable "script" { default = "true" }

source "azure-arm" "linux" {
  subscription_id          = var.azure_subscription_id
  tenant_id                = var.azure_tenant_id
  client_id                = var.azure_client_id
  client_secret            = var.azure_client_secret
  metadata_host            = var.azure_metadata_host
  cloud_environment_name   = var.azure_cloud_environment_name
  location                 = "West Europe"
  temp_resource_group_name = "ph-temp"
  azure_tags               = { ph = "x" }
  azure_tag {
    name  = "one"
    value = "two"
  }
  image_publisher                   = "Debian"
  image_offer                       = "debian-12"
  image_sku                         = "12-gen2"
  os_type                           = "Linux"
  vm_size                           = "Standard_D2s_v5"
  os_disk_size_gb                   = 30
  allowed_inbound_ip_addresses      = ["127.0.0.1"]
  managed_image_name                = "lab-golden"
  managed_image_resource_group_name = "golden-images"
  shared_image_gallery_destination {
    gallery_name        = "labgallery"
    resource_group      = "golden-images"
    image_name          = "debian-12"
    image_version       = "1.2.3"
    replication_regions = ["North Europe"]
  }
  shared_image_gallery_replica_count = 2
  communicator                       = "ssh"
  ssh_username                       = var.build_username
  ssh_port                           = var.communicator_port
  ssh_timeout                        = "1m"
}
build {
  sources = ["source.azure-arm.linux"]
  provisioner "shell" {
    inline = ["echo provisioned by $(id -un) ${build.TempResourceGroupName} ${build.SourceImageName}", var.script]
  }
}
