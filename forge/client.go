// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:50:00Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package forge

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Bounds of talking to a forge.
const (
	CallTimeout = 10 * time.Second // of one request
	FileTimeout = time.Minute      // of the download of a record
	MaxAnswer   = 32 << 20         // bytes of an answer, and of a file in an archive
	MaxPages    = 5                // of a list in which a run is looked for
	// MaxOlder are the pages in which an older run is looked for: GitHub lists a
	// thousand runs at most.
	MaxOlder = 10

	refusedPause = time.Minute     // after a token was refused: somebody has to change it
	earlier      = 5 * time.Minute // that a run may seem older than its request, by other clocks
)

// Address checks the address of a forge's API, and ends it with a slash.
func Address(title, text string) (*url.URL, error) {
	u, ok := webapi.Address(text)
	if !ok || u.User != nil {
		return nil, hybridcore.Usagef("%.80q is not the address of %s's API", text, title)
	}
	return u, nil
}

// Client makes the client of a forge's API: bounded, and following no redirect. Sign
// adds the credentials to a request; nil: it has them.
func Client(sign func(http.Header)) *http.Client {
	return webapi.Client(webapi.Transport{Most: MaxAnswer, Sign: sign})
}

// Files makes the client for files that are kept elsewhere, which get no credentials
// and are not looked into.
func Files() *http.Client {
	return &http.Client{Transport: webapi.Transport{Most: MaxAnswer, Files: true}, Timeout: FileTimeout}
}

// Refusal is an answer that is none of success.
type Refusal struct {
	Status  int // 0: there was no answer
	Header  http.Header
	Limited bool   // the forge says that it is a limit
	What    string // that was asked for, such as "GitHub for the branch main"
	Hint    string // what to do when it stays
	Err     error
}

// Classify makes an error of a refusal: a LaterError when it passes and surely
// nothing was done, a BlockedError when it stays, else one of which nothing is known.
func (r Refusal) Classify(now time.Time) error {
	err := fmt.Errorf("asking %s: %w", r.What, Shortened(r.Err))
	switch {
	case r.Status == http.StatusTooManyRequests, r.Status == http.StatusForbidden && r.Limited:
		return &cirun.LaterError{After: webapi.Pause(r.Header, now), Err: err}
	case r.Status == http.StatusUnauthorized:
		return &cirun.LaterError{After: refusedPause, Err: fmt.Errorf("%w (the bot's token is refused: renew it)", err)}
	case r.Status >= http.StatusBadRequest && r.Status < http.StatusInternalServerError &&
		r.Status != http.StatusRequestTimeout && r.Status != http.StatusConflict:
		return hybridcore.Blockedf("%v; %s", err, r.Hint)
	default:
		return err
	}
}

// Shortened keeps the address of a request out of an error, which is long.
func Shortened(err error) error {
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return failed.Err
	}
	return err
}

// Endless is the error for a list that goes on after the pages that are read, or
// whose pages name each other: what is looked for may be further down.
func Endless(system, of, request string) error {
	return fmt.Errorf("%s lists more than %d pages of %s since request %s, so that it is not known whether one of them "+
		"is its own", system, MaxPages, of, request)
}
