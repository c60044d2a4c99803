// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:12:00Z
// Spec: openspec/specs/container/spec.md#requirement-what-the-image-holds
// Spec: openspec/specs/container/spec.md#requirement-rights-of-the-image
// Diagram: openspec/specs/container/diagram.md#from-sources-to-image

//go:build pipelines

package pipelines_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab/vsphere"
)

// imageUser is the user of the image.
const imageUser = 65532

// sealed is how the image can always run: as an ordinary user, without a
// writable root, capabilities or new privileges.
var sealed = []string{"--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"}

// TestContainer builds the Dockerfile and runs what came out.
func TestContainer(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	e.bases(t)
	e.build(t, "bare", bareImage)
	e.build(t, "image", plainImage)
	e.build(t, "action", actionImage)
	e.serve(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *engine)
	}{
		{"metadata", testMetadata},
		{"licences", testLicences},
		{"without Packer", testBare},
		{"exit codes", testExitCodes},
		{"somebody else's project", testForeignProject},
		{"mounted plugins", testMountedPlugins},
		{"build", testImageBuild},
		{"cancel", testImageCancel},
		{"rights of the action", testActionRights},
		{"variables of an earlier step", testHostileEnvironment},
		{"action", testAction},
		{"command that is a shell line", testHostileCommand},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, e) })
	}
}

// project makes a new project that belongs to a user, and returns its commit.
func project(t *testing.T, uid int) (dir, head string) {
	t.Helper()
	c := newCheckout(t, "action.yml", "Dockerfile")
	head = c.commit("base")
	give(t, c.dir, uid)
	return c.dir, head
}

// mounted are the options that mount a project.
func mounted(dir string) []string { return append(slices.Clone(sealed), "--volume", dir+":/project") }

// in is the engine with the lab's variables, and the options with which a
// container reaches the lab: these variables, of which none is on a command
// line, and its certificate authority, which is copied to where its user can
// read it.
func (e *engine) in(t *testing.T) (*engine, []string) {
	t.Helper()
	inside := &engine{lab: e.lab, dir: e.dir, address: e.address, env: append(slices.Clone(e.env), e.lab.Env()...)}
	for _, entry := range e.lab.Env() {
		if name, value, _ := strings.Cut(entry, "="); name == "SSL_CERT_FILE" {
			file := filepath.Join(t.TempDir(), "ca.pem")
			copyFile(t, value, file)
			return inside, []string{"--env", "PKR_VAR_*", "--volume", file + ":/ca.pem:ro", "--env", "SSL_CERT_FILE=/ca.pem"}
		}
	}
	t.Fatal("the lab names no certificate authority")
	return nil, nil
}

// pinned is a base image of the Dockerfile that nobody can exchange.
var pinned = regexp.MustCompile(`(?m)^ARG [A-Z]+_IMAGE=docker\.io/library/\S+@sha256:[0-9a-f]{64}$`)

// testMetadata looks at the image without packer-hybrid.
func testMetadata(t *testing.T, e *engine) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository, "Dockerfile"))
	if n := len(pinned.FindAll(text, -1)); err != nil || n != 2 {
		t.Errorf("%d base images are pinned by digest, want both; %v", n, err)
	}
	var config struct {
		User   string
		Labels map[string]string
	}
	if err := json.Unmarshal([]byte(e.must(t, "podman", "image", "inspect", "--format", "{{json .Config}}", plainImage)),
		&config); err != nil {
		t.Fatal(err)
	}
	if config.User != "65532:65532" {
		t.Errorf("the image runs as %q", config.User)
	}
	for name, want := range map[string]string{
		"version": "1.2.3-test", "revision": "0123456789abcdef",
		"licenses": "Apache-2.0 AND MPL-2.0 AND BUSL-1.1", "title": "packer-hybrid",
	} {
		if got := config.Labels["org.opencontainers.image."+name]; got != want {
			t.Errorf("the label %s is %q, want %q", name, got, want)
		}
	}
	if _, out := e.run(t, "--user=0", "--entrypoint=sh", plainImage, "-c",
		"find / -xdev -type f -perm /6000; command -v go gcc make"); out != "" {
		t.Errorf("setuid or setgid programs, or compilers:\n%s", out)
	}
}

// testLicences looks for the texts of what the image redistributes.
func testLicences(t *testing.T, e *engine) {
	t.Helper()
	script := `cd /usr/share/doc
for p in $(dpkg-query -W -f '${Package}\n'); do test -s $p/copyright || echo "no copyright of $p"; done
cd packer-hybrid
grep -q 'Apache License' LICENSE && grep -q 'Business Source License' NOTICE || echo 'no LICENSE or NOTICE'
cd licences
grep -l 'Business Source License 1.1' github.com/hashicorp/packer@*/LICENSE >/dev/null || echo 'no licence of Packer'
for p in packer-plugin-vsphere packer-plugin-ansible packer-plugin-sdk; do
  grep -l 'Mozilla Public License' github.com/hashicorp/$p@*/LICENSE* >/dev/null || echo "no licence of $p"
done
test -s go/LICENSE || echo 'no licence of Go'
find . -type f | wc -l`
	code, out := e.run(t, "--entrypoint=sh", plainImage, "-c", script)
	if n, err := strconv.Atoi(strings.TrimSpace(out)); code != 0 || err != nil || n < 300 {
		t.Errorf("exit code %d, want some 400 texts\n%s", code, tail(out))
	}
}

// testBare runs the image without Packer, and gives it one.
func testBare(t *testing.T, e *engine) {
	t.Helper()
	label := e.must(t, "podman", "image", "inspect", "--format",
		`{{index .Config.Labels "org.opencontainers.image.licenses"}}`, bareImage)
	if label != "Apache-2.0 AND MPL-2.0" {
		t.Errorf("the label is %q", label)
	}
	if _, out := e.run(t, "--entrypoint=sh", bareImage, "-c", "command -v packer; grep -rl 'Business Source License' "+
		"/usr/local /usr/share/doc/packer-hybrid/licences"); out != "" {
		t.Errorf("Packer is in it:\n%s", out)
	}
	dir, _ := project(t, imageUser)
	line := []string{bareImage, "validate", "--full", "--no-cache", "debian-12", "--env", "lab", "--targets", "vsphere"}
	e, reach := e.in(t)
	options := append(mounted(dir), reach...)
	if code, out := e.run(t, append(slices.Clone(options), line...)...); code == 0 ||
		!strings.Contains(strings.ToLower(out), "packer") {
		t.Errorf("without Packer: exit code %d\n%s", code, out)
	}
	packer, err := filepath.EvalSymlinks(filepath.Join(cache(t), "bin", "packer"))
	if err != nil {
		t.Fatal(err)
	}
	options = append(options, "--volume", packer+":/usr/local/bin/packer:ro")
	if code, out := e.run(t, append(slices.Clone(options), line...)...); code != 0 {
		t.Errorf("with a mounted Packer: exit code %d\n%s", code, out)
	}
}

// testExitCodes has exit codes come out of a sealed container; 1 and 130 do where
// something is built.
func testExitCodes(t *testing.T, e *engine) {
	t.Helper()
	dir, _ := project(t, imageUser)
	for _, test := range []struct {
		line string
		code int
		says string
	}{
		{"version", 0, "packer-hybrid 1.2.3-test ("},
		{"plan --env example --detailed-exitcode", 4, "2 to build"},
		{"pan", 2, "unknown command"},
		{"lab --version", 0, "packer-hybrid lab version 1.2.3-test"},
		{"validate --full --env lab --targets proxmox", 3, "the Packer plugin github.com/hashicorp/proxmox"},
	} {
		args := append(mounted(dir), plainImage)
		if code, out := e.run(t, append(args, strings.Fields(test.line)...)...); code != test.code ||
			!strings.Contains(out, test.says) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", test.line, code, test.code, test.says, tail(out))
		}
	}
}

// testForeignProject plans in a checkout that another user owns, as a CI system
// mounts it.
func testForeignProject(t *testing.T, e *engine) {
	t.Helper()
	dir, _ := project(t, 12345)
	args := append(slices.Clone(sealed), "--volume", dir+":/project:ro", plainImage, "plan", "--base", "main...", "--env",
		"lab")
	if code, out := e.run(t, args...); code != 0 || !strings.Contains(out, "0 to build, 6 unchanged") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	args = append(slices.Clone(sealed), "--volume", dir+":/project", plainImage, "validate", "--env", "example")
	if code, out := e.run(t, args...); code == 0 || !strings.Contains(out, "give this user write permission") {
		t.Errorf("without the permission to write: exit code %d\n%s", code, out)
	}
}

// testMountedPlugins takes plugins from where a user mounts them.
func testMountedPlugins(t *testing.T, e *engine) {
	t.Helper()
	dir, _ := project(t, imageUser)
	e, reach := e.in(t)
	options := append(mounted(dir), reach...)
	line := []string{plainImage, "validate", "--full", "--no-cache", "debian-12", "--env", "lab", "--targets", "vsphere"}
	code, out := e.run(t, append(slices.Clone(options), line...)...)
	if code != 0 || !strings.Contains(out, "ansible 1.1.2, vsphere 1.4.2") || strings.Contains(out, "warning") {
		t.Fatalf("with the image's plugins: exit code %d\n%s", code, out)
	}
	options = append(options, "--env", "PACKER_HYBRID_PLUGINS=/nowhere")
	if code, out := e.run(t, append(slices.Clone(options), line...)...); code != 3 ||
		!strings.Contains(out, "the Packer plugin github.com/hashicorp/") {
		t.Errorf("without any: exit code %d\n%s", code, out)
	}
	plugins := filepath.Join(t.TempDir(), "plugins")
	if err := os.CopyFS(plugins, os.DirFS(filepath.Join(cache(t), "plugins"))); err != nil {
		t.Fatal(err)
	}
	options = append(options, "--volume", plugins+":/plugins:ro")
	if code, out := e.run(t, append(slices.Clone(options), line...)...); code != 0 ||
		!strings.Contains(out, "the lock holds no hash of the plugin github.com/hashicorp/vsphere") {
		t.Errorf("with mounted ones: exit code %d\n%s", code, out)
	}
}

// testImageBuild builds a target of the lab in a sealed container: real Packer,
// real plugins, real Ansible.
func testImageBuild(t *testing.T, e *engine) {
	t.Helper()
	dir, _ := project(t, imageUser)
	e, reach := e.in(t)
	args := append(append(mounted(dir), reach...), plainImage, "build", "debian-12", "--env", "lab", "--targets",
		"vsphere")
	if code, out := e.run(t, args...); code != 0 || !strings.Contains(out, "build in ") ||
		!strings.Contains(out, "ansible               default: ok=") {
		t.Fatalf("exit code %d\n%s", code, out)
	}
	machines, err := e.lab.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(machines,
		func(m vsphere.VM) bool { return m.Template && strings.HasPrefix(m.Name, "debian-12-") }) {
		t.Errorf("vCenter has no template: %v", machines)
	}
	belongs(t, filepath.Join(dir, "state"), imageUser)
	// A platform that is not there any more fails the target.
	args = append(args, "--rebuild")
	i := slices.Index(args, "SSL_CERT_FILE=/ca.pem")
	args[i] = "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"
	if code, out := e.run(t, args...); code != 1 || !strings.Contains(out, "certificate signed by unknown authority") {
		t.Errorf("with a certificate that nobody knows: exit code %d\n%s", code, out)
	}
}

// belongs fails when something at or below a path is another user's.
func belongs(t *testing.T, path string, uid int) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(path, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		n++
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != uid {
			t.Errorf("%s is of the user %d, want %d", path, owner.Uid, uid)
		}
		return nil
	})
	if err != nil || n < 2 {
		t.Errorf("%s: %d files, %v", path, n, err)
	}
}

// testImageCancel stops a container in the middle of its build.
func testImageCancel(t *testing.T, e *engine) {
	t.Helper()
	dir, _ := project(t, imageUser)
	e, reach := e.in(t)
	args := append(append([]string{"podman", "run", "--rm"}, mounted(dir)...), reach...)
	cmd := e.cmd(t, append(args, plainImage, "build", "debian-12", "--env", "lab", "--targets", "vsphere")...)
	said, wait := working(t, cmd, "Executing Ansible")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = wait() // its exit code is looked at
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d, want 130\n%s", code, said())
	}
	if left := machines(t, e.lab); len(left) > 0 {
		t.Errorf("vCenter still has %v\n%s", left, said())
	}
}
