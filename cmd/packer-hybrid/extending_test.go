// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:36:00Z
// Spec: openspec/specs/repository/spec.md#requirement-pages-on-extending
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

// Of a page: a block that says into which file it goes, and the file of a row
// of its table.
var (
	pageBlock = regexp.MustCompile("(?ms)^```(\\w+) (\\S+)\n(.*?)^```$")
	pageRow   = regexp.MustCompile("(?m)^\\| `([^`]+)`")
	pageWord  = regexp.MustCompile(`<\w+>`)
)

// follow does what a page says in a copy of the tree: what is a diff takes the
// place of a line, other text is appended to its file or makes it. Files of Go
// are taken from the repository. It returns the files.
func follow(t *testing.T, page, dir string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../docs/extending", page))
	if err != nil {
		t.Fatal(err)
	}
	var rows []*regexp.Regexp
	for _, row := range pageRow.FindAllStringSubmatch(string(text), -1) {
		pattern := strings.NewReplacer("{", "(", "}", ")", ",", "|", ".", `\.`).Replace(row[1])
		rows = append(rows, regexp.MustCompile("^"+pageWord.ReplaceAllString(pattern, `[^/]+`)+"$"))
	}
	var files []string
	for _, b := range pageBlock.FindAllStringSubmatch(string(text), -1) {
		kind, name, content := b[1], b[2], b[3]
		if !slices.ContainsFunc(rows, func(row *regexp.Regexp) bool { return row.MatchString(name) }) {
			t.Errorf("%s: no row of the table names %s", page, name)
		}
		into := filepath.Join(dir, name)
		old, err := os.ReadFile(into)
		if strings.HasSuffix(name, ".go") && errors.Is(err, fs.ErrNotExist) { // else a block before it made it
			old, err = os.ReadFile(filepath.Join("../..", name))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if kind == "diff" {
			content = patched(t, page, string(old), content)
		} else if len(old) > 0 {
			content = string(old) + "\n" + content
		}
		if err := os.MkdirAll(filepath.Dir(into), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(into, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	if len(files) == 0 {
		t.Fatalf("%s has no block that names a file", page)
	}
	return files
}

// patched puts the lines of a diff that begin with + in the place of the one
// that begins with -.
func patched(t *testing.T, page, old, diff string) string {
	t.Helper()
	var gone, come string
	for line := range strings.Lines(diff) {
		if text, is := strings.CutPrefix(line, "-"); is {
			gone += text
		} else {
			come += strings.TrimPrefix(line, "+")
		}
	}
	if strings.Count(old, gone) != 1 {
		t.Fatalf("%s: this stands in its file %d times, want once: %s", page, strings.Count(old, gone), gone)
	}
	return strings.Replace(old, gone, come, 1)
}

// extended is a new project in which a page was followed.
func extended(t *testing.T, page string) (string, []string) {
	t.Helper()
	dir := t.TempDir()
	if code, _, errs := invoke(t, "init", dir); code != 0 {
		t.Fatal(errs)
	}
	return dir, follow(t, page, dir)
}

// validates checks all targets of all platforms inside the process.
func validates(t *testing.T, dir string, code int, parts ...string) {
	t.Helper()
	got, out, errs := invoke(t, "validate", "-C", dir, "--env", "lab")
	if got != code {
		t.Errorf("validate: exit %d, want %d", got, code)
	}
	want(t, out+errs, parts...)
}

// planned are the targets of an image with the layer that gives its medium.
func planned(t *testing.T, dir, image string) map[string]string {
	t.Helper()
	var out, errs bytes.Buffer
	environ := []string{"HOME=" + t.TempDir(), "PACKER_HYBRID_CACHE=" + toolCache(t)}
	streams := cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}
	code := run(t.Context(), streams, []string{"plan", image, "-C", dir, "--env", "lab", "--output", "json"}, environ)
	var doc hybridcore.Answer
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil || code != 0 {
		t.Fatalf("plan: exit %d, %v\n%s%s", code, err, out.String(), errs.String())
	}
	found := map[string]string{}
	for _, planned := range doc.Plan.Targets {
		found[planned.Target.Name()] = ""
		gone := slices.ContainsFunc(planned.Target.Files, func(f hybridcore.File) bool { return f.SHA256 == "" })
		if planned.Decision != hybridcore.Build || gone {
			t.Errorf("%s: %s", planned.Target.Name(), planned.Decision)
		}
	}
	for name := range found {
		_, platform, _ := strings.Cut(name, "@")
		code, text, _ := invoke(t, "explain", "iso_file", "--os", image, "--platform", platform, "-C", dir,
			"--env", "example")
		if code == 0 {
			found[name] = text
		}
	}
	return found
}

func TestAddingAnImage(t *testing.T) {
	dir, files := extended(t, "image.md")
	validates(t, dir, hybridcore.ExitOK, "valid: 9 targets of lab, 0 errors, 0 warnings")
	targets := planned(t, dir, "debian-13")
	if len(targets) != 3 {
		t.Fatalf("targets %v", targets)
	}
	want(t, targets["debian-13@vsphere"], files[1], "debian-13.1.0-amd64-netinst.iso")
	if err := os.Remove(filepath.Join(dir, files[2])); err != nil {
		t.Fatal(err)
	}
	validates(t, dir, hybridcore.ExitUsage, "azure_image") // so the page's file is needed
}

func TestAddingAFamily(t *testing.T) {
	dir, files := extended(t, "family.md")
	validates(t, dir, hybridcore.ExitOK, "valid: 8 targets of lab, 0 errors, 0 warnings")
	targets := planned(t, dir, "rocky-9")
	if len(targets) != 2 {
		t.Fatalf("targets %v", targets)
	}
	want(t, targets["rocky-9@proxmox"], "templates/vars/linux/rocky/9/common.pkrvars.hcl")
	for _, role := range []string{"base", "users", "configure", "clean"} {
		if !slices.Contains(files, "templates/ansible/roles/"+role+"/tasks/redhat.yml") {
			t.Errorf("the page has no tasks of the role %s", role)
		}
	}
	cmd := exec.CommandContext(t.Context(), "ansible-playbook", "--syntax-check", "-i", "localhost,",
		"-e", "image_platform=vsphere", "linux.yml")
	cmd.Dir = filepath.Join(dir, "templates/ansible")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("ansible: %v\n%s", err, out)
	}
	answers := filepath.Join(dir, "templates/installers/rocky/ks.cfg.pkrtpl.hcl")
	text, err := os.ReadFile(answers)
	if err == nil {
		err = os.WriteFile(answers, bytes.Replace(text, []byte("${mirror.host}"), []byte("${mirror.hots}"), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	validates(t, dir, hybridcore.ExitUsage, "hots") // so the answers are rendered
}

// The script of the page runs on this machine; its section is compared without
// the row of the table, and can be allowed with it.
func TestAddingASection(t *testing.T) {
	dir, files := extended(t, "section.md")
	said, err := inventory(t, dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	var here struct{ Sections map[string][]string }
	err = json.Unmarshal(onlyLists(t, said, "shells"), &here)
	shells := here.Sections["shells"]
	if err != nil || !slices.Contains(shells, "/bin/sh") {
		t.Fatalf("the section of this machine: %v, %v", here, err)
	}
	recordRun(t, dir, "20261101t000000-00000001", map[hybridcore.Platform][]byte{
		"proxmox": withSection(t, "shells", shells), "vsphere": withSection(t, "shells", append(shells, "/usr/bin/planted")),
	})
	allow, err := os.ReadFile(filepath.Join(dir, "templates/parity.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	code, _, errs := invoke(t, "parity", "-C", dir)
	if code != hybridcore.ExitUsage || !strings.Contains(errs, `unknown category "shells"`) {
		t.Errorf("an entry without the row: exit %d\n%s", code, errs)
	}
	start, _, _ := bytes.Cut(allow, []byte(`allow "shells"`))
	if err := os.WriteFile(filepath.Join(dir, "templates/parity.hcl"), start, 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := invoke(t, "parity", "-C", dir)
	if code != hybridcore.ExitBlocked {
		t.Errorf("without the row: exit %d", code)
	}
	want(t, out, "unexpected shells /usr/bin/planted", "blocked: 1 unexpected difference")

	if err := os.WriteFile(filepath.Join(dir, "templates/parity.hcl"), allow, 0o600); err != nil {
		t.Fatal(err)
	}
	program := overlaid(t, dir, files)
	text, err := exec.CommandContext(t.Context(), program, "parity", "-C", dir).CombinedOutput()
	if err != nil {
		t.Errorf("with the row: %v", err)
	}
	want(t, string(text), "shells", "identical in what is compared, but for 1 keys")
}

// onlyLists is a document with one of its sections.
func onlyLists(t *testing.T, data []byte, name string) []byte {
	t.Helper()
	inv, err := parity.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	one, err := json.Marshal(map[string]any{"sections": map[string]any{name: inv.Sections[name]}})
	if err != nil {
		t.Fatal(err)
	}
	return one
}

// withSection is the inventory of a real Debian with a section more.
func withSection(t *testing.T, name string, value any) []byte {
	t.Helper()
	data, err := os.ReadFile("../../hybridcore/parity/testdata/vsphere.json")
	if err != nil {
		t.Fatal(err)
	}
	var sections map[string]any
	if err := json.Unmarshal(data, &sections); err != nil {
		t.Fatal(err)
	}
	document := map[string]any{
		"format": parity.Format, "system": "linux", "errors": sections["errors"], "sections": sections,
	}
	for _, field := range []string{"format", "errors", "transient"} {
		delete(sections, field)
	}
	sections[name] = value
	if data, err = json.MarshalIndent(document, "", " "); err != nil {
		t.Fatal(err)
	}
	return data
}

// overlaid builds the program with the Go files that a page changed.
func overlaid(t *testing.T, dir string, files []string) string {
	t.Helper()
	replace := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, ".go") {
			at, err := filepath.Abs(filepath.Join("../..", name))
			if err != nil {
				t.Fatal(err)
			}
			replace[at] = filepath.Join(dir, name)
		}
	}
	overlay, program := filepath.Join(t.TempDir(), "overlay.json"), filepath.Join(t.TempDir(), "packer-hybrid")
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err == nil {
		err = os.WriteFile(overlay, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", overlay, "-o", program, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// inventory takes the inventory of this machine with the scripts of a project.
func inventory(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	scripts := filepath.Join(dir, "templates/scripts/linux")
	return exec.CommandContext(t.Context(), "python3", "-I", filepath.Join(scripts, "inventory.py"),
		"--sections", filepath.Join(scripts, "inventory.d"))
}

// The scripts lie in /tmp of the guest and run as root: what somebody else put
// there is not run.
func TestInventoryRunsNobodyElsesScript(t *testing.T) {
	dir, _ := extended(t, "section.md")
	planted := filepath.Join(dir, "templates/scripts/linux/inventory.d/planted.py")
	text := "open(" + strconv.Quote(filepath.Join(dir, "ran")) + ", 'w')\n"
	if err := os.WriteFile(planted, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{planted, filepath.Dir(planted)} {
		if err := os.Chown(path, 54321, -1); err != nil {
			t.Fatalf("giving a file away (run as root): %v", err)
		}
		out, err := inventory(t, dir).CombinedOutput()
		if err == nil || !strings.Contains(string(out), "inventory: "+path+" belongs to another account") {
			t.Errorf("%v\n%s", err, out)
		}
		if err := os.Chown(path, 0, -1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the planted script ran")
	}
	if out, err := inventory(t, dir).CombinedOutput(); err != nil {
		t.Errorf("as root's: %v\n%.500s", err, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err != nil {
		t.Errorf("a script of root's did not run: %v", err)
	}
}
