vsphere_endpoint = "vc"
