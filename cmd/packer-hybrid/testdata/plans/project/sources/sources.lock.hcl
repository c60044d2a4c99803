# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T01:59:18Z
# Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
# Diagram: openspec/specs/plan/diagram.md#two-trees

hosts = ["github.com"]

source "examples" {
  url    = "https://github.com/example/examples.git"
  tag    = "v1.0.0"
  commit = "0123456789012345678901234567890123456789"
}

plugin "github.com/hashicorp/vsphere" {
  version = "1.4.2"

  binary "linux_amd64" {
    sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  }
}
