# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T22:47:43Z
# Spec: openspec/specs/image-recipes/spec.md#requirement-an-environment-is-a-folder
# Diagram: openspec/specs/image-recipes/diagram.md#layers-of-one-target

# The simulated platforms on this machine. The connection comes from the environment (PKR_VAR_*).
# Nothing boots in a simulator, so nothing is waited for.

boot_wait              = "1ns"
boot_keygroup_interval = "1ns"
boot_command_waits     = false
communicator_timeout   = "1m"

# One account, so that the users role has work to do. The private half of the key does not exist any more.
guest_users = [
  {
    name            = "ops"
    sudo            = true
    authorized_keys = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOEKM16TbkvNk3Ec+rPsorbp3mRnJEdrS8olbW29wlim ops@lab"]
  },
]
