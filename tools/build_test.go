// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:28Z
// Spec: openspec/specs/tools/spec.md#requirement-packer-on-the-path
// Diagram: openspec/specs/tools/diagram.md#from-pin-to-binary

package tools_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// stubGo answers what tools/build asks go, and "builds" a packer that can
// install plugins.
const stubGo = `#!/bin/bash
case "$1 $2" in
  "env GOVERSION") echo "go1.26.0" ;;
  "env GOHOSTOS") echo linux ;;
  "env GOHOSTARCH") echo amd64 ;;
  build*)
    echo "compile: $* in $PWD" >>"$STUB_LOG"
    if [ -n "${STUB_FAIL:-}" ]; then echo "undefined: x" >&2; exit 1; fi
    while [ "$1" != -o ]; do shift; done
    case "$2" in */) mkdir -p "$2"; set -- -o "${2}packer-plugin-proxmox" ;; esac
    echo partial >"$2"
    sleep "${STUB_SLEEP:-0}"
    rm "$2"; cp -p "$STUB_PACKER" "$2" ;;
esac
`

// stubPacker is a packer of version $STUB_VERSION.
const stubPacker = `#!/bin/bash
case "$1" in
  version) echo "Packer v${STUB_VERSION:-1.15.0}"; echo "Your version is out of date" ;;
  plugins)
    echo "install $*" >>"$STUB_LOG"
    placed=$PACKER_PLUGIN_PATH/$5/packer-plugin-${5##*/}_v1.4.2_x5.0_linux_amd64
    mkdir -p "${placed%/*}"
    cp "$4" "$placed"
    echo sum >"${placed}_SHA256SUM" ;;
esac
`

// stubPython makes an environment whose pip installs a zizmor.
const stubPython = `#!/bin/bash
case "$1 $2" in
  "-m venv")
    [ -z "${STUB_FAIL:-}" ] || { echo "ensurepip is not available" >&2; exit 1; }
    mkdir -p "$3/bin"; cp -p "$0" "$3/bin/python3" ;;
  "-m pip")
    echo "pip: $*" >>"$STUB_LOG"
    [ -z "${STUB_HASH:-}" ] || { echo "THESE PACKAGES DO NOT MATCH THE HASHES" >&2; exit 1; }
    cp -p "$0" "${0%/*}/zizmor" ;;
esac
`

// buildSandbox is a copy of tools/build with two tool modules.
func buildSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(
		t, "tools/build", "tools/packer/go.mod", "tools/packer/go.sum",
		"tools/packer-plugin-vsphere/go.mod", "tools/packer-plugin-vsphere/go.sum", "tools/actionlint/go.mod",
		"tools/actionlint/go.sum",
		"tools/node/package.json", "tools/node/package-lock.json",
	)
	s.write("stubs/go", stubGo)
	s.write("stubs/python3", stubPython)
	s.write("tools/zizmor/requirements.txt", "zizmor==1.32.0 --hash=sha256:0\n")
	s.write("packer-of-ours", stubPacker)
	s.env = []string{"STUB_PACKER=" + filepath.Join(s.dir, "packer-of-ours")}
	return s
}

// builds counts how often the compiler ran.
func (s *sandbox) builds() int { return strings.Count(s.read("log"), "compile: ") }

// inUse is where the cache's link of a tool points, from the sandbox's folder.
func (s *sandbox) inUse(name string) string {
	s.t.Helper()
	return s.link("cache/bin/" + name)
}

// link is where a link points, from the sandbox's folder.
func (s *sandbox) link(name string) string {
	s.t.Helper()
	target, err := os.Readlink(filepath.Join(s.dir, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimPrefix(target, s.dir+"/")
}

func TestPackerOnPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, program, version string
		ours                   bool
		says                   string
	}{
		{"new enough", stubPacker, "1.14.0", false, "using packer 1.14.0 from "},
		{"the oldest", stubPacker, "1.10.0", false, "using packer 1.10.0 from "},
		{"a development version", stubPacker, "1.16.0-dev", false, "using packer 1.16.0 from "},
		{"too old", stubPacker, "1.9.4", true, "is not Packer 1.10 or newer; using ours"},
		{"another program that waits for input", "#!/bin/bash\ncat\n", "", true, "is not Packer 1.10 or newer; using ours"},
		{"broken", "#!/bin/bash\nexit 1\n", "", true, "is not Packer 1.10 or newer; using ours"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := buildSandbox(t)
			s.write("stubs/packer", c.program)
			s.env = append(s.env, "STUB_VERSION="+c.version)
			s.expect(s.run("tools/build", "packer"), 0, c.says)
			if ours := strings.HasPrefix(s.inUse("packer"), "cache/tools/packer-"); ours != c.ours ||
				s.builds() != btoi(c.ours) {
				t.Errorf("in use is %s after %d builds", s.inUse("packer"), s.builds())
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestOwnPackerOnPath has the cache itself on PATH: its link must not come to
// point at itself.
func TestOwnPackerOnPath(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	s.path = append([]string{filepath.Join(s.dir, "cache/bin")}, s.path...)
	for range 2 {
		s.expect(s.run("tools/build", "packer"), 0)
		if got := s.inUse("packer"); !strings.HasPrefix(got, "cache/tools/packer-") || s.builds() != 1 {
			t.Fatalf("in use is %s after %d builds", got, s.builds())
		}
	}
}

// TestDebianBase packs a system once, and leaves nothing of a failure.
func TestDebianBase(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	s.write("stubs/debootstrap", "#!/bin/bash\necho \"$*\" >>\"$STUB_LOG\"; mkdir -p \"$4\" && echo 12 "+
		">\"$4/version\"; echo 'E: no mirror'; exit ${STUB_FAIL:-0}\n")
	fail := s.env
	s.env = append(s.env, "STUB_FAIL=1")
	s.expect(s.run("tools/build", "debian-base"), 1, "E: no mirror", "debootstrap failed")
	s.env = fail
	s.expect(s.run("tools/build", "debian-base"), 0, "made a minimal Debian 12 in ")
	if again := s.run("tools/build", "debian-base"); again != (outcome{}) || strings.Count(s.read("log"), "minbase") != 2 {
		t.Errorf("the third run said %+v; debootstrap ran with\n%s", again, s.read("log"))
	}
	entries, err := os.ReadDir(filepath.Join(s.dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was left", e.Name())
		}
	}
}

// TestZizmor installs the pinned package once, by its digests only, and leaves
// nothing of a failure.
func TestZizmor(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	working := s.env
	for fails, says := range map[string]string{
		"STUB_FAIL=1": "apt-get install python3-venv",
		"STUB_HASH=1": "DO NOT MATCH THE HASHES",
	} {
		s.env = append(slices.Clone(working), fails)
		s.expect(s.run("tools/build", "zizmor"), 1, says)
	}
	s.env = working
	s.expect(s.run("tools/build", "zizmor"), 0, "installed the Python package of tools/zizmor in ")
	first := s.inUse("zizmor")
	if again := s.run("tools/build", "zizmor"); again != (outcome{}) || strings.Count(s.read("log"), "pip: ") != 2 {
		t.Errorf("the fourth run said %+v; pip ran with\n%s", again, s.read("log"))
	}
	for line := range strings.Lines(s.read("log")) {
		if !strings.Contains(line, " --require-hashes ") || !strings.Contains(line, " --only-binary :all: ") ||
			!strings.Contains(line, " --no-deps ") {
			t.Errorf("what is not pinned could be installed: %s", line)
		}
	}
	if left, err := filepath.Glob(filepath.Join(s.dir, "cache/zizmor-*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
	s.write("tools/zizmor/requirements.txt", "zizmor==1.33.0 --hash=sha256:1\n")
	s.expect(s.run("tools/build", "zizmor"), 0)
	if s.inUse("zizmor") == first {
		t.Error("another pin left the old one in use")
	}
}

// TestZizmorPinned: what is pinned is never the version that wrote the token
// into its log, and has the digests of its files.
func TestZizmorPinned(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("zizmor/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	pins := regexp.MustCompile(`(?m)^([a-z]+)==([0-9.]+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$`).FindAllStringSubmatch(
		string(text), -1)
	if len(pins) != 1 || pins[0][1] != "zizmor" || pins[0][2] == "1.27.0" {
		t.Errorf("the pins are %q", pins)
	}
}

func TestBuildOnce(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	s.expect(s.run("tools/build", "actionlint"), 0, "building actionlint v1.7.12", "built actionlint in ")
	if log := s.read("log"); !strings.Contains(log, "-trimpath") || !strings.Contains(log, "tools/actionlint") ||
		!strings.Contains(log, "github.com/rhysd/actionlint/cmd/actionlint in") {
		t.Errorf("go was called with: %s", log)
	}
	first := s.inUse("actionlint")
	if again := s.run("tools/build", "actionlint"); again != (outcome{}) || s.builds() != 1 {
		t.Errorf("the second run said %+v; %d builds", again, s.builds())
	}
	s.write("tools/actionlint/go.sum", "changed\n")
	s.expect(s.run("tools/build", "actionlint"), 0, "building actionlint")
	if s.inUse("actionlint") == first || s.builds() != 2 {
		t.Errorf("a changed go.sum left %s in use after %d builds", first, s.builds())
	}
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	s.expect(s.run("tools/build", "actionlint"), 0)
	before := s.inUse("actionlint")
	s.write("tools/actionlint/go.sum", "changed\n")
	s.env = append(s.env, "STUB_FAIL=1")
	s.expect(s.run("tools/build", "actionlint", "packer"), 1, "undefined: x", "building actionlint v1.7.12 failed")
	if s.inUse("actionlint") != before || strings.Contains(s.read("log"), "tools/packer\n") {
		t.Errorf("in use is %s, was %s; log:\n%s", s.inUse("actionlint"), before, s.read("log"))
	}
	s.expect(s.run("tools/build", "nonsense"), 1, "no tool module named 'nonsense'")
}

func TestTwoBuildsAtOnce(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	s.env = append(s.env, "STUB_SLEEP=0.5")
	var wg sync.WaitGroup
	outcomes := make([]outcome, 4)
	for i := range outcomes {
		wg.Go(func() { outcomes[i] = s.run("tools/build", "packer-plugin-vsphere", "packer", "actionlint") })
	}
	wg.Wait()
	for _, o := range outcomes {
		s.expect(o, 0)
	}
	if s.builds() != 3 || strings.Count(s.read("log"), "plugins install") != 1 {
		t.Errorf("each tool is built once, the plugin placed once; log:\n%s", s.read("log"))
	}
}

// TestBuildKilled kills a build in the middle of the compiler: what it left
// must not be taken for a tool.
func TestBuildKilled(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	env := s.env
	s.env = append(s.env, "STUB_SLEEP=60")
	cmd := s.command("tools/build", "actionlint")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); s.builds() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			t.Fatal("the compiler was not started")
		}
	}
	if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed, as intended
	s.env = env
	s.expect(s.run("tools/build", "actionlint"), 0, "built actionlint")
	if got := s.read(s.inUse("actionlint")); got != stubPacker {
		t.Errorf("the tool is %q", got)
	}
}

func TestPlugin(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	const placed = "cache/plugins/github.com/hashicorp/vsphere/packer-plugin-vsphere_v1.4.2_x5.0_linux_amd64"
	s.expect(s.run("tools/build", "packer-plugin-vsphere"), 0, "building packer-plugin-vsphere v1.4.2")
	if s.read(placed) != stubPacker ||
		!strings.Contains(s.read("log"), "-X github.com/hashicorp/packer-plugin-vsphere/version.VersionPrerelease= ") {
		t.Fatalf("not placed, or built as a prerelease; log:\n%s", s.read("log"))
	}
	if again := s.run("tools/build", "packer-plugin-vsphere"); again != (outcome{}) {
		t.Errorf("the second run said %+v", again)
	}
	s.write(placed, "#!/bin/bash\necho tampered\n")
	s.expect(s.run("tools/build", "packer-plugin-vsphere"), 0)
	if s.read(placed) != stubPacker {
		t.Error("a changed plugin was left in place")
	}
}

// TestLabPlugins: the stand-ins are ours, so that any of their sources makes
// them new; they never lie beside real plugins.
func TestLabPlugins(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	const placed = "cache/lab-plugins/github.com/hashicorp/proxmox/packer-plugin-proxmox_v1.4.2_x5.0_linux_amd64"
	s.write("plugins/go.mod", "module x\n")
	s.write("plugins/cmd/packer-plugin-proxmox/main.go", "package main\n")
	s.expect(s.run("tools/build", "lab-plugins"), 0, "built the lab's stand-ins in ")
	if s.read(placed) != stubPacker || s.read(placed+"_SHA256SUM") == "" ||
		!strings.Contains(s.read("log"), "./cmd/packer-plugin-... in "+s.dir+"/plugins") {
		t.Fatalf("not placed; log:\n%s", s.read("log"))
	}
	built := s.builds()
	s.write("plugins/cmd/packer-plugin-proxmox/main_test.go", "package main\n")
	if again := s.run("tools/build", "lab-plugins"); again != (outcome{}) || s.builds() != built {
		t.Errorf("the second run said %+v", again)
	}
	first := s.link("cache/lab-plugins")
	s.write("plugins/cmd/packer-plugin-proxmox/main.go", "package main // changed\n")
	s.env = append(s.env, "STUB_FAIL=1")
	s.expect(s.run("tools/build", "lab-plugins"), 1, "undefined: x", "building the lab's stand-ins failed")
	if s.link("cache/lab-plugins") != first {
		t.Error("a build that failed is in use")
	}
	s.env = s.env[:len(s.env)-1]
	s.expect(s.run("tools/build", "lab-plugins"), 0, "built the lab's stand-ins")
	if s.link("cache/lab-plugins") == first {
		t.Error("changed sources left the old ones in use")
	}
	if found, err := filepath.Glob(filepath.Join(s.dir, "cache/plugins/*")); err != nil || len(found) > 0 {
		t.Errorf("among real plugins: %v, %v", found, err)
	}
}

func TestNodeTooOld(t *testing.T) {
	t.Parallel()
	s := buildSandbox(t)
	s.write("stubs/node", "#!/bin/bash\necho v18.20.4\n")
	s.expect(s.run("tools/build", "node"), 1, "tools/node needs Node 20 or newer with npm (found: v18.20.4)",
		"apt-get install nodejs npm")
}
