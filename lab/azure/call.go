// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// maxBody is how large a request may be, in bytes: the 4 MB that Azure allows a template.
const maxBody = 4 << 20

// call is one request to the resource manager.
type call struct {
	ctx     context.Context //nolint:containedctx // of the one request
	method  string
	path    string
	version string
	query   url.Values
	body    []byte
	target  arm.ID
}

// decode reads the body.
func (c *call) decode(into any) error {
	if err := json.Unmarshal(c.body, into); err != nil {
		return arm.Refuse(http.StatusBadRequest, "InvalidRequestContent",
			"The request content was invalid and could not be deserialized: '%v'.", err)
	}
	return nil
}

// reply is the answer to a call.
type reply struct {
	status int
	header map[string]string
	body   any // nil: none
}

// resourceBody reads the body of a PUT.
func (c *call) resourceBody() (map[string]any, error) {
	var body map[string]any
	if err := c.decode(&body); err != nil {
		return nil, err
	}
	if arm.Text(body, "location") == "" {
		return nil, arm.Refuse(http.StatusBadRequest, "LocationRequired",
			"The location property is required for this definition.")
	}
	return body, nil
}
