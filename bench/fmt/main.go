// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-faster-than-packer
// Diagram: openspec/specs/static-validation/diagram.md#formatting

// Command fmt measures `packer-hybrid fmt --check` against `packer fmt -check -recursive`.
//
// Both sides are processes that read the same tree from the page cache, in turn in each round: copies of this
// repository's own
// templates, 280 files with about 1.4 MB in all, as both public example frameworks hold. Ours runs without its cache
// of digests (cold) and with it (warm). All sides must find the one file that is not canonical.
//
// Goal: cold at least 2 times, warm at least 10 times faster than packer fmt -check -recursive
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

const (
	goalCold = 2.0
	goalWarm = 10.0
	files    = 280
	size     = 1_400_000 // bytes of all files
	rounds   = 9
	settled  = 3 * time.Second // files that have just been written are read again by us
	limit    = 3 * time.Minute // of the whole measurement
)

func main() { timing.Main("fmt", limit, measure) }

func measure(ctx context.Context, dir string) error {
	cache, err := lab.CacheDir()
	if err != nil {
		return fmt.Errorf("finding the cache: %w", err)
	}
	packer, tree := filepath.Join(cache, "bin", "packer"), filepath.Join(dir, "tree")
	hybrid, err := timing.Build(ctx, dir)
	if err != nil {
		return err
	}
	if err := grow(tree); err != nil {
		return fmt.Errorf("making the tree: %w", err)
	}
	time.Sleep(settled)
	sides := []struct {
		name string
		args []string
		cold bool
		took []timing.Sample
	}{
		{name: "packer fmt -check", args: []string{packer, "fmt", "-check", "-recursive", tree}},
		{name: "packer-hybrid, cold", args: []string{hybrid, "fmt", "--check", tree}, cold: true},
		{name: "packer-hybrid, warm", args: []string{hybrid, "fmt", "--check", tree}},
	}
	for range rounds {
		for i := range sides {
			s := &sides[i]
			memory := filepath.Join(dir, "cache")
			if s.cold {
				if err := os.RemoveAll(memory); err != nil {
					return fmt.Errorf("emptying the cache: %w", err)
				}
			}
			took, err := run(ctx, memory, s.args)
			if err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.took = append(s.took, took)
		}
	}
	theirs := timing.Median(sides[0].took)
	fmt.Printf("%d files, %d rounds, medians\n", files, rounds)
	for _, s := range sides {
		m := timing.Median(s.took)
		fmt.Printf("%-20s wall %7.1f ms  cpu %7.1f ms\n", s.name, timing.MS(m.Wall), timing.MS(m.CPU))
	}
	cold, warm := ratio(theirs, timing.Median(sides[1].took)), ratio(theirs, timing.Median(sides[2].took))
	fmt.Printf("cold ratio=%.1f goal=%.1f\n", cold, goalCold)
	return timing.Verdict("fmt", warm, goalWarm, cold >= goalCold && warm >= goalWarm)
}

// grow copies this repository's HCL files until there are enough, and spoils one.
func grow(tree string) error {
	n, total := 0, 0
	for copies := 0; n < files; copies++ {
		err := filepath.WalkDir("templates", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || n == files || !strings.HasSuffix(path, ".pkr.hcl") {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			to := filepath.Join(tree, fmt.Sprint(copies), path)
			n++
			text := []byte(fmt.Sprintf("# copy %d\n", copies)) // no two files are equal
			for n*size/files > total+len(text) {
				text = append(text, data...)
			}
			total += len(text)
			return errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, text, 0o600))
		})
		if err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(tree, "spoilt.pkr.hcl"), []byte("locals {\n a=1\n}\n"), 0o600)
}

// run runs a side, which must name the spoilt file and no other.
func run(ctx context.Context, memory string, args []string) (timing.Sample, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "PACKER_HYBRID_CACHE="+memory)
	out, s, err := timing.Output(cmd)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strings.Count(string(out), ".hcl") != 1 ||
		!strings.Contains(string(out), "spoilt.pkr.hcl") {
		return s, fmt.Errorf("it found %s: %w", out, err)
	}
	return s, nil
}

func ratio(theirs, ours timing.Sample) float64 { return theirs.Wall.Seconds() / ours.Wall.Seconds() }
