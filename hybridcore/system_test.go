// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:56:00Z
// Spec: openspec/specs/parity/spec.md#requirement-identity-of-the-guest
// Diagram: openspec/specs/parity/diagram.md#which-system-a-guest-holds

package hybridcore_test

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestSystemIs says which versions a guest may have that is to be of one.
func TestSystemIs(t *testing.T) {
	t.Parallel()
	for want, guests := range map[string]map[string]bool{
		"12": {
			"12": true, "12.5": true, "12.5.1": true, "12.0": true, "12.05": true,
			"": false, "1": false, "121": false, "13": false, "12.": false, ".12": false, "12..5": false, "12.5.": false,
			"12.evil":       false,
			"12.evil rocky": false, "12.5 rocky": false, "12.5-lab": false, "12.-5": false, "12.+5": false, "12. 5": false,
			"12.5\n": false, "12.５": false,
			"12.0x5": false, "12.1e3": false, "12.5..6": false, "12,5": false, "12\x00.5": false,
		},
		"24.04": {
			"24.04": true, "24.04.1": true, "24": false, "24.041": false, "24.4": false, "24.04.": false,
			"24.04.LTS": false,
		},
		"":         {"": false, ".": false, ".5": false, "12": false},
		"12.":      {"12.": true, "12.5": false, "12..5": false},
		"9-stream": {"9-stream": true, "9-stream.5": false, "9": false},
		"22h2":     {"22h2": true, "22h2.1": false},
	} {
		for guest, is := range guests {
			if got := (hybridcore.System{ID: "debian", Version: want}).Is(hybridcore.System{
				ID:      "debian",
				Version: guest,
			}); got != is {
				t.Errorf("%q is of %q: %v", guest, want, got)
			}
			if (hybridcore.System{ID: "debian", Version: want}).Is(hybridcore.System{ID: "Debian", Version: guest}) {
				t.Errorf("%q of another ID", guest)
			}
		}
	}
}
