// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:35:10Z
// Spec: openspec/specs/parity/spec.md#requirement-the-cost-of-a-comparison
// Diagram: openspec/specs/parity/diagram.md#over-time

// Command diff measures the comparison of two inventories against GNU diff.
//
// Both sides are processes that read the same two files from the page cache, started in turn in each round. The files
// are
// inventories as a build leaves them, with 100,000 packages of which 1 % have another version and 0.5 % are on one
// side only:
//
//   - diff: in the faster of LC_ALL=C and the default locale, its output read through a pipe; with /dev/null as output
//
// it
//
//	  would stop at the first difference.
//	- this program's worker: reads, checks and normalises both inventories as `packer-hybrid parity` does, and compares
//	  them.
//
// Every run is checked: both sides find as many versions that are gone and that are new as were planted.
//
// Goal: two inventories of 100,000 packages in at most three times GNU diff's time
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

const (
	goal   = 3.0 // times diff's time; see the requirement
	rounds = 15
	limit  = 2 * time.Minute // of the whole benchmark
)

func main() {
	worker := flag.Bool("worker", false, "compare OLD with NEW and print how many versions are gone and new")
	n := flag.Int("packages", 100_000, "packages of each inventory")
	flag.Parse()
	if *worker {
		if err := work(flag.Arg(0), flag.Arg(1)); err != nil {
			fmt.Fprintln(os.Stderr, "diff:", err)
			os.Exit(1)
		}
		return
	}
	timing.Main("diff", limit, func(ctx context.Context, dir string) error { return compare(ctx, dir, *n) })
}

// bench is one comparison.
type bench struct {
	old, now string // files
	self     string // this program
	want     string // what both sides must find
}

// compare writes the inventories, measures both sides and prints the result.
func compare(ctx context.Context, dir string, n int) (err error) {
	b := bench{old: filepath.Join(dir, "old.json"), now: filepath.Join(dir, "new.json")}
	if err := b.generate(n); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	locale, err := b.faster(ctx)
	if err != nil {
		return err
	}
	var ours, theirs []timing.Sample
	for range rounds {
		d, err := b.diff(ctx, locale)
		if err != nil {
			return err
		}
		o, err := b.ours(ctx)
		if err != nil {
			return err
		}
		theirs, ours = append(theirs, d), append(ours, o)
	}
	d, o := timing.Median(theirs), timing.Median(ours)
	fmt.Printf("%d packages a side, gone and new versions: %s, %d rounds, medians\n", n, b.want, rounds)
	fmt.Printf("GNU diff (%-9s)  wall %7.1f ms  cpu %7.1f ms\n", locale, timing.MS(d.Wall), timing.MS(d.CPU))
	fmt.Printf("parity                wall %7.1f ms  cpu %7.1f ms\n", timing.MS(o.Wall), timing.MS(o.CPU))
	ratio := o.Wall.Seconds() / d.Wall.Seconds()
	fmt.Printf("cpu ratio=%.2f\n", o.CPU.Seconds()/d.CPU.Seconds())
	return timing.Verdict("diff", ratio, goal, ratio <= goal)
}

// generate writes both inventories in the form of templates/scripts/linux/inventory.py. No version occurs twice, so
// that
// lines tell them apart.
func (b *bench) generate(n int) error {
	random := rand.New(rand.NewPCG(1, 2)) // the same files on every machine
	var old, now []parity.Package
	gone, fresh := 0, 0
	for i := range n {
		p := parity.Package{
			Name: fmt.Sprintf("lib%06d-%04x", i, random.IntN(1<<16)),
			Version: fmt.Sprintf("%d.%d.%d-%d+deb12u%d", random.IntN(9), random.IntN(20), i, random.IntN(9),
				random.IntN(9)),
			Architecture: "amd64", Manager: "dpkg",
		}
		switch r := random.IntN(1000); {
		case r < 10:
			old, now = append(old, p), append(now, p)
			now[len(now)-1].Version += "+1"
			gone, fresh = gone+1, fresh+1
		case r < 13:
			old = append(old, p)
			gone++
		case r < 15:
			now = append(now, p)
			fresh++
		default:
			old, now = append(old, p), append(now, p)
		}
	}
	b.want = fmt.Sprintf("%d %d", gone, fresh)
	return errors.Join(write(b.old, old), write(b.now, now))
}

func write(path string, list []parity.Package) error {
	items := make([]map[string]string, len(list)) // maps: keys are written sorted
	for i, p := range list {
		items[i] = map[string]string{
			"name": p.Name, "version": p.Version, "architecture": p.Architecture,
			"manager": p.Manager,
		}
	}
	text, err := json.MarshalIndent(map[string]any{
		"format": parity.Format, "system": "linux", "errors": []string{}, "sections": map[string]any{"packages": items},
	}, "", " ")
	if err != nil {
		return fmt.Errorf("encoding an inventory: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing an inventory: %w", err)
	}
	return nil
}

// faster returns the environment entry of the locale in which diff is faster; the first run warms the page cache.
func (b *bench) faster(ctx context.Context) (string, error) {
	best, locale := time.Duration(1<<62), ""
	for _, name := range []string{"LC_ALL=C", "LC_ALL=C", "LC_ALL="} {
		s, err := b.diff(ctx, name)
		if err != nil {
			return "", err
		}
		if s.Wall < best {
			best, locale = s.Wall, name
		}
	}
	return locale, nil
}

// diff measures diff, and checks its answer.
func (b *bench) diff(ctx context.Context, locale string) (timing.Sample, error) {
	out, s, err := run(ctx, locale, "diff", b.old, b.now)
	if err != nil {
		return s, err
	}
	sides := map[byte]map[string]bool{'<': {}, '>': {}}
	for line := range bytes.Lines(out) {
		if side := sides[line[0]]; side != nil && bytes.Contains(line, []byte(`"version"`)) {
			side[string(line[1:])] = true
		}
	}
	gone, fresh := len(sides['<']), len(sides['>'])
	for line := range sides['<'] { // diff is not always minimal: a line on both sides only moved
		if sides['>'][line] {
			gone, fresh = gone-1, fresh-1
		}
	}
	if got := fmt.Sprintf("%d %d", gone, fresh); got != b.want {
		err = fmt.Errorf("diff found %s, want %s", got, b.want)
	}
	return s, err
}

// ours measures the worker, and checks its answer.
func (b *bench) ours(ctx context.Context) (timing.Sample, error) {
	out, s, err := run(ctx, "LC_ALL=C", b.self, "-worker", b.old, b.now)
	if got := strings.TrimSpace(string(out)); err == nil && got != b.want {
		err = fmt.Errorf("parity found %s, want %s", got, b.want)
	}
	return s, err
}

// run runs a command and returns its output and what it took. The exit code 1
// of diff means that it found differences.
func run(ctx context.Context, env, name string, args ...string) ([]byte, timing.Sample, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env)
	cmd.Stderr = os.Stderr
	out, s, err := timing.Output(cmd)
	var exit *exec.ExitError
	if name == "diff" && errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	return out, s, err
}

// work is the worker: it reads both inventories at the same time, as nothing binds them.
func work(old, now string) error {
	sides, errs := [2]parity.Side{{Platform: hybridcore.Proxmox}, {Platform: hybridcore.VSphere}}, [2]error{}
	var both sync.WaitGroup
	for i, path := range []string{old, now} {
		both.Go(func() { sides[i].Inventory, errs[i] = read(path) })
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	gone, fresh := 0, 0
	for _, d := range parity.Diff(sides[0], sides[1]) {
		if d.Category != "packages" {
			continue
		}
		if d.InA != "" {
			gone++
		}
		if d.InB != "" {
			fresh++
		}
	}
	fmt.Println(gone, fresh)
	return nil
}

func read(path string) (parity.Normal, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return parity.Normal{}, fmt.Errorf("reading: %w", err)
	}
	inventory, err := parity.Parse(data)
	if err != nil {
		return parity.Normal{}, err
	}
	return parity.Normalise(inventory)
}
