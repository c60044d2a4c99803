// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:20Z
// Spec: openspec/specs/repository/spec.md#requirement-whole-pipelines
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

//go:build pipelines

package pipelines_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

func TestMain(m *testing.M) {
	lab.Main() // the test binary is the guests' init too
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "pipelines-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", dir+"/", "./cmd/...")
	cmd.Dir, cmd.Env, cmd.Stderr = repository, append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
	if err := cmd.Run(); err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "packer-hybrid")
	return m.Run()
}

// program is packer-hybrid as a user has it, built from this tree before any
// test: without the race detector, so that pipelines have its real times.
var program string

// repository is the root of the tree, seen from this folder.
const repository = "../.."

// cache is where tools/build and lab prepare put what they made.
func cache(tb testing.TB) string {
	tb.Helper()
	dir, err := lab.CacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	return dir
}

// tool is the path of a tool that tools/build made.
func tool(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join(cache(tb), "bin", name)
	if _, err := os.Stat(path); err != nil {
		tb.Fatalf("%s is missing (run: tools/build %s): %v", name, name, err)
	}
	return path
}

// startLab starts the simulated platforms.
func startLab(t *testing.T) *lab.Lab {
	t.Helper()
	l, err := lab.Start(context.WithoutCancel(t.Context()), lab.Config{Cache: labtest.Cache(t, cache(t)), Log: t.Output()})
	if err != nil {
		t.Fatalf("the lab cannot start: %v", err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// maxProgram bounds packer-hybrid, in bytes. It has 38 MB; with a package that looks
// methods up by names the linker keeps those of all packages, and it has 60.
const maxProgram = 45_000_000

// TestProgram is the ground under all pipelines: the program, a new project
// and the lab's environment.
func TestProgram(t *testing.T) {
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > maxProgram {
		t.Errorf("packer-hybrid has %d bytes, more than %d: <ReflectMethod> in what `go build -ldflags=-dumpdep "+
			"./cmd/packer-hybrid` prints may say why", info.Size(), maxProgram)
	}
	l, dir := startLab(t), t.TempDir()
	for _, args := range [][]string{{"init", dir}, {"validate", "--env", "lab", "-C", dir}} {
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(os.Environ(), append(l.Env(), "PACKER_HYBRID_CACHE="+cache(t))...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
}
