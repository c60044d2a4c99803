// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:56Z
// Spec: openspec/specs/lab/spec.md#requirement-offline-packages
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// tailSize is how much of a failed tool's output an error carries.
const tailSize = 2 << 10

// recipe is how a root file system is made.
type recipe interface {
	digest() string // of everything that decides what it holds, apart from the day: 16 hexadecimal digits
	steps(b *builder) []step
}

// digestOf names a recipe by what it holds.
func digestOf(recipe any) string {
	text, err := json.Marshal(recipe)
	if err != nil {
		panic("rootfs: a recipe of strings cannot fail to marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// builder builds one root file system.
type builder struct {
	recipe   recipe
	root     string
	progress io.Writer
}

// step is one step of a build.
type step struct {
	name string
	run  func(context.Context) error
}

// build runs the steps of the recipe in order.
func (b *builder) build(ctx context.Context) error {
	for _, step := range b.recipe.steps(b) {
		fmt.Fprintf(b.progress, "root file system: %s\n", step.name)
		if err := step.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func (b *builder) write(path, content string, mode os.FileMode) error {
	target := filepath.Join(b.root, path)
	if err := os.Remove(target); err != nil && !errors.Is(err, os.ErrNotExist) { // never write through a link
		return fmt.Errorf("replacing %s: %w", path, err)
	}
	if err := os.WriteFile(target, []byte(content), mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Chmod(target, mode); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

func (b *builder) removeContents(dir string) error {
	entries, err := os.ReadDir(filepath.Join(b.root, dir))
	if err != nil {
		return fmt.Errorf("emptying %s: %w", dir, err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(b.root, dir, e.Name())); err != nil {
			return fmt.Errorf("emptying %s: %w", dir, err)
		}
	}
	return nil
}

// chroot runs a command inside the root file system.
func (b *builder) chroot(ctx context.Context, argv ...string) error {
	return b.tool(ctx, "chroot", append([]string{b.root}, argv...)...)
}

// tool runs a host command; its output goes to progress, and the end of it into an error.
func (b *builder) tool(ctx context.Context, name string, args ...string) error {
	cmd := command(ctx, name, args...)
	tail := &tailWriter{}
	out := io.MultiWriter(b.progress, tail)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, bytes.TrimSpace(tail.kept))
	}
	return nil
}

// command prepares a host command in a process group that ends, whole, with ctx or with this process.
func command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if path := locate(name); path != "" {
		name = path
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8",
		"PATH="+os.Getenv("PATH")+":"+systemPath)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// systemPath holds the directories that a user's search path may lack.
const systemPath = "/usr/local/sbin:/usr/sbin:/sbin"

// locate returns the path of a file given by path, or of a program in PATH and the system directories;
// it is empty when there is none.
func locate(program string) string {
	candidates := []string{program}
	if !strings.HasPrefix(program, "/") {
		if path, err := exec.LookPath(program); err == nil {
			return path
		}
		candidates = candidates[:0]
		for _, dir := range filepath.SplitList(systemPath) {
			candidates = append(candidates, filepath.Join(dir, program))
		}
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// tailWriter keeps the last tailSize bytes written to it.
type tailWriter struct{ kept []byte }

func (t *tailWriter) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}
