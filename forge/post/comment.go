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
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// errSuperseded says that a newer run has written the comment.
var errSuperseded = errors.New("superseded by a newer run")

// stampForm is the first line of a comment of ours.
var stampForm = regexp.MustCompile(
	`^<!-- packer-hybrid:([a-z0-9-]{1,40}) run=(\d{1,19})\.(\d{1,19}) commit=[0-9a-f]{7,64} id=[a-z0-9-]{1,64} -->\n`)

// stamp is the marker, which also says which run wrote the comment.
func (a Address) stamp() string {
	return fmt.Sprintf("<!-- packer-hybrid:%s run=%d.%d commit=%s id=%s -->\n", a.Slot, a.Number, a.Attempt, a.Commit,
		a.Run)
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
	m := stampForm.FindStringSubmatch(strings.ReplaceAll(body, "\r\n", "\n"))
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

// Owns says whether a comment is of the address's slot.
func (a Address) Owns(body string) bool {
	_, ok := a.mark(body)
	return ok
}

// wrote says whether a comment is of this very run.
func (a Address) wrote(body string) bool {
	return strings.HasPrefix(strings.ReplaceAll(body, "\r\n", "\n"), a.stamp())
}

// comment brings the comment, or the issue, to the system. It looks at the comment that is
// there before every write, so that nothing of a newer run is lost and none is
// made twice.
func (s *sender) comment(ctx context.Context, it *item) error {
	what, texts := fmt.Sprintf("reporting on change %d", s.box.address.Change), s.forge.Texts(it.issue)
	if it.issue != nil {
		what = "keeping the issue"
	}
	err := s.putComment(ctx, it, texts)
	if errors.Is(err, errSuperseded) {
		_ = s.box.append(line{Kind: "drop", Key: it.key, Version: it.version, Why: errSuperseded.Error()}) // told at the end
		return err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// putComment edits the comment, or makes one. After that it looks once more,
// before it notes which is its own: another run may have made one between our
// look and our creation.
func (s *sender) putComment(ctx context.Context, it *item, comments Commenter) error {
	if err := s.current(ctx, it, comments); err != nil {
		return err
	}
	body, made := s.box.address.stamp()+it.body+s.box.address.end(), int64(0)
	if it.id == 0 && it.issue != nil && !it.issue.Open {
		return nil // there is none to be closed
	}
	if it.id == 0 {
		s.wrote = s.clock.Now()
		id, err := comments.Put(ctx, 0, body)
		if err != nil {
			return err
		}
		if err := s.current(ctx, it, comments); err != nil {
			return err
		}
		if made = id; it.id == 0 { // the list does not have it yet
			it.id = id
			_ = s.box.append(line{Kind: "made", Key: it.key, ID: id}) // told at the end
		}
	}
	if it.id == made {
		return nil
	}
	s.wrote = s.clock.Now()
	_, err := comments.Put(ctx, it.id, body)
	return err
}

// current finds the comment of this slot, the oldest one, and checks that none
// is of a newer run. Of several the others are removed; a run that is
// superseded removes its own, unless that is the oldest, which the newer run takes.
func (s *sender) current(ctx context.Context, it *item, comments Commenter) error {
	var all []Comment
	var err error
	known := it.id != 0
	if known {
		all, err = comments.Find(ctx, it.id)
	}
	if err == nil && len(all) == 0 { // not made yet, or somebody has deleted it
		it.id, known = 0, false
		all, err = comments.Find(ctx, 0)
	}
	if err != nil || len(all) == 0 {
		return err
	}
	superseded := slices.ContainsFunc(all, func(c Comment) bool { newer, _ := s.box.address.mark(c.Body); return newer })
	for _, c := range all[1:] {
		if !superseded || s.box.address.wrote(c.Body) {
			s.remove(ctx, it, c.ID, comments)
		}
	}
	switch {
	case superseded:
		return errSuperseded
	case !known:
		it.id = all[0].ID
		_ = s.box.append(line{Kind: "made", Key: it.key, ID: it.id}) // told at the end
	}
	return nil
}

// remove removes a second comment or issue; when it stays, the next run tries again.
func (s *sender) remove(ctx context.Context, it *item, id int64, comments Commenter) {
	if err := comments.Remove(ctx, id); err != nil && s.forge.Answer(err).Status != http.StatusNotFound {
		s.notes = append(s.notes, "a second "+kind(it.key)+" is still there: "+ShortError(err))
	}
}
