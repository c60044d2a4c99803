// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:36:00Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules-for-a-whole-lab
// Diagram: openspec/specs/lab-faults/diagram.md#from-a-flag-to-a-platform

package lab

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Faults are the rules by which a lab's platforms fail, in their order.
type Faults map[hybridcore.Platform][]fault.Rule

// maxFaults bounds the rules of one platform.
const maxFaults = 1000

// Parse adds rules, one a line, in the form of Add. Empty lines and comments, which begin with #, are left out.
// An error says source:line.
func (f Faults) Parse(source, text string) error {
	for number, line := range strings.Split(text, "\n") {
		if fault.Blank(line) {
			continue
		}
		if err := f.Add(line); err != nil {
			return fmt.Errorf("%s:%d: %w", source, number+1, err)
		}
	}
	return nil
}

// Add adds one rule: a platform's name, then a rule as fault.Parse reads it, as in
//
//	proxmox POST /nodes/*/qemu nth=2 status=500 reason="no space left"
//
// A call of vSphere's SOAP interface has the path /sdk/METHOD, such as /sdk/CreateVM_Task. The error of a wrong
// word says its column.
func (f Faults) Add(line string) error {
	name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	platform, err := hybridcore.ParsePlatform(name)
	if err != nil {
		return fmt.Errorf("a fault rule begins with its platform, as in: vsphere POST /sdk/CreateVM_Task status=500: %w", err)
	}
	rest := strings.Replace(line, name, strings.Repeat(" ", len(name)), 1) // columns stay what they are
	rule, err := fault.ParseRule(rest)
	if err != nil {
		return fmt.Errorf("%s: %w", platform, err)
	}
	if platform == hybridcore.VSphere && rule.Task {
		return errors.New("vsphere: task is not for vSphere, whose tasks end at once here; refuse the call that starts " +
			"one: status=500")
	}
	if len(f[platform]) == maxFaults {
		return fmt.Errorf("%s: more than %d fault rules", platform, maxFaults)
	}
	f[platform] = append(f[platform], rule)
	return nil
}

// injectors lists where each platform takes its rules from.
func (l *Lab) injectors() map[hybridcore.Platform]*fault.Injector {
	return map[hybridcore.Platform]*fault.Injector{
		hybridcore.VSphere: &l.vcenter.faults, hybridcore.Proxmox: l.proxmox.Faults(), hybridcore.Azure: l.azure.Faults(),
	}
}

// plantFaults gives the platforms the rules of the lab's configuration.
func (l *Lab) plantFaults() {
	for platform, injector := range l.injectors() {
		injector.Add(l.config.Faults[platform]...)
	}
}

// reportFaults tells which rules of the configuration hit, so that a failure with another cause is not taken
// for the planted one.
func (l *Lab) reportFaults() {
	injectors := l.injectors()
	for _, row := range hybridcore.Platforms() {
		rules := l.config.Faults[row.Name]
		for n, hits := range injectors[row.Name].Hits() {
			if n < len(rules) {
				l.logf("fault rule %s %s: hits %d", row.Name, rules[n], hits)
			}
		}
	}
}

// soapPath is where vCenter's SOAP interface is.
const soapPath = "/sdk"

// maxSOAP bounds a SOAP call's body; the largest that Packer's plugin sends has a few kilobytes.
const maxSOAP = 4 << 20

// faulty puts fault rules in front of vCenter. A SOAP call's method becomes the last segment of its path:
// all calls have the same one.
func (v *vcenter) faulty(next http.Handler) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, soapPath+"/") && r.Method == http.MethodPost {
			r = r.Clone(r.Context())
			r.URL.Path = soapPath
		}
		next.ServeHTTP(w, r)
	})
	rules := v.faults.Handler("", inner, answerSOAP)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != soapPath {
			rules.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxSOAP))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.URL.Path = soapPath + "/" + soapMethod(body)
		rules.ServeHTTP(w, r)
	})
}

// soapMethod is the name of the first element in a SOAP body; empty when there is none.
func soapMethod(envelope []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(envelope))
	for inBody := false; ; {
		token, err := decoder.RawToken()
		if err != nil {
			return ""
		}
		if start, ok := token.(xml.StartElement); ok {
			if inBody {
				return start.Name.Local
			}
			inBody = start.Name.Local == "Body"
		}
	}
}

// answerSOAP answers as vCenter does: a SOAP call fails with status 500 and a fault, whose text clients show.
func answerSOAP(w http.ResponseWriter, r *http.Request, rule fault.Rule) {
	body := rule.Reason + "\n"
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if rule.Status == http.StatusInternalServerError && strings.HasPrefix(r.URL.Path, soapPath+"/") {
		var reason strings.Builder
		_ = xml.EscapeText(&reason, []byte(rule.Reason)) // a strings.Builder takes everything
		body = fmt.Sprintf(soapFault, reason.String())
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		fault.WriteStatus(w, rule.Status, "", []byte(body))
		return
	}
	fault.WriteStatus(w, rule.Status, rule.Reason, []byte(body))
}

// soapFault is a failure of vCenter itself, with its text.
const soapFault = `<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>` +
	`<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>%s</faultstring>` +
	`<detail><RuntimeFaultFault xmlns="urn:vim25" xsi:type="RuntimeFault"></RuntimeFaultFault></detail></soapenv:Fault>` +
	`</soapenv:Body></soapenv:Envelope>
`
