// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:24Z
// Spec: openspec/specs/packer/spec.md#requirement-success-needs-evidence
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Limits of a manifest: one run writes a few hundred bytes.
const (
	MaxManifest      = 8 << 20 // bytes
	maxManifestDepth = 16      // objects and lists in one another
	MaxID            = 2 << 10 // bytes of one artifact's identifier
)

// Entry is what one build wrote into the manifest.
type Entry struct {
	Name, Builder, ID, Run string
	Custom                 map[string]string
}

// Is says whether the entry was written by the build of that name.
func (e Entry) Is(build string) bool { return IsBuild(build, e.Builder+"."+e.Name) }

// ReadManifest reads the manifest that the run must have written.
func ReadManifest(path string) ([]Entry, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	defer func() { _ = root.Close() }() // only read
	data, err := safefile.ReadIn(root, filepath.Base(path), MaxManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("the build wrote no manifest")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the manifest: %w", err)
	}
	entries, err := ParseManifest(data)
	if err != nil {
		return nil, fmt.Errorf("the manifest is not what Packer writes: %w", err)
	}
	return entries, nil
}

// ParseManifest reads a manifest strictly: encoding/json alone takes the last
// of two equal keys, keys in other cases, null for an object and broken UTF-8.
// All entries must be of the run that wrote last.
func ParseManifest(data []byte) ([]Entry, error) {
	if !utf8.Valid(data) {
		return nil, errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	value, err := strictValue(dec, maxManifestDepth)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	top := reader{at: "manifest"}
	object := top.object(value, "builds", "last_run_uuid")
	list := top.list(object, "builds")
	run := top.text(object, "last_run_uuid")
	entries := make([]Entry, 0, len(list))
	for i, v := range list {
		r := reader{at: fmt.Sprintf("builds[%d]", i), err: top.err}
		entries = append(entries, r.entry(v, run))
		top.err = r.err
	}
	if top.err == nil && len(entries) == 0 {
		top.fail("builds is empty")
	}
	return entries, top.err
}

// reader takes typed values out of a JSON tree and keeps the first error.
type reader struct {
	at  string
	err error
}

func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%s: %s", r.at, fmt.Sprintf(format, args...))
	}
}

func (r *reader) entry(v any, run string) Entry {
	o := r.object(v, "name", "builder_type", "build_time", "files", "artifact_id", "packer_run_uuid", "custom_data")
	e := Entry{
		Name: r.text(o, "name"), Builder: r.text(o, "builder_type"), ID: r.text(o, "artifact_id"),
		Run: r.text(o, "packer_run_uuid"),
	}
	if t, ok := o["build_time"]; ok {
		if n, isNumber := t.(json.Number); !isNumber || len(n) > 15 || strings.Trim(string(n), "0123456789") != "" {
			r.fail("build_time is not a time in seconds")
		}
	}
	if files := o["files"]; files != nil {
		if _, ok := files.([]any); !ok {
			r.fail("files is not a list")
		}
	}
	if custom := o["custom_data"]; custom != nil {
		e.Custom = map[string]string{}
		data := r.object(custom)
		for k := range data {
			s, ok := data[k].(string)
			if !ok {
				r.fail("custom_data.%.100q is not a text", k)
			}
			e.Custom[k] = s
		}
	}
	switch {
	case r.err != nil:
	case e.Run != run:
		r.fail("it is of the run %.100q, not of the last run %.100q", e.Run, run)
	case len(e.ID) > MaxID || strings.ContainsAny(e.ID, "\n\t") || e.ID != text.Sanitize(e.ID):
		r.fail("artifact_id is longer than %d bytes or holds a control character", MaxID)
	}
	return e
}

// object takes an object, and refuses a key that differs from a known one only in case.
func (r *reader) object(v any, known ...string) map[string]any {
	o, ok := v.(map[string]any)
	if !ok {
		r.fail("not an object")
		return nil
	}
	for key := range o {
		for _, k := range known {
			if key != k && strings.EqualFold(key, k) {
				r.fail("the key %.100q is not %q", key, k)
			}
		}
	}
	return o
}

func (r *reader) list(o map[string]any, key string) []any {
	l, ok := o[key].([]any)
	if !ok {
		r.fail("%s is not a list", key)
	}
	return l
}

func (r *reader) text(o map[string]any, key string) string {
	s, ok := o[key].(string)
	if !ok || s == "" {
		r.fail("%s is missing or not a text", key)
	}
	return s
}

// strictValue reads one JSON value into maps, slices, strings and numbers, and
// refuses equal keys and deep nesting.
func strictValue(dec *json.Decoder, depth int) (any, error) {
	token, err := dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("it is empty or ends too early")
		}
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	delim, ok := token.(json.Delim)
	switch {
	case !ok:
		return token, nil
	case depth == 0:
		return nil, fmt.Errorf("it is nested more than %d deep", maxManifestDepth)
	case delim == '{':
		return strictObject(dec, depth-1)
	}
	list := []any{}
	for dec.More() {
		v, err := strictValue(dec, depth-1)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, closing(dec)
}

func strictObject(dec *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("reading JSON: %w", err)
		}
		key, ok := token.(string)
		if !ok {
			return nil, errors.New("a key is not a text")
		}
		if _, again := object[key]; again {
			return nil, fmt.Errorf("the key %.100q is there twice", key)
		}
		if object[key], err = strictValue(dec, depth); err != nil {
			return nil, err
		}
	}
	return object, closing(dec)
}

func closing(dec *json.Decoder) error {
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("it ends too early: %w", err)
	}
	return nil
}

// IsBuild says whether a build's name, TYPE.NAME or BLOCK.TYPE.NAME, is that of
// the source TYPE.NAME.
func IsBuild(name, source string) bool {
	return name == source || strings.HasSuffix(name, "."+source)
}
