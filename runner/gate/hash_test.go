// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:59:00Z
// Spec: openspec/specs/waivers/spec.md#requirement-bounded-work
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package gate

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// TestHashingEnds has more secrets and waivers than can be compared in the time that there is for it.
func TestHashingEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var secrets, accepted strings.Builder
	for i := range 400 {
		fmt.Fprintf(&secrets, "DB_PASSWORD_%d=hunter%d\n", i, i)
	}
	for i := range 20 {
		block := waivers.Propose(waivers.Leak, "x.env", fmt.Sprintf("other%d", i), fmt.Sprint(i))
		block = strings.Replace(block, `expires = "`+waivers.Ask, `expires = "2027-01-31`, 1)
		fmt.Fprintln(&accepted, strings.ReplaceAll(block, waivers.Ask, "said"))
	}
	gittest.Put(t, filepath.Join(dir, "x.env"), secrets.String())
	gittest.Put(t, filepath.Join(dir, waivers.FileName), accepted.String())
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	in := Input{Project: config.Project{Root: dir}, Root: root, Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}
	g := gate{
		in: in, leaks: Leaks{places: map[place]bool{}}, waivers: ReadWaivers(in), used: map[int]bool{},
		within: 50 * time.Millisecond,
	}
	start := time.Now()
	if err := g.look(t.Context()); err != nil {
		t.Fatal(err)
	}
	took := time.Since(start) // 400 × 20 hashes take about 7 s
	said := func(rule string) int {
		n := 0
		for _, f := range g.leaks.Findings {
			if f.Rule == rule {
				n++
			}
		}
		return n
	}
	if took > 4*time.Second || said("plain-secret") == 0 || said(waivers.RuleNotYet) != 1 ||
		said(waivers.RuleStale) != 0 ||
		said(waivers.RuleInForce) != 0 || hybridcore.Blocked(g.leaks.Findings) == hybridcore.NotBlocked ||
		!slices.ContainsFunc(g.leaks.Findings, func(f hybridcore.Finding) bool {
			return strings.Contains(f.Hint, "not compared with waivers")
		}) {
		t.Errorf("%v, %d findings, %v", took, len(g.leaks.Findings), g.leaks.Findings[:min(len(g.leaks.Findings), 3)])
	}
}
