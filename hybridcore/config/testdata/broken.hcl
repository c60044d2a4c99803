name = "outside"

project {
  nmae                = "golden"
  default_environment = "pord"
}

environment "prod" {
  platfroms = ["vsphere"]
  parallel  = 0
  prod      = "true"
}

environment "Lab Two" {
  platforms = ["vsphere", "vspere", "vsphere"]
}

environment "prod" {}

environment {}

enviroment "x" {}

state {
  backend = "directry"
  path    = "../state"
}

build {
  cancel_grace = "5"
  parallel     = 1.5
  retry {}
}

policy {}
