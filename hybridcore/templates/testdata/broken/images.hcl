stray = 1

image "Debian 12" {
  os        = "linxu"
  family    = "../etc"
  version   = "12"
  platforms = ["vsphere", "vspere", "vsphere"]
  colour    = "blue"
}

image "debian-12" {
  os        = "linux"
  family    = "debian"
  version   = 12
  title     = "Debian\u001b[31m"
  platforms = "vsphere"
  unsupported "azure" {}
  unsupported "azur" { reason = "x" }
}

image "debian-12" {
  os        = "linux"
  family    = lookup("debian")
  version   = "12"
  title     = "Debian"
  platforms = ["vsphere"]
  unsupported "vsphere" { reason = "x" }
  other {}
}

picture "x" {}
