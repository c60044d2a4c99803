// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:47:50Z
// Spec: openspec/specs/static-validation/spec.md#requirement-schemas-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#schemas

package build_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

const vsphere = "github.com/hashicorp/vsphere"

// learnt asks the real plugin for its schemas.
func learnt(t *testing.T) (packer.Schemas, []byte) {
	t.Helper()
	cache := toolCache(t)
	known := packer.Schemas{PluginDirs: []string{filepath.Join(cache, "plugins")}, Memory: packer.Memory(t.TempDir())}
	tool := packer.Tool{
		Path: filepath.Join(cache, "bin", "packer"), Version: "1.15.0", PluginDirs: known.PluginDirs,
		Memory: known.Memory,
	}
	need := packer.Requirement{Addresses: []string{vsphere}}
	if address, _ := known.Known(need); address != "" || known.Any() {
		t.Fatalf("%s is known before it was asked", address)
	}
	plugins, err := tool.Plugins([]packer.Requirement{need})
	if err != nil {
		t.Fatal(err)
	}
	for _, helper := range []string{filepath.Join(cache, "bin", "packer-hybrid-rpc"), "/nonexistent"} { // asked once
		job := packer.Job{Scratch: t.TempDir(), Env: os.Environ(), Plugins: plugins}
		if err := tool.LearnSchemas(t.Context(), helper, job); err != nil {
			t.Fatal(err)
		}
	}
	address, answer := known.Known(need)
	if address != vsphere {
		t.Fatalf("%q is known", address)
	}
	return known, answer
}

func TestSchemasOfTheInstalledPlugin(t *testing.T) {
	t.Parallel()
	_, answer := learnt(t)
	var all map[string]json.RawMessage
	if err := json.Unmarshal(answer, &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vsphere-iso", "vsphere-clone"} {
		got, err := schemas.Parse(all["builder."+name])
		if err != nil {
			t.Fatal(err)
		}
		want, _ := schemas.Embedded(schemas.Builder, name)
		if !slices.Equal(slices.Sorted(maps.Keys(got.Attributes)), slices.Sorted(maps.Keys(want.Attributes))) ||
			len(got.Blocks) != len(want.Blocks) || got.Version != want.Version {
			t.Errorf("%s is not as embedded: %v", name, got)
		}
	}
}

// A plugin that is newer than the embedded schemas has one setting more and one less.
func TestNewerPlugin(t *testing.T) {
	t.Parallel()
	known, answer := learnt(t)
	const gone = `"destroy": "bool"`
	first := strings.Index(string(answer), `"builder.vsphere-iso"`)
	if first < 0 || !strings.Contains(string(answer[first:]), gone) {
		t.Fatal("the builder has no setting called destroy")
	}
	newer := string(answer[:first]) + strings.Replace(string(answer[first:]), gone, `"brand_new": "string"`, 1)
	known.PluginDirs = []string{install(t, vsphere, "99.0.0", known.Memory, newer)}

	dir := tree(t)
	const file = "templates/platforms/vsphere-iso.pkr.hcl"
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, file),
		strings.Replace(string(text), "source \"vsphere-iso\" \"linux\" {\n",
			"source \"vsphere-iso\" \"linux\" {\n  brand_new = \"x\"\n  destroy   = true\n\n", 1))
	for want, schemas := range map[string]packer.Schemas{"brand_new": {}, "destroy": known} {
		found := refused(t, dir, schemas)
		if len(found) != 1 || !strings.Contains(found[0], fmt.Sprintf("has no setting %q", want)) {
			t.Errorf("want %s refused, got %q", want, found)
		}
	}
	// What is damaged is as if it had never been asked.
	known.PluginDirs = []string{install(t, vsphere, "99.0.1", known.Memory, `{"builder.vsphere-iso":[]}`)}
	if found := refused(t, dir, known); len(found) != 1 || !strings.Contains(found[0], "brand_new") {
		t.Errorf("with damaged schemas: %q", found)
	}
}

// install puts a plugin whose schemas are known into a tree of its own.
func install(t *testing.T, address, version string, memory packer.Memory, schemas string) string {
	t.Helper()
	dir := t.TempDir()
	content := address + version
	sum := sha256.Sum256([]byte(content))
	digest := hex.EncodeToString(sum[:])
	folder := filepath.Join(dir, filepath.FromSlash(address))
	about := filepath.Join(string(memory), "components", digest)
	for _, path := range []string{folder, about} {
		if err := os.MkdirAll(path, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(folder,
		fmt.Sprintf("packer-plugin-%s_v%s_x5.0_%s_%s", filepath.Base(address), version, runtime.GOOS, runtime.GOARCH))
	write(t, file, content)
	write(t, file+"_SHA256SUM", digest)
	write(t, filepath.Join(about, "schemas.json"), schemas)
	return dir
}

// refused lists the blocking findings of one target of vSphere.
func refused(t *testing.T, dir string, schemas packer.Schemas) []string {
	t.Helper()
	found, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	redactor, _ := redact.New()
	r := &project.Project{Config: found, Redactor: redactor, Tools: project.Tools{Schemas: schemas}}
	defer r.Close()
	req := hybridcore.Request{
		Action: hybridcore.ActionValidate, Env: "lab", Images: []string{"debian-12"},
		Platforms: []hybridcore.Platform{hybridcore.VSphere},
	}
	planned, err := plan.Stage{Project: r}.Plan(context.WithoutCancel(t.Context()), req)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := plan.Stage{Project: r}.Check(t.Context(), planned, nil)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, f := range findings {
		if f.Blocking {
			list = append(list, f.Message)
		}
	}
	return list
}
