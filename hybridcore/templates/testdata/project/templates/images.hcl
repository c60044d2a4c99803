image "debian-12" {
  os        = "linux"
  family    = "debian"
  version   = "12"
  title     = "Debian 12 (bookworm)"
  platforms = ["vsphere", "azure"]
}

image "ubuntu-24.04" {
  os        = "linux"
  family    = "ubuntu"
  version   = "24.04"
  title     = "Ubuntu 24.04 LTS"
  platforms = ["vsphere"]
  unsupported "azure" { reason = "no first-party Marketplace image" }
}

image "windows-2022" {
  os        = "windows"
  family    = "server"
  version   = "2022"
  title     = "Windows Server 2022"
  platforms = ["vsphere"]
}
