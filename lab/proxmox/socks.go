// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:49Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-guest-address
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// Numbers of SOCKS 5 (RFC 1928).
const (
	socksVersion     = 5
	socksNoPassword  = 0
	socksNoMethod    = 0xff
	socksConnect     = 1
	socksIPv4        = 1
	socksName        = 3
	socksSucceeded   = 0
	socksUnreachable = 4
	socksRefused     = 5
	socksNoCommand   = 7
	socksNoAddress   = 8
)

// socksPatience bounds the negotiation and the connection to a guest.
const socksPatience = 10 * time.Second

// socks is a SOCKS 5 proxy that leads to guests only.
type socks struct {
	listener net.Listener
	lookup   func(reported netip.Addr) (address string, ok bool)

	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
	work   sync.WaitGroup
}

// newSocks makes a proxy that finds guests with lookup.
func newSocks(listener net.Listener, lookup func(netip.Addr) (string, bool)) *socks {
	return &socks{listener: listener, lookup: lookup, open: make(map[net.Conn]bool)}
}

// serve serves until close.
func (p *socks) serve() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(10 * time.Millisecond) // too many open files: some will be closed
			continue
		}
		if !p.track(client) {
			return
		}
		p.work.Go(func() {
			defer p.drop(client)
			p.connect(client)
		})
	}
}

// track remembers a connection, or closes it when the proxy is closed.
func (p *socks) track(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.Close()
		return false
	}
	p.open[c] = true
	return true
}

// drop closes a connection.
func (p *socks) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, c)
	_ = c.Close()
}

// close ends the proxy and its connections.
func (p *socks) close() {
	p.mu.Lock()
	p.closed = true
	_ = p.listener.Close()
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.work.Wait()
}

// connect negotiates with a client and joins it with its guest.
func (p *socks) connect(client net.Conn) {
	_ = client.SetDeadline(time.Now().Add(socksPatience)) // fails only on closed connections
	wanted, code := negotiate(client)
	if code != socksSucceeded {
		_ = reply(client, code) // the client may have gone
		return
	}
	address, ok := p.lookup(wanted.Addr())
	if !ok {
		_ = reply(client, socksUnreachable) // the client may have gone
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), socksPatience)
	defer cancel()
	guest, err := (&net.Dialer{}).DialContext(ctx, "tcp4", net.JoinHostPort(address, strconv.Itoa(int(wanted.Port()))))
	if err != nil {
		_ = reply(client, socksRefused) // the client may have gone
		return
	}
	if !p.track(guest) {
		return
	}
	defer p.drop(guest)
	if reply(client, socksSucceeded) != nil || client.SetDeadline(time.Time{}) != nil {
		return
	}
	join(client, guest)
}

// join copies both ways until both directions have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, err := io.Copy(pair[0], pair[1])
			half, ok := pair[0].(*net.TCPConn)
			if err != nil || !ok || half.CloseWrite() != nil {
				_, _ = pair[0].Close(), pair[1].Close()
			}
		})
	}
	both.Wait()
}

// negotiate reads a client's greeting and request, and answers the greeting. The code says how to go on.
func negotiate(client io.ReadWriter) (netip.AddrPort, byte) {
	var wanted netip.AddrPort
	head := make([]byte, 2)
	if _, err := io.ReadFull(client, head); err != nil || head[0] != socksVersion {
		return wanted, socksRefused
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(client, methods); err != nil {
		return wanted, socksRefused
	}
	method := byte(socksNoMethod)
	for _, offered := range methods {
		if offered == socksNoPassword {
			method = socksNoPassword
		}
	}
	if _, err := client.Write([]byte{socksVersion, method}); err != nil || method == socksNoMethod {
		return wanted, socksRefused
	}
	request := make([]byte, 4)
	if _, err := io.ReadFull(client, request); err != nil || request[0] != socksVersion {
		return wanted, socksRefused
	}
	if request[1] != socksConnect {
		return wanted, socksNoCommand
	}
	address, err := readAddress(client, request[3])
	if err != nil {
		return wanted, socksNoAddress
	}
	port := make([]byte, 2)
	if _, err := io.ReadFull(client, port); err != nil {
		return wanted, socksRefused
	}
	return netip.AddrPortFrom(address, binary.BigEndian.Uint16(port)), socksSucceeded
}

// readAddress reads an IPv4 address, or a name that is one.
func readAddress(client io.Reader, kind byte) (netip.Addr, error) {
	length := []byte{net.IPv4len}
	switch kind {
	case socksIPv4:
	case socksName:
		if _, err := io.ReadFull(client, length); err != nil {
			return netip.Addr{}, fmt.Errorf("reading a name's length: %w", err)
		}
	default:
		return netip.Addr{}, fmt.Errorf("address type %d is not supported", kind)
	}
	text := make([]byte, length[0])
	if _, err := io.ReadFull(client, text); err != nil {
		return netip.Addr{}, fmt.Errorf("reading an address: %w", err)
	}
	if kind == socksIPv4 {
		return netip.AddrFrom4([4]byte(text)), nil
	}
	address, err := netip.ParseAddr(string(text))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("reading an address: %w", err)
	}
	return address, nil
}

// reply tells a client how its request ended.
func reply(client io.Writer, code byte) error {
	_, err := client.Write([]byte{socksVersion, code, 0, socksIPv4, 0, 0, 0, 0, 0, 0})
	if err != nil {
		return fmt.Errorf("answering a SOCKS request: %w", err)
	}
	return nil
}
