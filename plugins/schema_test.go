// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:16:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-schema-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#parts

// Package plugins_test tests the stand-ins as Packer uses them: over plugin RPC, and by building in the lab.
package plugins_test

import (
	"encoding/json"
	"net"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/hcl/v2/hclparse"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/rpc"

	"github.com/packer-hybrid/packer-hybrid/plugins/azure"
	"github.com/packer-hybrid/packer-hybrid/plugins/proxmox"
)

// builders are all that the stand-ins have, by the name in a template.
func builders() map[string]packersdk.Builder {
	return map[string]packersdk.Builder{
		"proxmox-iso": new(proxmox.ISOBuilder), "proxmox-clone": new(proxmox.CloneBuilder), "azure-arm": new(azure.Builder),
	}
}

// overRPC is a builder as Packer sees it from another process.
func overRPC(t *testing.T, builder packersdk.Builder, proto bool) packersdk.Builder {
	t.Helper()
	here, there := net.Pipe()
	server, err := rpc.NewServer(there)
	if err != nil {
		t.Fatal(err)
	}
	server.UseProto = proto
	if err := server.RegisterBuilder(builder); err != nil {
		t.Fatal(err)
	}
	go server.Serve()
	client, err := rpc.NewClient(here)
	if err != nil {
		t.Fatal(err)
	}
	client.UseProto = proto
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client.Builder()
}

// described is a specification in the form in which the real plugin's is kept.
func described(t *testing.T, spec hcldec.Spec) map[string]any {
	t.Helper()
	object, ok := spec.(hcldec.ObjectSpec)
	if pointer, is := spec.(*hcldec.ObjectSpec); is { // what protobuf makes of it
		object, ok = *pointer, true
	}
	if !ok {
		t.Fatalf("a body is described by %T", spec)
	}
	attributes, blocks := map[string]any{}, map[string]any{}
	for name, one := range object {
		switch s := one.(type) {
		case *hcldec.AttrSpec:
			text, err := s.Type.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			var kind any
			if err := json.Unmarshal(text, &kind); err != nil {
				t.Fatal(err)
			}
			if s.Name != name {
				t.Errorf("the attribute %s is called %s", name, s.Name)
			}
			attributes[name] = map[string]any{"type": kind, "required": s.Required}
		case *hcldec.BlockSpec:
			inner := described(t, s.Nested)
			inner["nesting"] = "single"
			blocks[name] = inner
		case *hcldec.BlockListSpec:
			inner := described(t, s.Nested)
			inner["nesting"] = "list"
			blocks[name] = inner
		default:
			t.Fatalf("%s is a %T", name, one)
		}
	}
	body := map[string]any{"attributes": attributes}
	if len(blocks) > 0 {
		body["blocks"] = blocks
	}
	return body
}

func TestDescribesWhatTheRealPluginDescribes(t *testing.T) {
	t.Parallel()
	for name, builder := range builders() {
		for protocol, proto := range map[string]bool{"gob": false, "protobuf": true} {
			t.Run(name+"/"+protocol, func(t *testing.T) {
				t.Parallel()
				data, err := os.ReadFile("standin/schemas/" + name + ".json")
				if err != nil {
					t.Fatal(err)
				}
				var want map[string]any
				if err := json.Unmarshal(data, &want); err != nil {
					t.Fatal(err)
				}
				for _, about := range []string{"kind", "name", "plugin", "version", "sdk_version"} {
					delete(want, about)
				}
				if diff := cmp.Diff(want, described(t, overRPC(t, builder, proto).ConfigSpec())); diff != "" {
					t.Errorf("want (-), got (+):\n%s", diff)
				}
			})
		}
	}
}

// prepare reads a source block's body as Packer does and lets the builder check it.
func prepare(t *testing.T, builder packersdk.Builder, body string) ([]string, error) {
	t.Helper()
	remote := overRPC(t, builder, true)
	file, diags := hclparse.NewParser().ParseHCL([]byte(body), "source.hcl")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	value, diags := hcldec.Decode(file.Body, remote.ConfigSpec(), &hcl.EvalContext{})
	if diags.HasErrors() {
		return nil, diags
	}
	_, warnings, err := remote.Prepare(value)
	return warnings, err
}
