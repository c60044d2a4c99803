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

// maxEntries bounds a list in an answer: some bytes of it become a whole value.
// A page has 100 entries at most; a list without pages, such as that of a cluster's
// machines, has some thousands.
const maxEntries = 1 << 16

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
// library decodes it, and refuses one that is null, or that has null in the list
// that it is or that a member of it is: encoding/json makes a nil pointer of each,
// which the libraries and their callers follow. Any other text is left to who
// decodes it. The body can be read again afterwards.
func Check(answer *http.Response, most int64) error {
	if answer.StatusCode < http.StatusOK || answer.StatusCode >= http.StatusMultipleChoices {
		return nil // what it refuses is in its status
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err = errors.Join(err, answer.Body.Close()); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	if int64(len(body)) > most {
		return refused(answer, fmt.Sprintf("has more than %d bytes", most))
	}
	if why := unfit(bytes.TrimPrefix(body, []byte("\ufeff"))); why != "" { // Microsoft's library takes the mark off, too
		return refused(answer, why)
	}
	return nil
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
	start, err := from.Token()
	switch {
	case err != nil:
		return ""
	case start == nil:
		return "is null, where an object or a list is needed"
	case start == json.Delim('['):
		return unfitList(from)
	case start != json.Delim('{'):
		return ""
	}
	for from.More() {
		if _, err := from.Token(); err != nil {
			return ""
		}
		var member json.RawMessage
		if from.Decode(&member) != nil {
			return ""
		}
		list := json.NewDecoder(bytes.NewReader(member))
		if start, err := list.Token(); err != nil || start != json.Delim('[') {
			continue
		}
		if why := unfitList(list); why != "" {
			return why
		}
	}
	return ""
}

// unfitList says why a list whose bracket was read must not be decoded.
func unfitList(from *json.Decoder) string {
	var entry json.RawMessage
	for n := 0; from.More(); n++ {
		if n == maxEntries {
			return fmt.Sprintf("has a list with more than %d entries", maxEntries)
		}
		if from.Decode(&entry) != nil {
			return ""
		}
		if string(entry) == "null" {
			return fmt.Sprintf("has null as entry %d of a list, where an object is needed", n+1)
		}
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
