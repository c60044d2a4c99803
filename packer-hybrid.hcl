# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-22T23:09:32Z
# Spec: openspec/specs/config/spec.md#requirement-the-project-file
# Diagram: openspec/specs/config/diagram.md#the-project-file

# The project: which environments exist, where the state is kept, how builds run.
# The values of an environment are below configs/<name>/, secrets come from PKR_VAR_* only.

project {
  name                = "golden-images"
  default_environment = "lab"
}

# The simulated platforms of this repository: `packer-hybrid lab run -- packer-hybrid build`.
environment "lab" {
  platforms = ["proxmox", "vsphere", "azure"]
  parallel  = 3
}

# An environment to copy for a site of your own. In a prod environment the stricter rules apply: among them clean = true, by which only what a
# commit has is built.
environment "example" {
  prod      = true
  platforms = ["vsphere"]
}

state {
  backend = "directory"
  path    = "state"
}

build {
  parallel     = 2
  cancel_grace = "5m" # from SIGTERM to SIGKILL of a cancelled Packer, which deletes what it made in between
}

# What events of GitHub Actions or GitLab CI run: lines as at a terminal, of the default branch. An event without a line has the default,
# which is shown here; [] is nothing. A change is only planned and validated without Packer; all else is for merged code.
ci {
  change   = ["plan", "validate"] # a pull or merge request
  merge    = ["build"]            # a push to the default branch
  tag      = ["build", "publish"] # as the release of that name
  schedule = ["plan", "drift --live --upstream", "reap"]

  # A change is planned and validated for every environment, each in a section of one comment; or for these only:
  # change_environments = ["lab"]

  # Environments that a commit may be built for before it is merged, once another person who may write has approved just that commit.
  # unmerged = ["lab"]

  # Labels (GitHub) or tags (GitLab) of the runners near each platform; without: ubuntu-latest with a warning, or the tags of .gitlab/images.yml.
  # runners = { proxmox = ["self-hosted", "proxmox"], vsphere = ["self-hosted", "vsphere"], azure = ["ubuntu-latest"] }
}

# What a merge is built for: the first environment by the push, each other one once the one before is built and somebody has approved it, by the
# environment of that name at GitHub or GitLab. Without the block: the default environment.
# merge {
#   environments = ["lab", "prod"]
# }
