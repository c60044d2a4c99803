// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// filter is an OData filter of a list.
type filter struct{ tag, value, kind string }

// The filters that the simulator knows, out of those that Azure has. In a text of OData a quote is doubled.
var (
	tagFilter  = regexp.MustCompile(`^tagName eq '((?:[^']|'')*)'(?: and tagValue eq '((?:[^']|'')*)')?$`)
	kindFilter = regexp.MustCompile(`^resourceType eq '([^']*)'$`)
)

// parseFilter reads a filter; the empty text lets everything through.
func parseFilter(given string) (filter, error) {
	if given == "" {
		return filter{}, nil
	}
	if m := tagFilter.FindStringSubmatch(given); m != nil {
		quotes := strings.NewReplacer("''", "'")
		return filter{tag: quotes.Replace(m[1]), value: quotes.Replace(m[2])}, nil
	}
	if m := kindFilter.FindStringSubmatch(given); m != nil {
		return filter{kind: m[1]}, nil
	}
	return filter{}, arm.Refuse(http.StatusBadRequest, "InvalidFilterInQueryString",
		"The lab does not know the filter '%s'.",
		arm.Clip(given))
}

// tags reports whether tags pass. Azure compares names without regard to case, and values with.
func (f filter) tags(tags map[string]string) bool {
	if f.tag == "" {
		return true
	}
	for name, value := range tags {
		if strings.EqualFold(name, f.tag) && (f.value == "" || f.value == value) {
			return true
		}
	}
	return false
}
