// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:03:43Z
// Spec: openspec/specs/config/spec.md#requirement-variable-layers-with-provenance
// Diagram: openspec/specs/config/diagram.md#layers-of-a-variable

package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Names of the layers that are no files.
const (
	LayerDefault     = "default"
	LayerEnvironment = "environment"
	LayerRun         = "run"
)

// Input is everything that the variables of one target are resolved from.
type Input struct {
	Platform     hybridcore.Platform
	Env          string
	Layers       []Layer // lowest first
	Declarations []hclfile.Declaration
	// Elsewhere names the variables that the templates of other platforms
	// declare: a file may set them, this target does not see them.
	Elsewhere []string
	Environ   []string          // KEY=VALUE, as os.Environ gives it
	Run       map[string]string // name → JSON; what is not declared is left out
}

// resolver carries one resolution.
type resolver struct {
	in       Input
	byName   map[string]hclfile.Declaration
	vars     map[string]*hybridcore.Variable
	held     map[string]string // name → why what was given is no value
	bad      map[string]bool   // a value was refused: not missing too
	findings []hybridcore.Finding
}

// Resolve gives every declared variable that has a value, sorted by name, and
// all that is wrong: no value, a wrong type, an undeclared name, a secret in a
// file. It is pure.
func Resolve(in Input) ([]hybridcore.Variable, []hybridcore.Finding) {
	r := &resolver{
		in: in, byName: map[string]hclfile.Declaration{}, vars: map[string]*hybridcore.Variable{},
		held: map[string]string{}, bad: map[string]bool{},
	}
	for _, d := range in.Declarations {
		r.byName[d.Name] = d
		if d.Default != nil {
			r.literal(d, LayerDefault, nil, *d.Default)
		}
	}
	for _, layer := range in.Layers {
		r.file(layer)
	}
	r.environ()
	for _, name := range slices.Sorted(maps.Keys(in.Run)) {
		r.run(name, in.Run[name])
	}
	return r.finish(), r.findings
}

// file adds the values of one variable file in the order of its lines.
func (r *resolver) file(layer Layer) {
	literals := slices.SortedFunc(maps.Values(layer.Values),
		func(a, b hclfile.Literal) int { return a.Range.Start.Byte - b.Range.Start.Byte })
	for _, literal := range literals {
		d, declared := r.byName[literal.Name]
		if declared {
			r.literal(d, layer.Name, layer.File, literal)
			continue
		}
		if finding, leaks := leak(literal, false); leaks {
			r.findings = append(r.findings, finding)
		}
		if !slices.Contains(r.in.Elsewhere, literal.Name) {
			names := slices.Concat(slices.Sorted(maps.Keys(r.byName)), r.in.Elsewhere)
			r.add(layer.File, literal.Range, literal.Name,
				fmt.Sprintf("no template declares the variable %q%s", literal.Name, text.DidYouMean(literal.Name, names)),
				"correct the name, or declare it in templates/variables.pkr.hcl or templates/platforms/")
			r.findings[len(r.findings)-1].Rule = "undeclared-value"
		}
	}
}

// literal adds a value of a file or a default.
func (r *resolver) literal(d hclfile.Declaration, layer string, file *hclfile.File, literal hclfile.Literal) {
	if finding, leaks := leak(literal, d.Sensitive); leaks {
		r.findings = append(r.findings, finding)
		r.bad[d.Name] = true
		return // nothing that could show it takes the value
	}
	if Secret(d.Name, d.Sensitive) && isPlaceholder(literal.Value) {
		r.held[d.Name] = fmt.Sprintf("%s:%d holds a placeholder only", literal.File, literal.Line())
		return
	}
	text, err := literal.JSON, error(nil)
	if !literal.Value.Type().Equals(d.Type) { // as it mostly does
		_, text, err = hclfile.Convert(literal.Value, d.Type)
	}
	if err != nil {
		if Secret(d.Name, d.Sensitive) {
			file = nil // the line is not shown
		}
		r.add(file, literal.Range, d.Name,
			fmt.Sprintf("the value of %s does not fit its type %s: %v", d.Name, d.TypeName(), err), declaredAt(d))
		return
	}
	r.set(d, hybridcore.Layer{Name: layer, File: literal.File, Line: literal.Line(), Value: text})
}

// environ adds PKR_VAR_ variables as Packer reads them: literally for string
// and number, as an expression for other types. The last of equal names wins.
func (r *resolver) environ() {
	for _, entry := range r.in.Environ {
		name, text, found := strings.Cut(strings.TrimPrefix(entry, envPrefix), "=")
		if !found || !strings.HasPrefix(entry, envPrefix) {
			continue
		}
		d, declared := r.byName[name]
		if !declared {
			r.unusedEnv(name)
			continue
		}
		if text == "" && d.Default == nil && Secret(name, d.Sensitive) {
			r.held[name] = envPrefix + name + " is empty: a CI passes on a secret that it does not have like this"
			continue
		}
		value, problem := envValue(d, text)
		if problem == "" {
			var err error
			if _, text, err = hclfile.Convert(value, d.Type); err != nil {
				problem = err.Error()
			}
		}
		if problem != "" {
			r.add(nil, hcl.Range{}, name,
				fmt.Sprintf("the value of %s%s does not fit the type %s: %s", envPrefix, name, d.TypeName(),
					problem), declaredAt(d))
			continue
		}
		r.set(d, hybridcore.Layer{Name: LayerEnvironment, Value: text})
	}
}

func envValue(d hclfile.Declaration, text string) (cty.Value, string) {
	switch d.Type {
	case cty.String, cty.Number, cty.DynamicPseudoType:
		if !utf8.ValidString(text) {
			return cty.NilVal, "it is not valid UTF-8"
		}
		return cty.StringVal(text), ""
	}
	value, findings := hclfile.Expression(text, envPrefix+d.Name)
	if len(findings) > 0 {
		if Secret(d.Name, d.Sensitive) { // the message could quote it
			return cty.NilVal, "it is no literal; write it as in a variable file"
		}
		return cty.NilVal, findings[0].Message + "; write it as in a variable file"
	}
	return value, ""
}

// unusedEnv warns of a name that is likely a misspelt one.
func (r *resolver) unusedEnv(name string) {
	leads := func(p hybridcore.PlatformInfo) bool { return p.Name.IsConnection(name) }
	if slices.Contains(r.in.Elsewhere, name) || slices.ContainsFunc(hybridcore.Platforms(), leads) {
		return // it belongs to another platform
	}
	if near := text.DidYouMean(name, slices.Sorted(maps.Keys(r.byName))); near != "" {
		r.findings = append(r.findings, hybridcore.Finding{
			Kind: hybridcore.KindVariable, Subject: name, Severity: hybridcore.Warning,
			Message: hclfile.Printable(fmt.Sprintf("%s%.80s is set, but no template declares that variable%s", envPrefix, name,
				near)),
		})
	}
}

func (r *resolver) run(name, text string) {
	d, declared := r.byName[name]
	if !declared {
		return
	}
	value, err := fromJSON(text)
	if err == nil {
		_, text, err = hclfile.Convert(value, d.Type)
	}
	if err != nil {
		r.add(nil, hcl.Range{}, name,
			fmt.Sprintf("the value of the run for %s does not fit the type %s: %v", name, d.TypeName(), err), declaredAt(d))
		return
	}
	r.set(d, hybridcore.Layer{Name: LayerRun, Value: text})
}

func fromJSON(text string) (cty.Value, error) {
	of, err := ctyjson.ImpliedType([]byte(text))
	if err != nil {
		return cty.NilVal, fmt.Errorf("reading JSON: %w", err)
	}
	value, err := ctyjson.Unmarshal([]byte(text), of)
	if err != nil {
		return cty.NilVal, fmt.Errorf("reading JSON: %w", err)
	}
	return value, nil
}

// set makes the layer the winner.
func (r *resolver) set(d hclfile.Declaration, layer hybridcore.Layer) {
	v := r.vars[d.Name]
	if v == nil {
		_, isRun := r.in.Run[d.Name]
		v = &hybridcore.Variable{
			Name: d.Name, Sensitive: d.Sensitive, Common: d.Common, Run: isRun,
			Connection: r.in.Platform.IsConnection(d.Name),
		}
		r.vars[d.Name] = v
	}
	v.JSON = layer.Value
	if d.Sensitive {
		layer.Value = ""
	}
	if last := len(v.Layers) - 1; last >= 0 && layer.Name == LayerEnvironment && v.Layers[last].Name == LayerEnvironment {
		v.Layers = v.Layers[:last] // the same name twice in one environment
	}
	v.Layers = append(v.Layers, layer)
}

// finish reports what has no value, or none that can reach Packer.
func (r *resolver) finish() []hybridcore.Variable {
	var vars []hybridcore.Variable
	for _, name := range slices.Sorted(maps.Keys(r.byName)) {
		d := r.byName[name]
		v := r.vars[name]
		switch {
		case v == nil && r.bad[name]:
			continue
		case v == nil:
			r.missing(d)
			continue
		case d.Sensitive:
			if problem := unspeakable(d, v.JSON); problem != "" {
				r.add(nil, hcl.Range{}, name, fmt.Sprintf("the sensitive variable %s cannot be passed on: %s", name, problem),
					declaredAt(d))
			}
		}
		vars = append(vars, *v)
	}
	return vars
}

// unspeakable says why a value cannot be expressed in an environment variable.
func unspeakable(d hclfile.Declaration, text string) string {
	switch {
	case strings.Contains(strings.ReplaceAll(text, `\\`, ""), `\u0000`):
		return "it holds a NUL character"
	case d.Type == cty.DynamicPseudoType && !strings.HasPrefix(text, `"`) && text != "null":
		return "without a type it can only be a string; give it one"
	case text == "null" && d.Default != nil && d.Default.JSON != "null":
		return "null cannot replace its default"
	default:
		return ""
	}
}

// missing reports a variable without any value and the place to set it.
func (r *resolver) missing(d hclfile.Declaration) {
	file := fmt.Sprintf("configs/%s/%s.pkrvars.hcl", r.in.Env, r.in.Platform)
	if d.Common {
		file = fmt.Sprintf("configs/%s/common.pkrvars.hcl", r.in.Env)
	}
	message := fmt.Sprintf("the variable %s has no value", d.Name)
	if held := r.held[d.Name]; held != "" {
		message += "; " + held
	}
	hint := fmt.Sprintf("set it in %s or export %s%s", file, envPrefix, d.Name)
	if Secret(d.Name, d.Sensitive) {
		hint = fmt.Sprintf("export %s%s; a secret belongs into no file", envPrefix, d.Name)
	}
	if d.Description != "" {
		message += " (" + strings.TrimSuffix(d.Description, ".") + ")"
	}
	r.findings = append(r.findings, hybridcore.Finding{
		Kind: hybridcore.KindVariable, Subject: d.Name, Want: d.TypeName(), Message: hclfile.Printable(message), Hint: hint,
		File: d.File, Line: d.Line, Severity: hybridcore.Error, Blocking: true,
	})
}

func (r *resolver) add(file *hclfile.File, at hcl.Range, name, message, hint string) {
	finding := hybridcore.Finding{
		Kind: hybridcore.KindVariable, Message: hclfile.Printable(message), Hint: hint, File: at.Filename,
		Line: at.Start.Line, Column: at.Start.Column, Severity: hybridcore.Error, Blocking: true,
	}
	if file != nil {
		finding = file.Finding(hybridcore.KindVariable, at, message, hint)
	}
	finding.Subject = name
	r.bad[name] = true
	r.findings = append(r.findings, finding)
}

func declaredAt(d hclfile.Declaration) string {
	return fmt.Sprintf("declared as %s at %s:%d", d.TypeName(), d.File, d.Line)
}
