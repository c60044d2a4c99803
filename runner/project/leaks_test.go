// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:19:00Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package project_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// TestNothingInThisRepository holds the search to this repository: nothing in it is a secret.
func TestNothingInThisRepository(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	p := project.Project{Config: config.Project{Root: root}, Environ: os.Environ()}
	defer p.Close()
	start := time.Now()
	found, err := p.Leaks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found.Findings {
		if f.Severity != hybridcore.Info {
			t.Error(f)
		}
	}
	t.Logf("%v", time.Since(start))
}

// site is a project with a leak in a repository.
func site(t *testing.T, repository bool) (*gittest.Upstream, *project.Project) {
	t.Helper()
	u := &gittest.Upstream{TB: t, Dir: t.TempDir()}
	if repository {
		u.Git("init", "-q", "-b", "main", "--template=")
		gittest.Put(t, filepath.Join(u.Dir, "README.md"), "# x\n")
		u.Commit("first")
	}
	for _, name := range []string{"templates", "configs", "sources", config.FileName} {
		if err := os.CopyFS(filepath.Join(u.Dir, name), os.DirFS(filepath.Join("../..", name))); err != nil {
			data, err := os.ReadFile(filepath.Join("../..", name))
			if err != nil {
				t.Fatal(err)
			}
			gittest.Put(t, filepath.Join(u.Dir, name), string(data))
		}
	}
	gittest.Put(t, filepath.Join(u.Dir, "x", ".env"), "A=1\nDB_PASSWORD=hunter2\n")
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	p := &project.Project{
		Config: config.Project{Root: u.Dir}, Environ: os.Environ(), Now: func() time.Time { return day },
	}
	t.Cleanup(func() { _ = p.Close() })
	return u, p
}

// look searches the project anew.
func look(t *testing.T, p *project.Project) []hybridcore.Finding {
	t.Helper()
	_ = p.Close()
	found, err := p.Leaks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found.Findings
}

// filled is the waiver that the first finding prints, filled in.
func filled(t *testing.T, findings []hybridcore.Finding, expires string) string {
	t.Helper()
	_, block, found := strings.Cut(findings[0].Hint, "\nwaiver ")
	if !found {
		t.Fatalf("no waiver to paste: %v", findings)
	}
	block = "waiver " + strings.Replace(block, `expires = "`+waivers.Ask, `expires = "`+expires, 1)
	return strings.ReplaceAll(block, waivers.Ask, "said") + "\n"
}

// rules are those of findings.
func rules(findings []hybridcore.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Rule)
	}
	return strings.Join(all, " ")
}

func TestWaivers(t *testing.T) {
	t.Parallel()
	u, p := site(t, false)
	found := look(t, p)
	if len(found) != 1 || !found[0].Blocking || found[0].File != "x/.env" || found[0].Line != 2 ||
		strings.Contains(found[0].String(), "hunter2") || !strings.Contains(found[0].Hint, "the working tree") {
		t.Fatal(found)
	}
	path := filepath.Join(u.Dir, waivers.FileName)
	good := filled(t, found, "2026-12-01")
	raw := strings.ReplaceAll(good, `"said"`, `"`+waivers.Ask+`"`)
	key := "-----BEGIN OPENSSH PRIV" + "ATE KEY-----\n"
	for _, c := range []struct{ name, content, want string }{
		{"good", good, "waiver-in-force"},
		{"expired", filled(t, found, "2026-11-30"), "plain-secret waiver-expired"},
		{"stale", strings.Replace(good, "x/.env", "y/.env", 1), "plain-secret waiver-stale"},
		{"unfilled", raw, "waiver-setting waiver-setting plain-secret"},
		{"unknown", strings.Replace(good, `"leak"`, `"leek"`, 1), "waiver-setting plain-secret"},
	} {
		gittest.Put(t, path, c.content)
		if got := rules(look(t, p)); got != c.want {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	gittest.Put(t, path, good)
	if f := look(t, p)[0]; f.Blocking || !strings.Contains(f.Message, "waived until 2026-12-01 by said, because said") {
		t.Error(f)
	}
	gittest.Put(t, filepath.Join(u.Dir, "x", ".env"), key)
	gittest.Put(t, path, waivers.Propose(waivers.Leak, "x/.env", key, ""))
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	filledIn := strings.Replace(string(data), `expires = "`+waivers.Ask, `expires = "2027-01-31`, 1)
	gittest.Put(t, path, strings.ReplaceAll(filledIn, waivers.Ask, "x"))
	if got := look(t, p); len(got) < 1 || !strings.HasSuffix(rules(got), "plain-secret") || !got[len(got)-1].Blocking {
		t.Errorf("a private key is waived: %v", got)
	}
}

func TestWaiversOfTheBase(t *testing.T) {
	t.Parallel()
	u, p := site(t, true)
	base := u.Commit("a secret")
	found := look(t, p)
	gittest.Put(t, filepath.Join(u.Dir, waivers.FileName), filled(t, found, "2027-01-31"))
	if got := look(t, p); rules(got) != "plain-secret" ||
		!strings.Contains(got[0].Hint, "waivers.hcl:1 counts once it is reviewed") {
		t.Errorf("not committed: %v", got)
	}
	head := u.Commit("a waiver")
	if got := look(t, p); rules(got) != "waiver-in-force" || !strings.Contains(got[0].Hint, head[:12]) {
		t.Errorf("committed: %v", got)
	}
	p.Reviewed = base
	if got := look(t, p); rules(got) != "plain-secret" || !strings.Contains(got[0].Hint, base[:12]) {
		t.Errorf("a change waives itself: %v", got)
	}
	p.Reviewed = strings.Repeat("a", 40)
	if got := look(t, p); rules(got) != "waiver-not-yet plain-secret" {
		t.Errorf("an unknown base: %v", got)
	}
	p.Reviewed = ""
	gittest.Put(t, filepath.Join(u.Dir, ".gitignore"), "*.key\n")
	gittest.Put(t, filepath.Join(u.Dir, "ignored.key"), "TOKEN=hunter2\n")
	gittest.Put(t, filepath.Join(u.Dir, "untracked.env"), "TOKEN=hunter2\n")
	if got := look(t, p); rules(got) != "plain-secret waiver-in-force" || got[0].File != "untracked.env" {
		t.Errorf("ignored and untracked files: %v", got)
	}
}

// TestWaiverHoldsForNothingElse adds a secret to a line of which another one is waived,
// hides a private key in a setting, and looks where there is no repository to read from.
func TestWaiverHoldsForNothingElse(t *testing.T) {
	t.Parallel()
	u, p := site(t, false)
	file := filepath.Join(u.Dir, "x", ".env")
	gittest.Put(t, file, "DB_PASSWORD=hunter2 URL=https://robot:"+"S3cretWord9@host/\n")
	gittest.Put(t, filepath.Join(u.Dir, waivers.FileName), filled(t, look(t, p), "2027-01-31"))
	found := rules(look(t, p))
	if !strings.Contains(found, waivers.RuleInForce) || strings.Contains(found, "plain-secret") {
		t.Fatalf("the line as it was waived: %s", found)
	}
	p.Reviewed = strings.Repeat("a", 40)
	if found := rules(look(t, p)); !strings.Contains(found, "plain-secret") {
		t.Errorf("a waiver of the tree counts, and none that was reviewed can be read: %s", found)
	}
	p.Reviewed = ""
	gittest.Put(t, file, "DB_PASSWORD=hunter2 URL=https://robot:"+"An0therWord@host/\n")
	if found := rules(look(t, p)); !strings.Contains(found, "plain-secret") {
		t.Errorf("another secret on the line: %s", found)
	}
	key := "-----BEGIN EC PRIVATE KEY-----\\n" + strings.Repeat("MHcCAQEEIB", 12) + "\\n-----END EC PRIVATE KEY-----"
	gittest.Put(t, file, "DB_PASSWORD=x1\n")
	gittest.Put(t, filepath.Join(u.Dir, "x", "key.json"), "{\"private_key\": \" "+key+"\"}\n")
	gittest.Put(t, filepath.Join(u.Dir, waivers.FileName), "")
	for _, f := range look(t, p) {
		if strings.HasSuffix(f.File, "key.json") && strings.Contains(f.Hint, "waiver \"leak\"") {
			t.Errorf("a private key within a setting can be waived: %+v", f)
		}
	}
}
