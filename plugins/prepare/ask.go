// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:46:05Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package prepare

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/packer-hybrid/packer-hybrid/plugins/component"
	"github.com/packer-hybrid/packer-hybrid/plugins/template"
)

// question is one block of a template for one component.
type question struct {
	kind     component.Kind
	name     string
	body     hcl.Body
	at       hcl.Range
	settings map[string]any
	override map[string]any
	scope    *hcl.EvalContext
}

// spec is the schema of a component, asked once for a job.
type spec struct {
	ready chan struct{}
	spec  hcldec.ObjectSpec
	err   error
}

// prepared is the answer to one configuration, given once for a job.
type prepared struct {
	ready chan struct{}
	root  string // of the stage that asked
	component.Prepared
}

// ask decodes a block with the component's schema and has the component prepare
// it; false when it is refused.
func (h *checking) ask(ctx context.Context, q question) (component.Prepared, bool) {
	program, ok := h.program(q.kind, q.name)
	if !ok {
		return component.Prepared{}, false // told before
	}
	h.count()
	spec, running, err := h.spec(ctx, q.kind, program)
	defer func() { h.end(running) }()
	if err != nil {
		return component.Prepared{}, !h.report(hcl.Diagnostics{problem(q.at, "Failed to load "+q.name, err.Error())})
	}
	value, diags := hcldec.Decode(q.body, spec, q.scope)
	if h.report(diags) {
		return component.Prepared{}, false
	}
	value = template.Known(value)
	known, mine := once(h.session, h.answers, h.key(program, q, value), func() *prepared {
		return &prepared{ready: make(chan struct{}), root: h.stage.Root}
	})
	if mine {
		if running == nil {
			running, err = h.start(ctx, q.kind, program)
		}
		if err == nil {
			known.Prepared = running.Prepare(q.settings, value, q.override)
		} else {
			known.Refused = err
		}
		close(known.ready)
	}
	h.end(running) // before waiting: others need its room
	running = nil
	select {
	case <-known.ready:
	case <-ctx.Done():
		return component.Prepared{}, false
	}
	return known.Prepared, h.take(q, known)
}

func (h *checking) count() {
	h.mu.Lock()
	h.verdict.Components++
	h.mu.Unlock()
}

// spec returns the schema of a component, and the component itself when it had
// to be started for that.
func (h *checking) spec(ctx context.Context, kind component.Kind, program component.Program) (hcldec.ObjectSpec,
	*component.Component, error,
) {
	key := program.SHA256 + "\x00" + strings.Join(program.Args, "\x00")
	s, mine := once(h.session, h.specs, key, func() *spec { return &spec{ready: make(chan struct{})} })
	if !mine {
		select {
		case <-s.ready:
			return s.spec, nil, s.err
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
	defer close(s.ready)
	running, err := h.start(ctx, kind, program)
	if err != nil {
		s.err = err
		return nil, nil, err
	}
	s.spec, s.err = running.Spec()
	return s.spec, running, s.err
}

// start starts a component when there is room for one more.
func (h *checking) start(ctx context.Context, kind component.Kind, program component.Program) (*component.Component,
	error,
) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	c, err := component.Start(ctx, kind, program, h.place())
	if err != nil {
		<-h.slots
		return nil, fmt.Errorf("running a plugin: %w", err)
	}
	return c, nil
}

// end ends a component that runs, if any.
func (h *checking) end(c *component.Component) {
	if c == nil {
		return
	}
	c.Close()
	<-h.slots
}

// place is where the stage's components run. Values of variables reach them in
// their configuration, not in their environment.
func (h *checking) place() component.Place {
	env := slices.DeleteFunc(slices.Clone(h.stage.Env),
		func(entry string) bool { return strings.HasPrefix(entry, "PKR_VAR_") })
	return component.Place{Dir: h.stage.Dir, Env: env, Temp: h.stage.Temp}
}

// key names a configuration of a component with all that it can see: the same
// program, settings, values, environment and files. Stages lie in directories
// of their own, so their paths are taken out.
func (h *checking) key(program component.Program, q question, value cty.Value) string {
	if q.kind == component.PostProcessor && q.name == "manifest" && program.Path == h.job.Packer.Path {
		value = opaque(value)
	}
	body, err := ctyjson.Marshal(value, value.Type())
	settings, err2 := json.Marshal([]any{program.SHA256, program.Args, q.settings, q.override, h.place().Env, h.files()})
	if err != nil || err2 != nil {
		return fmt.Sprintf("%p", h) + q.at.String() + q.name // a key of its own
	}
	text := strings.ReplaceAll(string(settings)+"\x00"+string(body), h.stage.Root, "\x00")
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// opaque takes texts without template marks out of a value, for a component
// that looks at nothing else in them: Packer's own manifest post-processor
// (post-processor/manifest of Packer 1.15, Configure) fails only when a text
// with marks does not render. It is asked once for all targets whose manifests
// differ in such texts.
func opaque(value cty.Value) cty.Value {
	plain, err := cty.Transform(value, func(_ cty.Path, v cty.Value) (cty.Value, error) {
		if v.IsKnown() && !v.IsNull() && v.Type() == cty.String && !strings.Contains(v.AsString(), "{{") {
			return cty.StringVal(""), nil
		}
		return v, nil
	})
	if err != nil {
		return value
	}
	return plain
}

// files is the digest of the staged files but for the variable files, whose
// values are in the configurations.
func (h *checking) files() string {
	h.digested.Do(func() {
		sum := sha256.New()
		h.digest = h.stage.Root + h.stage.Name // a key of its own, unless all files can be read
		root, err := os.OpenRoot(h.stage.Dir)
		if err != nil {
			return
		}
		defer root.Close()
		err = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || slices.Contains(h.stage.VarFiles, filepath.Join(h.stage.Dir, path)) {
				return err
			}
			content, err := root.ReadFile(path)
			if err == nil {
				_, err = fmt.Fprintf(sum, "%q %x\n", path, sha256.Sum256(content))
			}
			return err //nolint:wrapcheck // it ends in a key of the stage's own
		})
		if err == nil {
			h.digest = hex.EncodeToString(sum.Sum(nil))
		}
	})
	return h.digest
}

// counted matches the headline of several errors in one, bullet what each
// begins with.
var (
	counted = regexp.MustCompile(`^\d+ errors? occurred:|^\d+ error\(s\) occurred:`)
	bullet  = regexp.MustCompile(`(?m)^\s*\* `)
)

// take reports what a component said; false when it refused.
func (h *checking) take(q question, known *prepared) bool {
	settings, _ := q.body.JustAttributes() // the blocks are no matter here
	tell := func(text string, warning bool) {
		text = strings.TrimSpace(strings.ReplaceAll(text, known.root, h.stage.Root))
		at := mentioned(text, settings, q.at)
		h.finding(Finding{
			Warning: warning, Message: fmt.Sprintf("%s %s: %s", q.kind, q.name, text),
			File: at.Filename, Line: at.Start.Line, Column: at.Start.Column,
		})
	}
	for _, warning := range known.Warnings {
		tell(warning, true)
	}
	var diags hcl.Diagnostics
	switch {
	case known.Refused == nil:
		return true
	case errors.As(known.Refused, &diags):
		h.report(diags)
	default:
		for _, text := range several(known.Refused.Error()) {
			tell(text, false)
		}
	}
	return false
}

// several splits a list of errors.
func several(text string) []string {
	if !counted.MatchString(strings.TrimSpace(text)) {
		return []string{text}
	}
	if all := bullet.Split(text, -1)[1:]; len(all) > 0 {
		return all
	}
	return []string{text}
}

// mentioned is the place of the setting that a message names, or of the block.
func mentioned(text string, settings hcl.Attributes, block hcl.Range) hcl.Range {
	best := ""
	for name := range settings {
		if len(name) > len(best) && names(text, name) {
			best = name
		}
	}
	if best == "" {
		return block
	}
	return settings[best].NameRange
}

// names says whether a text has a word.
func names(text, word string) bool {
	return regexp.MustCompile(`(^|[^A-Za-z0-9_-])` + regexp.QuoteMeta(word) + `($|[^A-Za-z0-9_-])`).MatchString(text)
}
