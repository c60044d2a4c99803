// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:24:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package plugins_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/plugins/proxmox"
)

// inLab is set for the test binary that runs in the lab; its value is the folder with the plugins.
const inLab = "STANDIN_TEST_PLUGINS"

// packer is the one that tools/build makes, or that is on PATH.
func packer(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("PACKER_HYBRID_CACHE")
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(base, "packer-hybrid")
	}
	path := filepath.Join(dir, "bin", "packer")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run tools/build packer", err)
	}
	return path
}

// run runs a program, with its output in the test's log when it fails.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// TestBuilds builds both stand-ins and runs the tests below in a lab, with the real Packer.
func TestBuilds(t *testing.T) {
	if os.Getenv(inLab) != "" {
		t.Run("Proxmox VE", testProxmox)
		t.Run("Azure", testAzure)
		t.Run("failure", testFailure)
		t.Run("cancellation", testCancellation)
		t.Run("server elsewhere", testElsewhere)
		return
	}
	dir := t.TempDir()
	run(t, ".", "go", "build", "-o", dir+"/", "./cmd/...")
	run(t, "..", "go", "build", "-o", dir+"/", "./cmd/...")
	t.Setenv("CHECKPOINT_DISABLE", "1")
	t.Setenv("PACKER_PLUGIN_PATH", filepath.Join(dir, "plugins"))
	t.Setenv("PACKER_NO_COLOR", "1")
	for _, name := range []string{"proxmox", "azure"} {
		run(t, dir, packer(t), "plugins", "install", "--path", filepath.Join(dir, "packer-plugin-"+name),
			"github.com/hashicorp/"+name)
	}
	code, out := build(t.Context(), t, "proxmox", "-var=proxmox_url=https://127.0.0.1:1", "-var=proxmox_username=u",
		"-var=proxmox_token=t",
		"-var=proxmox_ssh_proxy_host=127.0.0.1", "-var=proxmox_ssh_proxy_port=1", "-var=build_username=u",
		"-var=build_password=p", "-var=communicator_port=22")
	if code != 1 || !strings.Contains(out, "packer plugins install github.com/hashicorp/proxmox") ||
		!strings.Contains(out, "lab run") {
		t.Errorf("a build outside the lab ended with %d and\n%s", code, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(inLab, dir)
	t.Setenv("PACKER_HYBRID_CACHE", ownCache(t))
	run(t, ".", filepath.Join(dir, "packer-hybrid"), "lab", "run", "--pass", inLab+",PACKER_NO_COLOR", "--", self,
		"-test.run=^TestBuilds$", "-test.count=1")
}

// ownCache is the cache of tools for a lab of the test's own: when its user has a lab up, that one is not joined.
func ownCache(t *testing.T) string {
	t.Helper()
	from, to := filepath.Dir(filepath.Dir(packer(t))), t.TempDir()
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "labs" && !strings.HasPrefix(name, "lab.json") &&
			!strings.HasPrefix(name, "lab-id") {
			if err := os.Symlink(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return to
}

// build builds a template of testdata and returns Packer's exit code and output. The end of ctx is SIGTERM.
func build(ctx context.Context, t *testing.T, template string, args ...string) (int, string) {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", template+".pkr.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, packer(t), append(append([]string{"build", "-machine-readable"}, args...), path)...)
	cmd.Dir = t.TempDir()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) && ctx.Err() == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// pve reads something of the lab's Proxmox VE.
func pve(t *testing.T, path string, out any) {
	t.Helper()
	client, err := proxmox.Plugin().Client()
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, os.Getenv("PKR_VAR_proxmox_url")+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization",
		"PVEAPIToken="+os.Getenv("PKR_VAR_proxmox_username")+"="+os.Getenv("PKR_VAR_proxmox_token"))
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &struct {
		Data any `json:"data"`
	}{out}); err != nil {
		t.Fatalf("%s: %v: %s", path, err, text)
	}
}

// left are the names of machines and the CDs in the lab's Proxmox VE.
func left(t *testing.T) (machines, discs []string) {
	t.Helper()
	var list []struct{ Name string }
	pve(t, "/cluster/resources?type=vm", &list)
	for _, m := range list {
		machines = append(machines, m.Name)
	}
	var volumes []struct{ Volid string }
	pve(t, "/nodes/pve1/storage/local/content", &volumes)
	for _, v := range volumes {
		if strings.Contains(v.Volid, "packer") {
			discs = append(discs, v.Volid)
		}
	}
	return machines, discs
}

func testProxmox(t *testing.T) {
	code, out := build(t.Context(), t, "proxmox")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	for _, want := range []string{
		"Stand-in of the lab", "artifact,0,builder-id,proxmox.iso",
		"artifact,0,builder-id,proxmox.clone", "provisioned by packer",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	machines, discs := left(t)
	if diff := cmp.Diff([]string{"lab-clone", "lab-golden"}, sorted(machines, "lab-")); diff != "" || len(discs) != 0 {
		t.Errorf("templates: want (-), got (+):\n%s\nCDs left: %q", diff, discs)
	}
	for _, id := range []string{"100", "101"} {
		var settings map[string]any
		pve(t, "/nodes/pve1/qemu/"+id+"/config", &settings)
		if settings["template"] == nil || settings["sshkeys"] != nil || settings["ciuser"] != nil {
			t.Errorf("the settings of %s: %v", id, settings)
		}
		if settings["name"] == "lab-golden" &&
			(settings["description"] != "built" || settings["virtio0"] == nil || settings["sata0"] != nil) {
			t.Errorf("the settings of the ISO build: %v", settings)
		}
	}
}

// sorted are the texts with a prefix, in order.
func sorted(list []string, prefix string) []string {
	var found []string
	for _, one := range list {
		if strings.HasPrefix(one, prefix) {
			found = append(found, one)
		}
	}
	if len(found) == 2 && found[0] > found[1] {
		found[0], found[1] = found[1], found[0]
	}
	return found
}

func testAzure(t *testing.T) {
	code, out := build(t.Context(), t, "azure")
	if code != 0 {
		t.Fatalf("exit code %d:\n%s", code, out)
	}
	for _, want := range []string{
		"Stand-in of the lab", "artifact,0,builder-id,Azure.ResourceManagement.VMImage",
		"/resourceGroups/golden-images/providers/Microsoft.Compute/images/lab-golden\n",
		"galleries/labgallery/images/debian-12/versions/1.2.3",
		"Resource group has been deleted.", "provisioned by packer ph-temp",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	// The image is taken now.
	if code, out := build(t.Context(), t, "azure"); code != 1 || !strings.Contains(out, "already exists") {
		t.Errorf("a second build ended with %d:\n%s", code, out)
	}
	if code, out := build(t.Context(), t, "azure", "-force"); code != 0 {
		t.Errorf("a second build with -force ended with %d:\n%s", code, out)
	}
}

func testFailure(t *testing.T) {
	before, _ := left(t)
	for _, template := range []string{"proxmox", "azure"} {
		code, out := build(t.Context(), t, template, "-var=script=exit 7", "-force")
		if code != 1 || !strings.Contains(out, "exit status: 7") {
			t.Errorf("a %s build whose script fails ended with %d:\n%s", template, code, out)
		}
		if template == "azure" && !strings.Contains(out, "Resource group has been deleted.") {
			t.Errorf("the resource group stays:\n%s", out)
		}
	}
	machines, discs := left(t)
	if len(machines) != len(before)-2 || len(discs) != 0 { // -force has deleted the old two
		t.Errorf("before %q, left %q and the CDs %q", before, machines, discs)
	}
}

func testCancellation(t *testing.T) {
	before, _ := left(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	code, out := build(ctx, t, "proxmox", "-var=script=sleep 300")
	machines, discs := left(t)
	if code != 1 || !strings.Contains(out, "provisioned by packer") || len(machines) != len(before) || len(discs) != 0 {
		t.Errorf("a cancelled build ended with %d and left %q and %q:\n%s", code, machines, discs, out)
	}
}

func testElsewhere(t *testing.T) {
	for url, want := range map[string]string{
		"https://198.51.100.7:8006/api2/json": "198.51.100.7 is not a loopback address",
		"http://127.0.0.1:9/api2/json":        "is not an https address",
	} {
		code, out := build(t.Context(), t, "proxmox", "-only=proxmox-clone.linux", "-var=proxmox_url="+url)
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("a build on %s ended with %d:\n%s", url, code, out)
		}
	}
}
