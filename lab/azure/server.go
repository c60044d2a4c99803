// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-discovery-and-tokens
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
	"github.com/packer-hybrid/packer-hybrid/lab/azure/entra"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// closeGrace bounds the wait for requests that are under way at the end.
const closeGrace = 2 * time.Second

// headerTimeout bounds the time in which a client sends a request's header.
const headerTimeout = 10 * time.Second

// Config is how a simulated Azure is to be. All fields but Faithful are needed.
type Config struct {
	Identity Identity
	TLS      *tls.Config // with a certificate for 127.0.0.1
	Guests   Guests
	Disks    Disks
	Faithful bool // deletions take their time and are polled as Azure has it; else as fast as can be
}

// Cloud is the name of the lab's cloud. No client knows it, so that none falls back to public Azure.
const Cloud = "LabCloud"

// Server is a running simulated Azure.
type Server struct {
	config    Config
	url       string
	http      *http.Server
	faults    fault.Injector
	store     *store
	work      *operations
	cancel    context.CancelFunc
	directory *entra.Directory
}

// Start serves a simulated Azure on a free port of 127.0.0.1 until Close. It begins with the resource group
// and gallery of the inventory.
func Start(config Config) (*Server, error) {
	listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, fmt.Errorf("starting the simulated Azure: %w", err)
	}
	s := &Server{config: config, url: "https://" + listener.Addr().String()}
	s.store = newStore(config.Identity.Subscription)
	s.work = &operations{
		url: s.url, subscription: config.Identity.Subscription, faithful: config.Faithful,
		byID: make(map[string]*operation),
	}
	s.work.ctx, s.cancel = context.WithCancel(context.Background())
	who := config.Identity
	s.directory = entra.New(who.Tenant, who.Client, who.Object, who.Secret, s.url)
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
	s.work.work.Wait()
	if err != nil {
		return fmt.Errorf("ending the simulated Azure: %w", err)
	}
	return nil
}

// handler puts the parts together.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/metadata/endpoints", s.serveMetadata)
	mux.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", s.directory.ServeOpenID)
	mux.HandleFunc("POST /{tenant}/oauth2/v2.0/token", s.directory.ServeToken)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		arm.WriteError(w, arm.Refuse(http.StatusNotFound, "NotFound", "The lab has nothing at %s.", arm.Clip(r.URL.Path)))
	})
	manager := s.directory.Authenticate(s.manager())
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

// manager puts the resource manager together.
func (s *Server) manager() *manager {
	guests, disks := s.config.Guests, s.config.Disks
	resources := &resourceAPI{s.store, s.work, guests, disks}
	machines := &machineAPI{s.store, s.work, guests}
	return &manager{
		identity: s.config.Identity, store: s.store, work: s.work, groups: groupAPI{s.store, s.work, resources},
		resources: resources, images: imageAPI{s.store, s.work, disks}, machines: machines,
		deployments: deploymentAPI{s.store, s.work, machines},
	}
}

// serveMetadata answers which endpoints this cloud has.
func (s *Server) serveMetadata(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		arm.WriteError(w, arm.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The metadata can only be read."))
		return
	}
	arm.WriteJSON(w, http.StatusOK, map[string]any{
		"name": Cloud, "portal": s.url, "resourceManager": s.url, "batch": s.url + "/batch",
		"microsoftGraphResourceId": s.url + "/graph",
		"authentication": map[string]any{
			"loginEndpoint": s.url, "audiences": []string{s.url}, "tenant": "common", "identityProvider": "AAD",
		},
		"suffixes": map[string]any{"keyVaultDns": "vault.lab.invalid", "storage": "core.lab.invalid"},
	})
}

// faultCodes are the codes of errors that rules ask for by status.
var faultCodes = map[int]string{
	http.StatusUnauthorized:        "InvalidAuthenticationToken",
	http.StatusForbidden:           "AuthorizationFailed",
	http.StatusNotFound:            "ResourceNotFound",
	http.StatusConflict:            "Conflict",
	http.StatusTooManyRequests:     "TooManyRequests",
	http.StatusInternalServerError: "InternalServerError",
	http.StatusBadGateway:          "BadGateway",
	http.StatusServiceUnavailable:  "ServerTimeout",
}

// writeFault answers as a rule asks.
func (s *Server) writeFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	code, known := faultCodes[rule.Status]
	if !known {
		code = "InjectedFault"
	}
	message := rule.Reason
	if message == "" {
		message = "The lab was told to answer so."
	}
	switch rule.Status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", s.directory.Challenge("invalid_token", message))
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "1")
	}
	arm.WriteError(w, arm.Refuse(rule.Status, code, "%s", message))
}
