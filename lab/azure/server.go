// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-discovery-and-tokens
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Cloud is the name of the lab's cloud. No client knows it, so that none falls back to public Azure.
const Cloud = "LabCloud"

// closeGrace bounds the wait for requests that are under way at the end.
const closeGrace = 2 * time.Second

// headerTimeout bounds the time in which a client sends a request's header.
const headerTimeout = 10 * time.Second

// Identity is the one account of a simulated Azure. Secret is a password; the rest are GUIDs.
type Identity struct {
	Subscription string
	Tenant       string
	Client       string // the application that may sign in
	Object       string // the application's object in the directory: oid in tokens
	Secret       string
}

// NewIdentity makes a random account.
func NewIdentity(secret string) Identity { return Identity{guid(), guid(), guid(), guid(), secret} }

// Guest is what a virtual machine is booted with.
type Guest struct {
	Disk     string // identifies the guest and its disk
	Hostname string
	User     string   // administrator, made at first boot
	Password string   // empty: keys only
	Keys     []string // authorized_keys lines of the administrator, and of nobody else
}

// Guests runs virtual machines.
type Guests interface {
	// Boot starts a guest in the background, with an empty disk over the Marketplace image. It calls up with
	// the address when SSH is served, and down when the guest ended by itself or could not start.
	Boot(guest Guest, up func(address string), down func())
	// Shutdown ends a guest in an orderly way and returns when it is gone.
	Shutdown(disk string)
	// PowerOff ends a guest at once and returns when it is gone.
	PowerOff(disk string)
}

// Disks keeps what virtual machines and images hold.
type Disks interface {
	// Copy makes a new disk with the content of another, whose guest does not run.
	Copy(from, to string) error
	// Remove removes a disk. Copies of it stay whole.
	Remove(disk string) error
	// Delta is the directory with what the disk changes against the Marketplace image.
	Delta(disk string) string
}

// Config is how a simulated Azure is to be. All fields but Faithful are needed.
type Config struct {
	Identity Identity
	TLS      *tls.Config // with a certificate for 127.0.0.1
	Guests   Guests
	Disks    Disks
	Faithful bool // deletions take their time and are polled as Azure has it; else as fast as can be
}

// Server is a running simulated Azure.
type Server struct {
	config Config
	url    string
	key    []byte // signs tokens
	http   *http.Server
	faults fault.Injector

	ctx    context.Context //nolint:containedctx // of background work; ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu         sync.Mutex
	groups     map[string]*group     // by name in lower case
	operations map[string]*operation // by id
	disks      int                   // made so far
}

// Start serves a simulated Azure on a free port of 127.0.0.1 until Close. It begins with the resource group
// and gallery of Inventory.
func Start(config Config) (*Server, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("starting the simulated Azure: %w", err)
	}
	s := &Server{
		config: config, url: "https://" + listener.Addr().String(), key: []byte(rand.Text()),
		groups: make(map[string]*group), operations: make(map[string]*operation),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.seed()
	s.http = &http.Server{
		Handler: s.handler(), TLSConfig: config.TLS.Clone(), ReadHeaderTimeout: headerTimeout,
		ErrorLog: log.New(io.Discard, "", 0), // aborted handshakes of clients that went away
	}
	go func() { _ = s.http.ServeTLS(listener, "", "") }() // ends with Close
	return s, nil
}

// URL is where the simulator is reached: https and an address, without a slash at the end.
func (s *Server) URL() string { return s.url }

// Identity is the account that may use the simulator.
func (s *Server) Identity() Identity { return s.config.Identity }

// Faults makes calls fail. Paths are those of the resource manager, from /subscriptions on.
func (s *Server) Faults() *fault.Injector { return &s.faults }

// Close stops serving and waits for work that is under way.
func (s *Server) Close() error {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = s.http.Close()
	}
	s.work.Wait()
	if err != nil {
		return fmt.Errorf("ending the simulated Azure: %w", err)
	}
	return nil
}

// handler puts the parts together.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/metadata/endpoints", s.serveMetadata)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.serveOpenID)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.serveToken)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		writeError(w, refuse(http.StatusNotFound, "NotFound", "The lab has nothing at %s.", clip(r.URL.Path)))
	})
	manager := s.authenticate(http.HandlerFunc(s.serveManager))
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const prefix = "/subscriptions"
		if len(r.URL.Path) >= len(prefix) && strings.EqualFold(r.URL.Path[:len(prefix)], prefix) {
			manager.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	return s.faults.Handler("", all, s.writeFault)
}
