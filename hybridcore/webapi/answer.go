// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:15:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package webapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Bounds of an answer: some bytes of it become a whole value.
const (
	// A page has 100 entries at most; a list without pages, such as that of a
	// cluster's machines, has some thousands.
	maxEntries = 1 << 16
	maxDepth   = 64 // of lists and objects in each other; those of answers have about ten
)

// AnswerError says that a successful answer is not one that a client may read.
type AnswerError struct {
	Method, Path string // of the request; its query and host are left out
	Why          string
}

// Error implements error.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("the answer to %s %.200q %s", e.Method, e.Path, e.Why)
}

// Plainly leaves out of an error about an answer what net/http has put around it:
// it is the request once more, with its whole query.
func Plainly(err error) error {
	if plain, ok := errors.AsType[*AnswerError](err); ok {
		return plain
	}
	return err
}

// NonRetriable tells Microsoft's library that the answer is not asked for again.
func (*AnswerError) NonRetriable() {}

// Check reads a successful answer, of at most so many bytes, before a client
// library decodes it, and refuses one that is null, or that has null in a list,
// however deep: encoding/json makes a nil pointer of each, which the libraries and
// their callers follow. A member of an object may be null: it is one that is not
// there. Any other text is left to who decodes it. The body can be read again
// afterwards.
func Check(answer *http.Response, most int64) error {
	_, err := check(answer, most)
	return err
}

// check is Check, and says whether a successful answer holds nothing but white space.
func check(answer *http.Response, most int64) (blank bool, err error) {
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		return false, nil // what it refuses is in its status
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if int64(len(body)) > most {
		return false, refused(answer, fmt.Sprintf("has more than %d bytes", most))
	}
	if why := unfit(bytes.TrimPrefix(body, []byte("\ufeff"))); why != "" { // Microsoft's library takes the mark off, too
		return false, refused(answer, why)
	}
	return len(bytes.TrimSpace(body)) == 0, nil
}

// refused is the error for an answer.
func refused(answer *http.Response, why string) error {
	e := &AnswerError{Why: why}
	if r := answer.Request; r != nil {
		e.Method, e.Path = r.Method, r.URL.Path
	}
	return e
}

// unfit says why JSON text must not be decoded; empty when it may be, or is none.
// Decoders read the first value only, and so does this.
func unfit(text []byte) string {
	from := json.NewDecoder(bytes.NewReader(text))
	from.UseNumber()
	var open []level
	for {
		token, err := from.Token()
		if err != nil {
			return ""
		}
		end := token == json.Delim(']') || token == json.Delim('}')
		if end {
			open = open[:len(open)-1]
		} else if why := entry(open, token == nil); why != "" {
			return why
		}
		switch {
		case token == json.Delim('['), token == json.Delim('{'):
			if len(open) == maxDepth {
				return fmt.Sprintf("is nested deeper than %d levels", maxDepth)
			}
			open = append(open, level{list: token == json.Delim('[')})
		case len(open) == 0:
			return ""
		}
	}
}

// level is a list or an object that text is in.
type level struct {
	list    bool
	entries int // that were read; only those of a list
}

// entry says why the next value must not stand where it does: alone, in a list, or as
// a member of an object, where anything may.
func entry(open []level, null bool) string {
	if len(open) == 0 {
		if null {
			return "is null, where an object or a list is needed"
		}
		return ""
	}
	in := &open[len(open)-1]
	if !in.list {
		return ""
	}
	in.entries++
	switch {
	case null:
		return fmt.Sprintf("has null as entry %d of a list, where an object is needed", in.entries)
	case in.entries > maxEntries:
		return fmt.Sprintf("has a list with more than %d entries", maxEntries)
	}
	return ""
}

// errNoList says that an answer lacks the list that was asked for. It is not an
// empty one: nobody said that there is nothing.
var errNoList = errors.New("the answer has no list")

// Elements are the elements of a list in an answer. A list that is null or missing
// is an error, and so is one with null in it.
func Elements[T any](list []*T) ([]*T, error) {
	if list == nil {
		return nil, errNoList
	}
	for n, one := range list {
		if one == nil {
			return nil, fmt.Errorf("the answer has null as entry %d of a list", n+1)
		}
	}
	return list, nil
}
