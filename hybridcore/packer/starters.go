// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:37:16Z
// Spec: openspec/specs/packer/spec.md#requirement-starters-in-validations
// Diagram: openspec/specs/packer/diagram.md#plugins-of-a-validation

package packer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Starters puts small programs in the place of plugins, for the validations of
// one run. Packer hashes and describes every plugin several times before it
// starts one; a starter makes that cheap, and starts the real plugin. It is
// safe for several goroutines.
type Starters struct {
	memory Memory
	dir    scratch // of the run

	mu   sync.Mutex
	ours bool // the directory was made here
	made map[Plugin]made
}

// made is the starter of a plugin, or why the plugin must not be started.
type made struct {
	starter Plugin
	err     error
}

// Starters makes starters below dir, which must not exist: it is made when
// needed, and Close removes it.
func (t Tool) Starters(dir string) *Starters {
	return &Starters{memory: t.Memory, dir: scratch(dir), made: map[Plugin]made{}}
}

// Of returns the plugins of a job with a starter in the place of each that can
// have one; the others are returned as they are. The digest of each is computed
// once in the life of s. A hybridcore.BlockedError says that a plugin is not
// the one that was verified.
func (s *Starters) Of(ctx context.Context, job Job) ([]Plugin, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	starters := make([]Plugin, 0, len(job.Plugins))
	for _, p := range job.Plugins {
		m, known := s.made[p]
		if !known {
			m.starter, m.err = s.make(ctx, p, job.Env)
			if m.err != nil && hybridcore.ExitCode(m.err) != hybridcore.ExitBlocked {
				m = made{starter: p} // Packer does the checking, and says what does not work
			}
			s.made[p] = m
		}
		if m.err != nil {
			return nil, m.err
		}
		starters = append(starters, m.starter)
	}
	return starters, nil
}

// Close removes the directory. No validation may be running.
func (s *Starters) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ours {
		return nil
	}
	s.ours, s.made = false, map[Plugin]made{}
	if err := os.RemoveAll(string(s.dir)); err != nil {
		return fmt.Errorf("removing the starters of plugins: %w", err)
	}
	return nil
}

// make takes hold of a plugin's file, verifies what it holds, and writes the
// starter of that.
func (s *Starters) make(ctx context.Context, p Plugin, parent []string) (Plugin, error) {
	sum, err := s.hold(p)
	if err != nil {
		return Plugin{}, err
	}
	if sum != p.SHA256 {
		return Plugin{}, hybridcore.Blockedf("the Packer plugin %s changed after it was verified: %s has sha256 %s, and had %s; install it again with `packer plugins install --force %s`",
			p.Address, p.Path, sum, p.SHA256, p.Address)
	}
	answer := s.describe(ctx, p, environ(parent, nil, s.dir))
	if answer == "" {
		return Plugin{}, fmt.Errorf("the plugin %s does not describe itself", p.Address)
	}
	text := answering("describe", answer, s.dir.placed(p))
	digest := sha256.Sum256([]byte(text))
	p.Path, p.SHA256 = s.dir.starter(p), hex.EncodeToString(digest[:])
	return p, writeProgram(p.Path, text)
}

// hold puts a plugin's file below the directory of the run and returns the
// digest of what is there.
func (s *Starters) hold(p Plugin) (string, error) {
	if !s.ours {
		if err := os.Mkdir(string(s.dir), 0o700); err != nil {
			return "", fmt.Errorf("making the directory of the run: %w", err)
		}
		s.ours = true
	}
	if err := s.dir.make(); err != nil {
		return "", err
	}
	if err := s.dir.place(p); err != nil {
		return "", err
	}
	return digestFile(s.dir.placed(p))
}

// describe returns what the plugin says of itself, from memory when this very
// binary was asked before; empty when it says nothing that can be told again.
func (s *Starters) describe(ctx context.Context, p Plugin, env []string) string {
	kind := "describe-" + p.SHA256
	answer := s.memory.recall(kind, p.Path)
	if answer == "" {
		if answer = ask(ctx, s.dir, env, s.dir.placed(p), "describe"); answer != "" {
			s.memory.remember(kind, p.Path, answer)
		}
	}
	return answer
}
