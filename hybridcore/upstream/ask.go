// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:41:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

// Package upstream asks publishers what they publish now, and reads their answers: files of
// checksums, and indexes of releases. Any of them may be hostile.
package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

const (
	maxAnswer = 4 << 20 // bytes; the index of all releases of Packer has less than two
	maxWait   = 30 * time.Second
	fresh     = time.Hour // for which a kept answer counts: one run of many jobs asks once
)

// Asker asks publishers, without any credentials.
type Asker struct {
	Cache string // folder in which answers are kept; empty for none
	Now   func() time.Time
}

// Answer is what a publisher said.
type Answer struct {
	Text []byte
	At   time.Time // when it was given
}

// Get asks an address, https or of this machine, unless it answered in the last hour.
func (a Asker) Get(ctx context.Context, address string) (Answer, error) {
	return a.Keep(address, func() ([]byte, error) { return get(ctx, address) })
}

// Keep is the kept answer to a question, or the new one that ask brings, which is kept.
func (a Asker) Keep(question string, ask func() ([]byte, error)) (Answer, error) {
	file := ""
	if a.Cache != "" {
		file = filepath.Join(a.Cache, fmt.Sprintf("%x", sha256.Sum256([]byte(question))))
		if kept, ok := recall(file, question, a.Now()); ok {
			return kept, nil
		}
	}
	text, err := ask()
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{Text: text, At: a.Now().UTC().Truncate(time.Second)}
	if file != "" { // a failure costs the next look a question
		head := question + "\n" + answer.At.Format(time.RFC3339) + "\n"
		_ = safefile.Keep(file, append([]byte(head), text...))
	}
	return answer, nil
}

// recall reads an answer that is kept and still counts.
func recall(file, question string, now time.Time) (Answer, bool) {
	data, err := safefile.Read(file, maxAnswer+4<<10)
	if err != nil {
		return Answer{}, false
	}
	asked, rest, _ := bytes.Cut(data, []byte("\n"))
	when, text, whole := bytes.Cut(rest, []byte("\n"))
	at, err := time.Parse(time.RFC3339, string(when))
	if age := now.Sub(at); err != nil || !whole || string(asked) != question || age < 0 || age > fresh {
		return Answer{}, false
	}
	return Answer{Text: text, At: at}, true
}

func get(ctx context.Context, address string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, fmt.Errorf("asking %.200q: %w", address, err)
	}
	r.Header.Set("User-Agent", "packer-hybrid")
	client := webapi.Client(webapi.Transport{Most: maxAnswer + 1, Files: true})
	answer, err := client.Do(r)
	if err != nil {
		if plain, ok := errors.AsType[*url.Error](err); ok {
			err = plain.Err // it names the address once more
		}
		return nil, fmt.Errorf("%s does not answer: %w", address, err)
	}
	defer answer.Body.Close() //nolint:errcheck // only read
	if answer.StatusCode >= 300 && answer.StatusCode < 400 {
		return nil, fmt.Errorf("%s answers with a redirect (%d), which is not followed; write the address that it leads to",
			address, answer.StatusCode)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %d %s", address, answer.StatusCode, http.StatusText(answer.StatusCode))
	}
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", address, err)
	}
	if len(text) > maxAnswer {
		return nil, fmt.Errorf("the answer of %s has more than %d MiB", address, maxAnswer>>20)
	}
	return text, nil
}
