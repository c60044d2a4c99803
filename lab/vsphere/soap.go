// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:56:10Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules-for-a-whole-lab
// Diagram: openspec/specs/lab-faults/diagram.md#from-a-flag-to-a-platform

package vsphere

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// soapPath is where vCenter's SOAP interface is.
const soapPath = "/sdk"

// maxSOAP bounds a SOAP call's body; the largest that Packer's plugin sends has a few kilobytes.
const maxSOAP = 4 << 20

// withFaults puts fault rules in front of vCenter. A SOAP call's method becomes the last segment of its path:
// all calls have the same one.
func withFaults(faults *fault.Injector, next http.Handler) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, soapPath+"/") && r.Method == http.MethodPost {
			r = r.Clone(r.Context())
			r.URL.Path = soapPath
		}
		next.ServeHTTP(w, r)
	})
	rules := faults.Handler("", inner, answerSOAP)
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
