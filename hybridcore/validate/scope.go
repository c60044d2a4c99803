// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:02:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate

import (
	"fmt"
	"strconv"

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
	parts     []*component     // what was evaluated, for the rules that follow
	packers   int              // work that only Packer has, spent so far
	repeats   repeats          // what dynamic blocks repeat
	maybe     map[string]*text // texts that templatefile may render
	textSizes sizes            // of values in the text that is being bounded
	uses      int              // how often builds name a source
	made      map[any]*pieces  // what values that are not known are made of, see piecesOf
	looked    int              // bytes of such texts
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

// eval gives the value of an expression; false when it has none, which was
// reported.
func (s *scope) eval(file *hclfile.File, expr hclsyntax.Expression, ctx *hcl.EvalContext) (cty.Value, bool) {
	if s.factsOf(expr).unsound {
		return cty.DynamicVal, false
	}
	b := s.cost(expr, nil, ctx)
	for at := ctx; at != nil; at = at.Parent() { // Packer does it for each element
		if each, ok := s.repeats.each[at]; ok {
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

// content is the content of a staged file by the path that a template names.
func (s *scope) content(p string) ([]byte, bool) {
	from, ok := s.stage[stagePath(p)]
	if !ok {
		return nil, false
	}
	content, ok := s.in.Files[from]
	return content, ok
}

// repeats is what the dynamic blocks of a target repeat.
type repeats struct {
	each    map[*hcl.EvalContext]bound // the elements that are not known, by where they are evaluated
	unknown []unrolled                 // the lists that are not known
	made    int                        // blocks and settings so far
}

// unrolled is the list of a dynamic block that is not known here.
type unrolled struct {
	file *hclfile.File
	expr hclsyntax.Expression
}

// pieces are the texts that a value can be put together from.
type pieces struct {
	s                    *scope
	bad                  string
	brace, ends, begins  bool // one of them has, ends with, begins with a brace
	cuts, frees, decodes bool // cuts a text with a brace, or one that a name stands for; hides one
	writes               bool // writes braces itself
	inText               bool // in a text file, where no function gets what is put in
	raw                  bool // a text file has a brace
	cutters              int  // functions around that can take apart what they get
}
