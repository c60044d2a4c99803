// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:20:06Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Memory is a backend in memory, for tests: what a state does needs no directory.
type Memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	marks   map[string]string // of the last holder of each key
	alive   map[string]bool
}

// NewMemory has no objects.
func NewMemory() *Memory {
	return &Memory{objects: map[string][]byte{}, marks: map[string]string{}, alive: map[string]bool{}}
}

// Get returns an object.
func (m *Memory) Get(ctx context.Context, name string) ([]byte, error) {
	if err := CheckObject(name); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data, there := m.objects[name]
	if !there {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	return bytes.Clone(data), ctx.Err()
}

// List yields in order the names of the objects below a folder.
func (m *Memory) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if ctx.Err() != nil {
			yield("", ctx.Err())
			return
		}
		m.mu.Lock()
		names := slices.Sorted(maps.Keys(m.objects))
		m.mu.Unlock()
		for _, name := range names {
			if strings.HasPrefix(name, folder) && !yield(name, nil) {
				return
			}
		}
	}
}

// Put stores an object.
func (m *Memory) Put(ctx context.Context, name string, data []byte) error {
	if err := CheckPut(name, data); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.objects[name]; there {
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	if ctx.Err() == nil {
		m.objects[name] = bytes.Clone(data)
	}
	return ctx.Err()
}

// Delete removes an object.
func (m *Memory) Delete(ctx context.Context, name string) error {
	if err := CheckObject(name); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() == nil {
		delete(m.objects, name)
	}
	return ctx.Err()
}

// Hold shows that somebody lives for a key.
func (m *Memory) Hold(_ context.Context, key, mine, before string, allow func(Life) error) (Hold, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := allow(m.life(key, before)); err != nil {
		return nil, err
	}
	m.marks[key], m.alive[key] = mine, true
	return &memoryHold{m: m, key: key, mine: mine}, nil
}

// Probe says what is known of a holder.
func (m *Memory) Probe(_ context.Context, key, mark string) (Life, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.life(key, mark), nil
}

// Who is a command.
func (m *Memory) Who(string) string { return "who" }

func (m *Memory) life(key, mark string) Life {
	switch {
	case m.alive[key] && m.marks[key] == mark:
		return Living
	case m.alive[key]:
		return Taken
	case mark == "" || m.marks[key] == mark:
		return Ended
	default:
		return Unknown
	}
}

// memoryHold is a holder in memory.
type memoryHold struct {
	m         *Memory
	key, mine string
}

// Again has nothing to do.
func (h *memoryHold) Again(context.Context) error { return nil }

// Unlock ends it.
func (h *memoryHold) Unlock() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if h.m.marks[h.key] == h.mine {
		h.m.alive[h.key] = false
	}
	return nil
}
