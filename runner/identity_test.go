// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:06:00Z
// Spec: openspec/specs/parity/spec.md#requirement-identity-of-the-guest
// Diagram: openspec/specs/parity/diagram.md#which-system-a-guest-holds

package runner

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// says has the guests of debian-12 say what system they hold.
func (s *sandbox) says(t *testing.T, osRelease string) {
	t.Helper()
	text := `{"format":1,"errors":[],"packages":[{"name":"curl","version":"1"}],"os_release":` + osRelease + `}`
	s.set(t, "debian-12", "inventory", fmt.Sprintf("%q", text))
}

// identities are the findings about systems, as "SEVERITY MESSAGE".
func identities(findings []hybridcore.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Kind == hybridcore.KindIdentity {
			all = append(all, string(f.Severity)+" "+f.Message)
		}
	}
	return all
}

// What a guest says decides whether it is the image's system, and never whether
// it is a stand-in.
func TestGuestOfAnotherSystemIsBlocked(t *testing.T) {
	for name, tt := range map[string]struct {
		osRelease, environ string
		want               string // what the finding says; empty: built without one
	}{
		"the image's":     {`{"ID":"debian","VERSION_ID":"12"}`, "", ""},
		"a minor version": {`{"ID":"debian","VERSION_ID":"12.7"}`, "", ""},
		"another family": {
			`{"ID":"ubuntu","VERSION_ID":"24.04"}`, "",
			"error the guest of debian-12@vsphere holds ubuntu 24.04, and the image is to be debian 12",
		},
		"another version": {
			`{"ID":"debian","VERSION_ID":"121"}`, "",
			"error the guest of debian-12@vsphere holds debian 121, and the image is to be debian 12",
		},
		"no version": {
			`{"ID":"debian"}`, "",
			"error the guest of debian-12@vsphere holds debian, and the image is to be debian 12",
		},
		"nothing": {
			`{}`, "",
			"error the guest of debian-12@vsphere holds nothing that names its system, and the image is to be debian 12",
		},
		"not read": {
			`null`, "",
			"error the guest of debian-12@vsphere holds nothing that names its system, and the image is to be debian 12",
		},
		"calls itself a mark": {
			`{"ID":"debian","VERSION_ID":"13+lab"}`, "",
			"error the guest of debian-12@vsphere holds debian 13+lab, and the image is to be debian 12",
		},
		"calls itself stand-in": {
			`{"ID":"ubuntu","VERSION_ID":"24.04","STAND_IN":"1","VARIANT_ID":"stand-in"}`, "",
			"error the guest of debian-12@vsphere holds ubuntu 24.04, and the image is to be debian 12",
		},
		"hostile text": {
			`{"ID":"\u001b[2J\n::error::","VERSION_ID":"` + strings.Repeat("9", 500) + `"}`, "",
			"error the guest of debian-12@vsphere holds ",
		},
		"mark without a lab": {
			`{"ID":"ubuntu","VERSION_ID":"24.04"}`, hybridcore.LabGuestVariable + "=ubuntu 24.04",
			"error the guest of debian-12@vsphere holds ubuntu 24.04, and the image is to be debian 12",
		},
		"a lab that marks it": {
			`{"ID":"ubuntu","VERSION_ID":"24.04"}`, "lab ubuntu 24.04",
			"info the guest of debian-12@vsphere is a stand-in of the lab: it holds ubuntu 24.04, not debian 12",
		},
		"a lab with the system": {`{"ID":"debian","VERSION_ID":"12"}`, "lab debian 12", ""},
		"a lab with another one": {
			`{"ID":"ubuntu","VERSION_ID":"22.04"}`, "lab ubuntu 24.04",
			"error the guest of debian-12@vsphere holds ubuntu 22.04; the lab says that ubuntu 24.04 stands in for debian 12",
		},
		"a lab that is silent": {
			`{"ID":"ubuntu","VERSION_ID":"24.04"}`, "lab ",
			"error the guest of debian-12@vsphere holds ubuntu 24.04, and the image is to be debian 12",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSandbox(t)
			s.says(t, tt.osRelease)
			s.addresses(t, hybridcore.VSphere, "vsphere_endpoint", `"127.0.0.1:443"`)
			if guest, inLab := strings.CutPrefix(tt.environ, "lab "); inLab {
				s.inLab("lab-one")
				s.Environ = append(s.Environ, hybridcore.LabGuestVariable+"="+guest)
			} else if tt.environ != "" {
				s.Environ = append(s.Environ, tt.environ)
			}
			rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
			res := rec.Results[0]
			found := identities(res.Findings)
			blocked := strings.HasPrefix(tt.want, "error")
			if blocked != (rec.Status.Exit() == hybridcore.ExitBlocked) || blocked != (res.Status == hybridcore.BlockedStatus) {
				t.Fatalf("%s, %+v", rec.Status, res.Failure)
			}
			if (len(found) == 0) != (tt.want == "") || len(found) > 0 && !strings.HasPrefix(found[0], tt.want) {
				t.Errorf("findings %q, want %q", found, tt.want)
			}
			if len(found) > 0 && (len(found[0]) > 200 || strings.ContainsAny(found[0], "\x1b\n")) {
				t.Errorf("the guest's text as it is: %q", found)
			}
			snapshot, err := s.State.Read(t.Context())
			if _, current := snapshot.Targets["lab/debian-12@vsphere"]; err != nil || current == blocked {
				t.Errorf("the current build: %t, %v", current, err)
			}
			marked := slices.ContainsFunc(res.Notes,
				func(n string) bool { return strings.HasPrefix(n, "stand-in: a guest of ") })
			if want := strings.HasPrefix(tt.environ, "lab ubuntu"); marked != want {
				t.Errorf("notes %q, a stand-in: %t", res.Notes, want)
			}
		})
	}
}

// In a lab the plan, the record and the comparison name a stand-in, first and
// when nothing is built.
func TestStandInGuestIsNamed(t *testing.T) {
	s := newPair(t)
	s.addresses(t, hybridcore.VSphere, "vsphere_endpoint", `"127.0.0.1:443"`)
	s.addresses(t, hybridcore.Proxmox, "proxmox_url", `"https://127.0.0.1:8006/api2/json"`)
	s.inLab("lab-one")
	s.Environ = append(s.Environ, hybridcore.LabGuestVariable+"=debian 12")
	s.plant(t, "templates/images.hcl", `version   = "12"`, `version   = "11"`)
	for _, status := range []string{"built", "unchanged"} {
		plan, err := s.Plan(t.Context(), s.request(hybridcore.ActionBuild, "debian-12"))
		if err != nil {
			t.Fatal(err)
		}
		if got := identities(plan.Findings); !slices.Equal(got,
			[]string{"info the lab's guest, debian 12, stands in for debian 11"}) {
			t.Errorf("the plan says %q", got)
		}
		rec, err := s.Build(t.Context(), plan)
		if err != nil || statuses(rec) != "debian-12@proxmox="+status+" debian-12@vsphere="+status {
			t.Fatalf("%s, %v", statuses(rec), err)
		}
		for _, res := range rec.Results {
			if !slices.Contains(res.Notes, "stand-in: a guest of debian 12+lab, of the lab, not debian-12") {
				t.Errorf("%s: notes %q", res.Target, res.Notes)
			}
		}
		report, err := s.comparer().Parity(t.Context(), s.request(hybridcore.ActionParity))
		if err != nil || report.Blocked() || len(identities(report.Parity[0].Findings)) != 2 {
			t.Errorf("parity %+v, %v", report, err)
		}
	}
	if got := reasons(t, s, s.request(hybridcore.ActionPlan, "debian-12")); strings.Contains(got, "build:") {
		t.Errorf("pending: %s", got)
	}
	s.inLab("")
	if got := reasons(t, s, s.request(hybridcore.ActionPlan, "debian-12")); !strings.Contains(got,
		"guest debian-12 is gone (was debian 12+lab)") {
		t.Errorf("outside: %s", got)
	}
}

// Images of before that are not what the catalogue says do not pass a
// comparison, whatever its policy is.
func TestComparisonBlocksAnotherSystem(t *testing.T) {
	s := newPair(t)
	s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	put(t, s.dir, "templates/parity.hcl", "policy = \"warn\"\n")
	s.plant(t, "templates/images.hcl", `version   = "12"`, `version   = "11"`)
	s = openSandbox(t, s.dir)
	report, err := s.comparer().Parity(t.Context(), s.request(hybridcore.ActionParity))
	if err != nil || !report.Blocked() {
		t.Fatalf("%+v, %v", report, err)
	}
	want := "error the guest of debian-12@%s holds debian 12, and the image is to be debian 11"
	if got := identities(report.Parity[0].Findings); !slices.Equal(got,
		[]string{fmt.Sprintf(want, "proxmox"), fmt.Sprintf(want, "vsphere")}) {
		t.Errorf("findings %q", got)
	}
}

// A part of a machine that did not look is looked at when it is collected.
func TestPartOfAnotherSystemIsBlocked(t *testing.T) {
	s := newThree(t)
	parts := filepath.Join(t.TempDir(), "parts")
	for _, p := range s.planned(t) {
		s.buildPart(t, p.Target, parts)
	}
	if err := os.CopyFS(filepath.Join(s.dir, "templates/vars/linux/debian/11"),
		os.DirFS(filepath.Join(s.dir, "templates/vars/linux/debian/12"))); err != nil {
		t.Fatal(err)
	}
	s.plant(t, "templates/images.hcl", `version   = "12"`, `version   = "11"`) // in no digest: the parts fit
	s = openSandbox(t, s.dir)
	rec, err := s.collect(t.Context(), t, parts)
	if err != nil {
		t.Fatal(err)
	}
	if got := statuses(rec); rec.Status != hybridcore.BlockedStatus || strings.Count(got, "=blocked") != 3 {
		t.Errorf("%s: %s", rec.Status, got)
	}
	for _, res := range rec.Results {
		if got := identities(res.Findings); !slices.Equal(got,
			[]string{"error the guest of " + res.Target + " holds debian 12, and the image is to be debian 11"}) {
			t.Errorf("%s: %q", res.Target, got)
		}
	}
	snapshot, err := s.State.Read(t.Context())
	if err != nil || len(snapshot.Targets) > 0 {
		t.Errorf("current: %v, %v", snapshot.Targets, err)
	}
}

// An image of one platform is compared with none, and released only as what it is.
func TestPublishOfAnotherSystemIsBlocked(t *testing.T) {
	s := newShop(t)
	if err := os.CopyFS(filepath.Join(s.dir, "templates/vars/linux/debian/11"),
		os.DirFS(filepath.Join(s.dir, "templates/vars/linux/debian/12"))); err != nil {
		t.Fatal(err)
	}
	s.plant(t, "templates/images.hcl", `version   = "12"`, `version   = "11"`)
	s.sandbox = openSandbox(t, s.dir)
	s.stock(nil)
	for _, platforms := range [][]hybridcore.Platform{{hybridcore.VSphere}, nil} {
		rec, err := s.publish(t, func(req *hybridcore.Request) { req.Platforms = platforms })
		if err != nil || rec.Status != hybridcore.BlockedStatus ||
			!strings.Contains(messages(rec), "not released, because of the parity of debian-12") {
			t.Errorf("on %v: %s, %v\n%s", platforms, rec.Status, err, messages(rec))
		}
		if len(rec.Parity) != 1 || len(identities(rec.Parity[0].Findings)) == 0 {
			t.Errorf("on %v: parity %+v", platforms, rec.Parity)
		}
	}
}

// A part whose record leaves out its inventory, and what was said of that, is
// built, and nothing hides that its guest is unknown.
func TestPartWithoutAnInventory(t *testing.T) {
	s := newThree(t)
	parts := t.TempDir()
	for _, p := range s.planned(t) {
		rec := s.buildPart(t, p.Target, t.TempDir())
		rec.Results[0].Inventory, rec.Results[0].Findings = nil, nil
		s.part(t, filepath.Join(parts, "job-"+string(p.Target.Platform), "part"), rec, nil)
	}
	rec, err := s.collect(t.Context(), t, parts)
	if err != nil || len(rec.Results) != 3 {
		t.Fatal(err, statuses(rec))
	}
	for _, res := range rec.Results {
		if len(res.Findings) != 1 || !strings.Contains(res.Findings[0].Message, "left no guest inventory") {
			t.Errorf("%s: %v", res.Target, res.Findings)
		}
	}
}

// What nothing is known of is not released, also alone.
func TestReleaseWithoutAnInventory(t *testing.T) {
	s := newShop(t)
	s.stock(nil)
	gone, err := filepath.Glob(filepath.Join(s.dir, "state", "records", "*", "*vsphere.inventory.json"))
	if err != nil || len(gone) == 0 {
		t.Fatal(gone, err)
	}
	for _, path := range gone {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	rec, err := s.publish(t, func(req *hybridcore.Request) { req.Platforms = []hybridcore.Platform{hybridcore.VSphere} })
	if err != nil || rec.Status != hybridcore.BlockedStatus {
		t.Errorf("%s, %v, %v", rec.Status, err, messages(rec))
	}
}
