// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:21:06Z
// Spec: openspec/specs/runner/spec.md#requirement-small-overhead-over-packer
// Diagram: openspec/specs/runner/diagram.md#stages

package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

// bench is the material of both sides.
type bench struct {
	dir, project, stage     string
	packer, hybrid, plugins string
	vcenter                 *vcenter
}

func (b *bench) close() { b.vcenter.close() }

// prepare builds packer-hybrid, lays out the project and a stage for the
// command by hand, and starts the simulator.
func prepare(ctx context.Context, dir string) (*bench, error) {
	cache, err := lab.CacheDir()
	if err != nil {
		return nil, err
	}
	b := &bench{
		dir: dir, project: filepath.Join(dir, "project"), stage: filepath.Join(dir, "stage"),
		packer: filepath.Join(cache, "bin", "packer"), plugins: filepath.Join(cache, "plugins"),
	}
	if _, err := os.Stat(b.packer); err != nil {
		return nil, fmt.Errorf("no packer (run: make tools): %w", err)
	}
	if b.hybrid, err = timing.Build(ctx, dir); err != nil {
		return nil, err
	}
	if b.vcenter, err = startVCenter(ctx); err != nil {
		return nil, err
	}
	if err := errors.Join(os.CopyFS(b.project, os.DirFS("bench/overhead/testdata/project")), b.layOut()); err != nil {
		return nil, fmt.Errorf("laying out the project: %w", err)
	}
	return b, nil
}

// layOut stages the target as a person would, flat in one directory.
func (b *bench) layOut() error {
	templates := filepath.Join(b.project, "templates")
	vars := fmt.Sprintf("run_id = \"hand\"\nimage = \"debian-12\"\nartifact_name = \"debian-12-hand\"\nmanifest_path = "+
		"%q\ninventory_path = %q\nregister = %q\n",
		filepath.Join(b.dir, "manifest.json"), filepath.Join(b.dir, "inventory.json"), b.vcenter.register)
	errs := []error{
		os.MkdirAll(b.stage, 0o700),
		os.WriteFile(filepath.Join(b.stage, "hand.pkrvars.hcl"), []byte(vars), 0o600),
	}
	for _, from := range []string{"common.pkr.hcl", "platforms/vsphere.pkr.hcl"} {
		data, err := os.ReadFile(filepath.Join(templates, from))
		errs = append(errs, err, os.WriteFile(filepath.Join(b.stage, filepath.Base(from)), data, 0o600))
	}
	return errors.Join(errs...)
}

// vcenter is a simulated vCenter with an address at which a build registers
// what it made.
type vcenter struct {
	server   *simulator.Server
	model    *simulator.Model
	register string
	http     *http.Server
}

func startVCenter(ctx context.Context) (*vcenter, error) {
	model := simulator.VPX()
	if err := model.Create(); err != nil {
		return nil, fmt.Errorf("starting the simulator: %w", err)
	}
	model.Service.TLS = new(tls.Config)
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword("bench", "bench-password-2")}
	v := &vcenter{server: model.Service.NewServer(), model: model}
	client, err := govmomi.NewClient(ctx, v.server.URL, true)
	if err != nil {
		return nil, fmt.Errorf("connecting to the simulator: %w", err)
	}
	machine, err := find.NewFinder(client.Client).VirtualMachine(ctx, "/DC0/vm/DC0_H0_VM0")
	if err != nil {
		return nil, fmt.Errorf("finding a machine: %w", err)
	}
	rename := func(w http.ResponseWriter, r *http.Request) {
		task, err := machine.Reconfigure(r.Context(), types.VirtualMachineConfigSpec{Name: r.URL.Query().Get("name")})
		if err == nil {
			err = task.Wait(r.Context())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	v.register = "http://" + listener.Addr().String() + "/?name="
	v.http = &http.Server{Handler: http.HandlerFunc(rename), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = v.http.Serve(listener) }()
	return v, nil
}

func (v *vcenter) environ() []string {
	return []string{
		"PKR_VAR_build_password=bench-password-1", "PKR_VAR_vsphere_endpoint=" + v.server.URL.Host,
		"PKR_VAR_vsphere_username=bench",
		"PKR_VAR_vsphere_password=bench-password-2", "PKR_VAR_vsphere_insecure_connection=true",
		"PKR_VAR_register=" + v.register,
	}
}

func (v *vcenter) close() {
	_ = v.http.Close()
	v.server.Close()
	v.model.Remove()
}
