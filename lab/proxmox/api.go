// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:28Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// maxParams bounds the parameters of a call, in bytes; uploads are streamed.
const maxParams = 1 << 20

// params are a call's parameters, from its body and its query.
type params map[string]string

// get returns a parameter, or "".
func (p params) get(name string) string { return p[name] }

// number returns a whole number, or 0 without the parameter.
func (p params) number(name string) (int, error) {
	text := p[name]
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid(name, "type check ('integer') failed - got '"+text+"'")
	}
	return n, nil
}

// failure is an error that a call is answered with.
type failure struct {
	status int
	reason string
	fields map[string]string // parameter → what is wrong with it
}

// Error is the reason.
func (f *failure) Error() string { return f.reason }

// refuse is the usual failure, which Proxmox VE answers with status 500.
func refuse(format string, args ...any) error {
	return &failure{status: http.StatusInternalServerError, reason: fmt.Sprintf(format, args...)}
}

// invalid is a wrong parameter.
func invalid(name, problem string) error {
	return &failure{
		status: http.StatusBadRequest, reason: "Parameter verification failed.",
		fields: map[string]string{name: problem},
	}
}

// call carries one call out.
type call func(r *http.Request, p params) (any, error)

// routes is the table of calls.
func (s *Server) routes() http.Handler {
	const node = "/nodes/{node}"
	const one = node + "/qemu/{vmid}"
	const storage = node + "/storage/{storage}"
	table := map[string]call{
		"GET /version":                                 s.version,
		"GET /access/permissions":                      s.permissions,
		"GET /cluster/nextid":                          s.nextID,
		"GET /cluster/resources":                       s.resources,
		"GET /cluster/status":                          s.clusterStatus,
		"GET /cluster/ha/resources/{id}":               s.noHA,
		"GET /nodes":                                   s.nodes,
		"GET " + node + "/status":                      s.nodeStatus,
		"GET " + node + "/qemu":                        s.listVMs,
		"POST " + node + "/qemu":                       s.createVM,
		"DELETE " + one:                                s.deleteVM,
		"GET " + one + "/config":                       s.getConfig,
		"POST " + one + "/config":                      s.postConfig,
		"PUT " + one + "/config":                       s.putConfig,
		"PUT " + one + "/resize":                       s.resizeDisk,
		"GET " + one + "/pending":                      s.pending,
		"GET " + one + "/status/current":               s.currentStatus,
		"POST " + one + "/status/start":                s.startVM,
		"POST " + one + "/status/shutdown":             s.shutdownVM,
		"POST " + one + "/status/stop":                 s.stopVM,
		"POST " + one + "/template":                    s.makeTemplate,
		"POST " + one + "/clone":                       s.cloneVM,
		"PUT " + one + "/sendkey":                      s.sendKey,
		"GET " + one + "/agent/network-get-interfaces": s.agentInterfaces,
		"GET " + node + "/storage":                     s.listStorages,
		"GET " + storage + "/status":                   s.storageStatus,
		"GET " + storage + "/content":                  s.listContent,
		"DELETE " + storage + "/content/{volume...}":   s.deleteContent,
		"POST " + storage + "/download-url":            s.downloadURL,
		"GET " + node + "/tasks":                       s.listTasks,
		"GET " + node + "/tasks/{upid}/status":         s.taskStatus,
		"GET " + node + "/tasks/{upid}/log":            s.taskLog,
	}
	calls := http.NewServeMux()
	for pattern, c := range table {
		calls.Handle(withPrefix(pattern), s.perform(c))
	}
	calls.Handle(withPrefix("POST "+storage+"/upload"), http.HandlerFunc(s.upload))
	calls.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		answer(w, nil, &failure{
			status: http.StatusNotImplemented,
			reason: fmt.Sprintf("Method '%s %s' not implemented", r.Method, r.URL.Path),
		})
	})
	doors := http.NewServeMux()
	doors.Handle("POST "+prefix+"/access/ticket", s.perform(s.signIn))
	doors.Handle("/", s.authorized(calls))
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
func (s *Server) perform(c call) http.Handler {
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

// readParams reads a query and a body that is a form or a JSON object.
func readParams(w http.ResponseWriter, r *http.Request) (params, error) {
	p := make(params)
	for name, values := range r.URL.Query() {
		p[name] = values[0]
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxParams))
	if err != nil {
		return nil, &failure{status: http.StatusRequestEntityTooLarge, reason: "for data too large"}
	}
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && kind == "application/json" {
		return p, readJSON(body, p)
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, &failure{status: http.StatusBadRequest, reason: "malformed form data"}
	}
	for name, values := range form {
		p[name] = values[0]
	}
	return p, nil
}

// readJSON reads the members of an object as Proxmox VE does: truth as 1 and 0.
func readJSON(body []byte, p params) error {
	if len(body) == 0 {
		return nil
	}
	var members map[string]any
	if err := json.Unmarshal(body, &members); err != nil {
		return &failure{status: http.StatusBadRequest, reason: "malformed JSON data"}
	}
	for name, value := range members {
		switch v := value.(type) {
		case nil:
		case bool:
			p[name] = "0"
			if v {
				p[name] = "1"
			}
		case float64:
			p[name] = strconv.FormatFloat(v, 'f', -1, 64)
		case string:
			p[name] = v
		default:
			return invalid(name, "type check ('string') failed")
		}
	}
	return nil
}

// answer writes {"data": …}, or a failure with its own reason phrase.
func answer(w http.ResponseWriter, data any, err error) {
	status, reason := http.StatusOK, "OK"
	document := map[string]any{"data": data}
	if err != nil {
		failed := &failure{status: http.StatusInternalServerError, reason: err.Error()}
		errors.As(err, &failed)
		status, reason = failed.status, failed.reason
		document = map[string]any{"data": nil, "message": reason + "\n"}
		if failed.fields != nil {
			document["errors"] = failed.fields
		}
	}
	body, err := json.Marshal(document)
	if err != nil {
		status, reason, body = http.StatusInternalServerError, "encoding the answer: "+err.Error(), []byte(`{"data":null}`)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Server", "pve-api-daemon/3.0")
	if status != http.StatusOK {
		fault.WriteStatus(w, status, reason, body)
		return
	}
	_, _ = w.Write(body) // the caller has gone
}

// answerFault answers with a rule's status and reason.
func answerFault(w http.ResponseWriter, _ *http.Request, rule fault.Rule) {
	reason := rule.Reason
	if reason == "" {
		reason = http.StatusText(rule.Status)
	}
	if rule.Status < http.StatusBadRequest {
		w.WriteHeader(rule.Status)
		return
	}
	answer(w, nil, &failure{status: rule.Status, reason: reason})
}

// quietLog drops what net/http tells about connections that clients break off.
func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }

// version answers GET /version.
func (s *Server) version(*http.Request, params) (any, error) {
	return map[string]any{"version": "8.4.1", "release": "8.4", "repoid": "lab"}, nil
}

// permissions answers GET /access/permissions: everything is allowed.
func (s *Server) permissions(*http.Request, params) (any, error) {
	all := map[string]int{
		"VM.Allocate": 1, "VM.Clone": 1, "VM.Config.Disk": 1, "VM.Config.Options": 1, "VM.PowerMgmt": 1, "VM.Monitor": 1,
		"Datastore.Allocate": 1, "Datastore.AllocateSpace": 1, "Datastore.AllocateTemplate": 1, "Sys.Modify": 1, "SDN.Use": 1,
	}
	return map[string]any{"/": all, "/vms": all, "/storage": all, "/nodes": all}, nil
}

// clusterStatus answers GET /cluster/status: one node, no cluster.
func (s *Server) clusterStatus(*http.Request, params) (any, error) {
	return []any{map[string]any{
		"id": "node/" + NodeName, "name": NodeName, "type": "node", "online": 1, "local": 1,
		"nodeid": 0, "ip": "127.0.0.1", "level": "",
	}}, nil
}

// nodes answers GET /nodes.
func (s *Server) nodes(*http.Request, params) (any, error) {
	return []any{map[string]any{
		"node": NodeName, "id": "node/" + NodeName, "type": "node", "status": "online",
		"maxcpu": 8, "maxmem": 32 << 30,
	}}, nil
}

// nodeStatus answers GET /nodes/{node}/status.
func (s *Server) nodeStatus(*http.Request, params) (any, error) {
	return map[string]any{"pveversion": "pve-manager/8.4.1/lab", "uptime": 1, "kversion": "Linux lab"}, nil
}

// noHA answers GET /cluster/ha/resources/{id}: nothing is highly available here.
func (s *Server) noHA(r *http.Request, _ params) (any, error) {
	return nil, refuse("no such resource '%s'", r.PathValue("id"))
}

// sortedKeys returns the names of a map in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
