// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:52:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// Bounds of one call of git.
const (
	callTime  = 5 * time.Minute // a fetch asks three times, and a repository may answer after a minute
	killWait  = 2 * time.Second // for its pipes, once it was ended
	maxOutput = 128 << 20       // bytes; the names of 10,000 records are 1 MiB
	maxError  = 8 << 10         // bytes of its messages that are kept
)

// settings beat what configuration says.
var settings = []string{
	"core.hooksPath=/dev/null", "core.fsmonitor=false", "core.logAllRefUpdates=false",
	"protocol.allow=never", "protocol.https.allow=always", "protocol.http.allow=always", "protocol.ssh.allow=always",
	"protocol.file.allow=always", "protocol.version=2",
	"http.followRedirects=false", "http.sslVerify=true", "http.lowSpeedLimit=1", "http.lowSpeedTime=90",
	"transfer.fsckObjects=true", "transfer.bundleURI=false", "fetch.recurseSubmodules=false",
	"push.gpgSign=false", "push.recurseSubmodules=no", "gc.auto=0", "maintenance.auto=false",
}

// inherited are the variables that git, ssh, gpg and their helpers may see.
var inherited = []string{
	"PATH", "TZ", "TMPDIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "no_proxy",
	"all_proxy",
}

// personal are those that lead to what a person has set up for git.
var personal = []string{
	"HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "GIT_SSH", "GIT_SSH_COMMAND",
	"GNUPGHOME", "GIT_CONFIG_GLOBAL", "DBUS_SESSION_BUS_ADDRESS",
}

// environment is that of git.
func (o Options) environment(dir string) []string {
	env := []string{
		"LANG=C", "LC_ALL=C", "GIT_DIR=" + dir, "GIT_TERMINAL_PROMPT=0", "GIT_NO_REPLACE_OBJECTS=1",
		"GIT_LITERAL_PATHSPECS=1", "GIT_OPTIONAL_LOCKS=0", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=packer-hybrid", "GIT_AUTHOR_EMAIL=packer-hybrid@localhost",
		"GIT_COMMITTER_NAME=packer-hybrid", "GIT_COMMITTER_EMAIL=packer-hybrid@localhost",
	}
	pass := inherited
	if o.Own {
		pass = slices.Concat(inherited, personal)
	} else {
		env = append(env, "HOME=/dev/null", "XDG_CONFIG_HOME=/dev/null", "GIT_CONFIG_GLOBAL=/dev/null")
	}
	sshSet := false
	for _, entry := range o.Environ {
		if name, _, _ := strings.Cut(entry, "="); slices.Contains(pass, name) {
			env = append(env, entry)
			sshSet = sshSet || name == "GIT_SSH" || name == "GIT_SSH_COMMAND"
		}
	}
	if !sshSet {
		env = append(env, "GIT_SSH_COMMAND="+o.Access.ssh())
	}
	return append(env, o.configuration()...)
}

// configuration hands settings to git by its environment, which no other user sees.
func (o Options) configuration() []string {
	all := append(slices.Clone(settings), "remote.origin.url="+o.Repository)
	if o.Access.Token != "" {
		basic := base64.StdEncoding.EncodeToString([]byte(o.Access.User + ":" + o.Access.Token))
		all = append(all, "credential.helper=", "http.extraHeader=Authorization: Basic "+basic)
	}
	for _, name := range []string{"GIT_SSL_CAINFO", "SSL_CERT_FILE"} {
		if file, _ := hybridcore.LookupEnv(o.Environ, name); file != "" {
			all = append(all, "http.sslCAInfo="+file)
			break
		}
	}
	if o.SigningKey != "" {
		all = append(all, "gpg.format=ssh", "user.signingKey="+o.SigningKey)
	}
	env := []string{"GIT_CONFIG_COUNT=" + strconv.Itoa(len(all))}
	for i, one := range all {
		key, value, _ := strings.Cut(one, "=")
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, key), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, value))
	}
	return env
}

// clone is the bare clone of this process, in which git is called.
type clone struct {
	o   Options
	dir string
}

// errLate says that git was ended: what it asked for may have been done.
var errLate = fmt.Errorf("git did not end within %s", callTime)

// call is one call of git.
type call struct {
	args  []string
	input []byte
	env   []string // besides that of all calls
}

// git calls git and returns its output. An error is a gitError, unless the context
// has ended or git is not there.
func (r clone) git(ctx context.Context, c call) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, callTime, errLate)
	defer cancel()
	runtime.LockOSThread() // the child ends with the thread that started it
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, "git", c.args...)
	cmd.Dir, cmd.Env = r.dir, append(r.o.environment(r.dir), c.env...)
	git.Own(cmd)
	cmd.WaitDelay = killWait
	out, errs := &limited{most: maxOutput}, &limited{most: maxError}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(c.input), out, errs
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return nil, hybridcore.Blockedf("git is not installed; install it (Debian: apt install git)")
	case out.over:
		return nil, fmt.Errorf("git %s: more than %d MiB of output", c.args[0], maxOutput>>20)
	case err != nil:
		return out.data.Bytes(), &gitError{verb: c.args[0], said: errs.data.String() + "\n" + out.data.String(), err: err}
	}
	return out.data.Bytes(), nil
}

// line is the one line that git prints.
func (r clone) line(ctx context.Context, c call) (string, error) {
	out, err := r.git(ctx, c)
	text, _, _ := strings.Cut(string(out), "\n")
	return text, err
}

// limited keeps the first bytes that are written to it.
type limited struct {
	data bytes.Buffer
	most int
	over bool
}

// Write implements io.Writer.
func (l *limited) Write(p []byte) (int, error) {
	room := l.most - l.data.Len()
	if len(p) > room {
		l.over = true
		l.data.Write(p[:room])
		return len(p), nil
	}
	return l.data.Write(p) //nolint:wrapcheck // never fails
}

var _ io.Writer = (*limited)(nil)

// Backend is the ref of a repository. Its methods may be called by several
// goroutines; one at a time talks to the repository.
type Backend struct {
	o     Options
	clone clone

	requests atomic.Int64 // calls of git that reached the repository

	one   sole            // who has entered may use what follows
	now   *view           // as last seen; nil before the first look
	seen  time.Time       // when
	have  map[string]bool // git's objects of files that are in the clone
	turns turns
}

// view is the state at one commit. It is not changed once it is made.
type view struct {
	commit  string            // empty: there is no such ref
	commits int               // in the ref's history
	objects map[string]string // git's object by name
	names   []string          // in order
}
