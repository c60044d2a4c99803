// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:27:35Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// exchange is one recorded request and its answer.
type exchange struct {
	Method, Path, Query, Reason string
	Form                        map[string]any
	Status                      int
	Response                    map[string]any
}

// volatile are fields whose values belong to one run; only their type is compared.
var volatile = map[string]bool{
	"upid": true, "pid": true, "pstart": true, "starttime": true, "id": true, "digest": true, "ip-address": true,
	"prefix":           true,
	"hardware-address": true, "rx-bytes": true, "tx-bytes": true, "rx-packets": true, "tx-packets": true,
}

// added are settings that a recorded server made up and no client sends or reads.
var added = map[string]bool{"smbios1": true, "vmgenid": true}

// TestReplay sends what the real plugin sent in two builds and compares what it got.
func TestReplay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"iso", "clone"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t)
			recorded := readExchanges(t, filepath.Join("testdata", name+".jsonl"))
			if name == "iso" {
				n.put(t, "lab.iso")
			} else {
				n.plantRecorded(t, recorded)
			}
			upids := make(map[string]string) // recorded → ours
			for i, e := range recorded {
				where := fmt.Sprintf("%d: %s %s", i+1, e.Method, e.Path)
				for theirs, ours := range upids {
					e.Path = strings.ReplaceAll(e.Path, theirs, ours)
				}
				got := n.replay(t, e)
				if got.status != e.Status || (e.Status != 200 && got.reason != e.Reason) {
					t.Fatalf("%s: %d %s, want %d %s", where, got.status, got.reason, e.Status, e.Reason)
				}
				if theirs, ok := e.Response["data"].(string); ok && strings.HasPrefix(theirs, "UPID:") {
					ours, _ := got.body["data"].(string)
					if kind := func(upid string) string { return strings.Split(upid+":::::", ":")[5] }; kind(ours) != kind(theirs) {
						t.Fatalf("%s: task %s, want the type of %s", where, ours, theirs)
					}
					upids[theirs] = ours
					continue
				}
				for _, problem := range differences("data", e.Response["data"], got.body["data"]) {
					t.Errorf("%s: %s", where, problem)
				}
			}
		})
	}
}

// readExchanges reads a transcript.
func readExchanges(t *testing.T, path string) []exchange {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var list []exchange
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e exchange
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	if err := lines.Err(); err != nil || len(list) < 20 {
		t.Fatalf("%d exchanges in %s: %v", len(list), path, err)
	}
	return list
}

// plantRecorded plants the template that the recorded build cloned, as the recorded answer shows it.
func (n *node) plantRecorded(t *testing.T, recorded []exchange) {
	t.Helper()
	for _, e := range recorded {
		if e.Path != "/api2/json/nodes/pve1/qemu/9000/config" {
			continue
		}
		settings := make(map[string]string)
		data, _ := e.Response["data"].(map[string]any)
		for name, value := range data {
			if name != "digest" {
				settings[name] = fmt.Sprint(value)
			}
		}
		if err := n.server.Plant(9000, settings); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatal("the recording does not show the template")
}

// replay sends a recorded request.
func (n *node) replay(t *testing.T, e exchange) reply {
	t.Helper()
	if file, ok := e.Form["filename"].(map[string]any); ok {
		size, _ := file["size"].(float64)
		return n.upload(t, fmt.Sprint(e.Form["content"]), fmt.Sprint(file["filename"]), strings.Repeat("x", int(size)))
	}
	form := make(map[string]string)
	for name, value := range e.Form {
		form[name] = fmt.Sprint(value)
	}
	path := strings.TrimPrefix(e.Path, "/api2/json")
	if e.Query != "" {
		path += "?" + e.Query
	}
	return n.call(t, e.Method, path, form)
}

// differences compares each recorded value with ours: its type always, its content unless it is volatile.
// Values that only we have do not count.
func differences(where string, want, got any) []string {
	if reflect.TypeOf(want) != reflect.TypeOf(got) {
		return []string{fmt.Sprintf("%s is %T %v, want %T %v", where, got, got, want, want)}
	}
	var problems []string
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for name, value := range w {
			if !added[name] {
				problems = append(problems, differences(where+"."+name, value, g[name])...)
			}
		}
	case []any:
		g, _ := got.([]any)
		theirs, ours := keyed(w), keyed(g)
		for name, value := range theirs {
			problems = append(problems, differences(where+"["+name+"]", value, ours[name])...)
		}
	default:
		name := where[strings.LastIndex(where, ".")+1:]
		if want != got && !volatile[name] && !strings.Contains(where, "[digest]") {
			problems = append(problems, fmt.Sprintf("%s is %v, want %v", where, got, want))
		}
	}
	return problems
}

// keyed gives the elements of a list their own names, where they have one.
func keyed(list []any) map[string]any {
	named := make(map[string]any)
	for i, element := range list {
		name := fmt.Sprint(i)
		if object, ok := element.(map[string]any); ok {
			for _, field := range []string{"key", "id", "name"} {
				if text, ok := object[field].(string); ok {
					name = text
					break
				}
			}
		}
		named[name] = element
	}
	return named
}
