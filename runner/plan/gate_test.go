// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plugin-gate
// Diagram: openspec/specs/runner/diagram.md#plugin-gate

package plan

import (
	"runtime"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

func TestGate(t *testing.T) {
	t.Parallel()
	const address = "github.com/hashicorp/vsphere"
	known := map[string][]string{runtime.GOOS + "_" + runtime.GOARCH: {"aa"}}
	for name, tt := range map[string]struct {
		lock     []sources.Plugin
		plugin   packer.Plugin
		want     hybridcore.Severity // empty: no finding
		blocking bool
	}{
		"locked": {
			[]sources.Plugin{{Address: address, Version: "1.4.2", Binaries: known}},
			packer.Plugin{Version: "1.4.2", SHA256: "aa"},
			"", false,
		},
		"other hash": {
			[]sources.Plugin{{Address: address, Version: "1.4.2", Binaries: known}},
			packer.Plugin{Version: "1.4.2", SHA256: "bb"},
			hybridcore.Error, true,
		},
		"other version": {
			[]sources.Plugin{{Address: address, Version: "1.4.2"}},
			packer.Plugin{Version: "1.4.3", SHA256: "aa"},
			hybridcore.Error, true,
		},
		"no hash": {
			[]sources.Plugin{{Address: address, Version: "1.4.2"}},
			packer.Plugin{Version: "1.4.2", SHA256: "aa"},
			hybridcore.Warning, false,
		},
		"not locked": {nil, packer.Plugin{Version: "1.4.2", SHA256: "aa"}, hybridcore.Warning, false},
		"pinned":     {nil, packer.Plugin{Version: "1.4.2", SHA256: "aa", Path: "/cache/plugins/x"}, "", false},
		"beside pinned": {
			nil,
			packer.Plugin{Version: "1.4.2", SHA256: "aa", Path: "/cache/plugins-of-others/x"},
			hybridcore.Warning, false,
		},
		"pinned, other": {
			[]sources.Plugin{{Address: address, Version: "1.4.2", Binaries: known}},
			packer.Plugin{Version: "1.4.2", SHA256: "bb", Path: "/cache/plugins/x"},
			hybridcore.Error, true,
		},
		"stand-in": {
			[]sources.Plugin{{Address: address, Version: "1.4.1", Binaries: known}},
			packer.Plugin{Version: "1.4.2+lab", SHA256: "cc", StandIn: true},
			hybridcore.Info, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &planning{
				project: &project.Project{Tools: project.Tools{PinnedPlugins: "/cache/plugins"}},
				now:     &tree{lock: sources.Lock{Plugins: tt.lock}},
			}
			tt.plugin.Address = address
			if tt.plugin.Path == "" {
				tt.plugin.Path = "/usr/x"
			}
			got := p.gate([]packer.Plugin{tt.plugin})
			if tt.want == "" {
				if len(got) > 0 {
					t.Errorf("findings %v, want none", got)
				}
				return
			}
			if len(got) != 1 || got[0].Severity != tt.want || got[0].Blocking != tt.blocking ||
				!strings.Contains(got[0].Message, address) {
				t.Errorf("findings %+v, want %s", got, tt.want)
			}
		})
	}
}
