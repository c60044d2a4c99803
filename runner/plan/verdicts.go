// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:33:35Z
// Spec: openspec/specs/plan/spec.md#requirement-remembered-verdicts
// Diagram: openspec/specs/plan/diagram.md#verdicts

package plan

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/leaks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// Bounds of the remembered verdicts.
const (
	maxVerdicts = 64      // files; the oldest goes first
	maxVerdict  = 4 << 20 // bytes of one; 500 targets take 200 KiB
	saltName    = "salt"
	saltSize    = 32
)

// Verdicts is a folder of the user's that remembers what validations found. A
// damaged entry is none, and what cannot be written costs time only. The empty
// Verdicts remembers nothing.
type Verdicts string

// Verdict is what one validation found.
type Verdict struct {
	Key      string               `json:"key"`
	Of       string               `json:"of"` // the run
	Targets  int                  `json:"targets"`
	At       time.Time            `json:"at"`
	Findings []hybridcore.Finding `json:"findings"` // of the plan
	Results  []hybridcore.Result  `json:"results"`  // none when the findings block
}

// Memory is what validations found, and who remembers it.
type Memory struct {
	Verdicts Verdicts
	Program  string // names this build of packer-hybrid: the rules are part of it
	Whole    bool   // a validation inside the process answers with its plan, which no verdict keeps
}

// Answer is what a verdict of an earlier run says about a request.
func (v Verdict) Answer(req hybridcore.Request, checked hybridcore.Checked) hybridcore.Answer {
	answer := hybridcore.Answer{Cached: v.Of, Findings: v.Findings}
	switch {
	case req.InProcess():
		answer.Checked = &checked
	case hybridcore.Blocked(v.Findings) == hybridcore.NotBlocked:
		answer.Record = &hybridcore.Record{
			FormatVersion: 1, RunID: v.Of, Request: req, At: v.At, Status: hybridcore.Overall(v.Results),
			Versions: map[string]string{}, Results: v.Results,
		}
	}
	return answer
}

// Add takes over what a validation found.
func (v *Verdict) Add(answer hybridcore.Answer) {
	v.Targets, v.Findings = len(answer.Plan.Targets), answer.Plan.Findings
	switch {
	case answer.Record != nil:
		for _, res := range answer.Record.Results {
			res.Inputs, res.Steps = nil, nil
			v.Results = append(v.Results, res)
		}
	case answer.Checked != nil && hybridcore.Blocked(v.Findings) == hybridcore.NotBlocked:
		for _, t := range answer.Plan.Targets {
			v.Results = append(v.Results, hybridcore.Result{Target: t.Target.Name(), Status: hybridcore.Validated})
		}
	}
}

// Recall returns the verdict of a key.
func (v Verdicts) Recall(key string) (Verdict, bool) {
	if v == "" || key == "" {
		return Verdict{}, false
	}
	data, err := safefile.Read(v.file(key), maxVerdict)
	if err != nil {
		return Verdict{}, false
	}
	var found Verdict
	if json.Unmarshal(data, &found) != nil || found.Key != key || !found.keepable() {
		return Verdict{}, false
	}
	return found, true
}

// Remember keeps a verdict that is clean, or about the form of the input, and
// drops the oldest ones. Any other is not kept, nor one that redact would change.
func (v Verdicts) Remember(verdict Verdict, redact func(string) string) {
	if v == "" || verdict.Key == "" || !verdict.keepable() {
		return
	}
	data, err := json.Marshal(verdict)
	if err != nil || len(data) > maxVerdict || redact(string(data)) != string(data) {
		return
	}
	if safefile.Keep(v.file(verdict.Key), data) == nil {
		v.trim()
	}
}

// keepable says whether nothing in a verdict could hold a secret or depend on
// more than its key: every target valid without a finding of Packer's, and the
// plan's own findings about form.
func (v Verdict) keepable() bool {
	for _, r := range v.Results {
		if r.Status != hybridcore.Validated || r.Failure != nil || len(r.Findings) > 0 {
			return false
		}
	}
	for _, f := range v.Findings {
		switch f.Kind {
		case hybridcore.KindSyntax, hybridcore.KindSchema, hybridcore.KindVariable:
		case sources.KindPlugin, leaks.Kind, waivers.Kind:
			if f.Blocking {
				return false
			}
		default:
			return false
		}
	}
	return v.Of != "" && (len(v.Results) > 0) != (hybridcore.Blocked(v.Findings) != hybridcore.NotBlocked)
}

func (v Verdicts) file(key string) string { return filepath.Join(string(v), key+".json") }

// trim removes the oldest verdicts beyond the bound, and what a killed process
// left half written.
func (v Verdicts) trim() {
	entries, err := os.ReadDir(string(v))
	if err != nil {
		return
	}
	var all []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.Name() != saltName {
			all = append(all, info)
		}
	}
	slices.SortFunc(all, func(a, b fs.FileInfo) int {
		return cmp.Or(b.ModTime().Compare(a.ModTime()), strings.Compare(a.Name(), b.Name()))
	})
	for i, info := range all {
		if i >= maxVerdicts || strings.HasPrefix(info.Name(), safefile.TempPrefix) && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(filepath.Join(string(v), info.Name())) // tried again the next time
		}
	}
}

// salt keys the digests, so that nobody can try out a secret on the name of a
// verdict's file. It is made once.
func (v Verdicts) salt() ([]byte, error) {
	path := filepath.Join(string(v), saltName)
	if salt, err := safefile.Read(path, saltSize); err == nil && len(salt) == saltSize {
		return salt, nil
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails
	return salt, safefile.Keep(path, salt)
}

// VerdictKey digests everything that a validation of the request depends on:
// each byte of the templates, configurations, project file and lock, the part
// of the environment that Packer sees, Packer, the installed plugins, and
// program, which names this build of packer-hybrid; without Packer and plugins
// when the request is answered inside this process; and what the search for secrets
// finds in all files, and where programs of provisioners are. It is empty when something
// is in the way, such as a missing Packer: then there is no verdict.
func (s Stage) VerdictKey(ctx context.Context, v Verdicts, req hybridcore.Request, program string) string {
	if v == "" {
		return ""
	}
	salt, err := v.salt()
	if err != nil {
		return ""
	}
	if len(sources.Check(s.Project.Config.Root)) > 0 {
		return ""
	}
	h := hmac.New(sha256.New, salt)
	fmt.Fprintf(h, "%q %q %q %q %q\n", program, req.With, req.Env, req.Images, req.Platforms)
	if !req.InProcess() {
		tool, err := s.Project.Tools.Packer(ctx)
		if err != nil {
			return ""
		}
		fmt.Fprintf(h, "%q %q\n", tool.Version, identity(tool.Path))
		for _, dir := range append(slices.Clone(tool.PluginDirs), s.Project.Tools.PinnedPlugins) {
			names(h, dir)
		}
	}
	if req.InProcess() && s.Project.Tools.Schemas.Any() {
		for _, dir := range s.Project.Tools.Schemas.PluginDirs {
			names(h, dir)
		}
		names(h, s.Project.Tools.Schemas.Dir())
	}
	environ := slices.Sorted(slices.Values(s.Project.Environ))
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if packer.Inherits(name) || strings.HasPrefix(name, "PKR_VAR_") || strings.HasPrefix(name, "PACKER_HYBRID_") {
			fmt.Fprintf(h, "%q\n", entry)
		}
	}
	searched, err := s.Project.Leaks(ctx)
	if err != nil {
		return ""
	}
	accepted, err := s.Project.Accepted(ctx)
	if err != nil {
		return ""
	}
	fmt.Fprintf(h, "%q %q\n", searched.Findings, accepted)
	fmt.Fprintf(h, "%q\n", s.machine().Where())
	root, err := os.OpenRoot(s.Project.Config.Root)
	if err != nil {
		return ""
	}
	defer root.Close() //nolint:errcheck // only read
	for _, path := range []string{config.FileName, sources.LockPath, templates.Dir, templates.ConfigsDir} {
		if contents(h, root, path) != nil {
			return ""
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// identity changes whenever a file does.
func identity(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano())
}

// names adds what is below a folder by name, size and time: plugins are large,
// and Packer checks each one's digest before it starts it.
func names(h hash.Hash, dir string) {
	fmt.Fprintf(h, "%q\n", dir)
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Fprintf(h, "%q\n", identity(path))
		}
		return nil // what cannot be read cannot be used either
	})
}

// contents adds what is below a path with every byte. A missing path is nothing.
func contents(h hash.Hash, root *os.Root, path string) error {
	//nolint:wrapcheck // only whether
	return fs.WalkDir(root.FS(), path, func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && name == path:
			return nil
		case err != nil:
			return err
		case d.IsDir():
			fmt.Fprintf(h, "%q\n", name)
			return nil
		}
		info, err := root.Stat(name) // of what a link points at
		if err != nil || !info.Mode().IsRegular() {
			return fmt.Errorf("%s: %w", name, fs.ErrInvalid)
		}
		f, err := root.Open(name)
		if err != nil {
			return err //nolint:wrapcheck // only whether
		}
		defer f.Close() //nolint:errcheck // only read
		fmt.Fprintf(h, "%q %d %v\n", name, info.Size(), info.Mode().Perm()&0o111)
		n, err := io.Copy(h, f)
		if err == nil && n != info.Size() {
			err = fs.ErrInvalid // it is being written
		}
		return err
	})
}
