// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package bucket

import (
	"context"
	"fmt"
	"iter"
	"os/exec"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/wire"
)

// Options say where a state is, and how it is reached.
type Options struct {
	Address string
	Named   bool     // by the environment of the process, and not by a file of the project
	Environ []string // of this process
}

// Backend has packer-hybrid-bucket keep the objects. It is started by the first call,
// and ends with Close or with this process.
type Backend struct {
	Program string // path of packer-hybrid-bucket, set before the first call

	o  Options
	at Address

	mu     sync.Mutex
	runs   *program
	closed bool
}

// New checks the options. Nothing is started or asked for yet.
func New(o Options) (*Backend, error) {
	at, err := Parse(o.Address, o.Named)
	if err != nil {
		return nil, err
	}
	if at.Scheme == Azure && !o.Named && at.Query.Get("storage_account") != "" {
		account, _ := hybridcore.LookupEnv(o.Environ, "AZURE_STORAGE_ACCOUNT")
		token, _ := hybridcore.LookupEnv(o.Environ, "AZURE_STORAGE_SAS_TOKEN")
		if token != "" && account != at.Query.Get("storage_account") {
			return nil, hybridcore.Usagef("a shared access signature is sent as it is, and a project file may not say to " +
				"which account: set AZURE_STORAGE_ACCOUNT to that of the signature")
		}
	}
	return &Backend{o: o, at: at}, nil
}

// Close ends the program.
func (b *Backend) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.runs == nil {
		return nil
	}
	return b.runs.end()
}

// client is the other side of the program, which is started anew when it has ended.
func (b *Backend) client(ctx context.Context) (*wire.Client, error) {
	if err := ctx.Err(); err != nil {
		return nil, err //nolint:wrapcheck // by the caller
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("the state in %s is closed", b.at)
	}
	if b.runs != nil && !b.runs.ended() {
		return b.runs.client, nil
	}
	if b.runs != nil {
		_ = b.runs.end() // what it said is in the error of the call that it left
	}
	var err error
	if b.runs, err = start(ctx, b.command()); err != nil {
		return nil, err
	}
	return b.runs.client, nil
}

// failed is an error of a call with what the program said when it has ended meanwhile.
func (b *Backend) failed(err error) error {
	if err == nil || !wire.Lost(err) {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.runs == nil {
		return err
	}
	return &hybridcore.BlockedError{Msg: wire.Name + " has ended" + b.runs.said(), Err: err}
}

// Get implements state.Reader.
func (b *Backend) Get(ctx context.Context, name string) ([]byte, error) {
	if err := state.CheckObject(name); err != nil {
		return nil, err
	}
	c, err := b.client(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	data, err := c.Get(ctx, name)
	return data, b.failed(err)
}

// List implements state.Reader.
func (b *Backend) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		c, err := b.client(ctx)
		if err != nil {
			yield("", fmt.Errorf("listing %s: %w", folder, err))
			return
		}
		for name, err := range c.List(ctx, folder) {
			if !yield(name, b.failed(err)) {
				return
			}
		}
	}
}

// Put implements state.Writer.
func (b *Backend) Put(ctx context.Context, name string, data []byte) error {
	if err := state.CheckPut(name, data); err != nil {
		return err
	}
	c, err := b.client(ctx)
	if err != nil {
		return fmt.Errorf("storing %s: %w", name, err)
	}
	return b.failed(c.Put(ctx, name, data))
}

// Delete implements state.Writer.
func (b *Backend) Delete(ctx context.Context, name string) error {
	if err := state.CheckObject(name); err != nil {
		return err
	}
	c, err := b.client(ctx)
	if err != nil {
		return fmt.Errorf("removing %s: %w", name, err)
	}
	return b.failed(c.Delete(ctx, name))
}

// Offset implements state.Clock: the bucket's clock showed the time of its newest lease then,
// so that it shows more now.
func (b *Backend) Offset(ctx context.Context) (state.Offset, error) {
	off := state.Offset{AtLeast: true, Of: "that of the bucket"}
	c, err := b.client(ctx)
	if err != nil {
		return off, fmt.Errorf("reading the bucket's clock: %w", err)
	}
	at, err := c.Newest(ctx)
	if err != nil {
		return off, b.failed(fmt.Errorf("reading the bucket's clock: %w", err))
	}
	if !at.IsZero() {
		off.Behind = time.Until(at)
	}
	return off, nil
}

// Where implements state.Guide.
func (b *Backend) Where(name string) string {
	if name == "" {
		return b.at.String()
	}
	return b.at.Scheme + "://" + b.at.Bucket + "/" + b.at.Prefix + name
}

// Copy implements state.Guide.
func (b *Backend) Copy(from, to string) string { return "packer-hybrid state copy " + from + " " + to }

// command starts the program in a group of its own, so that what interrupts this
// process does not take the state from it before it has let go of its leases.
func (b *Backend) command() *exec.Cmd {
	cmd := exec.Command(b.Program, b.at.String()) //nolint:noctx // it lives until Close
	cmd.Env = environ(b.o.Environ)
	cmd.SysProcAttr = ownGroup()
	return cmd
}
