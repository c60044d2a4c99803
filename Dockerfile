# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T04:52:41Z
# Spec: openspec/specs/container/spec.md#requirement-what-the-image-holds
# Spec: openspec/specs/container/spec.md#requirement-rights-of-the-image
# Spec: openspec/specs/container/spec.md#requirement-rights-of-the-action
# Diagram: openspec/specs/container/diagram.md#from-sources-to-image

# Targets: image, for podman and any CI system; action, the last one, which
# GitHub builds for action.yml. docs/container.md says how to use them.

ARG GO_IMAGE=docker.io/library/golang:1.26.8-bookworm@sha256:a688600ca24f8a4d3ca77f95b0dd40704a9fc787c826660eb7ba0b641b8b175d
ARG DEBIAN_IMAGE=docker.io/library/debian:bookworm-slim@sha256:7b140f374b289a7c2befc338f42ebe6441b7ea838a042bbd5acbfca6ec875818

FROM ${GO_IMAGE} AS build
ENV PACKER_HYBRID_CACHE=/cache CGO_ENABLED=0
WORKDIR /src
# Packer and its plugins change seldom: a layer of their own.
COPY tools/build tools/
COPY tools/packer tools/packer/
COPY tools/packer-plugin-ansible tools/packer-plugin-ansible/
COPY tools/packer-plugin-vsphere tools/packer-plugin-vsphere/
RUN tools/build packer packer-plugin-ansible packer-plugin-vsphere
COPY . .
ARG VERSION=dev
RUN tools/build packer-hybrid-rpc \
 && go build -trimpath -buildvcs=false -ldflags "-s -w -X github.com/packer-hybrid/packer-hybrid/cmd/internal/cli.version=${VERSION}" -o /out/bin/ ./cmd/... \
 && cp -L /cache/bin/packer /cache/bin/packer-hybrid-rpc /out/bin/ \
 && cp -R /cache/plugins /out/plugins

FROM ${DEBIAN_IMAGE} AS image
# No program may give more rights than its caller has.
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
      ansible-core ca-certificates git openssh-client tini xorriso \
 && apt-get clean \
 && rm -rf /var/lib/apt/lists/* \
 && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
 && groupadd --gid 65532 packer-hybrid \
 && useradd --uid 65532 --gid 65532 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin packer-hybrid \
 && mkdir /plugins /project
COPY --from=build /out/bin/ /usr/local/bin/
COPY --from=build /out/plugins/ /usr/local/lib/packer-hybrid/plugins/
COPY tools/as-owner /usr/local/lib/packer-hybrid/
COPY LICENSE /usr/share/doc/packer-hybrid/
# HOME is where the root may be read-only and a user have no entry: Ansible and
# our own cache write there. /plugins is for what has no tool module.
ENV HOME=/tmp PACKER_HYBRID_PLUGINS=/usr/local/lib/packer-hybrid/plugins PACKER_PLUGIN_PATH=/plugins CHECKPOINT_DISABLE=1
ARG VERSION=dev
ARG REVISION=
LABEL org.opencontainers.image.title="packer-hybrid" \
      org.opencontainers.image.description="Identical golden images for Proxmox VE, VMware vSphere and Microsoft Azure" \
      org.opencontainers.image.source="https://github.com/packer-hybrid/packer-hybrid" \
      org.opencontainers.image.documentation="https://github.com/packer-hybrid/packer-hybrid/blob/main/docs/container.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /project
USER 65532:65532
ENTRYPOINT ["/usr/bin/tini", "--", "packer-hybrid"]
CMD ["--help"]

# A docker action cannot choose its user: this one starts as root, and
# tools/as-owner gives that up.
FROM image AS action
USER 0:0
ENTRYPOINT ["/usr/bin/tini", "--", "/usr/local/lib/packer-hybrid/as-owner"]
CMD ["ci"]
