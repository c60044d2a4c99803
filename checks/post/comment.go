// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:59:00Z
// Spec: openspec/specs/posting/spec.md#requirement-one-comment
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// errSuperseded says that a newer run has written the comment.
var errSuperseded = errors.New("superseded by a newer run")

// stampForm is the first line of a comment of ours.
var stampForm = hybridcore.Pattern(`^<!-- packer-hybrid:([a-z0-9-]{1,40}) run=(\d{1,19})\.(\d{1,19}) commit=[0-9a-f]{7,64} id=[a-z0-9-]{1,64} -->\n`)

// stamp is the marker, which also says which run wrote the comment.
func (a Address) stamp() string {
	return fmt.Sprintf("<!-- packer-hybrid:%s run=%d.%d commit=%s id=%s -->\n", a.Slot, a.Number, a.Attempt, a.Commit, a.Run)
}

// end is the last line of a comment, for people.
func (a Address) end() string {
	text := fmt.Sprintf("\n<sub>Commit `%.12s`, run `%s`", a.Commit, a.Run)
	if a.URL != "" {
		text += fmt.Sprintf(" ([log](%s))", a.URL)
	}
	return text + ".</sub>\n"
}

// mark is what a comment says about its run; ok says that it is of this slot.
func (a Address) mark(body string) (newer, ok bool) {
	m := stampForm().FindStringSubmatch(strings.ReplaceAll(body, "\r\n", "\n"))
	if m == nil || m[1] != a.Slot {
		return false, false
	}
	number, err := strconv.ParseInt(m[2], 10, 64)
	attempt, err2 := strconv.ParseInt(m[3], 10, 64)
	if err != nil || err2 != nil {
		return false, false
	}
	return number > a.Number || number == a.Number && attempt > a.Attempt, true
}

// comment brings the comment to the system. It looks at the comment that is
// there before every write, so that nothing of a newer run is lost and none is
// made twice.
func (s *sender) comment(ctx context.Context, it *item) error {
	err := s.putComment(ctx, it, s.forge.comments())
	if errors.Is(err, errSuperseded) {
		_ = s.box.append(line{Kind: "drop", Key: it.key, Version: it.version, Why: errSuperseded.Error()}) // told at the end
		return err
	}
	if err != nil {
		return fmt.Errorf("reporting on change %d: %w", s.box.address.Change, err)
	}
	return nil
}

func (s *sender) putComment(ctx context.Context, it *item, all commenter) error {
	if err := s.current(ctx, it, all); err != nil {
		return err
	}
	s.wrote = s.clock.Now()
	id, err := all.put(ctx, it.id, s.box.address.stamp()+it.body+s.box.address.end())
	if err == nil && id != it.id {
		_ = s.box.append(line{Kind: "made", Key: it.key, ID: id}) // told at the end
	}
	return err
}

// current finds the comment of this slot and checks that it is not of a newer run.
func (s *sender) current(ctx context.Context, it *item, comments commenter) error {
	var all []comment
	var err error
	known := it.id != 0
	if known {
		all, err = comments.find(ctx, it.id)
	}
	if err == nil && len(all) == 0 { // not made yet, or somebody has deleted it
		it.id, known = 0, false
		all, err = comments.find(ctx, 0)
	}
	if err != nil || len(all) == 0 {
		return err
	}
	for _, c := range all {
		if newer, _ := s.box.address.mark(c.body); newer {
			return errSuperseded
		}
	}
	if known {
		return nil
	}
	it.id = all[0].id
	_ = s.box.append(line{Kind: "made", Key: it.key, ID: it.id}) // told at the end
	for _, c := range all[1:] {                                  // two runs at once have each made one
		if err := comments.remove(ctx, c.id); err != nil && s.forge.answer(err).status != http.StatusNotFound { // the next run tries again
			s.notes = append(s.notes, "a second comment is still there: "+shortError(err))
		}
	}
	return nil
}
