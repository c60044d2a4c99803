// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:08:00Z
// Spec: openspec/specs/parity/spec.md#requirement-what-an-image-is-made-of
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"encoding/json"
	"maps"
	"path"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// made is the inventory of a small system, as inventory.py writes it: packages with versions, what a guest says
// of paths, and what the database says of packages. A nil map is as empty.
type made struct {
	packages, paths, contents map[string]string
	leftOut                   string
	format                    int
}

func (m made) side(t *testing.T, platform hybridcore.Platform) Side {
	t.Helper()
	packages := []map[string]string{{"name": "base", "version": "1", "architecture": "amd64", "manager": "dpkg"}}
	for name, version := range m.packages {
		packages = append(packages,
			map[string]string{"name": name, "version": version, "architecture": "amd64", "manager": "dpkg"})
	}
	tree := map[string]map[string]string{}
	for at, text := range m.paths {
		if tree[path.Dir(at)] == nil {
			tree[path.Dir(at)] = map[string]string{}
		}
		tree[path.Dir(at)][path.Base(at)] = text
	}
	rules := []map[string]any{{"how": "compare", "reason": "x", "paths": map[string]int{"/etc": 0}}}
	if m.leftOut != "" {
		rules = append(rules, map[string]any{"how": "leave out", "reason": "x", "paths": map[string]int{m.leftOut: 3}})
	}
	said := map[string]any{
		"packages": packages, "os_release": map[string]string{}, "image": map[string]string{},
		"files": map[string]any{"tree": tree, "packages": m.contents, "rules": rules, "scope": map[string]any{
			"package_files": 9, "by_size": 1, "no_digest": 2, "listed": len(m.paths), "unread": 0,
			"not_entered": []string{"/proc"},
		}},
	}
	for _, k := range sections { // the others are read, and empty
		if _, given := said[k.name]; !given {
			said[k.name] = map[string]any{}
		}
	}
	for _, name := range []string{"users", "groups", "certificates", "listening"} {
		said[name] = []any{}
	}
	if m.format == 0 {
		m.format = Format
	}
	if m.format < wholeFolders {
		said["files"] = map[string]any{}
	}
	data, err := json.Marshal(map[string]any{
		"format": m.format, "system": "linux", "errors": []any{}, "transient": nil, "sections": said,
	})
	if err != nil {
		t.Fatal(err)
	}
	return Side{Platform: platform, Run: "run", Inventory: normal(t, data)}
}

const sumA, sumB = "sha256:aaaaaaaaaaaaaaaa", "sha256:bbbbbbbbbbbbbbbb"

// agent is allowed on vSphere, as in templates/parity.hcl.
const agent = `allow "packages" "agent" {
  platforms = ["vsphere"]
  reason    = "the guest agent"
  owner     = "platform team"
}
`

func compared(t *testing.T, allow string, a, b made) hybridcore.Parity {
	t.Helper()
	list, err := ParseAllow([]byte(allow), AllowFile)
	if err != nil {
		t.Fatal(err)
	}
	sets := []Set{{Image: "i", Sides: []Side{a.side(t, hybridcore.Proxmox), b.side(t, hybridcore.VSphere)}}}
	return Compare(sets, Rules{Allow: list})[0]
}

func TestFilesAreCompared(t *testing.T) {
	p := func(pairs ...string) map[string]string {
		all := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			all[pairs[i]] = pairs[i+1]
		}
		return all
	}
	nginx := p("nginx", "1.22")
	for name, tt := range map[string]struct {
		allow string
		a, b  made
		want  map[string]string // "CATEGORY KEY" → "A | B"
	}{
		"equal": {a: made{paths: p("/etc/x", "0644 root:root "+sumA)}, b: made{paths: p("/etc/x", "0644 root:root "+sumA)}},
		"another content": {
			a:    made{paths: p("/etc/nginx/site.conf", "0644 root:root "+sumA)},
			b:    made{paths: p("/etc/nginx/site.conf", "0644 root:root "+sumB)},
			want: p("files /etc/nginx/site.conf", "0644 root:root "+sumA+" | 0644 root:root "+sumB),
		},
		"a changed file of a package": {
			a: made{packages: nginx, paths: p("/etc/nginx/nginx.conf", "0644 root:root of nginx unchanged")},
			b: made{packages: nginx, paths: p("/etc/nginx/nginx.conf", "0644 root:root of nginx "+sumB)},
			want: p("files /etc/nginx/nginx.conf",
				"0644 root:root of nginx unchanged | 0644 root:root of nginx, changed, "+sumB),
		},
		"a changed file that is not listed otherwise": {
			a: made{packages: nginx}, b: made{packages: nginx, paths: p("/usr/sbin/nginx", "0755 root:root of nginx "+sumB)},
			want: p("files /usr/sbin/nginx", " | 0755 root:root of nginx, changed, "+sumB),
		},
		"a file that is gone": {
			a: made{packages: nginx}, b: made{packages: nginx, paths: p("/usr/sbin/nginx", "of nginx missing")},
			want: p("files /usr/sbin/nginx", " | of nginx missing"),
		},
		"an allowed package with its files": {
			allow: agent, a: made{},
			b: made{packages: p("agent", "1"), paths: p("/etc/agent", "0755 root:root of agent folder",
				"/etc/agent/conf", "0644 root:root of agent unchanged", "/etc/agent/link", "root:root of agent link /x")},
		},
		"an allowed package whose file is changed": {
			allow: agent, a: made{},
			b:    made{packages: p("agent", "1"), paths: p("/etc/agent/conf", "0644 root:root of agent "+sumA)},
			want: p("files /etc/agent/conf", " | 0644 root:root of agent, changed, "+sumA),
		},
		"a package that nobody allowed": {
			a: made{}, b: made{packages: p("agent", "1"), paths: p("/etc/agent/conf", "0644 root:root of agent unchanged")},
			want: p("packages agent", " | 1 (amd64)"),
		},
		"a file that another package or nobody brings": {
			allow: agent, a: made{paths: p("/etc/agent/conf", "0644 root:root "+sumA)},
			b:    made{packages: p("agent", "1"), paths: p("/etc/agent/conf", "0644 root:root of agent unchanged")},
			want: p("files /etc/agent/conf", "0644 root:root "+sumA+" | 0644 root:root of agent unchanged"),
		},
		"one version with another content": {
			a: made{packages: nginx, contents: p("nginx:amd64", "aa")}, b: made{packages: nginx, contents: p("nginx", "bb")},
			want: p("packages nginx", "1.22 (amd64), brings sha256:aa | 1.22 (amd64), brings sha256:bb"),
		},
		"a rule of one platform": {
			a: made{leftOut: "/etc/nginx"}, b: made{},
			want: p("files (rule) leave out /etc/nginx", "in force | "),
		},
		"unread on both": {
			a: made{paths: p("/opt/x", "not read: it changes")}, b: made{paths: p("/opt/x", "not read: it changes")},
			want: p("files /opt/x", "not read: it changes | not read: it changes"),
		},
		"a link that says it is of a package": {
			allow: agent, a: made{},
			b:    made{packages: p("agent", "1"), paths: p("/etc/l", "root:root link of agent folder")},
			want: p("files /etc/l", " | root:root link of agent folder"),
		},
		"of before and of now": {
			a: made{format: 2}, b: made{paths: p("/etc/x", "0644 root:root "+sumA)},
			want: p("files (section)", "not compared: a fixed list of files (inventory format 2) | "+
				"not compared: whole folders (inventory format 3)"),
		},
		"both of before": {a: made{format: 2}, b: made{format: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, turned := range []bool{false, true} {
				one := tt
				if turned && tt.allow == "" {
					one.a, one.b = tt.b, tt.a
				}
				got, found := compared(t, one.allow, one.a, one.b), map[string]string{}
				for _, d := range got.Unexpected {
					if turned && tt.allow == "" {
						d.InA, d.InB = d.InB, d.InA
					}
					found[d.Category+" "+d.Key] = d.InA + " | " + d.InB
				}
				if diff := cmp.Diff(maps.Collect(maps.All(tt.want)), found); diff != "" {
					t.Errorf("turned %v: %s", turned, diff)
				}
				m := got.Manifests
				same := m[0].SHA256 != "" && m[0].SHA256 == m[1].SHA256 && (m[0].Scope == nil) == (m[1].Scope == nil)
				if same != (len(tt.want) == 0) {
					t.Errorf("turned %v: the digests are equal: %v", turned, same)
				}
			}
		})
	}
}

func TestScope(t *testing.T) {
	p := compared(t, "", made{leftOut: "/etc/cache"}, made{format: 2})
	want := &hybridcore.Scope{
		Folders: []string{"/etc"}, PackageFiles: 9, LeftOut: 3, LeftOutRules: 1, BySize: 1, NoDigest: 2,
		NotEntered: []string{"/proc"},
	}
	if diff := cmp.Diff(want, p.Manifests[0].Scope); diff != "" {
		t.Error(diff)
	}
	if p.Manifests[1].Scope != nil || !p.Blocked() ||
		!strings.Contains(p.Unexpected[0].Cause, "build the older image again") {
		t.Errorf("of before: %+v", p)
	}
}

// The files of an allowed package are expected to differ also where both platforms have it.
func TestFilesOfAPackageThatIsAllowedOnBoth(t *testing.T) {
	both := strings.Replace(agent, `["vsphere"]`, `["vsphere", "proxmox"]`, 1)
	of := func(version, mode string) made {
		return made{packages: map[string]string{"agent": version}, paths: map[string]string{
			"/etc/agent": mode + " root:root of agent unchanged",
		}}
	}
	p := compared(t, both, of("1", "0644"), of("2", "0600"))
	if len(p.Unexpected) > 0 || p.Manifests[0].SHA256 != p.Manifests[1].SHA256 {
		t.Errorf("%+v", p)
	}
}
