// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// maxLocalDepth is how deep Packer follows locals into each other.
const maxLocalDepth = 10

// scope evaluates the expressions of one target.
type scope struct {
	*checker
	m         *module
	t         Target
	resolved  map[string]hybridcore.Variable
	stage     map[string]string // path in the stage → path in the project
	largest   int               // bytes of the largest staged file
	ctx       *hcl.EvalContext
	sizes     sizes
	values    map[string]cty.Value // of locals
	depth     map[string]int       // of locals that are being evaluated
	spent     int
	exhausted bool
	parts     []*component               // what was evaluated, for the rules that follow
	packers   int                        // work that only Packer has, spent so far
	each      map[*hcl.EvalContext]bound // elements of dynamic blocks that are not known
	maybe     map[string]*text           // texts that templatefile may render
	textSizes sizes                      // of values in the text that is being bounded
	unrolled  []unrolled                 // lists of dynamic blocks that are not known
	uses      int                        // how often builds name a source
	looked    int                        // bytes of such texts
}

func newScope(c *checker, m *module, t Target) *scope {
	s := &scope{
		checker: c, m: m, t: t, resolved: map[string]hybridcore.Variable{}, stage: map[string]string{},
		sizes: sizes{}, values: map[string]cty.Value{}, depth: map[string]int{},
		each: map[*hcl.EvalContext]bound{}, maybe: map[string]*text{},
	}
	for _, v := range t.Variables {
		s.resolved[v.Name] = v
	}
	for _, f := range t.Files {
		s.stage[f.Path] = f.From
		s.largest = max(s.largest, len(c.in.Files[f.From]))
	}
	vars := make(map[string]cty.Value, len(m.variables))
	for name, d := range m.variables {
		vars[name] = s.variable(d)
	}
	text := cty.UnknownVal(cty.String).RefineNotNull()
	s.ctx = &hcl.EvalContext{Functions: s.stagedFunctions(), Variables: map[string]cty.Value{
		"var":    object(vars),
		"source": cty.ObjectVal(map[string]cty.Value{"type": text, "name": text}),
		"build":  cty.DynamicVal,
		"path":   cty.ObjectVal(map[string]cty.Value{"root": cty.StringVal("."), "cwd": text}),
		"packer": cty.ObjectVal(map[string]cty.Value{"version": text, "iterationID": text, "versionFingerprint": text}),
		"data":   s.dataValues(),
	}}
	return s
}

func object(values map[string]cty.Value) cty.Value {
	if len(values) == 0 {
		return cty.EmptyObjectVal
	}
	return cty.ObjectVal(values)
}

// variable is the value of a variable as far as it may be known: a secret and
// what differs from run to run are unknown values of their type.
func (s *scope) variable(d hclfile.Declaration) cty.Value {
	v, ok := s.resolved[d.Name]
	if !ok || v.Sensitive || v.Run || d.Sensitive {
		return cty.UnknownVal(d.Type)
	}
	return s.given(d)
}

// given is the value that Packer gets for a variable: its size only is for
// others to know.
func (s *scope) given(d hclfile.Declaration) cty.Value {
	v, ok := s.resolved[d.Name]
	if !ok && d.Default != nil {
		return d.Default.Value
	}
	if !ok {
		return cty.UnknownVal(d.Type)
	}
	of := d.Type
	if of.HasDynamicTypes() {
		implied, err := ctyjson.ImpliedType([]byte(v.JSON))
		if err != nil {
			return cty.UnknownVal(d.Type)
		}
		of = implied
	}
	value, err := ctyjson.Unmarshal([]byte(v.JSON), of)
	if err != nil {
		return cty.UnknownVal(d.Type)
	}
	return value
}

// dataValues are the data sources: nothing of what they will answer is known
// but, for some, its type.
func (s *scope) dataValues() cty.Value {
	kinds := map[string]map[string]cty.Value{}
	for _, data := range s.m.datas {
		kind, name, _ := strings.Cut(data.name, ".")
		if kinds[kind] == nil {
			kinds[kind] = map[string]cty.Value{}
		}
		kinds[kind][name] = cty.DynamicVal
		if schema := s.schema(DataSource, kind); schema != nil && schema.Output != cty.NilType {
			kinds[kind][name] = cty.UnknownVal(schema.Output)
		}
	}
	values := map[string]cty.Value{}
	for kind, names := range kinds {
		values[kind] = cty.ObjectVal(names)
	}
	return object(values)
}

// eval gives the value of an expression; false when it has none, which was
// reported.
func (s *scope) eval(file *hclfile.File, expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if s.factsOf(expr).unsound {
		return cty.DynamicVal, false
	}
	b := s.cost(expr, nil, ctx)
	for at := ctx; at != nil; at = at.Parent() { // Packer does it for each element
		if each, ok := s.each[at]; ok {
			b.slow = product(each.n, b.slow+b.work)
		}
	}
	if !s.affordable(file, expr, b) {
		return cty.DynamicVal, false
	}
	value, diags := expr.Value(ctx)
	if diags.HasErrors() {
		s.diagnostics(file, RuleExpression, diags)
		return cty.DynamicVal, false
	}
	return value, true
}

// affordable pays for an evaluation, unless the target or the tree has used up
// its share; the first expression that is too much is reported.
func (s *scope) affordable(file *hclfile.File, expr hclsyntax.Expression, b bound) bool {
	if why := s.beyond(b); why != "" {
		if !s.exhausted {
			s.refuse(file, RuleWork, expr.Range(), "this expression is too expensive to evaluate: "+why,
				"nested loops multiply, and so do lists and texts that are joined with each other; simplify it")
		}
		s.exhausted = true
		return false
	}
	s.spent += b.work
	s.work += b.work
	s.packers += b.slow
	return true
}

// beyond says which limit an evaluation would pass, or nothing.
func (s *scope) beyond(b bound) string {
	tree := maxTreeWork + workPerTarget*len(s.in.Targets)
	switch {
	case b.why != "":
		return b.why
	case b.size > maxValue:
		return fmt.Sprintf("its value may have %s bytes or elements, and the limit is %d", amount(b.size), maxValue)
	case b.work > maxExpression:
		return fmt.Sprintf("it may take %s steps, and the limit of one expression is %d", amount(b.work), maxExpression)
	case s.spent+b.work > maxTargetWork:
		return fmt.Sprintf("with it the target may take %s steps, and its limit is %d", amount(s.spent+b.work), maxTargetWork)
	case s.work+b.work > tree:
		return fmt.Sprintf("with it the targets together may take %s steps, and their limit is %d", amount(s.work+b.work),
			tree)
	case s.in.Policy != nil && s.packers+b.slow > maxPackerWork:
		return fmt.Sprintf("Packer may take %s steps for the target, and the limit is %d, about a second",
			amount(s.packers+b.slow), maxPackerWork)
	default:
		return ""
	}
}

// amount is a number as a message says it.
func amount(n int) string {
	if n >= tooMuch {
		return "any number of"
	}
	return strconv.Itoa(n)
}

// locals evaluates the local values, each after those that it needs.
func (s *scope) locals() {
	all := make([]*local, 0, len(s.m.locals))
	for _, l := range s.m.locals {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *local) int {
		if by := strings.Compare(a.file.Path, b.file.Path); by != 0 {
			return by
		}
		return a.attr.SrcRange.Start.Byte - b.attr.SrcRange.Start.Byte
	})
	for _, l := range all {
		s.local(l, 1)
	}
	s.ctx.Variables["local"] = object(s.values)
}

func (s *scope) local(l *local, depth int) {
	if _, done := s.values[l.name]; done {
		return
	}
	if s.depth[l.name] > 0 || depth > maxLocalDepth {
		what := fmt.Sprintf("the local value %s needs itself", l.name)
		if s.depth[l.name] == 0 {
			what = fmt.Sprintf("local values refer to each other more than %d deep, beyond %s: Packer gives up there",
				maxLocalDepth, l.name)
		}
		s.refuse(l.file, RuleCycle, l.attr.NameRange, what, "break the chain")
		s.values[l.name] = cty.DynamicVal
		return
	}
	s.depth[l.name] = depth
	needs := map[string]cty.Value{}
	for _, t := range s.factsOf(l.attr.Expr).traversals {
		if t.RootName() != "local" {
			continue
		}
		if other, ok := s.m.locals[attrName(t, 1)]; ok {
			s.local(other, depth+1)
			needs[other.name] = s.values[other.name]
		}
	}
	if _, done := s.values[l.name]; done { // part of a cycle
		return
	}
	ctx := s.ctx.NewChild()
	ctx.Variables = map[string]cty.Value{"local": object(needs)}
	value, _ := s.eval(l.file, l.attr.Expr, ctx)
	s.values[l.name] = value
	b := boundOf(value)
	// what Packer will know is as large as the expression makes it
	if s.in.Policy != nil && !value.IsWhollyKnown() && !s.exhausted {
		b = s.cost(l.attr.Expr, nil, ctx)
		b.work, b.slow, b.why = 1, 0, ""
	}
	s.sizes["local."+l.name] = b
	s.depth[l.name] = 0
}

// content is the content of a staged file by the path that a template names.
func (s *scope) content(p string) ([]byte, bool) {
	from, ok := s.stage[stagePath(p)]
	if !ok {
		return nil, false
	}
	content, ok := s.in.Files[from]
	return content, ok
}

// text is a parsed templatefile source.
type text struct {
	file *hclfile.File
	expr hclsyntax.Expression
}
