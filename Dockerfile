# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-23T04:52:41Z
# Spec: openspec/specs/container/spec.md#requirement-what-the-image-holds
# Spec: openspec/specs/container/spec.md#requirement-rights-of-the-image
# Spec: openspec/specs/container/spec.md#requirement-rights-of-the-action
# Spec: openspec/specs/container/spec.md#requirement-licences
# Diagram: openspec/specs/container/diagram.md#from-sources-to-image

# Targets: image, for podman and any CI system; bare, the same without Packer;
# action, the last one, which GitHub builds for action.yml. docs/container.md
# says how to use them.

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
 && mv /out/bin/packer-hybrid-entry /out/ \
 && cp -L /cache/bin/packer-hybrid-rpc /out/bin/ \
 && cp -L /cache/bin/packer /out/ \
 && cp -R /cache/plugins /out/plugins \
 && go build -o /out/licences ./tools/licences \
 && find /out/bin /out/packer-hybrid-entry /out/plugins -type f ! -name '*_SHA256SUM' -exec /out/licences -out /out/doc/bare {} + \
 && /out/licences -out /out/doc/packer /out/packer

FROM ${DEBIAN_IMAGE} AS bare
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
COPY LICENSE NOTICE /usr/share/doc/packer-hybrid/
COPY --from=build /out/doc/bare/ /usr/share/doc/packer-hybrid/licences/
# HOME is where the root may be read-only and a user have no entry: Ansible and
# our own cache write there. /plugins is for what has no tool module.
ENV HOME=/tmp PACKER_HYBRID_PLUGINS=/usr/local/lib/packer-hybrid/plugins PACKER_PLUGIN_PATH=/plugins CHECKPOINT_DISABLE=1
ARG VERSION=dev
ARG REVISION=
LABEL org.opencontainers.image.title="packer-hybrid" \
      org.opencontainers.image.description="Identical golden images for Proxmox VE, VMware vSphere and Microsoft Azure" \
      org.opencontainers.image.source="https://github.com/packer-hybrid/packer-hybrid" \
      org.opencontainers.image.documentation="https://github.com/packer-hybrid/packer-hybrid/blob/main/docs/container.md" \
      org.opencontainers.image.licenses="Apache-2.0 AND MPL-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
WORKDIR /project
USER 65532:65532
ENTRYPOINT ["/usr/bin/tini", "--", "packer-hybrid"]
CMD ["--help"]

# Packer's licence is not one of the Open Source Initiative's: docs/container.md
# says what it means for those who run this.
FROM bare AS image
COPY --from=build /out/packer /usr/local/bin/
COPY --from=build /out/doc/packer/ /usr/share/doc/packer-hybrid/licences/
LABEL org.opencontainers.image.licenses="Apache-2.0 AND MPL-2.0 AND BUSL-1.1"

# A docker action cannot choose its user: this one starts as root, and its
# entrypoint gives that up before it starts anything or reads the environment.
# It is a static program: a loader and a shell would obey variables that an
# earlier step of the job set.
FROM image AS action
COPY --from=build /out/packer-hybrid-entry /usr/local/lib/packer-hybrid/
USER 0:0
ENTRYPOINT ["/usr/local/lib/packer-hybrid/packer-hybrid-entry"]
CMD ["ci"]
