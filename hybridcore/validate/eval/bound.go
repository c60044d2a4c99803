// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:41Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"regexp"

	"github.com/zclconf/go-cty/cty"
)

// bound is what evaluating an expression can cost at most: the elements of its
// value, the size of the value in bytes and elements, that of its largest
// element, the work here, and the work that only Packer has. Why names the
// argument that cannot be bounded, if there is one.
type bound struct {
	n, size, most, work, slow int
	why                       string
}

// some is a value of a size of which nothing else is known.
func some(size, work int) bound { return bound{n: size, size: size, most: size, work: work} }

// endless is what cannot be bounded.
func endless(why string) bound {
	return bound{n: tooMuch, size: tooMuch, most: tooMuch, work: tooMuch, slow: tooMuch, why: why}
}

// bytesPerWork is how many bytes or elements are copied in the time in which
// one node of an expression is evaluated, 0.3 µs.
const bytesPerWork = 64

// tooMuch is more than any limit; sums and products stop there.
const tooMuch = 1 << 40

func capped(n int) int {
	if n < 0 || n > tooMuch {
		return tooMuch
	}
	return n
}

// product multiplies without running over.
func product(a, b int) int {
	if a > 0 && b > tooMuch/a {
		return tooMuch
	}
	return capped(a * b)
}

// sizes gives the size of a root name's value that a loop or an iterator added.
type sizes map[string]bound

// anyName stands for every name of a text that templatefile renders.
const anyName = "*"

func (s sizes) with(name string, b bound) sizes {
	if name == "" {
		return s
	}
	more := sizes{name: b}
	for k, v := range s {
		if k != name {
			more[k] = v
		}
	}
	return more
}

func (b bound) plus(o bound) bound {
	if b.why == "" {
		b.why = o.why
	}
	return bound{
		n: capped(b.n + o.n), size: capped(b.size + o.size), most: max(b.most, o.most), work: capped(b.work + o.work),
		slow: capped(b.slow + o.slow), why: b.why,
	}
}

// with adds an element to a value.
func (b bound) with(element bound) bound {
	element.most = element.size
	return b.plus(element)
}

// of makes the sum of some elements a value.
func (b bound) of(n int) bound {
	b.n, b.size, b.work = n, capped(b.size+1), capped(b.work+1)
	return b
}

// times adds what n elements cost to a value that is gone through.
func (b bound) times(n int, each bound) bound {
	b.size = capped(b.size + product(n, each.size+1))
	b.work = capped(b.work + product(n, each.work+1))
	b.slow = capped(b.slow + product(n, each.slow))
	if b.why == "" {
		b.why = each.why
	}
	return b
}

func boundOf(value cty.Value) bound {
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() {
		size := sizeOf(value, 1<<24)
		return bound{n: 1, size: size, most: size, work: 1}
	}
	b := bound{n: value.LengthInt(), size: 1, work: 1}
	for it := value.ElementIterator(); it.Next(); {
		key, element := it.Element()
		size := sizeOf(element, 1<<24) + sizeOf(key, 1<<24)
		b.size, b.most = capped(b.size+size), max(b.most, size)
	}
	return b
}

// sizeOf counts the bytes and elements of a value, up to a limit.
func sizeOf(value cty.Value, limit int) int {
	switch {
	case limit <= 0:
		return 0
	case !value.IsKnown() || value.IsNull():
		return 1
	case value.Type() == cty.String:
		if hugeNumber.MatchString(value.AsString()) {
			return tooMuch // HCL takes it for a number, where one is wanted
		}
		return 1 + len(value.AsString())
	case value.Type() == cty.Number:
		return digits(value)
	case value.CanIterateElements():
		total := 1
		for it := value.ElementIterator(); it.Next() && total < limit; {
			_, element := it.Element()
			total += 1 + sizeOf(element, limit-total)
		}
		return total
	default:
		return 1
	}
}

// digits is how long a number is when it is written out.
func digits(value cty.Value) int {
	number := value.AsBigFloat()
	exponent := number.MantExp(nil)
	if exponent < 0 {
		exponent = -exponent
	}
	return 1 + exponent/3
}

// hugeNumber matches a text that HCL takes for a number of a thousand digits or
// more where one is wanted: it is short, and writing it out takes for ever.
var hugeNumber = regexp.MustCompile(`^\s*[-+]?[0-9.]+[eE][-+]?0*[1-9][0-9]{3,}\s*$`)
