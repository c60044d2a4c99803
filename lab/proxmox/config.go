// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:53Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package proxmox

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// getConfig answers GET config.
func (s *Server) getConfig(r *http.Request, _ params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(r)
	if err != nil {
		return nil, err
	}
	return v.document(), nil
}

// postConfig answers POST config: the change is a task.
func (s *Server) postConfig(r *http.Request, p params) (any, error) {
	s.mu.Lock()
	v, err := s.change(r)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.run(r, job{kind: "qmconfig", id: strconv.Itoa(v.id), do: func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.set(v, p)
	}})
}

// putConfig answers PUT config: the change is made at once.
func (s *Server) putConfig(r *http.Request, p params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.change(r)
	if err != nil {
		return nil, err
	}
	return nil, s.set(v, p)
}

// pending answers GET pending. Changes take effect at once here, so that none is pending.
func (s *Server) pending(r *http.Request, _ params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(r)
	if err != nil {
		return nil, err
	}
	list, document := []any{}, v.document()
	for _, name := range sortedKeys(document) {
		list = append(list, map[string]any{"key": name, "value": document[name]})
	}
	return list, nil
}

// sizeOption is the size in a drive's value.
var sizeOption = regexp.MustCompile(`size=([0-9]+)G`)

// resizeDisk answers PUT resize: disk=scsi0, size=20G or +5G.
func (s *Server) resizeDisk(r *http.Request, p params) (any, error) {
	s.mu.Lock()
	v, err := s.change(r)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	size, grow := strings.CutPrefix(p.get("size"), "+")
	wanted, err := strconv.Atoi(strings.TrimSuffix(size, "G"))
	if err != nil || !strings.HasSuffix(size, "G") {
		return nil, invalid("size", "value does not match the regex pattern")
	}
	return s.run(r, job{kind: "resize", id: strconv.Itoa(v.id), do: func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		drive := v.settings[p.get("disk")]
		m := sizeOption.FindStringSubmatch(drive)
		if m == nil {
			return refuse("disk '%s' does not exist", p.get("disk"))
		}
		now, err := strconv.Atoi(m[1])
		if err != nil {
			return refuse("disk '%s' has no size", p.get("disk"))
		}
		total := wanted
		if grow {
			total += now
		}
		if total < now {
			return refuse("shrinking disks is not supported")
		}
		v.settings[p.get("disk")] = strings.Replace(drive, m[0], "size="+strconv.Itoa(total)+"G", 1)
		return nil
	}})
}

// currentStatus answers GET status/current.
func (s *Server) currentStatus(r *http.Request, _ params) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(r)
	if err != nil {
		return nil, err
	}
	d := v.summary()
	d["qmpstatus"], d["ha"] = v.status(), map[string]any{"managed": 0}
	return d, nil
}
