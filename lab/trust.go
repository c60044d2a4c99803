// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:30:15Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificateLife is longer than any lab's.
const certificateLife = 30 * 24 * time.Hour

// systemBundles are where distributions keep the certificates that programs trust.
var systemBundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/ssl/ca-bundle.pem",
}

// trust is a lab's own certificate authority and the server certificate that it signed.
type trust struct {
	config        *tls.Config
	authorityFile string // the authority alone
	bundleFile    string // the authority and what the system trusts, for SSL_CERT_FILE
}

// newTrust makes an authority and a certificate for 127.0.0.1. The keys exist in memory only.
func newTrust(dir *labDir) (trust, error) {
	authority, authorityKey, err := newCertificate("packer-hybrid lab authority", nil, nil)
	if err != nil {
		return trust{}, err
	}
	server, serverKey, err := newCertificate("packer-hybrid lab vCenter", authority, authorityKey)
	if err != nil {
		return trust{}, err
	}
	t := trust{
		config: &tls.Config{
			MinVersion:   tls.VersionTLS12,
			Certificates: []tls.Certificate{{Certificate: [][]byte{server.Raw, authority.Raw}, PrivateKey: serverKey}},
		},
		authorityFile: filepath.Join(dir.path, "ca.pem"),
		bundleFile:    filepath.Join(dir.path, "ca-bundle.pem"),
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
	if err := errors.Join(
		os.WriteFile(t.authorityFile, text, 0o600),
		os.WriteFile(t.bundleFile, append(systemTrust(), text...), 0o600),
	); err != nil {
		return trust{}, fmt.Errorf("writing the lab's certificates: %w", err)
	}
	return t, nil
}

// newCertificate makes an authority, or with a signer a server certificate for loopback.
func newCertificate(name string, signer *x509.Certificate, signerKey *ecdsa.PrivateKey) (*x509.Certificate,
	*ecdsa.PrivateKey, error,
) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, nil, fmt.Errorf("making a serial number: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certificateLife), BasicConstraintsValid: true,
	}
	if signer == nil {
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		signer, signerKey = template, key
	} else {
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		template.IPAddresses, template.DNSNames = []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"}
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, signer, &key.PublicKey, signerKey)
	if err != nil {
		return nil, nil, fmt.Errorf("signing the certificate of %s: %w", name, err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the certificate of %s: %w", name, err)
	}
	return certificate, key, nil
}

// systemTrust returns the certificates that the system trusts, so that a command in the lab's environment
// still reaches the world. A system without any is left with the lab's.
func systemTrust() []byte {
	for _, path := range append([]string{os.Getenv("SSL_CERT_FILE")}, systemBundles...) {
		if content, err := os.ReadFile(path); err == nil {
			return append(content, '\n')
		}
	}
	return nil
}
