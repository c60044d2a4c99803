// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package arm

import (
	"testing"
)

func FuzzTarget(f *testing.F) {
	f.Add("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0")
	f.Add("/subscriptions/s/resourceGroups/g/deployments/d/operations")
	f.Add("/subscriptions//resourceGroups")
	f.Fuzz(func(t *testing.T, path string) {
		parsed, ok := ParseID(path)
		if !ok || parsed.Type == "" || parsed.Group == "" || !parsed.Complete() {
			return
		}
		again, ok := ParseID(parsed.String())
		if !ok || again.Key() != parsed.Key() || again.String() != parsed.String() {
			t.Errorf("%q is %+v, whose identifier %q is %+v", path, parsed, parsed.String(), again)
		}
	})
}
