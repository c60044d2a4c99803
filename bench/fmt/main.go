// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-faster-than-packer
// Diagram: openspec/specs/static-validation/diagram.md#formatting

// Command fmt measures `packer-hybrid fmt --check` against `packer fmt -check -recursive`.
//
// Both sides are processes that read the same tree from the page cache, in turn in each round: copies of this repository's own
// templates, 280 files with about 1.4 MB in all, as both public example frameworks hold. Ours runs without its cache
// of digests (cold) and with it (warm). All sides must find the one file that is not canonical.
//
// Goal: cold at least 3 times, warm at least 30 times faster than packer fmt -check -recursive
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab"
)

const (
	goalCold = 3.0
	goalWarm = 30.0
	files    = 280
	size     = 1_400_000 // bytes of all files
	rounds   = 9
	limit    = 3 * time.Minute // of the whole measurement
)

var errMissed = errors.New("goal missed")

func main() {
	if err := measure(); err != nil {
		if !errors.Is(err, errMissed) { // the last lines say that already
			fmt.Fprintln(os.Stderr, "fmt:", err)
		}
		os.Exit(1)
	}
}

func measure() error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	dir, err := os.MkdirTemp("", "bench-fmt-")
	if err != nil {
		return fmt.Errorf("making a scratch directory: %w", err)
	}
	defer os.RemoveAll(dir)
	cache, err := lab.CacheDir()
	if err != nil {
		return fmt.Errorf("finding the cache: %w", err)
	}
	packer, hybrid, tree := filepath.Join(cache, "bin", "packer"), filepath.Join(dir, "packer-hybrid"), filepath.Join(dir, "tree")
	if out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", hybrid, "./cmd/packer-hybrid").CombinedOutput(); err != nil {
		return fmt.Errorf("building packer-hybrid: %w\n%s", err, out)
	}
	if err := grow(tree); err != nil {
		return fmt.Errorf("making the tree: %w", err)
	}
	sides := []struct {
		name string
		args []string
		cold bool
		took []sample
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
	theirs := median(sides[0].took)
	fmt.Printf("%d files, %d rounds, medians\n", files, rounds)
	for _, s := range sides {
		m := median(s.took)
		fmt.Printf("%-20s wall %7.1f ms  cpu %7.1f ms\n", s.name, ms(m.wall), ms(m.cpu))
	}
	cold, warm := ratio(theirs, median(sides[1].took)), ratio(theirs, median(sides[2].took))
	fmt.Printf("cold ratio=%.1f goal=%.1f\nfmt ratio=%.1f goal=%.1f\n", cold, goalCold, warm, goalWarm)
	if cold < goalCold || warm < goalWarm {
		return errMissed
	}
	return nil
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

// sample is what one run of a side took.
type sample struct{ wall, cpu time.Duration }

// run runs a side, which must name the spoilt file and no other.
func run(ctx context.Context, memory string, args []string) (sample, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "PACKER_HYBRID_CACHE="+memory)
	start := time.Now()
	out, err := cmd.Output()
	wall := time.Since(start)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strings.Count(string(out), ".hcl") != 1 || !strings.Contains(string(out), "spoilt.pkr.hcl") {
		return sample{}, fmt.Errorf("it found %s: %w", out, err)
	}
	return sample{wall, cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}, nil
}

func median(s []sample) sample {
	wall, cpu := make([]time.Duration, len(s)), make([]time.Duration, len(s))
	for i := range s {
		wall[i], cpu[i] = s[i].wall, s[i].cpu
	}
	slices.Sort(wall)
	slices.Sort(cpu)
	return sample{wall[len(s)/2], cpu[len(s)/2]}
}

func ratio(theirs, ours sample) float64 { return theirs.wall.Seconds() / ours.wall.Seconds() }

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
