// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:37:39Z
// Spec: openspec/specs/full-validation/spec.md#requirement-plugins-run-bounded
// Diagram: openspec/specs/full-validation/diagram.md#one-component

// Package component runs one component of a Packer plugin as Packer does: a
// process of its own, spoken to over Packer's plugin RPC.
package component

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/hashicorp/packer-plugin-sdk/rpc"
	"github.com/zclconf/go-cty/cty"
)

// Kind is a kind of component, as plugins name it on their command line.
type Kind string

// Kinds of components.
const (
	Builder       Kind = "builder"
	Provisioner   Kind = "provisioner"
	PostProcessor Kind = "post-processor"
	DataSource    Kind = "datasource"
)

// Limits of one component.
const (
	startLimit  = 30 * time.Second // from the start to its address, on a loaded machine
	callLimit   = 60 * time.Second // of one call; the slowest real Prepare takes under a second
	maxStderr   = 64 << 10         // bytes kept of what it logs
	maxAddress  = 4 << 10          // bytes of its first line
	memoryLimit = "512MiB"         // from which on it collects garbage; real plugins stay below 100 MiB
	linger      = time.Second      // for its pipes to close after its end
)

// Program is how a component is started.
type Program struct {
	Path   string
	Args   []string // e.g. start builder iso
	Proto  bool     // it speaks protobuf; older plugins speak gob only
	SHA256 string   // of the file at Path, verified by the caller
}

// Place is where a component runs.
type Place struct {
	Dir  string   // working directory: the stage
	Env  []string // its whole environment but for what the protocol adds
	Temp string   // directory of its socket: short, and the user's own
}

// Component is one running component.
type Component struct {
	kind   Kind
	cmd    *exec.Cmd
	client *rpc.Client
	stderr *tail
	stop   func() bool
	ctx    context.Context //nolint:containedctx // it bounds the calls, whose interface has none
	cancel context.CancelFunc
}

// Start starts a component and connects to it. Close ends it; so does ctx.
func Start(ctx context.Context, kind Kind, program Program, at Place) (*Component, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &Component{kind: kind, stderr: &tail{}, ctx: ctx, cancel: cancel}
	c.cmd = exec.CommandContext(context.WithoutCancel(ctx), program.Path, program.Args...)
	c.cmd.Dir = at.Dir
	c.cmd.Env = append(slices.Clip(at.Env),
		plugin.MagicCookieKey+"="+plugin.MagicCookieValue, "PACKER_PLUGIN_MIN_PORT=10000", "PACKER_PLUGIN_MAX_PORT=25000",
		"CHECKPOINT_DISABLE=1", "TMPDIR="+at.Temp,
		// It lives for milliseconds, of which collecting garbage would take half.
		"GOGC=off", "GOMEMLIMIT="+memoryLimit)
	c.cmd.SysProcAttr = ownGroup()
	c.cmd.Stderr = c.stderr
	c.cmd.WaitDelay = linger
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	if err := c.cmd.Start(); err != nil {
		cancel()
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(program.Path), err)
	}
	c.stop = context.AfterFunc(ctx, c.kill)
	timer := time.AfterFunc(startLimit, c.kill)
	defer timer.Stop()
	address, err := readAddress(stdout)
	if err == nil {
		go func() { _, _ = io.Copy(io.Discard, stdout) }() // so that it never blocks
		err = c.dial(address, at.Temp)
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("starting %s %s: %w%s", filepath.Base(program.Path), strings.Join(program.Args, " "), err,
			c.said())
	}
	c.client.UseProto = program.Proto
	return c, nil
}

// readAddress reads the line in which a plugin says where it listens:
// API|MINOR|NETWORK|ADDRESS.
func readAddress(from io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(from, maxAddress)).ReadString('\n')
	if err != nil {
		return "", errors.New("it ended without saying where it listens")
	}
	return parseAddress(strings.TrimSpace(line))
}

func parseAddress(line string) (string, error) {
	parts := strings.SplitN(line, "|", 4)
	if len(parts) != 4 || parts[0] != plugin.APIVersionMajor || parts[2] != "unix" || !filepath.IsAbs(parts[3]) {
		return "", fmt.Errorf("it said %.80q, which is no address of plugin API %s on a Unix socket", line,
			plugin.APIVersionMajor)
	}
	return parts[3], nil
}

func (c *Component) dial(address, temp string) error {
	if filepath.Dir(filepath.Clean(address)) != filepath.Clean(temp) {
		return fmt.Errorf("it listens on %.200q, outside of its directory", address)
	}
	conn, err := (&net.Dialer{Timeout: startLimit}).DialContext(c.ctx, "unix", address)
	_ = os.Remove(address) // killed plugins leave theirs
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	if c.client, err = rpc.NewClient(conn); err != nil {
		_ = conn.Close()
		return fmt.Errorf("connecting: %w", err)
	}
	return nil
}

// Close ends the component and everything in its process group.
func (c *Component) Close() {
	c.stop()
	c.kill()
	if c.client != nil {
		_ = c.client.Close() // the other end is dead
	}
	_ = c.cmd.Wait() // it was killed
	c.cancel()
}

func (c *Component) kill() { _ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL) } // it may have ended

// said is what the component logged last, for an error.
func (c *Component) said() string {
	if text := c.stderr.last(); text != "" {
		return "; it said: " + text
	}
	return ""
}

// guarded makes one call. The SDK panics where a call fails, and its calls have
// no time limit of their own.
func (c *Component) guarded(what string, call func() error) (err error) {
	timer := time.AfterFunc(callLimit, c.kill)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: %v", what, r)
		}
		if !timer.Stop() {
			err = fmt.Errorf("%s: no answer within %s", what, callLimit)
		}
		if c.ctx.Err() != nil {
			err = fmt.Errorf("%s: %w", what, context.Cause(c.ctx))
		}
	}()
	return call()
}

// Spec asks for the component's configuration schema.
func (c *Component) Spec() (spec hcldec.ObjectSpec, err error) {
	err = c.guarded("asking for its settings", func() error {
		switch c.kind {
		case Builder:
			spec = c.client.Builder().ConfigSpec()
		case Provisioner:
			spec = c.client.Provisioner().ConfigSpec()
		case PostProcessor:
			spec = c.client.PostProcessor().ConfigSpec()
		case DataSource:
			spec = c.client.Datasource().ConfigSpec()
		}
		return nil
	})
	return spec, err
}

// Output asks a data source for the schema of its answer.
func (c *Component) Output() (spec hcldec.ObjectSpec, err error) {
	err = c.guarded("asking for its output", func() error {
		spec = c.client.Datasource().OutputSpec()
		return nil
	})
	return spec, err
}

// Prepared is what a component says to its configuration.
type Prepared struct {
	Generated []string // names of the data that a builder generates for provisioners
	Warnings  []string
	Refused   error // its own verdict, or how it died
}

// Prepare hands over the configuration: Packer's own settings first, then the
// body of the template, then overrides. A component is prepared once: what it
// was told stays in it.
func (c *Component) Prepare(settings map[string]any, body cty.Value, override map[string]any) Prepared {
	var p Prepared
	p.Refused = c.guarded("preparing", func() (err error) {
		switch c.kind {
		case Builder:
			p.Generated, p.Warnings, err = c.client.Builder().Prepare(settings, body)
		case Provisioner:
			err = c.client.Provisioner().Prepare(settings, body, override)
		case PostProcessor:
			err = c.client.PostProcessor().Configure(settings, body)
		case DataSource:
			err = c.client.Datasource().Configure(body)
		}
		return err //nolint:wrapcheck // the plugin's own words are the answer
	})
	return p
}

// tail keeps the end of a stream, within a bound.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - maxStderr; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

// last is the last line, shortened.
func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := strings.TrimSpace(string(t.text))
	line := text[strings.LastIndexByte(text, '\n')+1:]
	return fmt.Sprintf("%.300s", line)
}
