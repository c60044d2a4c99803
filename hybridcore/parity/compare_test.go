// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:16Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

func golden(t *testing.T, name string, value any) {
	t.Helper()
	got, err := json.MarshalIndent(value, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, name, string(got)+"\n")
}

// guest is an inventory as a build downloads it, to be changed by a test.
type guest map[string]any

func list(v any) []any {
	l, _ := v.([]any) // an empty one fails the test that expects more
	return l
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

// realGuest is the inventory of an image that was built for a platform, proxmox or vsphere, both in one run.
func realGuest(t *testing.T, platform string) guest {
	t.Helper()
	data, err := os.ReadFile("testdata/" + platform + "-3.json")
	if err != nil {
		t.Fatal(err)
	}
	var g guest
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g guest) side(t *testing.T, platform hybridcore.Platform) Side {
	t.Helper()
	data, err := json.Marshal(g)
	if err != nil {
		t.Fatal(err)
	}
	return Side{Platform: platform, Run: "run-" + string(platform), Inventory: normal(t, data)}
}

func (g guest) sections() map[string]any { return object(g["sections"]) }

func (g guest) install(name, version string) {
	g.remove(name)
	g.sections()["packages"] = append(list(g.sections()["packages"]),
		map[string]any{"name": name, "version": version, "architecture": "amd64", "manager": "dpkg"})
}

func (g guest) remove(names ...string) {
	g.sections()["packages"] = slices.DeleteFunc(list(g.sections()["packages"]), func(p any) bool {
		return slices.Contains(names, fmt.Sprint(object(p)["name"]))
	})
}

func (g guest) file(at, sum string) {
	tree := object(object(g.sections()["files"])["tree"])
	object(tree[path.Dir(at)])[path.Base(at)] = "0644 root:root sha256:" + sum
}

// projectRules are the rules of this repository's own templates.
func projectRules(t *testing.T) Rules {
	t.Helper()
	root, err := os.OpenRoot("../..")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	allow, err := ReadAllow(root)
	if err != nil {
		t.Fatal(err)
	}
	return Rules{Env: "lab", Allow: allow, Origins: ReadOrigins(root, "lab")}
}

func pair(t *testing.T, rules Rules, a, b guest) hybridcore.Parity {
	t.Helper()
	sets := []Set{{Image: "debian-12", Sides: []Side{a.side(t, hybridcore.Proxmox), b.side(t, hybridcore.VSphere)}}}
	return Compare(sets, rules)[0]
}

func TestTheAgentsAreExpected(t *testing.T) {
	p := pair(t, projectRules(t), realGuest(t, "proxmox"), realGuest(t, "vsphere"))
	if p.Blocked() || len(p.Unexpected) > 0 {
		t.Errorf("unexpected: %+v", p.Unexpected)
	}
	if len(p.Findings) > 0 {
		t.Errorf("stale: %v", p.Findings)
	}
	if a, b := p.Manifests[0].SHA256, p.Manifests[1].SHA256; a != b || len(a) != 64 {
		t.Errorf("content manifests %s and %s", a, b)
	}
}

func TestPlantedDifferences(t *testing.T) {
	rules := projectRules(t)
	rules.Origins.add("configs/lab/proxmox.pkrvars.hcl", "# planted\nguest_packages = [\"curl=7.74.0\"]\n")
	rules.Origins.add("templates/ansible/roles/configure/tasks/planted.yml", strings.Join([]string{
		"- name: Another task", "  copy:", "    dest: /etc/other",
		"- name: Planted", "  ansible.builtin.copy:", "    dest: /etc/sysctl.d/70-planted.conf",
		`  when: image_platform == "proxmox"`,
	}, "\n"))
	g := realGuest(t, "proxmox")
	g.install("curl", "7.74.0")
	g.file("/etc/sysctl.d/70-planted.conf", "bb")
	g.install("walinuxagent", "2.9")
	p := pair(t, rules, g, realGuest(t, "vsphere"))
	if !p.Blocked() {
		t.Error("planted differences do not block")
	}
	if p.Manifests[0].SHA256 == p.Manifests[1].SHA256 {
		t.Error("content manifests are equal")
	}
	golden(t, "planted.json", p.Unexpected)
}

func TestPolicy(t *testing.T) {
	g := realGuest(t, "proxmox")
	g.install("curl", "7.74.0")
	rules := projectRules(t)
	rules.Allow.policy = hybridcore.ParityWarn
	if p := pair(t, rules, g, realGuest(t, "vsphere")); p.Blocked() || len(p.Unexpected) != 1 {
		t.Errorf("warn: blocked %v with %d differences", p.Blocked(), len(p.Unexpected))
	}
}

func TestStaleEntry(t *testing.T) {
	rules := projectRules(t)
	extra, err := ParseAllow([]byte(`allow "packages" "telnetd" {
  platforms = ["vsphere"]
  reason    = "once needed"
  owner     = "nobody"
}
allow "packages" "elsewhere" {
  platforms = ["azure"]
  reason    = "not compared here"
  owner     = "nobody"
}
`), "templates/parity.hcl")
	if err != nil {
		t.Fatal(err)
	}
	rules.Allow.entries = append(rules.Allow.entries, extra.entries...)
	p := pair(t, rules, realGuest(t, "proxmox"), realGuest(t, "vsphere"))
	if len(p.Findings) != 1 || p.Findings[0].Line != 1 || !strings.Contains(p.Findings[0].Message, "telnetd") {
		t.Errorf("findings %+v", p.Findings)
	}
}

func TestSectionNotRead(t *testing.T) {
	g := realGuest(t, "vsphere")
	g.sections()["files"] = nil
	g["errors"] = []any{map[string]any{"section": "files", "message": "no root"}}
	p := pair(t, Rules{}, g, g)
	if len(p.Unexpected) != 1 || p.Unexpected[0].InA != "not read: no root" || !p.Blocked() {
		t.Errorf("got %+v", p.Unexpected)
	}
	if p.Manifests[0].SHA256 != "" {
		t.Error("a digest without files")
	}
}

func TestSameSystemBuiltTwice(t *testing.T) {
	a, err := os.ReadFile("testdata/vsphere.json")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/vsphere-again.json")
	if err != nil {
		t.Fatal(err)
	}
	var x, y guest
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil || cmp.Equal(x, y) {
		t.Fatal("the fixtures must be two runs")
	}
	if changes := Against(x.side(t, hybridcore.VSphere).Inventory,
		y.side(t, hybridcore.VSphere).Inventory); len(changes) > 0 {
		t.Errorf("two builds of the same inputs differ: %+v", changes)
	}
}

// random makes a small guest whose keys often collide with another's.
func random(r *rand.Rand) Normal {
	n := Normal{sections: map[string][]Entry{}, unread: map[string]string{}, scope: &hybridcore.Scope{}}
	for _, category := range categories() {
		if r.IntN(20) == 0 {
			n.unread[category] = "gone"
		}
		keys := map[string]bool{}
		for range r.IntN(8) {
			keys[string(rune('a'+r.IntN(6)))] = true
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			e := Entry{Key: key, Value: string(rune('0' + r.IntN(3)))}
			switch {
			case category == "packages" && r.IntN(4) == 0:
				e.Content = string(rune('x' + r.IntN(2)))
			case category == "files" && r.IntN(2) == 0:
				text := "0644 root:root of " + string(rune('a'+r.IntN(6))) + []string{" unchanged", " sha256:x"}[r.IntN(2)]
				e.Package, e.Value = owner(text)
			}
			n.sections[category] = append(n.sections[category], e)
		}
	}
	return n
}

func randomAllow(r *rand.Rand) Allow {
	var a Allow
	platforms := []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}
	for range r.IntN(12) {
		e := entry{
			category: categories()[r.IntN(len(categories()))], glob: string(rune('a' + r.IntN(6))),
			absent: r.IntN(4) == 0,
		}
		if r.IntN(2) == 0 {
			e.category = content[r.IntN(2)]
		}
		for _, p := range platforms {
			if r.IntN(2) == 0 {
				e.platforms = append(e.platforms, p)
			}
		}
		a.entries = append(a.entries, e)
	}
	return a
}

func TestProperties(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 1))
		a, b, c := Side{"proxmox", "", random(r)}, Side{"vsphere", "", random(r)}, Side{"azure", "", random(r)}
		if r.IntN(2) == 0 { // often alike, so that the manifests have a chance
			for _, name := range []string{"packages", "files"} {
				b.Inventory.sections[name], c.Inventory.sections[name] = a.Inventory.sections[name], a.Inventory.sections[name]
			}
		}
		there, back := Diff(a, b), Diff(b, a)
		for i := range back {
			back[i].A, back[i].B, back[i].InA, back[i].InB = back[i].B, back[i].A, back[i].InB, back[i].InA
		}
		if diff := cmp.Diff(there, back); diff != "" {
			t.Fatalf("seed %d: not symmetric: %s", seed, diff)
		}
		was, now := Against(a.Inventory, b.Inventory), Against(b.Inventory, a.Inventory)
		for i := range now {
			now[i].Was, now[i].Now = now[i].Now, now[i].Was
		}
		if diff := cmp.Diff(was, now); diff != "" {
			t.Fatalf("seed %d: not an inverse: %s", seed, diff)
		}
		p := Compare([]Set{{Image: "i", Sides: []Side{a, b, c}}}, Rules{Allow: randomAllow(r)})[0]
		same := slices.ContainsFunc(p.Unexpected,
			func(d hybridcore.Difference) bool { return slices.Contains(content, d.Category) })
		first := p.Manifests[0].SHA256
		equal := first != "" && first == p.Manifests[1].SHA256 && first == p.Manifests[2].SHA256
		if equal == same {
			t.Fatalf("seed %d: manifests equal %v, content differs unexpectedly %v:\n%+v", seed, equal, same, p.Unexpected)
		}
		expected := 0
		for _, n := range p.Pairs {
			expected += n.Expected + n.Unexpected
		}
		if all := len(Diff(a, b)) + len(Diff(a, c)) + len(Diff(b, c)); all != expected {
			t.Fatalf("seed %d: %d differences counted of %d", seed, expected, all)
		}
	}
}

func TestReport(t *testing.T) {
	g := realGuest(t, "vsphere")
	g.install("curl", "7.99")
	g.install("added", "1")
	g.remove("wget")
	r := Report("debian-12", realGuest(t, "vsphere").side(t, hybridcore.VSphere), g.side(t, hybridcore.VSphere))
	if len(r.Counts) != 1 || r.Counts[0] != (hybridcore.ChangeCount{
		Category: "packages", Added: 1, Removed: 1,
		Changed: 1,
	}) || len(r.Changes) != 3 {
		t.Errorf("got %+v", r)
	}
}
