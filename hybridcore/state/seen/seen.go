// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:22:29Z
// Spec: openspec/specs/drift/spec.md#requirement-since-when
// Diagram: openspec/specs/drift/diagram.md#since-when

// Package seen remembers in a state when findings were first seen.
package seen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Bounds: of the findings that are remembered of an environment, and of how often others may be faster.
const (
	most  = 5000
	tries = 10
)

// Memory is what a state remembers of an environment.
type Memory struct {
	State *state.Store
	Env   string
}

// First says since when each of some findings of an environment is known, and remembers those
// that are new. What is remembered and not among them is forgotten when gone says so. Nothing
// is written when nothing changes.
func (m Memory) First(
	ctx context.Context, now time.Time, keys []string, gone func(key string) bool,
) (map[string]time.Time, error) {
	if err := hybridcore.CheckName("environment", m.Env); err != nil {
		return nil, err
	}
	c := state.Chain{B: m.State.Objects(), Folder: state.SeenFolder + m.Env + "/"}
	for range tries {
		n, was, err := newest(ctx, c)
		if err != nil {
			return nil, err
		}
		since := join(was.Since, now.UTC().Truncate(time.Second), keys, gone)
		if maps.Equal(since, was.Since) {
			return since, nil
		}
		data, err := json.Marshal(state.Seen{FormatVersion: 1, Since: since})
		if err != nil {
			return nil, fmt.Errorf("noting what was seen: %w", err)
		}
		// Nothing in what came later tells whether it came after this: then it is noted anew.
		stored, err := c.Next(ctx, n, data, func([]byte) bool { return false })
		switch {
		case err != nil:
			return nil, fmt.Errorf("noting what was seen: %w", err)
		case stored:
			return since, nil
		}
	}
	return nil, errors.New("noting what was seen: others write all the time")
}

// newest reads the newest generation.
func newest(ctx context.Context, c state.Chain) (n uint64, was state.Seen, err error) {
	n, data, err := c.Newest(ctx)
	if n == 0 {
		return 0, was, err
	}
	name := state.Generation(c.Folder, n)
	if err == nil {
		err = state.Examine(name, data)
	}
	if err == nil {
		err = json.Unmarshal(data, &was)
	}
	if err != nil {
		return n, was, fmt.Errorf("reading %s: %w; remove it: what is known is seen anew", name, err)
	}
	return n, was, nil
}

// join adds what is new, and leaves out what is gone.
func join(was map[string]time.Time, now time.Time, keys []string, gone func(key string) bool) map[string]time.Time {
	is := map[string]bool{}
	for _, key := range keys {
		is[key] = true
	}
	since := maps.Clone(was)
	if since == nil {
		since = map[string]time.Time{}
	}
	maps.DeleteFunc(since, func(key string, _ time.Time) bool { return !is[key] && gone(key) })
	for _, key := range keys {
		if _, known := since[key]; !known && len(since) < most {
			since[key] = now
		}
	}
	return since
}
