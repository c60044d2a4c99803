package logs

import (
	"math/bits"
	"os"
	"strings"
	"testing"
)

func TestTmp2(t *testing.T) {
	b, _ := os.ReadFile("/tmp/rb/values")
	var ss []Secret
	for _, v := range strings.Fields(string(b)) {
		ss = append(ss, Secret{v, v})
	}
	r, _ := NewRedactor(ss...)
	m := r.now.Load()
	short := 999
	for _, f := range m.forms {
		if len(f) < short {
			short = len(f)
		}
	}
	t.Log(len(ss), len(m.forms), len(r.grams), len(m.filter)*8, m.stride, m.block, m.half, short, len(m.grams.slots))
	n := map[string]int{}
	for _, f := range m.forms {
		if len(f) < 13 {
			n[f]++
			if len(n) < 20 {
				t.Log(f)
			}
		}
	}
	t.Log(m.tests == textTests)
	text, _ := os.ReadFile("/tmp/rb/log")
	text = text[:1<<20]
	s := source{text: text, tests: m.tests, final: true}
	d := &decoder{}
	m.find(&s, false, d)
	total := 0
	for _, g := range d.regions {
		total += g.end - g.active
	}
	t.Log(len(d.regions), total)
	at, ei, sc := 0, 0, 0
	for i := 0; i+10 <= len(text); i += 2 {
		if m.pairs.classes[pairOf(text, i)]&(m.pairs.classes[pairOf(text, i+2)]>>3)&7 != 0 {
			at++
			sc += len(m.pairs.first[m.pairs.list[pairOf(text, i)]])
		}
	}
	t.Log("at", at, sc, ei)
	cnt := map[string]int{}
	for i := 0; i+10 <= len(text); i += 2 {
		if m.pairs.classes[pairOf(text, i)]&(m.pairs.classes[pairOf(text, i+2)]>>3)&7 != 0 {
			cnt[string(text[i:i+4])]++
		}
	}
	for k, v := range cnt {
		if v > 600 {
			t.Logf("%q %d", k, v)
		}
	}
	pc := 0
	for _, w := range m.filter {
		pc += bits.OnesCount64(w)
	}
	gr := map[uint64]bool{}
	for _, e := range m.entries {
		gr[e.gram] = true
	}
	t.Log("popcount", pc, "of", len(m.filter)*64, "grams", len(gr), len(m.entries))
}
