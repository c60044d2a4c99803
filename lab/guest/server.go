// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:51:34Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"fmt"
	"net"
	"os"
	"time"

	"golang.org/x/crypto/ssh"
)

// signInTimeout bounds the SSH handshake (sshd's LoginGraceTime is 120 s).
const signInTimeout = 120 * time.Second

// server is the guest's SSH server.
type server struct {
	processes *processes
	config    *ssh.ServerConfig
	address   string
}

// newServer prepares the SSH server. address is the guest's own address, for SSH_CONNECTION.
func newServer(p *processes, address string) (*server, error) {
	key, err := loadHostKey()
	if err != nil {
		return nil, err
	}
	s := &server{processes: p, address: address}
	s.config = &ssh.ServerConfig{
		ServerVersion:     "SSH-2.0-packer-hybrid-lab",
		PasswordCallback:  s.checkPassword,
		PublicKeyCallback: s.checkKey,
		MaxAuthTries:      6, // sshd's default
	}
	s.config.AddHostKey(key)
	return s, nil
}

// serve accepts connections until the listener fails.
func (s *server) serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "guest: accepting connections:", err)
			return
		}
		go s.handle(conn)
	}
}

// handle serves one connection to its end.
func (s *server) handle(conn net.Conn) {
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(signInTimeout))
	client, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest: sign-in refused:", err)
		return
	}
	_ = conn.SetDeadline(time.Time{})
	a, err := lookupAccount(client.User())
	if err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		return
	}
	// Like sshd, answer keepalive@openssh.com and other unknown requests with failure: that is an answer.
	go ssh.DiscardRequests(requests)
	for offer := range channels {
		if offer.ChannelType() != "session" {
			_ = offer.Reject(ssh.Prohibited, "the guest has no network: only sessions are served")
			continue
		}
		channel, requests, err := offer.Accept()
		if err != nil {
			return
		}
		s := &session{
			server: s, channel: channel, account: a, env: a.environment(), remote: conn.RemoteAddr(),
			local: conn.LocalAddr(),
		}
		go s.serve(requests)
	}
}
