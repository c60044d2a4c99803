// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:50:10Z
// Spec: openspec/specs/bot/spec.md#requirement-the-answer-of-a-run
// Diagram: openspec/specs/bot/diagram.md#parts

package forge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Begun is the time in a request's ID, a little earlier.
func Begun(request string) time.Time {
	stamp, _, _ := strings.Cut(request, "-")
	at, err := time.Parse("20060102t150405", stamp)
	if err != nil {
		return time.Time{}
	}
	return at.Add(-earlier)
}

// Row is the row of a target, made of its check-run or commit status, whose name
// is that which checks gives it: packer-hybrid VERB ENV/IMAGE@PLATFORM. It is
// false for another name. What it does now is told while it runs or failed.
func Row(name, status, now string, took time.Duration) (cirun.Target, bool) {
	_, target, ok := strings.Cut(name, "/")
	if !ok || !strings.HasPrefix(name, "packer-hybrid ") || !strings.Contains(target, "@") {
		return cirun.Target{}, false
	}
	t := cirun.Target{Name: target, Status: status, Duration: took}
	if status == "running" || status == string(hybridcore.Failed) {
		t.Step = now
	}
	return t, true
}

// Sorted are rows by name, of equal ones the first.
func Sorted(rows []cirun.Target) []cirun.Target {
	slices.SortStableFunc(rows, func(a, b cirun.Target) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(rows, func(a, b cirun.Target) bool { return a.Name == b.Name })
}

// AnswerFile is what packer-hybrid leaves of a request in a job's files.
const AnswerFile = "answer.json"

// ReadAnswer reads the answer of a job; nil for one that does not say what the whole run came to: that of a part of
// it, or of a job that hands over to others.
func ReadAnswer(r io.Reader) (*hybridcore.Answer, error) {
	var a hybridcore.Answer
	if err := json.NewDecoder(io.LimitReader(r, MaxAnswer)).Decode(&a); err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	part := a.Request != nil && a.Request.Part != "" || a.Record != nil && a.Record.Request.Part != ""
	said := a.Record != nil || a.Plan != nil || len(a.Plans) > 0 || a.Status != nil || a.Parity != nil || a.Drift != nil ||
		a.Reaped != nil || a.ReapedOn != nil || a.Error != ""
	if part || !said {
		return nil, nil //nolint:nilnil // there is none
	}
	return &a, nil
}

// Better is the answer that says more of a run: that with a record.
func Better(one, other *hybridcore.Answer) *hybridcore.Answer {
	if one == nil || one.Record == nil && other != nil && other.Record != nil {
		return other
	}
	return one
}

// Number is the number of a run.
func Number(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, hybridcore.Usagef("%.80q is not the number of a run", id)
	}
	return n, nil
}

// Stays says whether asking again would be of no use.
func Stays(err error) bool {
	_, blocked := errors.AsType[*hybridcore.BlockedError](err)
	return blocked
}

// Problems are what a check found, for a person.
type Problems []string

// Add adds a sentence.
func (p *Problems) Add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// Err adds an error, if it is one; nothing is tried again.
func (p *Problems) Err(err error) {
	if later, ok := errors.AsType[*cirun.LaterError](err); ok {
		err = later.Err
	}
	if err != nil {
		*p = append(*p, err.Error())
	}
}
