// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:38Z
// Spec: openspec/specs/full-validation/spec.md#requirement-plugins-run-bounded
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package component_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/packer-plugin-sdk/plugin"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/plugins/azure"
	"github.com/packer-hybrid/packer-hybrid/plugins/component"
)

// TestMain is also the plugin that the tests start.
func TestMain(m *testing.M) {
	if os.Getenv(plugin.MagicCookieKey) == "" {
		os.Exit(m.Run())
	}
	set := plugin.NewSet()
	set.RegisterBuilder("arm", new(azure.Builder))
	if err := set.Run(); err != nil {
		os.Exit(1)
	}
}

func place(t *testing.T) component.Place {
	t.Helper()
	temp, err := os.MkdirTemp("", "c-") //nolint:usetesting // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(temp) })
	return component.Place{Dir: t.TempDir(), Temp: temp, Env: []string{"PATH=" + os.Getenv("PATH")}}
}

func TestComponent(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, proto := range []bool{false, true} {
		args := []string{"start", "builder", "arm"}
		if proto {
			args = []string{"start", "builder", "--protobuf", "arm"}
		}
		at := place(t)
		c, err := component.Start(t.Context(), component.Builder, component.Program{Path: self, Args: args, Proto: proto}, at)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := c.Spec()
		if err != nil || len(spec) < 100 {
			t.Errorf("proto=%v: %d settings, %v", proto, len(spec), err)
		}
		if p := c.Prepare(map[string]any{"packer_build_name": "x"}, cty.EmptyObjectVal, nil); p.Refused == nil ||
			!strings.Contains(p.Refused.Error(), "os_type") {
			t.Errorf("proto=%v: an empty configuration is refused with %v", proto, p.Refused)
		}
		c.Close()
		if left, err := os.ReadDir(at.Temp); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// script is a program that is no plugin.
func script(t *testing.T, text string) component.Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "packer-plugin-odd")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return component.Program{Path: path}
}

func TestOddPlugins(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"ends at once":      {"echo boom >&2\n", "it ended without saying where it listens; it said: boom"},
		"listens elsewhere": {"echo '5|0|unix|/tmp/elsewhere.sock'\nexec sleep 60\n", "outside of its directory"},
		"listens on TCP":    {"echo '5|0|tcp|127.0.0.1:1'\nexec sleep 60\n", "no address of plugin API 5 on a Unix socket"},
		"another API":       {"echo '4|0|unix|/tmp/x'\nexec sleep 60\n", "no address of plugin API 5"},
		"talks without end": {"exec yes | tr -d '\\n'\n", "it ended without saying where it listens"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := component.Start(t.Context(), component.Builder, script(t, test.text), place(t))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// A plugin that says nothing ends with the context, and so does what it started.
func TestHangingPlugin(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := component.Start(ctx, component.Builder, script(t, "sleep 60 &\nsleep 60\n"), place(t)); err == nil ||
		time.Since(began) > 10*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}
