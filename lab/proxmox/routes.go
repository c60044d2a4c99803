// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"fmt"
	"net/http"
)

// routes is the table of calls.
func (s *Server) routes() http.Handler {
	config, vms := &configAPI{s.store, s.tasks}, &vmAPI{s.store, s.tasks, s.config.Hardware}
	power, volumes := &powerAPI{s.store, s.tasks, s.config.Hardware}, &storageAPI{s.store, s.tasks}
	const node = "/nodes/{node}"
	const one = node + "/qemu/{vmid}"
	const storage = node + "/storage/{storage}"
	table := map[string]call{
		"GET /version":                                 version,
		"GET /access/permissions":                      permissions,
		"GET /cluster/nextid":                          vms.nextID,
		"GET /cluster/resources":                       vms.resources,
		"GET /cluster/status":                          clusterStatus,
		"GET /cluster/ha/resources/{id}":               noHA,
		"GET /nodes":                                   nodes,
		"GET " + node + "/status":                      nodeStatus,
		"GET " + node + "/qemu":                        vms.list,
		"POST " + node + "/qemu":                       vms.create,
		"DELETE " + one:                                vms.remove,
		"GET " + one + "/config":                       config.get,
		"POST " + one + "/config":                      config.post,
		"PUT " + one + "/config":                       config.put,
		"PUT " + one + "/resize":                       config.resize,
		"GET " + one + "/pending":                      config.pending,
		"GET " + one + "/status/current":               config.status,
		"POST " + one + "/status/start":                power.start,
		"POST " + one + "/status/shutdown":             power.shutdown,
		"POST " + one + "/status/stop":                 power.stop,
		"POST " + one + "/template":                    vms.makeTemplate,
		"POST " + one + "/clone":                       vms.clone,
		"PUT " + one + "/sendkey":                      s.store.sendKey,
		"GET " + one + "/agent/network-get-interfaces": power.agentInterfaces,
		"GET " + node + "/storage":                     listStorages,
		"GET " + storage + "/status":                   storageStatus,
		"GET " + storage + "/content":                  volumes.list,
		"DELETE " + storage + "/content/{volume...}":   volumes.remove,
		"POST " + storage + "/download-url":            volumes.downloadURL,
		"GET " + node + "/tasks":                       s.tasks.list,
		"GET " + node + "/tasks/{upid}/status":         s.tasks.status,
		"GET " + node + "/tasks/{upid}/log":            s.tasks.showLog,
	}
	calls := http.NewServeMux()
	for pattern, c := range table {
		calls.Handle(withPrefix(pattern), perform(c))
	}
	calls.Handle(withPrefix("POST "+storage+"/upload"), http.HandlerFunc(volumes.upload))
	calls.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, &failure{
			status: http.StatusNotImplemented,
			reason: fmt.Sprintf("Method '%s %s' not implemented", r.Method, r.URL.Path),
		})
	})
	doors := http.NewServeMux()
	doors.Handle("POST "+prefix+"/access/ticket", perform(s.access.signIn))
	doors.Handle("/", s.access.authorized(calls))
	return doors
}

// withPrefix puts the API's prefix into a pattern.
func withPrefix(pattern string) string {
	for i, c := range pattern {
		if c == '/' {
			return pattern[:i] + prefix + pattern[i:]
		}
	}
	return pattern
}

// perform reads the parameters, checks the node and answers.
func perform(c call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if node := r.PathValue("node"); node != "" && node != NodeName {
			answer(w, nil, refuse("hostname lookup '%s' failed - failed to get address info for: %s: Name or service not known",
				node, node))
			return
		}
		p, err := readParams(w, r)
		if err != nil {
			answer(w, nil, err)
			return
		}
		data, err := c(r, p)
		answer(w, data, err)
	})
}
