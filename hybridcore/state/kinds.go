// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:06:50Z
// Spec: openspec/specs/state/spec.md#requirement-a-look-at-every-object
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Kind is what an object is, by its name.
type Kind string

// Kinds of objects.
const (
	KindSnapshot   Kind = "snapshot"
	KindRecord     Kind = "record"
	KindAttachment Kind = "attachment"
	KindLease      Kind = "lease"
	KindTicket     Kind = "ticket"
	KindSeen       Kind = "drift"
	KindUnknown    Kind = "unknown"
)

// KindOf is what an object of a name is.
func KindOf(name string) Kind {
	folder, n := Numbered(name)
	switch {
	case CheckObject(name) != nil:
	case n > 0 && folder == SnapshotFolder:
		return KindSnapshot
	case n > 0 && leaseKey(name) != "":
		return KindLease
	case RunOf(name) != "":
		return KindRecord
	case AttachedTo(name) != "":
		return KindAttachment
	case ticketOf(name) != "":
		return KindTicket
	case SeenIn(name) != "":
		return KindSeen
	}
	return KindUnknown
}

// Numbered are the folder and the number of a generation; 0 for what is none.
func Numbered(name string) (folder string, n uint64) {
	folder, digits := path.Split(name)
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || Generation(folder, n) != name {
		return folder, 0
	}
	return folder, n
}

// AttachedTo is the run of an attachment's name; empty for what is none.
func AttachedTo(name string) string {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != attachmentsFolder || hybridcore.CheckName("run", parts[1]) != nil ||
		!attachmentRule.MatchString(parts[2]) {
		return ""
	}
	return parts[1]
}

// SeenFolder holds a folder of generations for each environment: when findings were first seen.
const SeenFolder = "drift/"

// Seen says when findings of an environment were first seen.
type Seen struct {
	FormatVersion int                  `json:"format_version"`
	Since         map[string]time.Time `json:"since"` // by what tells a finding from others
}

// SeenIn is the environment of the name of such a generation; empty for what is none.
func SeenIn(name string) string {
	folder, n := Numbered(name)
	env, is := strings.CutPrefix(strings.TrimSuffix(folder, "/"), SeenFolder)
	if !is || n == 0 || hybridcore.CheckName("environment", env) != nil {
		return ""
	}
	return env
}

// ticketOf is the request of a ticket's name; empty for what is none.
func ticketOf(name string) string {
	request, json := strings.CutSuffix(name, ticketSuffix)
	request, ticket := strings.CutPrefix(request, ticketsFolder)
	if !json || !ticket || hybridcore.CheckName("request", request) != nil {
		return ""
	}
	return request
}

// Examine says what is wrong with the content of an object of a name, as far as it
// tells by itself: an attachment may be anything.
func Examine(name string, data []byte) error {
	var err error
	switch KindOf(name) {
	case KindSnapshot:
		_, err = decodeSnapshot(data)
	case KindLease:
		_, err = decodeLease(data, leaseKey(name))
	case KindRecord:
		_, err = decodeRecord(RunOf(name), data)
		err = oneLine(err)
	case KindTicket:
		var use usedTicket
		if err = decode(data, &use); err == nil && use.Run == "" {
			err = FormError("it does not say which run used the ticket")
		}
	case KindSeen:
		err = decode(data, &Seen{})
	case KindAttachment, KindUnknown:
	}
	return err
}

// Lineage is that of the newest snapshot that can be read, with the snapshot's
// number; 0 when there is none.
func Lineage(ctx context.Context, b Backend) (lineage string, n uint64, err error) {
	c := Chain{b, SnapshotFolder}
	all, err := c.numbers(ctx)
	for i := len(all) - 1; i >= 0 && err == nil; i-- {
		data, err := b.Get(ctx, c.name(all[i]))
		if _, damaged := errors.AsType[FormError](err); damaged || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", 0, fmt.Errorf("looking for the lineage: %w", err)
		}
		if file, err := decodeSnapshot(data); err == nil {
			return file.Lineage, all[i], nil
		}
	}
	if err != nil {
		return "", 0, fmt.Errorf("looking for the lineage: %w", err)
	}
	return "", 0, nil
}
