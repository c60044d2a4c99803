# SPDX-License-Identifier: Apache-2.0
# Created: 2026-11-30T21:24:00Z
# Spec: openspec/specs/provisioning/spec.md#requirement-the-inventory-of-the-guest
# Diagram: openspec/specs/provisioning/diagram.md#what-the-inventory-reads

import base64
import hashlib
import os
import re

CA_BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem"]


@section
def certificates(_):
    """SHA-256 fingerprints of the certificates that this system trusts."""
    bundle = next(filter(os.path.isfile, CA_BUNDLES), CA_BUNDLES[0])
    blocks = re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", read(bundle), re.DOTALL)
    return sorted({hashlib.sha256(base64.b64decode(block)).hexdigest() for block in blocks})
