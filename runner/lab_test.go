// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package runner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// addresses declares where the fixture's platforms are.
func (s *sandbox) addresses(t *testing.T, platform hybridcore.Platform, values ...string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(s.dir, "templates/platforms", string(platform)+".pkr.hcl"),
		os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(values, 2) {
		fmt.Fprintf(file, "\nvariable %q {\n  type    = string\n  default = %s\n}\n", pair[0], pair[1])
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// inLab has the runner run in a lab; an empty one is none.
func (s *sandbox) inLab(id string) {
	s.Environ = slices.DeleteFunc(s.Environ, func(e string) bool { return strings.HasPrefix(e, hybridcore.LabVariable) })
	if id != "" {
		s.Environ = append(s.Environ, hybridcore.LabVariable+"=/labs/lab-1", hybridcore.LabIDVariable+"="+id)
	}
}

func reasons(t *testing.T, s *sandbox, req hybridcore.Request) string {
	t.Helper()
	plan, err := s.Plan(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, planned := range plan.Targets {
		for _, r := range planned.Reasons {
			all = append(all, string(planned.Target.Platform)+" "+string(planned.Decision)+": "+r.Kind+": "+r.Text)
		}
	}
	return strings.Join(all, "\n")
}

// TestLabAndPlatformAreBuiltApart: what a lab built is pending on the platform,
// and the other way round; in the same lab it is unchanged. No stand-in is in it.
func TestLabAndPlatformAreBuiltApart(t *testing.T) {
	s := newPair(t)
	s.addresses(t, hybridcore.VSphere, "vsphere_endpoint", `"127.0.0.1:443"`)
	s.addresses(t, hybridcore.Proxmox, "proxmox_url", `"https://[::1]:8006/api2/json"`, "proxmox_ssh_proxy_host",
		`"localhost"`)
	planned, build := s.request(hybridcore.ActionPlan, "debian-12"), func() hybridcore.Record {
		return s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	}

	s.inLab("lab-one")
	rec := build()
	if got, want := statuses(rec), "debian-12@proxmox=built debian-12@vsphere=built"; got != want {
		t.Fatalf("got %s, want %s\n%s", got, want, s.events.text())
	}
	for _, res := range rec.Results {
		if note := "lab: lab-one, a simulated " + res.Platform.Info().Title; !slices.Contains(res.Notes, note) ||
			hybridcore.BuiltInLab(res.Inputs) != "lab-one" {
			t.Errorf("%s: notes %q, inputs %v", res.Target, res.Notes, res.Inputs)
		}
	}
	if got := statuses(build()); got != "debian-12@proxmox=unchanged debian-12@vsphere=unchanged" {
		t.Errorf("in the same lab: %s", got)
	}
	s.inLab("lab-two")
	if got := reasons(t, s, planned); strings.Count(got, "build: lab: built in another lab (lab-one)") != 2 {
		t.Errorf("in another lab:\n%s", got)
	}

	s.inLab("")
	want := "proxmox build: lab: built in a lab, not on this platform\nvsphere build: lab: built in a lab, not on this " +
		"platform"
	if got := reasons(t, s, planned); got != want {
		t.Errorf("outside:\n%s", got)
	}
	s.Tools = project.Tools{FindPacker: func(context.Context) (packer.Tool, error) {
		return packer.Tool{}, hybridcore.Blockedf("no packer here")
	}} // a plan without Packer takes versions for unchanged, but not this
	if got := reasons(t, s, planned); got != want {
		t.Errorf("outside, without Packer:\n%s", got)
	}
	s = openSandbox(t, s.dir)
	plan, err := s.Plan(t.Context(), s.request(hybridcore.ActionPublish, "debian-12"))
	if err != nil {
		t.Fatal(err)
	}
	plan.Request.Release = "v1.0.0"
	published, err := s.releaser().Publish(t.Context(), plan)
	if err != nil || published.Status != hybridcore.Failed ||
		strings.Count(messages(published), "built in a lab, not on this platform; build it first") != 2 {
		t.Errorf("publish outside: %s, %v\n%s", published.Status, err, messages(published))
	}
	if got := statuses(s.build(t.Context(), t,
		s.request(hybridcore.ActionBuild, "debian-12"))); got != "debian-12@proxmox=built debian-12@vsphere=built" {
		t.Errorf("outside: %s", got)
	}
	s.inLab("lab-one")
	if got := reasons(t, s, planned); strings.Count(got, "build: lab: built on the platform, not in this lab") != 2 {
		t.Errorf("in the lab, after a build outside:\n%s", got)
	}
}

// TestRecordsFromBeforeLabsWereTold: a record that does not say where it was
// built is of nothing that may be kept.
func TestRecordsFromBeforeLabsWereTold(t *testing.T) {
	for _, id := range []string{"", "lab-one"} {
		s := newSandbox(t)
		s.addresses(t, hybridcore.VSphere, "vsphere_endpoint", `"127.0.0.1"`)
		s.inLab(id)
		plan, err := s.Plan(t.Context(), s.request(hybridcore.ActionPlan, "debian-12"))
		if err != nil {
			t.Fatal(err)
		}
		target := plan.Targets[0].Target
		old := map[string]string{}
		for key, value := range target.Inputs {
			if key != hybridcore.LabInput {
				old[key] = value
			}
		}
		if err := s.State.Update(t.Context(), func(known *hybridcore.Snapshot) error {
			known.Targets = map[string]hybridcore.Current{target.Key(): {Inputs: old, RunID: "r1"}}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		again, err := s.Plan(t.Context(), s.request(hybridcore.ActionPlan, "debian-12"))
		if err != nil {
			t.Fatal(err)
		}
		got := again.Targets[0]
		if got.Decision != hybridcore.Build || len(got.Reasons) != 1 ||
			!strings.Contains(got.Reasons[0].Text, "does not say whether it was in a lab") {
			t.Errorf("lab %q: %s %+v", id, got.Decision, got.Reasons)
		}
	}
}

// TestProdIsRefusedInALab: before a plan is made, for everything but reading.
func TestProdIsRefusedInALab(t *testing.T) {
	s := newSandbox(t)
	s.addresses(t, hybridcore.VSphere, "vsphere_endpoint", `"127.0.0.1"`)
	s.inLab("lab-one")
	for _, action := range []hybridcore.Action{
		hybridcore.ActionBuild, hybridcore.ActionPublish,
		hybridcore.ActionCollect,
	} {
		req := s.request(action, "debian-12")
		req.Env = "prod"
		_, err := s.Plan(t.Context(), req)
		if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), "refused in a lab") ||
			!strings.Contains(err.Error(), "prod = true") {
			t.Errorf("%s: %v", action, err)
		}
	}
	req := s.request(hybridcore.ActionReap)
	req.Env = "prod"
	if _, err := s.Reap(t.Context(), req); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("reap: %v", err)
	}
	req = s.request(hybridcore.ActionPlan, "debian-12")
	req.Env = "prod"
	if _, err := s.Plan(t.Context(), req); err != nil {
		t.Errorf("a plan only reads: %v", err)
	}
	s.inLab("")
	req.Action = hybridcore.ActionBuild
	if _, err := s.Plan(t.Context(), req); err != nil {
		t.Errorf("outside of a lab: %v", err)
	}
}

// TestAddressesInALab: Packer gets no address of another machine.
func TestAddressesInALab(t *testing.T) {
	for _, tt := range []struct {
		platform hybridcore.Platform
		values   []string
		refused  string
	}{
		{hybridcore.VSphere, []string{"vsphere_endpoint", `"127.0.0.1:8989"`}, ""},
		{hybridcore.VSphere, []string{"vsphere_endpoint", `"https://user@127.8.0.1/sdk"`}, ""},
		{hybridcore.VSphere, []string{"vsphere_endpoint", `"vcenter.corp.example"`}, "vsphere_endpoint"},
		{hybridcore.VSphere, []string{"vsphere_endpoint", `"127.0.0.1@vcenter.corp.example"`}, "vsphere_endpoint"},
		{hybridcore.VSphere, []string{"vsphere_endpoint", `"127.0.0.1.corp.example"`}, "vsphere_endpoint"},
		{hybridcore.VSphere, []string{"vsphere_endpoint", `""`}, "vsphere_endpoint"},
		{hybridcore.VSphere, nil, "vsphere_endpoint"},
		{hybridcore.Proxmox, []string{"proxmox_url", `"https://[::ffff:127.0.0.1]:8006"`}, ""},
		{hybridcore.Proxmox, []string{"proxmox_url", `"https://10.0.0.7:8006"`}, "proxmox_url"},
		{
			hybridcore.Proxmox,
			[]string{"proxmox_url", `"https://127.0.0.1"`, "proxmox_ssh_proxy_host", `"bastion"`},
			"proxmox_ssh_proxy_host",
		},
	} {
		s := newPair(t)
		s.addresses(t, tt.platform, tt.values...)
		s.inLab("lab-one")
		req := s.request(hybridcore.ActionBuild, "debian-12")
		req.Platforms = []hybridcore.Platform{tt.platform}
		plan, err := s.Plan(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Build(t.Context(), plan)
		if tt.refused == "" {
			if err != nil {
				t.Errorf("%s %q: %v", tt.platform, tt.values, err)
			}
			continue
		}
		place := "templates/platforms/" + string(tt.platform) + ".pkr.hcl:"
		if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(err.Error(), "in a lab, "+tt.refused) ||
			len(tt.values) > 0 && !strings.Contains(err.Error(), place) {
			t.Errorf("%s %q: %v", tt.platform, tt.values, err)
		}
		if strings.Contains(s.events.text(), "packer") {
			t.Errorf("%q: Packer was started", tt.values)
		}
		s.inLab("")
		if plan, err = s.Plan(t.Context(), req); err != nil || hybridcore.Blocked(plan.Findings) != hybridcore.NotBlocked {
			t.Errorf("%q: outside of a lab: %v, %v", tt.values, err, plan.Findings)
		}
	}
}

// TestLeasesStayWhereTheirRunsWere: a lab has nothing of a run on the real
// platform, so that looking there must not settle what the run left.
func TestLeasesStayWhereTheirRunsWere(t *testing.T) {
	for _, tt := range []struct{ of, here, want string }{
		{"", "lab-one", "it was on the real platform, and this is a lab"},
		{"lab-one", "", "it was in the lab lab-one"},
		{"lab-one", "lab-two", "it was in the lab lab-one"},
	} {
		s := newSandbox(t)
		s.addresses(t, hybridcore.VSphere, "vsphere_endpoint", `"127.0.0.1"`)
		dead := hybridcore.Lease{
			Key: "lab/debian-12@vsphere", RunID: "20261102t000000-dead0000",
			Artifact: "debian-12-20261102t000000-dead0000", Lab: tt.of,
		}
		abandon(t, s.dir, dead)
		var asked []hybridcore.Remains
		s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return platform{asked: &asked}, nil }
		s.inLab(tt.here)
		reaped, err := s.Reap(t.Context(), s.request(hybridcore.ActionReap))
		if err != nil || len(reaped) != 1 || !strings.Contains(reaped[0].Elsewhere, tt.want) || len(asked) != 0 {
			t.Errorf("%q in %q: %+v, %v; asked for %+v", tt.of, tt.here, reaped, err, asked)
		}
		if rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12")); rec.Status != hybridcore.Built ||
			len(asked) != 0 {
			t.Errorf("%q in %q: a build: %s; asked for %+v", tt.of, tt.here, statuses(rec), asked)
		}
		s.inLab(tt.of)
		if reaped, err = s.Reap(t.Context(), s.request(hybridcore.ActionReap)); err != nil || len(reaped) != 1 ||
			reaped[0].Elsewhere != "" || len(asked) != 1 {
			t.Errorf("%q where it was: %+v, %v; asked for %+v", tt.of, reaped, err, asked)
		}
	}
}
