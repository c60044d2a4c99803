// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:06Z
// Spec: openspec/specs/logs/spec.md#requirement-redaction-keeps-up-with-the-fastest-log
// Diagram: openspec/specs/logs/diagram.md#redactor

package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
)

// plantEvery is the number of lines among which one holds a value: logs have secrets, but few.
const plantEvery = 2000

// source returns the reproducible random numbers of a part of the benchmark.
func source(part uint64) *rand.Rand { return rand.New(rand.NewPCG(2024, part)) }

// newValues returns values of the lengths and alphabets that CI secrets have: passwords of 12 to 24 characters with
// marks,
// API keys, hexadecimal and Base64 keys of 20 to 64.
func newValues(n int) []string {
	const letters = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
	r := source(1)
	pick := func(alphabet string, n int) string {
		var b strings.Builder
		for range n {
			b.WriteByte(alphabet[r.IntN(len(alphabet))])
		}
		return b.String()
	}
	values := make([]string, n)
	for i := range values {
		raw := []byte(pick(letters, 16+r.IntN(16)))
		switch i % 4 {
		case 0:
			values[i] = pick(letters+"!#%&/=?+@$,;:'", 12+r.IntN(13))
		case 1:
			values[i] = pick(letters, 20+r.IntN(21))
		case 2:
			values[i] = hex.EncodeToString(raw)
		case 3:
			values[i] = base64.StdEncoding.EncodeToString(raw)
		}
	}
	return values
}

// newLog returns a log of at least size bytes as a build writes it (Packer's prefixes, apt, Ansible, HTTP requests,
// JSON,
// digests), and the number of lines into which it put one of the values.
func newLog(size int, values []string) ([]byte, int) {
	r := source(2)
	words := strings.Fields(vocabulary)
	word := func() string { return words[r.IntN(len(words))] }
	text, planted := make([]byte, 0, size+1024), 0
	for line := 0; len(text) < size; line++ {
		switch r.IntN(10) {
		case 0:
			text = fmt.Appendf(text, "1795381%03d,vsphere-iso.linux,ui,message,    vsphere-iso.linux: %s %s", r.IntN(1000),
				word(), word())
		case 1, 2:
			text = fmt.Appendf(text, "    vsphere-iso.linux: Get:%d http://deb.debian.org/debian bookworm/main amd64 %s%s "+
				"amd64 %d.%d-%d [%d kB]",
				line, word(), word(), r.IntN(9), r.IntN(40), r.IntN(9), r.IntN(9000))
		case 3:
			text = fmt.Appendf(text, "    vsphere-iso.linux: TASK [base : %s the %s of the %s] %s", word(), word(), word(),
				strings.Repeat("*", 40))
		case 4:
			text = fmt.Appendf(text, "    vsphere-iso.linux: ok: [default] => {\"changed\": false, \"%s\": \"%s\", \"uid\": "+
				"%d, \"path\": \"/etc/%s/%s.conf\"}",
				word(), word(), r.IntN(60000), word(), word())
		case 5:
			text = fmt.Appendf(text, "2026/11/22 10:%02d:%02d [INFO] (telemetry) %s %s %s request to "+
				"https://vcenter.example.com/rest/%s/vm-%d",
				r.IntN(60), r.IntN(60), word(), word(), word(), word(), r.IntN(9999))
		case 6:
			text = fmt.Appendf(text, "    vsphere-iso.linux: sha256 %016x%016x%016x%016x  %s", r.Uint64(), r.Uint64(),
				r.Uint64(), r.Uint64(), word())
		default:
			text = append(text, "==> vsphere-iso.linux:"...)
			for range 4 + r.IntN(14) {
				text = append(append(text, ' '), word()...)
			}
		}
		if line%plantEvery == plantEvery-1 {
			text = fmt.Appendf(text, " password is %s now", values[planted%len(values)])
			planted++
		}
		text = append(text, '\n')
	}
	return text, planted
}

// vocabulary is what the words of the log are drawn from.
const vocabulary = `waiting for the virtual machine to become available creating template from snapshot uploading floppy image
provisioning with shell script connected SSH successfully gracefully halting power off disk controller network adapter mounted
cdrom datastore cluster folder resource pool content library item version export hardware memory processor kernel systemd unit
enabled disabled started stopped reloading configuration package installed upgraded removed unpacking setting up processing
triggers dependency tree reading state information done retrieving certificate authority host key fingerprint session user group
home directory permission changed owner mode link absent present skipping included handler notified gathered facts timeout retry
attempt failed error warning deprecated ignoring default value variable expected token authorization header proxy cache mirror
archive checksum digest verified signature release repository index locale timezone swap partition filesystem volume logical root`
