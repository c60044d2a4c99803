// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:12Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package build_test

import (
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// askPacker asks Packer itself again and rewrites its verdicts. Plugins of
// PACKER_PLUGIN_PATH, real ones, come before those of make tools.
var askPacker = flag.Bool("update", false, "ask packer validate again, and rewrite testdata/verdicts.json")

const verdictsFile = "../testdata/verdicts.json"

// cases are the mutations of the check inside the process, and those that only
// a plugin's Prepare can judge.
func cases(t *testing.T) []mutation {
	t.Helper()
	all := corpus(t)
	data, err := os.ReadFile("../testdata/prepare.json")
	if err != nil {
		t.Fatal(err)
	}
	var more []mutation
	if err := json.Unmarshal(data, &more); err != nil {
		t.Fatal(err)
	}
	return append(append(all, more...), mutation{Name: "no mutation of proxmox", Target: "debian-12@proxmox"},
		mutation{Name: "no mutation of vsphere", Target: "debian-12@vsphere"}, mutation{
			Name:   "no mutation of azure",
			Target: "debian-12@azure",
		})
}

func toolCache(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("PACKER_HYBRID_CACHE"); dir != "" {
		return dir
	}
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(base, "packer-hybrid")
}

// staged lays a mutated tree out; false when the plan refuses it already.
func staged(t *testing.T, m mutation, tool packer.Tool) (packer.Job, bool) {
	t.Helper()
	dir := tree(t)
	if m.Old != "" {
		m.mutate(t, dir)
	}
	found, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range found.Environments {
		found.Environments[i].Platforms = []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}
	}
	store, err := directory.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	redactor, _ := redact.New()
	r := &project.Project{
		Config: found, State: store, Redactor: redactor, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Environ: environ(),
		Tools:   project.Tools{FindPacker: func(context.Context) (packer.Tool, error) { return tool, nil }},
	}
	t.Cleanup(func() { _ = r.Close() })
	image, platform, _ := strings.Cut(m.Target, "@")
	req := hybridcore.Request{
		Action: hybridcore.ActionValidate, With: hybridcore.WithPacker,
		ID: "20261123t000000-0a0b0c0d", Env: "lab", Images: []string{image},
		Platforms: []hybridcore.Platform{hybridcore.Platform(platform)},
	}
	planned, err := plan.Stage{Project: r}.Plan(t.Context(), req)
	if err != nil {
		return packer.Job{}, false
	}
	jobs, done, err := build.Stage{Project: r, Reporter: silent{}}.Staged(t.Context(), planned)
	if err != nil {
		return packer.Job{}, false
	}
	t.Cleanup(done)
	if len(jobs) != 1 {
		t.Fatalf("%s: %d targets", m.Name, len(jobs))
	}
	return jobs[0], true
}

type silent struct{}

func (silent) Event(hybridcore.Event) {}

// environ has a value for every variable that a person must set.
func environ() []string {
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}
	for name, value := range map[string]string{
		"build_password": "tests-only-password", "build_username": "builder",
		"vsphere_password": "tests-only-password", "vsphere_username": "nobody@vsphere.local",
		"vsphere_endpoint": "127.0.0.1:8989",
		"proxmox_url":      "https://127.0.0.1:8006/api2/json", "proxmox_username": "root@pam!tests",
		"proxmox_token":   "11111111-2222-3333-4444-555555555555",
		"azure_client_id": "11111111-2222-3333-4444-555555555555", "azure_client_secret": "tests-only-password",
		"azure_tenant_id":       "11111111-2222-3333-4444-555555555556",
		"azure_subscription_id": "11111111-2222-3333-4444-555555555557",
	} {
		env = append(env, "PKR_VAR_"+name+"="+value)
	}
	return env
}

// Case by case, the verdict is the one that Packer gave with the real plugins.
func TestVerdictsArePackers(t *testing.T) {
	t.Parallel()
	cache := toolCache(t)
	tool, err := packer.Memory(filepath.Join(cache, "memory")).Find(t.Context(),
		[]string{filepath.Join(cache, "bin", "packer"), "packer"}, project.MinPacker)
	if err != nil {
		t.Fatalf("no packer to test with: %v\nrun: make tools", err)
	}
	if *askPacker {
		tool.PluginDirs = filepath.SplitList(os.Getenv("PACKER_PLUGIN_PATH"))
	}
	tool.PluginDirs = append(tool.PluginDirs, filepath.Join(cache, "plugins"))
	tool.StandIns = []string{filepath.Join(cache, "lab-plugins")}
	var jobs []packer.Job
	var asked []mutation
	for _, m := range cases(t) {
		if job, ok := staged(t, m, tool); ok {
			jobs, asked = append(jobs, job), append(asked, m)
		}
	}
	want := verdicts(t, tool, jobs, asked)
	outcomes, err := tool.Prepare(t.Context(), filepath.Join(cache, "bin", "packer-hybrid-rpc"), jobs, 0)
	if err != nil {
		t.Fatalf("%v\nrun: make tools", err)
	}
	if len(outcomes) < 60 {
		t.Errorf("only %d cases get past the plan", len(outcomes))
	}
	for i, out := range outcomes {
		refused, known := want[asked[i].Name]
		if !known {
			t.Errorf("%s: Packer was never asked; run this test with -update", asked[i].Name)
			continue
		}
		if got := out.Status != hybridcore.Validated; got != refused || out.Status == hybridcore.BlockedStatus {
			t.Errorf("%s (%s): refused %v, by Packer %v: %s\n%v", asked[i].Name, asked[i].Target, got, refused, out.Status,
				&hybridcore.FindingsError{Findings: out.Findings})
		}
		if out.Status == hybridcore.Failed &&
			!slices.ContainsFunc(out.Findings,
				func(f hybridcore.Finding) bool { return f.File != "" && f.Line > 0 && f.Blocking }) {
			t.Errorf("%s: no finding has a place: %v", asked[i].Name, out.Findings)
		}
	}
}

// verdicts says which cases Packer refuses.
func verdicts(t *testing.T, tool packer.Tool, jobs []packer.Job, asked []mutation) map[string]bool {
	t.Helper()
	refused := map[string]bool{}
	if !*askPacker {
		data, err := os.ReadFile(verdictsFile)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(data, &refused); err != nil {
			t.Fatal(err)
		}
		return refused
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, runtime.NumCPU())
	for i, job := range jobs {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			out, err := tool.Validate(t.Context(), job)
			if err != nil {
				t.Errorf("%s: %v", asked[i].Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			refused[asked[i].Name] = out.Status != hybridcore.Validated
		})
	}
	all.Wait()
	data, err := json.MarshalIndent(refused, "", " ")
	if err == nil {
		err = os.WriteFile(verdictsFile, append(data, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return refused
}
