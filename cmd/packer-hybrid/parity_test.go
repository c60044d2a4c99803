// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:41:16Z
// Spec: openspec/specs/parity/spec.md#requirement-policy
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

// recordRun records a build of debian-12 with an inventory for each platform.
func recordRun(t *testing.T, dir, run string, inventories map[hybridcore.Platform][]byte) {
	t.Helper()
	store, err := directory.Open(filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	rec := hybridcore.Record{
		RunID: run, At: time.Now(), Status: hybridcore.Built,
		Request: hybridcore.Request{Action: hybridcore.ActionBuild, Env: "lab"},
	}
	files := map[string][]byte{}
	for platform, data := range inventories {
		name := "debian-12@" + string(platform) + ".inventory.json"
		files[name] = data
		rec.Results = append(rec.Results, hybridcore.Result{
			Target: "debian-12@" + string(platform), Image: "debian-12", Platform: platform, Status: hybridcore.Built,
			Inventory: &hybridcore.Inventory{File: "records/" + run + "/" + name, SHA256: parity.Digest(data), Packages: 1},
		})
	}
	if err := store.Append(t.Context(), rec, files); err != nil {
		t.Fatal(err)
	}
	err = store.Update(t.Context(), func(s *hybridcore.Snapshot) error {
		s.Targets = map[string]hybridcore.Current{}
		for _, res := range rec.Results {
			s.Targets["lab/"+res.Target] = hybridcore.Current{RunID: run, At: rec.At, Inventory: res.Inventory}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func invoke(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	var out, errs bytes.Buffer
	code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, args,
		[]string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")})
	return code, out.String(), errs.String()
}

func TestParityVerb(t *testing.T) {
	dir := t.TempDir()
	if code, _, errs := invoke(t, "init", dir); code != 0 {
		t.Fatal(errs)
	}
	if code, _, errs := invoke(t, "parity", "-C", dir); code != hybridcore.ExitUsage ||
		!strings.Contains(errs, "build first") {
		t.Errorf("without a build: exit %d, %s", code, errs)
	}
	real, err := os.ReadFile("../../hybridcore/parity/testdata/vsphere.json")
	if err != nil {
		t.Fatal(err)
	}
	recordRun(t, dir, "20261101t000000-00000001", map[hybridcore.Platform][]byte{"proxmox": real, "vsphere": real})
	code, out, errs := invoke(t, "parity", "-C", dir)
	if code != hybridcore.ExitOK || !strings.Contains(out, "identical in what is compared, but for 0 keys") {
		t.Errorf("the same guest twice: exit %d\n%s%s", code, out, errs)
	}
	pinned := bytes.Replace(real, []byte("7.88.1-10"), []byte("7.74.0-1"), 1)
	if bytes.Equal(pinned, real) {
		t.Fatal("the fixture has no curl 7.88.1-10")
	}
	recordRun(t, dir, "20261102t000000-00000002", map[hybridcore.Platform][]byte{"proxmox": pinned, "vsphere": real})
	code, out, _ = invoke(t, "parity", "-C", dir, "debian-12", "--against", "20261101t000000-00000001", "--env", "lab")
	for _, want := range []string{
		"1 UNEXPECTED", "unexpected packages curl", "proxmox  7.74.0-1", "vsphere  7.88.1-10",
		"cause    templates/", "blocked: ", " → 7.74.0-1",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the report lacks %q:\n%s", want, out)
		}
	}
	if code != hybridcore.ExitBlocked {
		t.Errorf("planted difference: exit %d", code)
	}
	code, out, _ = invoke(t, "parity", "-C", dir, "--allow-template")
	if code != hybridcore.ExitBlocked || !strings.HasPrefix(out, "# proxmox: 7.74.0-1") ||
		!strings.Contains(out, "allow \"packages\" \"curl\" {\n  platforms = [\"proxmox\", \"vsphere\"]\n") {
		t.Errorf("the entry to paste: exit %d\n%s", code, out)
	}
	code, out, _ = invoke(t, "parity", "-C", dir, "--output", "json")
	var doc hybridcore.Answer
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != hybridcore.ExitBlocked ||
		len(doc.Parity.Parity[0].Unexpected) != 1 {
		t.Errorf("json: exit %d, %v\n%s", code, err, out)
	}
	if code, _, errs := invoke(t, "parity", "-C", dir, "--record", "../x"); code != hybridcore.ExitUsage {
		t.Errorf("a run that is no name: exit %d, %s", code, errs)
	}
}
