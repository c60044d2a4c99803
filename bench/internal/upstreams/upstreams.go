// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:28:00Z
// Spec: openspec/specs/benchmarks/spec.md#requirement-both-sides-in-one-run
// Diagram: openspec/specs/benchmarks/diagram.md#both-sides-in-turn

// Package upstreams makes repositories of the size of those that the project pins.
package upstreams

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Size of a generated repository, after the mean of the five that the project
// pins: 1,450 commits with 11,000 objects, 280 files, 0.53 MiB at its tip and
// 2.9 MiB in all.
const (
	repositories = 5
	commits      = 1450
	files        = 280
	changed      = 3  // files that each commit edits
	lines        = 52 // of a file
	edited       = 6  // lines of a file that an edit replaces
	lineBytes    = 32
)

// Repository is one that a lock pins.
type Repository struct {
	Name, URL, Commit string
	Dir               string // where the mirror has it
}

// Make makes repositories in the folder of a mirror, and returns them with the lock that pins them.
func Make(ctx context.Context, mirror string) (all []Repository, lock []byte, err error) {
	for i := range repositories {
		name := fmt.Sprintf("upstream-%d", i)
		r := Repository{
			Name: name, URL: "https://github.com/example/" + name + ".git", Dir: filepath.Join(mirror, name+".git"),
		}
		if r.Commit, err = generate(ctx, r.Dir, uint64(i)); err != nil {
			return nil, nil, fmt.Errorf("making a repository: %w", err)
		}
		all = append(all, r)
		lock = fmt.Appendf(lock, "source %q {\n  url = %q\n  tag = \"v1\"\n  commit = %q\n}\n", name, r.URL, r.Commit)
	}
	return all, lock, nil
}

// generate makes a bare repository through git fast-import: text files of
// which each commit rewrites a few. It returns the last commit, tagged v1.
func generate(ctx context.Context, dir string, seed uint64) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if _, err := Git(ctx, dir, "init", "--quiet", "--bare", "--initial-branch=main"); err != nil {
		return "", err
	}
	random := rand.New(rand.NewPCG(seed, 1))
	var tree [files][lines]string
	var in bytes.Buffer
	for n := range commits {
		fmt.Fprintf(&in, "commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 1\nc\n", 1_700_000_000+n)
		if n == 0 {
			for file := range files {
				edit(&in, random, tree[file][:], file, lines)
			}
			continue
		}
		for range changed {
			file := random.IntN(files)
			edit(&in, random, tree[file][:], file, edited)
		}
	}
	in.WriteString("tag v1\nfrom refs/heads/main\ntagger a <a@example.com> 1800000000 +0000\ndata 1\nt\n")
	cmd := exec.CommandContext(ctx, "git", "fast-import", "--quiet")
	cmd.Dir, cmd.Stdin = dir, &in
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("git fast-import: %w: %s", err, out)
	}
	if _, err := Git(ctx, dir, "repack", "-a", "-d", "-f", "--quiet"); err != nil { // as a forge keeps it
		return "", err
	}
	return Git(ctx, dir, "rev-parse", "main")
}

// edit replaces lines of a file, all of them at first, and writes it.
func edit(in *bytes.Buffer, random *rand.Rand, text []string, file, count int) {
	for i := range count {
		line := make([]byte, lineBytes)
		for j := range line {
			line[j] = byte(random.Uint32())
		}
		if count < len(text) {
			i = random.IntN(len(text))
		}
		text[i] = hex.EncodeToString(line)
	}
	content := strings.Join(text, "\n")
	fmt.Fprintf(in, "M 100644 inline folder-%d/file-%d.txt\ndata %d\n%s\n", file%10, file, len(content), content)
}

// Git is git as people run it.
func Git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "protocol.file.allow=always"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
