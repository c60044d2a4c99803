// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

// Package vsphere simulates a vCenter, from creation to template and content library, which the real vSphere plugin
// of Packer drives. What govmomi's simulator lacks or answers otherwise than a vCenter is added; virtual machines
// run on hardware that the caller has.
package vsphere

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/vmware/govmomi/simulator"
	_ "github.com/vmware/govmomi/vapi/simulator" // registers the REST endpoints

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// closeGrace bounds the wait for requests that are under way at the end.
const closeGrace = 2 * time.Second

// Config is how a vCenter is to be. All fields are needed.
type Config struct {
	Hardware      Hardware
	Disks         Disks
	Password      string // of User
	Dir           string // where the datastore comes to be
	Media         []string
	TLS           *tls.Config // with a certificate for 127.0.0.1
	AuthorityFile string      // who signed it
	Log           func(format string, args ...any)
}

// Server is a running vCenter.
type Server struct {
	config    Config
	model     *simulator.Model
	server    *simulator.Server
	datastore datastore
	keys      *keyboard
	faults    fault.Injector
}

// Start starts a vCenter on a free port of 127.0.0.1.
func Start(config Config) (*Server, error) {
	s := &Server{config: config, keys: newKeyboard()}
	var err error
	if s.datastore, err = newDatastore(filepath.Join(config.Dir, "datastore"), config.Media); err != nil {
		return nil, err
	}
	if err := s.createModel(); err != nil {
		return nil, fmt.Errorf("making vCenter's inventory: %w", err)
	}
	service := s.model.Service
	service.TLS = config.TLS
	service.RegisterEndpoints = true
	service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(User, config.Password)}
	service.ServeMux = http.NewServeMux()
	newOVFImporter(service.ServeMux)
	s.server = service.NewServer()
	handler := &s.server.Config.Handler // nobody knows the port yet
	*handler = withFaults(&s.faults, s.datastore.before(*handler))
	if err := createLibrary(context.Background(), s.address()); err != nil {
		s.Close()
		return nil, fmt.Errorf("making the content library: %w", err)
	}
	return s, nil
}

// createModel makes the inventory. The simulator's own Create would put the datastore below the system's
// temporary directory and leave it there when the process is killed, so the datastore is made here.
func (s *Server) createModel() error {
	m := simulator.VPX()
	m.Machine, m.Host, m.Datastore = 0, 0, 0
	ctx := simulator.NewContext()
	m.Service = simulator.New(simulator.NewServiceInstance(ctx, m.ServiceContent, m.RootFolder))
	s.model = m
	if err := m.CreateInfrastructure(ctx); err != nil {
		return fmt.Errorf("creating objects: %w", err)
	}
	if err := fill(internalClient(m.Service), s.datastore); err != nil {
		return err
	}
	m.Map().AddHandler(&powerWatch{m, s.config.Hardware, s.config.Disks, s.config.Log})
	m.Map().Handler = (&calls{s.config.Hardware, s.keys}).intercept
	return nil
}

func (s *Server) address() address {
	return address{s.server.URL, s.config.AuthorityFile, s.config.Password}
}

// Endpoint is the address that clients are given: host and port.
func (s *Server) Endpoint() string { return s.server.URL.Host }

// Password is that of User.
func (s *Server) Password() string { return s.config.Password }

// Faults makes calls to vCenter fail. The path of a SOAP call is /sdk/METHOD.
func (s *Server) Faults() *fault.Injector { return &s.faults }

// Close stops serving. The datastore stays for who gave its directory.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := s.server.Config.Shutdown(ctx); err != nil {
		s.server.CloseClientConnections() // a client still waits for updates: it will not get any
		_ = s.server.Config.Close()
	}
}
