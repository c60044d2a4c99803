// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:16:15Z
// Spec: openspec/specs/config/spec.md#requirement-the-project-file
// Diagram: openspec/specs/config/diagram.md#the-project-file

package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

func project(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, config.FileName), text)
	return dir
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

func TestLoad(t *testing.T) {
	dir := project(t, `
project {
  name                = "golden-images"
  default_environment = "lab"
}
environment "lab" {
  platforms = ["vsphere"]
  parallel  = 4
}
environment "prod" {
  prod = true
}
state {
  backend = "directory"
  path    = "var/state/"
}
build {
  parallel     = 3
  cancel_grace = "90s"
}
ci {
  change   = ["plan", "validate --env lab"]
  schedule = []
  runners  = { vsphere = ["self-hosted", "near vCenter"], azure = ["ubuntu-latest"] }
  unmerged = ["lab"]
  change_environments = ["lab"]
}
`)
	got, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Project{
		Root: dir, Name: "golden-images", DefaultEnv: "lab",
		Environments: []config.Environment{
			{Name: "lab", Platforms: []hybridcore.Platform{hybridcore.VSphere}, Parallel: 4, Line: 6},
			{
				Name: "prod", Prod: true, Clean: true,
				Platforms: []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}, Parallel: 3, Line: 10,
			},
		},
		State: config.State{Backend: "directory", Path: "var/state", Line: 13},
		Build: config.Build{Parallel: 3, CancelGrace: 90 * time.Second},
		CI: config.CI{
			Change: []string{"plan", "validate --env lab"}, Schedule: []string{},
			Runners: map[hybridcore.Platform][]string{
				hybridcore.VSphere: {"self-hosted", "near vCenter"}, hybridcore.Azure: {"ubuntu-latest"},
			}, Unmerged: []string{"lab"}, ChangeEnvironments: []string{"lab"}, Line: 21,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	env, err := got.Environment("")
	if err != nil || env.Name != "lab" || !env.Has(hybridcore.VSphere) || env.Has(hybridcore.Azure) {
		t.Errorf("default environment %+v, error %v", env, err)
	}
	_, err = got.Environment("porduction")
	if hybridcore.ExitCode(err) != hybridcore.ExitUsage ||
		!strings.Contains(err.Error(), "packer-hybrid.hcl declares: lab, prod") {
		t.Errorf("error %v", err)
	}
	if _, err = got.Environment("pord"); err == nil || !strings.Contains(err.Error(), `did you mean "prod"?`) {
		t.Errorf("error %v", err)
	}
}

// TestStateInGit has the settings of the git backend, and one of another backend.
func TestStateInGit(t *testing.T) {
	const head = "project { name = \"x\" }\nenvironment \"only\" {}\n"
	got, err := config.Load(project(t, head+`state {
  backend    = "git"
  repository = "https://example.com/images-state.git"
  ref        = "refs/heads/state"
  sign       = true
}
`))
	want := config.State{
		Backend: "git", Path: "state", Repository: "https://example.com/images-state.git", Ref: "refs/heads/state",
		Sign: true, Line: 3,
	}
	if err != nil || got.State != want {
		t.Errorf("the state is %+v, %v", got.State, err)
	}
	_, err = config.Load(project(t, head+"state {\n  sign = true\n}\n"))
	if err == nil || !strings.Contains(err.Error(), `packer-hybrid.hcl:4:3: sign is a setting of the backend "git"`) {
		t.Errorf("a setting of another backend: %v", err)
	}
}

func TestLoadDefaults(t *testing.T) {
	got, err := config.Load(project(t, "project { name = \"x\" }\nenvironment \"only\" {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got.DefaultEnv != "only" || got.State != (config.State{Backend: "directory", Path: "state"}) ||
		got.Build != (config.Build{Parallel: 2, CancelGrace: 5 * time.Minute}) {
		t.Errorf("project %+v", got)
	}
}

func TestLoadOwnProject(t *testing.T) {
	got, err := config.Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := got.Environment("lab"); err != nil {
		t.Error(err)
	}
}

func TestLoadFindsEverything(t *testing.T) {
	text, err := os.ReadFile("testdata/broken.hcl")
	if err != nil {
		t.Fatal(err)
	}
	_, err = config.Load(project(t, string(text)))
	var findings *hybridcore.FindingsError
	if !errors.As(err, &findings) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Fatalf("error %v", err)
	}
	goldentest.Compare(t, "broken.golden", err.Error()+"\n")
}

func TestLoadRefuses(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"command": {
			"project { name = \"x\" }\nenvironment \"x\" {}\nci {\n  merge = [\"biuld --env prod\"]\n}\n",
			`packer-hybrid.hcl:4:11: merge: unknown command "biuld" (did you mean "build"?)`,
		},
		"runner": {
			"project { name = \"x\" }\nenvironment \"x\" {}\nci {\n  runners = { proxmocks = [\"a\"] }\n}\n",
			`packer-hybrid.hcl:4:13: runners: unknown platform "proxmocks" (did you mean "proxmox"?)`,
		},
		"label": {
			"project { name = \"x\" }\nenvironment \"x\" {}\nci {\n  runners = { azure = [\"a\\nb\"] }\n}\n",
			`packer-hybrid.hcl:4:13: runners: a label of azure is not`,
		},
		"no label": {
			"project { name = \"x\" }\nenvironment \"x\" {}\nci {\n  runners = { azure = [] }\n}\n",
			`packer-hybrid.hcl:4:13: runners: azure needs 1 to 8 labels`,
		},
		"unmerged prod": {
			"project { name = \"x\" }\nenvironment \"x\" { prod = true }\nci {\n  unmerged = [\"x\"]\n}\n",
			`packer-hybrid.hcl:3:1: unmerged: the environment "x" is marked prod`,
		},
		"unmerged none": {
			"project { name = \"x\" }\nenvironment \"lab\" {}\nci {\n  unmerged = [\"lba\"]\n}\n",
			`packer-hybrid.hcl:3:1: unmerged: environment "lba" is not declared (did you mean "lab"?)`,
		},
		"change environments": {
			"project { name = \"x\" }\nenvironment \"lab\" {}\nci {\n  change_environments = [\"lba\"]\n}\n",
			`packer-hybrid.hcl:3:1: change_environments: environment "lba" is not declared (did you mean "lab"?)`,
		},
		"merge": {
			"project { name = \"x\" }\nenvironment \"lab\" {}\nmerge {\n  environments = [\"lab\", \"prd\"]\n}\n",
			`packer-hybrid.hcl:3:1: environments of merge: environment "prd" is not declared`,
		},
		"merge twice": {
			"project { name = \"x\" }\nenvironment \"lab\" {}\nmerge {\n  environments = [\"lab\", \"lab\"]\n}\n",
			`packer-hybrid.hcl:4:18: environments: "lab" is listed twice`,
		},
		"no change environments": {
			"project { name = \"x\" }\nenvironment \"lab\" {}\nci {\n  change_environments = []\n}\n",
			`packer-hybrid.hcl:3:1: change_environments is empty`,
		},
		"unmerged path": {
			"project { name = \"x\" }\nenvironment \"lab\" {}\nci {\n  unmerged = [\"../x\"]\n}\n",
			`packer-hybrid.hcl:4:14: unmerged: environment "../x" is not a name`,
		},
		"no command": {
			"project { name = \"x\" }\nenvironment \"x\" {}\nci {\n  tag = [\"\", null]\n}\n",
			`packer-hybrid.hcl:4:9: tag: `,
		},
		"syntax":         {"project {\n  name = = \"x\"\n}\n", "packer-hybrid.hcl:2:10: Invalid expression"},
		"empty":          {"", "the block project is missing"},
		"no environment": {"project { name = \"x\" }\n", "no environment is declared"},
		"no name":        {"project {}\nenvironment \"a\" {}\n", `project needs the setting "name"`},
		"twice": {
			"project { name = \"x\" }\nproject { name = \"y\" }\nenvironment \"a\" {}\n",
			`packer-hybrid.hcl:2:1: a second block "project"`,
		},
		"function":      {"project { name = env(\"HOME\") }\nenvironment \"a\" {}\n", "a call of the function env"},
		"null":          {"project { name = null }\nenvironment \"a\" {}\n", "a string is needed, not null"},
		"null platform": {"project { name = \"x\" }\nenvironment \"a\" { platforms = [null] }\n", "null is no platform"},
		"absolute state": {
			"project { name = \"x\" }\nenvironment \"a\" {}\nstate { path = \"/var\" }\n",
			"does not name a folder below the project",
		},
		"root state": {
			"project { name = \"x\" }\nenvironment \"a\" {}\nstate { path = \".\" }\n",
			"does not name a folder below the project",
		},
		"long grace": {
			"project { name = \"x\" }\nenvironment \"a\" {}\nbuild { cancel_grace = \"2h\" }\n",
			"is not a duration from 1s to 1h0m0s",
		},
		"brackets": {strings.Repeat("[", 200_000), "nesting deeper than 64"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := config.Load(project(t, test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestFindRoot(t *testing.T) {
	dir := project(t, "")
	deep := filepath.Join(dir, "a/b")
	if err := os.MkdirAll(deep, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, start := range []string{dir, deep} {
		if got, err := config.FindRoot(start); err != nil || got != dir {
			t.Errorf("FindRoot(%s) = %s, %v", start, got, err)
		}
	}
	_, err := config.FindRoot(t.TempDir())
	if hybridcore.ExitCode(err) != hybridcore.ExitUsage || !strings.Contains(err.Error(), "packer-hybrid init") {
		t.Errorf("error %v", err)
	}
	if _, err := config.Load(deep); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("error %v", err)
	}
}

func FuzzProject(f *testing.F) {
	for _, text := range []string{
		"project { name = \"x\" }\nenvironment \"a\" { platforms = [\"vsphere\"] }\n",
		"state { path = \"..\" }", "build { parallel = -1e30 }", "environment \"a\" \"b\" {}",
	} {
		f.Add(text)
	}
	broken, err := os.ReadFile("testdata/broken.hcl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(broken))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := config.Load(dir)
		if err != nil {
			if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Fatalf("exit code %d: %v", hybridcore.ExitCode(err), err)
			}
			return
		}
		if got.Name == "" || len(got.Environments) == 0 || !filepath.IsLocal(got.State.Path) || got.Build.Parallel < 1 ||
			got.Build.CancelGrace < time.Second {
			t.Fatalf("accepted %+v", got)
		}
	})
}
