// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-targets-and-digests
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
)

// Image is one entry of the catalogue templates/images.hcl.
type Image struct {
	Name        string              `json:"name"`    // debian-12
	Title       string              `json:"title"`   // Debian 12 (bookworm)
	OS          string              `json:"os"`      // linux or windows
	Family      string              `json:"family"`  // debian
	Version     string              `json:"version"` // 12
	Platforms   []Platform          `json:"platforms"`
	Unsupported map[Platform]string `json:"unsupported,omitempty"` // platform → reason
	File        string              `json:"file"`                  // where it is declared
	Line        int                 `json:"line"`
}

// File is one file that a target's stage holds.
type File struct {
	Path   string `json:"path"`   // in the stage, slash-separated
	From   string `json:"from"`   // relative to the project root, slash-separated
	SHA256 string `json:"sha256"` // of the content, hex
	Common bool   `json:"common"` // the same for every platform: part of the recipe
}

// Layer is one place that sets a variable.
type Layer struct {
	Name string `json:"layer"` // e.g. "default", "linux/debian", "configs/prod/vsphere", "environment", "run"
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	// Value is canonical JSON, or empty when the variable is sensitive.
	Value string `json:"value,omitempty"`
}

// Variable is one resolved input variable of a target with its provenance.
type Variable struct {
	Name string
	// JSON is the value as canonical JSON. Secrets included: it must reach
	// nothing but the Packer process. Printing and marshalling leave it out of
	// sensitive variables.
	JSON       string
	Sensitive  bool
	Connection bool    // says how to reach platform or guest; never in a digest
	Run        bool    // differs from run to run; never in a digest
	Common     bool    // declared for every platform: part of the recipe
	Layers     []Layer // lowest first; the last one wins
}

// Text returns the value as it may be shown: never a secret.
func (v Variable) Text() string {
	if v.Sensitive {
		return "<sensitive>"
	}
	return v.JSON
}

// Plain returns the value without quotes when it is a string, and its JSON
// otherwise; nothing for null. Secrets included.
func (v Variable) Plain() string {
	var text string // null leaves it empty
	if json.Unmarshal([]byte(v.JSON), &text) != nil {
		return v.JSON
	}
	return text
}

// String implements fmt.Stringer without the secret.
func (v Variable) String() string { return v.Name + "=" + v.Text() }

// GoString implements fmt.GoStringer without the secret.
func (v Variable) GoString() string { return v.String() }

// LogValue implements slog.LogValuer without the secret.
func (v Variable) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalJSON leaves the value of a sensitive variable out.
func (v Variable) MarshalJSON() ([]byte, error) {
	out := struct {
		Name      string          `json:"name"`
		Value     json.RawMessage `json:"value,omitempty"`
		Sensitive bool            `json:"sensitive,omitempty"`
		Layers    []Layer         `json:"layers,omitempty"`
	}{Name: v.Name, Sensitive: v.Sensitive, Layers: v.Layers}
	if !v.Sensitive {
		out.Value = json.RawMessage(v.JSON)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encoding variable %s: %w", v.Name, err)
	}
	return b, nil
}

// Target is one image for one platform in one environment: the unit that is
// planned, built, recorded and compared.
type Target struct {
	Image    Image    `json:"image"`
	Platform Platform `json:"platform"`
	Env      string   `json:"env"`
	// Source is the Packer source that builds it, e.g. vsphere-iso.linux.
	Source    string     `json:"source"`
	Files     []File     `json:"files"`
	Variables []Variable `json:"variables"`
	// Inputs names everything that goes into the image with its value or
	// digest: "source", "file:PATH", "var:NAME", "packer", "plugin:ADDRESS",
	// "lab", "guest:IMAGE" (a stand-in of the lab).
	Inputs map[string]string `json:"inputs"`
	// Digest is the digest of Inputs; Recipe that of the part that is equal
	// for all platforms of one image. Hex sha256.
	Digest string `json:"digest"`
	Recipe string `json:"recipe"`
}

// Name is IMAGE@PLATFORM, unique within an environment.
func (t Target) Name() string { return TargetName(t.Image.Name, t.Platform) }

// TargetName composes the name of a target.
func TargetName(image string, platform Platform) string { return image + "@" + string(platform) }

// Key is ENV/IMAGE@PLATFORM, unique within a state.
func (t Target) Key() string { return t.Env + "/" + t.Name() }

// Secrets returns the sensitive values as plain text (a JSON string is
// unquoted), by variable name, for the redactor.
func (t Target) Secrets() map[string]string {
	secrets := map[string]string{}
	for _, v := range t.Variables {
		if !v.Sensitive {
			continue
		}
		secrets[v.Name] = v.Plain()
	}
	return secrets
}

// Seal fills Inputs, Digest and Recipe from source, files, variables and the
// versions of packer and plugins. Connection, run and sensitive variables are left out.
func (t *Target) Seal(versions map[string]string) {
	t.Inputs = map[string]string{"source": t.Source}
	recipe := map[string]string{}
	for _, f := range t.Files {
		key := "file:" + f.Path
		t.Inputs[key] = f.SHA256
		if f.Common {
			recipe[key] = f.SHA256
		}
	}
	for _, v := range t.Variables {
		if v.Connection || v.Run || v.Sensitive {
			continue
		}
		key := "var:" + v.Name
		t.Inputs[key] = v.JSON
		if v.Common {
			recipe[key] = v.JSON
		}
	}
	maps.Copy(t.Inputs, versions)
	t.Digest, t.Recipe = DigestOf(t.Inputs), DigestOf(recipe)
}

// DigestOf is the hex sha256 of a map in a canonical form: sorted keys, each
// key and value preceded by its length.
func DigestOf(inputs map[string]string) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(inputs)) {
		fmt.Fprintf(&b, "%d:%s%d:%s", len(k), k, len(inputs[k]), inputs[k])
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:])
}
