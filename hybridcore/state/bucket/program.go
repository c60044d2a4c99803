// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package bucket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/wire"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// patience is how long the program may take to end once nobody talks to it.
const patience = 5 * time.Second

// program is packer-hybrid-bucket at work.
type program struct {
	client *wire.Client
	cmd    *exec.Cmd
	errs   *tail
	done   chan struct{} // closed when it has ended
	err    error         // how; once done is closed
}

// start starts the program with one end of a pair of sockets as its standard input. It
// ends when the other end is closed, in whatever way.
func start(ctx context.Context, cmd *exec.Cmd) (*program, error) {
	mine, its, err := pair()
	if err != nil {
		return nil, fmt.Errorf("making a pair of sockets: %w", err)
	}
	defer its.Close() //nolint:errcheck // the program has its own
	p := &program{cmd: cmd, errs: &tail{}, done: make(chan struct{})}
	p.cmd.Stdin, p.cmd.Stderr = its, p.errs
	if err := p.cmd.Start(); err != nil {
		return nil, errors.Join(&hybridcore.BlockedError{Msg: "starting " + cmd.Path, Err: err}, mine.Close())
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	if p.client, err = wire.Dial(ctx, mine); err != nil {
		return nil, errors.Join(fmt.Errorf("talking to %s: %w", cmd.Path, err), p.end())
	}
	return p, nil
}

// pair are two ends of a stream between this process and one that it starts.
func pair() (net.Conn, *os.File, error) {
	syscall.ForkLock.RLock()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // by the caller
	}
	mine, its := os.NewFile(uintptr(ends[0]), "mine"), os.NewFile(uintptr(ends[1]), "its")
	conn, err := net.FileConn(mine)
	if err := errors.Join(err, mine.Close()); err != nil {
		return nil, nil, errors.Join(err, its.Close())
	}
	return conn, its, nil
}

func (p *program) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// end lets the program end, and ends it when it does not.
func (p *program) end() error {
	if p.client != nil {
		_ = p.client.Close() // the program ends by it; how is waited for
	}
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill() // it may just have ended
		<-p.done
	}
	return nil
}

// said is how the program ended, and the last that it wrote.
func (p *program) said() string {
	select {
	case <-p.done:
	case <-time.After(time.Second):
		return ""
	}
	return fmt.Sprintf(" (%v) %s", p.cmd.ProcessState, p.errs)
}

func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// passed are the variables that the program gets: how the clouds' libraries find
// credentials and servers. Those of packer-hybrid, a forge or a guest are not among them.
var passed = []string{
	"HOME", "PATH", "USER", "LANG", "TMPDIR", "XDG_CONFIG_HOME", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy",
	"https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "IDENTITY_ENDPOINT", "IDENTITY_HEADER",
	"IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET", "STORAGE_EMULATOR_HOST", "GCE_METADATA_HOST",
}

// passedBegin are the first letters of others.
var passedBegin = []string{"AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_"}

func environ(of []string) []string {
	env := []string{}
	for _, entry := range of {
		key, _, _ := strings.Cut(entry, "=")
		if slices.Contains(passed, key) || slices.ContainsFunc(passedBegin, func(b string) bool {
			return strings.HasPrefix(key, b)
		}) {
			env = append(env, entry)
		}
	}
	return env
}

// tail keeps the last of what the program writes.
type tail struct {
	mu   sync.Mutex
	last []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = append(t.last, p...)
	if over := len(t.last) - 1000; over > 0 {
		t.last = slices.Delete(t.last, 0, over)
	}
	return len(p), nil
}

// String is on one line, without what could steer a terminal.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(strings.Fields(text.Sanitize(string(t.last))), " ")
}
