// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// sshServer runs real git for the real ssh of this machine, for the owner of a key.
type sshServer struct {
	address, key, hosts string
}

func serveSSH(t *testing.T) sshServer {
	t.Helper()
	dir := t.TempDir()
	host, _ := sshKey(t)
	client, private := sshKey(t)
	config := &ssh.ServerConfig{
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if string(key.Marshal()) != string(client.PublicKey().Marshal()) {
				return nil, errors.New("who are you?")
			}
			return &ssh.Permissions{}, nil
		},
	}
	config.AddHostKey(host)
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go sshConnection(t.Context(), conn, config)
		}
	}()
	s := sshServer{
		address: "git@" + l.Addr().String(), key: filepath.Join(dir, "it's a key"), hosts: filepath.Join(dir, "known_hosts"),
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	known := fmt.Sprintf("[127.0.0.1]:%s %s", port, ssh.MarshalAuthorizedKey(host.PublicKey()))
	err = errors.Join(os.WriteFile(s.key, private, 0o600), os.WriteFile(s.hosts, []byte(known), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func sshKey(t *testing.T) (ssh.Signer, []byte) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	return signer, pem.EncodeToMemory(block)
}

// sshConnection carries out one command: git-upload-pack or git-receive-pack.
func sshConnection(ctx context.Context, conn net.Conn, config *ssh.ServerConfig) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for asked := range channels {
		channel, requests, err := asked.Accept()
		if err != nil {
			return
		}
		var env []string
		for r := range requests {
			var text struct{ Name, Value string }
			var command struct{ Line string }
			switch {
			case r.Type == "env" && ssh.Unmarshal(r.Payload, &text) == nil && text.Name == "GIT_PROTOCOL":
				env = append(env, text.Name+"="+text.Value)
				_ = r.Reply(true, nil)
			case r.Type == "exec" && ssh.Unmarshal(r.Payload, &command) == nil:
				_ = r.Reply(true, nil)
				code := sshCommand(ctx, channel, command.Line, env)
				_, _ = channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
				_ = channel.Close()
			default:
				_ = r.Reply(false, nil)
			}
		}
	}
}

func sshCommand(ctx context.Context, channel ssh.Channel, line string, env []string) uint32 {
	verb, path, _ := strings.Cut(line, " ")
	if verb != "git-upload-pack" && verb != "git-receive-pack" {
		return 127
	}
	cmd := exec.CommandContext(ctx, "git", strings.TrimPrefix(verb, "git-"), strings.Trim(path, "'"))
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/dev/null"}, env...)
	cmd.Stdout, cmd.Stderr = channel, channel.Stderr()
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return 126
	}
	go func() {
		_, _ = io.Copy(in, channel)
		_ = in.Close()
	}()
	if err := cmd.Wait(); err != nil {
		return 1
	}
	return 0
}

func (s sshServer) open(t *testing.T, dir string, access gitref.Access) *gitref.Backend {
	t.Helper()
	return open(t, gitref.Options{Repository: "ssh://" + s.address + dir, Access: access})
}

// TestOverSSH keeps a state over the ssh of this machine, with a deploy key.
func TestOverSSH(t *testing.T) {
	t.Parallel()
	s := serveSSH(t)
	dir := repository(t)
	access := gitref.Access{Key: s.key, Hosts: s.hosts}
	open := func() *state.Store { return state.New(s.open(t, dir, access), state.Capabilities{}) }
	one, other := open(), open()
	held, err := one.Acquire(t.Context(), statetest.Lease("run-1"))
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Append(t.Context(), statetest.Record("run-1"), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Acquire(t.Context(), statetest.Lease("run-2")); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("a second holder: %v", err)
	}
	if _, err := other.Record(t.Context(), "run-1"); err != nil {
		t.Error(err)
	}
	if err := held.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := open().Acquire(t.Context(), statetest.Lease("run-2")); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

// TestSSHIsRefused has a wrong key, and a host that is not the known one.
func TestSSHIsRefused(t *testing.T) {
	t.Parallel()
	s, other := serveSSH(t), serveSSH(t)
	dir := repository(t)
	for what, access := range map[string]gitref.Access{
		"a key of somebody else": {Key: other.key, Hosts: s.hosts},
		"another host":           {Key: s.key, Hosts: other.hosts},
	} {
		err := s.open(t, dir, access).Put(t.Context(), "runs/x", nil)
		if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), "deploy key") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestSigned signs a commit with a key of ssh, and has git verify it.
func TestSigned(t *testing.T) {
	t.Parallel()
	dir, keys := repository(t), t.TempDir()
	signer, private := sshKey(t)
	key, allowed := filepath.Join(keys, "key"), filepath.Join(keys, "allowed")
	public := ssh.MarshalAuthorizedKey(signer.PublicKey())
	if err := errors.Join(os.WriteFile(key, private, 0o600), os.WriteFile(key+".pub", public, 0o600),
		os.WriteFile(allowed, append([]byte("packer-hybrid@localhost "), public...), 0o600)); err != nil {
		t.Fatal(err)
	}
	b := open(t, gitref.Options{Repository: dir, Sign: true, SigningKey: key})
	if err := b.Put(t.Context(), "runs/x", nil); err != nil {
		t.Fatal(err)
	}
	said := git(t, dir, "-c", "gpg.ssh.allowedSignersFile="+allowed, "verify-commit", gitref.DefaultRef)
	if !strings.Contains(said, "Good \"git\" signature for packer-hybrid@localhost") {
		t.Error(said)
	}
	unsigned := open(t, gitref.Options{Repository: repository(t), Sign: true, SigningKey: filepath.Join(keys, "none")})
	if err := unsigned.Put(t.Context(), "runs/x", nil); err == nil {
		t.Error("without a key a commit is stored")
	}
}
