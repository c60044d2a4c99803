// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:21:46Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// fixture copies testdata/project so that a test can change it.
func fixture(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "project")
	if err := os.CopyFS(dir, os.DirFS("testdata/project")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func load(t *testing.T, dir string) *templates.Set {
	t.Helper()
	set, err := templates.Load(open(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestCatalogue reads the images that Load reads, also beside a template that
// nobody can read.
func TestCatalogue(t *testing.T) {
	dir := fixture(t)
	want := load(t, dir).Images()
	write(t, filepath.Join(dir, "templates/platforms/vsphere.pkr.hcl"), "source {")
	root := open(t, dir)
	got, err := templates.Catalogue(root)
	if diff := cmp.Diff(want, got); err != nil || len(got) == 0 || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := templates.Load(root); err == nil {
		t.Error("the template was loaded")
	}
	write(t, filepath.Join(dir, "templates/images.hcl"), "imgae \"debian-12\" {}")
	if _, err := templates.Catalogue(root); err == nil || !strings.Contains(err.Error(), "images.hcl:1") {
		t.Errorf("a broken catalogue: %v", err)
	}
}

func TestTarget(t *testing.T) {
	dir := fixture(t)
	write(t, filepath.Join(dir, "templates/ansible/linux.yml~"), "left by an editor")
	write(t, filepath.Join(dir, "templates/ansible/__pycache__/x.pyc"), "left by Python")
	set := load(t, dir)
	target, err := set.Target("debian-12", hybridcore.VSphere, "lab", hybridcore.Variable{})
	if err != nil {
		t.Fatal(err)
	}
	if target.Name() != "debian-12@vsphere" || target.Source != "vsphere-iso.linux" || target.Env != "lab" ||
		target.Image.Title != "Debian 12 (bookworm)" {
		t.Errorf("target %+v", target)
	}
	var got []string
	for _, f := range target.Files {
		got = append(got, fmt.Sprintf("%s < %s %v", f.Path, f.From, f.Common))
		if len(f.SHA256) != 64 {
			t.Errorf("%s has the digest %q", f.Path, f.SHA256)
		}
	}
	want := []string{
		"ansible/linux.yml < templates/ansible/linux.yml true",
		"ansible/roles/base/files/run.sh < templates/ansible/roles/base/files/run.sh true",
		"ansible/roles/base/files/same.sh < templates/ansible/roles/base/files/same.sh true",
		"ansible/roles/base/tasks/main.yml < templates/ansible/roles/base/tasks/main.yml true",
		"common.pkr.hcl < templates/common.pkr.hcl true",
		"installers/debian/preseed.cfg.pkrtpl.hcl < templates/installers/debian/preseed.cfg.pkrtpl.hcl false",
		"scripts/linux/inventory.py < templates/scripts/linux/inventory.py true",
		"vsphere.pkr.hcl < templates/platforms/vsphere.pkr.hcl false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again, err := load(t, dir).Target("debian-12", hybridcore.VSphere, "lab", hybridcore.Variable{})
	if err != nil || cmp.Diff(target, again) != "" {
		t.Errorf("a second load differs: %v %s", err, cmp.Diff(target, again))
	}
}

// One image has one recipe: what its platforms share is equal, on all of them.
func TestRecipeIsEqualOnAllPlatforms(t *testing.T) {
	set := load(t, fixture(t))
	var recipes, digests []string
	for _, platform := range []hybridcore.Platform{hybridcore.VSphere, hybridcore.Azure} {
		target, err := set.Target("debian-12", platform, "lab", hybridcore.Variable{})
		if err != nil {
			t.Fatal(err)
		}
		target.Seal(nil)
		recipes, digests = append(recipes, target.Recipe), append(digests, target.Digest)
	}
	if recipes[0] != recipes[1] || digests[0] == digests[1] {
		t.Errorf("recipes %v, digests %v", recipes, digests)
	}
}

func TestTargetOfAnotherSystem(t *testing.T) {
	target, err := load(t, fixture(t)).Target("windows-2022", hybridcore.VSphere, "lab", hybridcore.Variable{})
	if err != nil || target.Source != "vsphere-iso.windows" {
		t.Fatalf("source %s, error %v", target.Source, err)
	}
	if slices.ContainsFunc(target.Files,
		func(f hybridcore.File) bool { return strings.HasPrefix(f.Path, "scripts/linux/") }) {
		t.Error("scripts of another system are staged")
	}
}

// Each system has a build of its own: the others' files, variables and plugins
// are no part of a target.
func TestBuildOfEachSystem(t *testing.T) {
	dir := fixture(t)
	text := func(name string) string {
		return "packer {\n  required_plugins {\n    " + name + " = { source = \"github.com/example/" +
			name + "\", version = \">= 1.0.0\" }\n  }\n}\n" +
			"variable \"" + name + "_only\" { type = string }\nbuild {\n  sources = local.sources\n}\n"
	}
	write(t, filepath.Join(dir, "templates/os/linux.pkr.hcl"), text("bash"))
	if _, err := templates.Load(open(t, dir)); err == nil ||
		!strings.Contains(err.Error(), "is of the system windows, but templates/os/windows.pkr.hcl does not exist") {
		t.Errorf("a system without a build: %v", err)
	}
	write(t, filepath.Join(dir, "templates/os/windows.pkr.hcl"), text("powershell"))
	write(t, filepath.Join(dir, "templates/os/plan9.pkr.hcl"), text("rc"))
	set := load(t, dir)
	if !slices.ContainsFunc(set.Warnings(),
		func(f hybridcore.Finding) bool { return f.File == "templates/os/plan9.pkr.hcl" }) {
		t.Errorf("the build of no image: %v", set.Warnings())
	}
	for name, want := range map[string][2]string{
		"debian-12":    {"linux", "bash"},
		"windows-2022": {"windows", "powershell"},
	} {
		target, err := set.Target(name, hybridcore.VSphere, "lab", hybridcore.Variable{})
		if err != nil {
			t.Fatal(err)
		}
		var staged, own []string
		for _, f := range target.Files {
			if strings.HasPrefix(f.Path, "os-") {
				staged = append(staged, fmt.Sprint(f.Path, " < ", f.From, " ", f.Common))
			}
		}
		for _, d := range set.Declarations(target) {
			if strings.HasSuffix(d.Name, "_only") {
				own = append(own, fmt.Sprint(d.Name, " ", d.Common))
			}
		}
		if diff := cmp.Diff([]string{"os-" + want[0] + ".pkr.hcl < templates/os/" + want[0] + ".pkr.hcl true"},
			staged); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if diff := cmp.Diff([]string{want[1] + "_only true"}, own); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		plugins := set.Plugins(target)
		if !slices.ContainsFunc(plugins, func(p templates.Plugin) bool { return p.Name == want[1] }) || len(plugins) != 3 {
			t.Errorf("%s: plugins %+v", name, plugins)
		}
		if only := set.Only(target); !slices.Equal(only, []string{"vsphere-iso." + want[0]}) {
			t.Errorf("%s: only %q", name, only)
		}
	}
}

func TestUnknownNames(t *testing.T) {
	set := load(t, fixture(t))
	tests := []struct {
		image    string
		platform hybridcore.Platform
		env      string
		want     string
	}{
		{
			"debain-12", hybridcore.VSphere, "lab",
			`unknown image "debain-12" (did you mean "debian-12"?); templates/images.hcl has: debian-12, ubuntu-24.04, windows-2022`,
		},
		{
			"ubuntu-24.04", hybridcore.Azure, "lab",
			"the image ubuntu-24.04 cannot be built for Microsoft Azure: no first-party Marketplace image",
		},
		{"debian-12", hybridcore.Proxmox, "lab", "is not made for Proxmox VE; templates/images.hcl:1 lists: vsphere, azure"},
		{"debian-12", hybridcore.VSphere, "prd", `has no folder configs/prd/ (did you mean "prod"?); folders: lab, prod`},
	}
	for _, test := range tests {
		_, err := set.Target(test.image, test.platform, test.env, hybridcore.Variable{})
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

func TestWhatATargetNeeds(t *testing.T) {
	set := load(t, fixture(t))
	of, err := set.Target("debian-12", hybridcore.VSphere, "lab", hybridcore.Variable{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range set.Plugins(of) {
		got = append(got, fmt.Sprintf("%s %s %s %s:%d", p.Name, p.Source, p.Version, p.File, p.Line))
	}
	for _, d := range set.Declarations(of) {
		got = append(got, fmt.Sprintf("%s common=%v %s:%d", d.Name, d.Common, d.File, d.Line))
	}
	got = append(got, set.Elsewhere(of)...)
	for _, layer := range set.LayerFiles(set.Images()[0], hybridcore.VSphere, "lab") {
		got = append(got, layer.Name+" "+layer.File)
	}
	for _, f := range set.Warnings() {
		got = append(got, f.String())
	}
	want := []string{
		"ansible github.com/hashicorp/ansible >= 1.1.2 templates/common.pkr.hcl:4",
		"vsphere github.com/hashicorp/vsphere >= 1.4.0 templates/platforms/vsphere.pkr.hcl:3",
		"run_id common=true templates/common.pkr.hcl:11",
		"memory common=true templates/common.pkr.hcl:13",
		"build_password common=true templates/common.pkr.hcl:18",
		"vsphere_endpoint common=false templates/platforms/vsphere.pkr.hcl:10",
		"azure_location",
		"linux/common templates/vars/linux/common.pkrvars.hcl",
		"linux/vsphere templates/vars/linux/vsphere.pkrvars.hcl",
		"linux/debian/common templates/vars/linux/debian/common.pkrvars.hcl",
		"linux/debian/vsphere templates/vars/linux/debian/vsphere.pkrvars.hcl",
		"linux/debian/12/common templates/vars/linux/debian/12/common.pkrvars.hcl",
		"linux/debian/12/vsphere templates/vars/linux/debian/12/vsphere.pkrvars.hcl",
		"configs/lab/common configs/lab/common.pkrvars.hcl",
		"configs/lab/vsphere configs/lab/vsphere.pkrvars.hcl",
		"configs/lab/debian-12 configs/lab/debian-12.pkrvars.hcl",
		"configs/lab/debian-12@vsphere configs/lab/debian-12@vsphere.pkrvars.hcl",
		"templates/vars/linux/vspere.pkrvars.hcl: no target reads this file (did you mean " +
			"\"templates/vars/linux/vsphere.pkrvars.hcl\"?)\n  hint: the layers are vars/OS, vars/OS/FAMILY and " +
			"vars/OS/FAMILY/VERSION, each with common and PLATFORM.pkrvars.hcl",
		"configs/lab/debian-21.pkrvars.hcl: no target reads this file (did you mean \"debian-12\"?)\n  hint: name it " +
			"common, PLATFORM, IMAGE or IMAGE@PLATFORM.pkrvars.hcl",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if set := load(t, "../.."); len(set.Images()) == 0 || len(set.Warnings()) > 0 {
		t.Errorf("the project's own templates: %d images, warnings %v", len(set.Images()), set.Warnings())
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := map[string]struct {
		change func(dir string) error
		want   string
		exit   int
	}{
		"automatic variables": {func(dir string) error {
			return os.WriteFile(dir+"/ansible/x.auto.pkrvars.hcl", nil, 0o600)
		}, "templates/ansible/x.auto.pkrvars.hcl: Packer would load this file unasked", hybridcore.ExitBlocked},
		"automatic JSON": {func(dir string) error {
			return os.WriteFile(dir+"/vars/x.auto.pkrvars.json", nil, 0o600)
		}, "Packer would load this file unasked", hybridcore.ExitBlocked},
		"link out": {
			func(dir string) error { return os.Symlink("/etc/passwd", dir+"/ansible/key") },
			"templates/ansible/key: cannot be opened: path escapes from parent", hybridcore.ExitUsage,
		},
		"link to the configuration": {
			func(dir string) error { return os.Symlink("../../configs/lab/vsphere.pkrvars.hcl", dir+"/ansible/key") },
			"path escapes from parent", hybridcore.ExitUsage,
		},
		"link to a folder": {
			func(dir string) error { return os.Symlink("roles", dir+"/ansible/more") },
			"templates/ansible/more: is neither a regular file nor a link to one", hybridcore.ExitUsage,
		},
		"pipe": {
			func(dir string) error { return syscall.Mkfifo(dir+"/scripts/linux/p", 0o600) },
			"is neither a regular file nor a link to one", hybridcore.ExitUsage,
		},
		"deep folders": {
			func(dir string) error {
				return os.MkdirAll(dir+"/scripts/linux"+strings.Repeat("/a", 40)+"/b", 0o700)
			}, "it lies more than 32 folders deep", hybridcore.ExitUsage,
		},
		"large file": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/ansible/big", nil, 0o600), os.Truncate(dir+"/ansible/big", 17<<20))
		}, "templates/ansible/big: is larger than 16 MiB", hybridcore.ExitUsage},
		"much HCL": {func(dir string) error {
			return errors.Join(os.WriteFile(dir+"/ansible/big.hcl", nil, 0o600), os.Truncate(dir+"/ansible/big.hcl", 9<<20))
		}, "the files together are larger", hybridcore.ExitUsage},
		"brackets": {func(dir string) error {
			return os.WriteFile(dir+"/common.pkr.hcl", []byte(strings.Repeat("[", 200_000)), 0o600)
		}, "templates/common.pkr.hcl:1:65: nesting deeper than 64", hybridcore.ExitUsage},
		"template is a folder": {func(dir string) error {
			return errors.Join(os.Remove(dir+"/common.pkr.hcl"), os.Mkdir(dir+"/common.pkr.hcl", 0o700))
		}, "templates/common.pkr.hcl: the template is a directory", hybridcore.ExitUsage},
		"no template": {
			func(dir string) error { return os.Remove(dir + "/common.pkr.hcl") },
			"templates/common.pkr.hcl: the file does not exist", hybridcore.ExitUsage,
		},
		"no catalogue": {
			func(dir string) error { return os.Remove(dir + "/images.hcl") },
			"templates/images.hcl: the file does not exist", hybridcore.ExitUsage,
		},
		"no platform": {
			func(dir string) error { return os.Remove(dir + "/platforms/azure.pkr.hcl") },
			"templates/images.hcl:1: the image debian-12 lists azure, but templates/platforms/azure.pkr.hcl does not exist",
			hybridcore.ExitUsage,
		},
		"no folder": {os.RemoveAll, "has no folder templates/", hybridcore.ExitUsage},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := fixture(t)
			if err := test.change(filepath.Join(dir, "templates")); err != nil {
				t.Fatal(err)
			}
			_, err := templates.Load(open(t, dir))
			if err == nil || !strings.Contains(err.Error(), test.want) || hybridcore.ExitCode(err) != test.exit {
				t.Errorf("exit %d, error %v, want %q", hybridcore.ExitCode(err), err, test.want)
			}
		})
	}
}

func TestLoadFindsEverything(t *testing.T) {
	dir := fixture(t)
	for _, name := range []string{"images.hcl", "common.pkr.hcl", "platforms/vsphere.pkr.hcl"} {
		text, err := os.ReadFile(filepath.Join("testdata/broken", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "templates", name), string(text))
	}
	_, err := templates.Load(open(t, dir))
	if err == nil {
		t.Fatal("accepted")
	}
	goldentest.Compare(t, "broken/findings.golden", err.Error()+"\n")
}
