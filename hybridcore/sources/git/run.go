// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-hardened-git
// Diagram: openspec/specs/sources/diagram.md#sync

// Package git runs git so that neither a repository's configuration nor its content decides what else runs, and reads
// commits, trees and lists of files.
package git

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// killWait is how long git's pipes may stay open after it was killed.
const killWait = 2 * time.Second

// maxAnswer bounds an answer that is an object name or a word, in bytes.
const maxAnswer = 64 << 10

// maxStderr is how much of git's last words is kept, in bytes.
const maxStderr = 4 << 10

// inherited are the variables of ours that git may see: how to reach the
// network, and nothing that git itself reads.
var inherited = []string{
	"PATH", "TZ", "TMPDIR", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "https_proxy", "no_proxy", "all_proxy",
}

// hardening are settings of every call. They beat what a repository's own
// configuration says.
var hardening = []string{
	"core.fsmonitor=false", "core.hooksPath=/dev/null", "core.attributesFile=/dev/null", "core.excludesFile=/dev/null",
	"core.askPass=", "credential.helper=", "core.autocrlf=false", "core.eol=lf", "core.protectHFS=true",
	"core.protectNTFS=true",
	"protocol.allow=never", "protocol.version=2",
	"http.followRedirects=false", "http.sslVerify=true", "http.lowSpeedLimit=1000", "http.lowSpeedTime=30",
	"transfer.fsckObjects=true", "transfer.bundleURI=false", "fetch.unpackLimit=1",
	"fetch.recurseSubmodules=false", "submodule.recurse=false", "gc.auto=0", "maintenance.auto=false",
	"advice.detachedHead=false",
}

// Runner is how git is called in one work tree.
type Runner struct {
	Program string   // path or name
	Environ []string // of our process
	Dir     string   // the work tree; git's own folder is in it
	Home    string   // an empty folder
	Local   bool     // the file protocol is allowed besides https
	Offline bool     // no protocol is allowed: only objects that are there are read
}

// protocols are those that may be spoken.
func (r Runner) protocols() []string {
	switch {
	case r.Offline:
		return nil
	case r.Local:
		return []string{"https", "file"}
	default:
		return []string{"https"}
	}
}

// environment is an allow-list of ours and what git must have.
func (r Runner) environment() []string {
	env := []string{
		"LANG=C", "LC_ALL=C", "HOME=" + r.Home, "XDG_CONFIG_HOME=" + r.Home,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=/dev/null", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1",
		"GIT_TERMINAL_PROMPT=0", "GIT_SSH_COMMAND=false", "GIT_PROTOCOL_FROM_USER=0", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_LITERAL_PATHSPECS=1", "GIT_ALLOW_PROTOCOL=" + strings.Join(r.protocols(), ":"),
		"GIT_DIR=" + filepath.Join(r.Dir, ".git"), "GIT_WORK_TREE=" + r.Dir,
	}
	if r.Offline {
		env = append(env, "GIT_NO_LAZY_FETCH=1", "GIT_OPTIONAL_LOCKS=0")
	}
	for _, entry := range r.Environ {
		if name, _, _ := strings.Cut(entry, "="); slices.Contains(inherited, name) {
			env = append(env, entry)
		}
	}
	return env
}

// authorities is the file of certificate authorities that the environment
// names for git or for everybody; "" leaves git's own.
func (r Runner) authorities() string {
	file, everybody := "", ""
	for _, entry := range r.Environ { // the last one wins, as in a shell
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "GIT_SSL_CAINFO":
			file = value
		case "SSL_CERT_FILE":
			everybody = value
		}
	}
	if file == "" {
		return everybody
	}
	return file
}

// cmd builds one call of git. The arguments are ours but for those after
// --end-of-options.
func (r Runner) cmd(ctx context.Context, args ...string) *exec.Cmd {
	var full []string
	for _, s := range hardening {
		full = append(full, "-c", s)
	}
	for _, p := range r.protocols() {
		full = append(full, "-c", "protocol."+p+".allow=always")
	}
	if file := r.authorities(); file != "" {
		full = append(full, "-c", "http.sslCAInfo="+file)
	}
	cmd := exec.CommandContext(ctx, r.Program, append(full, args...)...)
	cmd.Dir = r.Dir
	cmd.Env = r.environment()
	Own(cmd)
	cmd.WaitDelay = killWait
	return cmd
}

// Run calls git and returns its output, at most limit bytes of it.
func (r Runner) Run(ctx context.Context, limit int64, args ...string) ([]byte, error) {
	return r.Feed(ctx, nil, limit, args...)
}

// Feed is Run with something on standard input.
func (r Runner) Feed(ctx context.Context, input io.Reader, limit int64, args ...string) ([]byte, error) {
	runtime.LockOSThread() // the child ends with the thread that started it
	defer runtime.UnlockOSThread()
	cmd := r.cmd(ctx, args...)
	stdout, stderr := &bounded{limit: limit}, &tail{}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = input, stdout, stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return nil, hybridcore.Blockedf("git is not installed; install it (Debian: apt install git)")
	case stdout.over:
		return nil, fmt.Errorf("git %s: more than %d MiB of output", args[0], limit>>20)
	case err != nil:
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, stderr)
	}
	return stdout.data.Bytes(), nil
}

// bounded keeps output up to a limit and refuses the rest, which ends git.
type bounded struct {
	data  bytes.Buffer
	limit int64
	over  bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if int64(b.data.Len()+len(p)) > b.limit {
		b.over = true
		return 0, errors.New("too much output")
	}
	return b.data.Write(p) //nolint:wrapcheck // never fails
}

// tail keeps the last bytes of git's messages, part of which a server wrote.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if over := len(t.data) - maxStderr; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return len(p), nil
}

// String is printable, on one line.
func (t *tail) String() string {
	lines := strings.FieldsFunc(string(t.data), func(r rune) bool { return r == '\n' || r == '\r' })
	var kept []string
	for _, line := range lines {
		if line = strings.TrimSpace(hclfile.Printable(line)); line != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "; ")
}
