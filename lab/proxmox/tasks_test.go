// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:34:51Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-tasks
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestSlowTask checks that a call comes back after the settling time, and what a client sees meanwhile.
func TestSlowTask(t *testing.T) {
	t.Parallel()
	n := newNodeWith(t, 30*time.Millisecond)
	n.put(t, "a.iso")
	n.rules(t, "POST /nodes/*/qemu task delay=600ms")
	r := n.call(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
	upid, _ := r.body["data"].(string)
	if got := n.exit(t, upid); got != "running" {
		t.Fatalf("the task's status is %s, want running", got)
	}
	if got := n.vm(t, 100).Lock; got != "create" {
		t.Errorf("the lock is %q, want create", got)
	}
	n.refused(t, "PUT", "/nodes/pve1/qemu/100/config", map[string]string{"memory": "1"}, "VM is locked (create)")
	n.refused(t, "DELETE", "/nodes/pve1/qemu/100", nil, "VM is locked (create)")
	for deadline := time.Now().Add(10 * time.Second); n.exit(t, upid) == "running"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the task does not end")
		}
	}
	if got := n.exit(t, upid); got != "OK" || n.vm(t, 100).Lock != "" {
		t.Errorf("the task ended with %s, the lock is %q", got, n.vm(t, 100).Lock)
	}
}

// TestFailedTasks checks what each task leaves when a rule fails it: the orphans of the real plugin.
func TestFailedTasks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rule, method, path string
		form               map[string]string
		running            bool  // whether 100 runs afterwards
		ids                []int // machines afterwards
	}{
		"create": {"POST /nodes/*/qemu task reason=x", "POST", "", newVM("101", "two"), true, []int{100}},
		"clone": {
			"POST /nodes/*/qemu/*/clone task reason=x", "POST", "/200/clone",
			map[string]string{"newid": "101", "full": "1"},
			true,
			[]int{100, 200},
		},
		"stop": {"POST /nodes/*/qemu/*/status/stop task reason=x", "POST", "/100/status/stop", nil, true, []int{100}},
		"shutdown": {
			"POST /nodes/*/qemu/*/status/shutdown task reason=x", "POST", "/100/status/shutdown", nil, true,
			[]int{100},
		},
		"delete": {"DELETE /nodes/*/qemu/* task reason=x", "DELETE", "/200", nil, true, []int{100, 200}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			n.put(t, "a.iso")
			n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
			n.ok(t, "POST", "/nodes/pve1/qemu/100/status/start", nil)
			if len(c.ids) == 2 {
				if err := n.server.Plant(200, map[string]string{"name": "base"}); err != nil {
					t.Fatal(err)
				}
			}
			n.rules(t, c.rule)
			if got := n.task(t, c.method, "/nodes/pve1/qemu"+c.path, c.form); got != "x" {
				t.Errorf("the task ended with %q, want x", got)
			}
			if diff := cmp.Diff(c.ids, n.ids()); diff != "" {
				t.Errorf("machines (-want +got):\n%s", diff)
			}
			if got := n.vm(t, 100).Running; got != c.running {
				t.Errorf("100 runs: %v, want %v", got, c.running)
			}
			if diff := cmp.Diff([]int{1}, n.server.Faults().Hits()); diff != "" {
				t.Errorf("hits (-want +got):\n%s", diff)
			}
		})
	}
}

// TestTaskErrors checks calls about tasks.
func TestTaskErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.refused(t, "GET", "/nodes/pve1/tasks/UPID:pve1:1:1:1:x::u:/status", nil, "no such task")
	n.refused(t, "GET", "/nodes/pve1/tasks/x/status", nil, "Parameter verification failed.")
	if exit := n.task(t, "DELETE", "/nodes/pve1/storage/local/content/local:iso/none.iso", nil); !strings.HasPrefix(exit,
		"unlink ") {
		t.Errorf("deleting what is not there ended with %q", exit)
	}
	tasks, _ := n.call(t, "GET", "/nodes/pve1/tasks", nil).body["data"].([]any)
	if len(tasks) != 1 {
		t.Fatalf("%d tasks, want 1", len(tasks))
	}
}

// TestSignIn checks who may call.
func TestSignIn(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for name, c := range map[string]struct {
		header http.Header
		reason string
	}{
		"none":         {http.Header{}, "No ticket"},
		"wrong secret": {http.Header{"Authorization": {"PVEAPIToken=packer@pve!lab=wrong"}}, "invalid token value!"},
		"wrong user":   {http.Header{"Authorization": {"PVEAPIToken=root@pam!lab=lab-secret"}}, "invalid token value!"},
		"wrong ticket": {
			http.Header{"Authorization": {"PVEAuthCookie=PVE:packer@pve:1"}},
			"permission denied - invalid PVE ticket",
		},
	} {
		t.Run(name, func(t *testing.T) {
			n.header = c.header
			r := n.call(t, "GET", "/version", nil)
			if r.status != http.StatusUnauthorized || r.reason != c.reason {
				t.Errorf("%d %s, want 401 %s", r.status, r.reason, c.reason)
			}
		})
	}
	n.header = nil
	n.refused(t, "POST", "/access/ticket", map[string]string{"username": "packer@pve", "password": "wrong"},
		"authentication failure")
	data, _ := n.call(t, "POST", "/access/ticket",
		map[string]string{"username": "packer@pve", "password": "lab-password"}).body["data"].(map[string]any)
	ticket, _ := data["ticket"].(string)
	csrf, _ := data["CSRFPreventionToken"].(string)
	n.header = http.Header{"Authorization": {"PVEAuthCookie=" + ticket}}
	if r := n.call(t, "GET", "/version", nil); r.status != http.StatusOK {
		t.Errorf("with a ticket: %d %s", r.status, r.reason)
	}
	n.refused(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"), "Permission denied - invalid csrf token")
	n.header.Set("Csrfpreventiontoken", csrf)
	n.put(t, "a.iso")
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
}
