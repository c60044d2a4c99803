// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:51:34Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"fmt"
	"io"
	"net"
	"os"
)

// sshPort is where sshd is reached inside the guest.
const sshPort = 22

// sshd is one run of the guest's own SSH server for one connection, as inetd starts it. It logs to the console,
// since there is no syslog, and forwards nothing: a guest is an end, no way to somewhere else.
var sshd = []string{"/usr/sbin/sshd", "-i", "-e", "-o", "DisableForwarding=yes"}

// server leads clients to the guest's sshd.
//
// Their connections belong to the host's network. A process of the guest that got hold of one could disconnect
// it and connect it to any address of the host. They stay in the first process, which nobody in the guest may
// trace; sshd has the other end of a connection inside the guest's network.
type server struct {
	processes *processes
	address   *net.TCPAddr // of the SSH port, in the guest's network
	inside    *net.TCPListener
	console   *os.File // a pipe to the console: sshd's messages, without the host's file
}

// newServer opens the SSH port in the guest's network, where all of 127.0.0.0/8 is local.
func newServer(p *processes, address string) (*server, error) {
	s := &server{processes: p, address: &net.TCPAddr{IP: net.ParseIP(address), Port: sshPort}}
	var err error
	// On all addresses, as sshd listens elsewhere: what an inventory lists is to be the same in all guests.
	if s.inside, err = net.ListenTCP("tcp4", &net.TCPAddr{Port: sshPort}); err != nil {
		return nil, fmt.Errorf("opening the SSH port: %w", err)
	}
	messages, console, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a pipe to the console: %w", err)
	}
	s.console = console
	go func() { _, _ = io.Copy(os.Stderr, messages) }() // ends with the guest
	return s, nil
}

// serve passes what comes from outside on, and starts sshd for what comes in, until the guest ends.
func (s *server) serve(outside net.Listener) {
	go each(outside, s.lead)
	go each(s.inside, s.start)
}

// each calls do with each connection, until the listener fails.
func each(from net.Listener, do func(*net.TCPConn) error) {
	for {
		conn, err := from.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "guest: accepting connections:", err)
			return
		}
		go func() {
			defer conn.Close()
			if err := do(conn.(*net.TCPConn)); err != nil { //nolint:errcheck // both listeners are of TCP
				fmt.Fprintln(os.Stderr, "guest:", err)
			}
		}()
	}
}

// lead copies between a client and the guest's SSH port, until sshd is done.
func (s *server) lead(client *net.TCPConn) error {
	port, err := net.DialTCP("tcp4", nil, s.address)
	if err != nil {
		return fmt.Errorf("leading a client to sshd: %w", err)
	}
	defer port.Close()
	go func() {
		_, _ = io.Copy(port, client) // one that breaks off has ended, too
		_ = port.CloseWrite()
	}()
	_, _ = io.Copy(client, port)
	return nil
}

// start starts sshd on one connection.
func (s *server) start(conn *net.TCPConn) error {
	file, err := conn.File()
	if err != nil {
		return fmt.Errorf("starting sshd: %w", err)
	}
	defer file.Close()
	_, err = s.processes.start(sshd, []*os.File{file, file, s.console})
	return err
}
