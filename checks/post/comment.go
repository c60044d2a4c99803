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
	"strconv"
	"strings"

	"github.com/google/go-github/v62/github"
)

// errSuperseded says that a newer run has written the comment.
var errSuperseded = errors.New("superseded by a newer run")

// stampForm is the first line of a comment of ours.
var stampForm = regexp.MustCompile(`^<!-- packer-hybrid:([a-z0-9-]{1,40}) run=(\d{1,19})\.(\d{1,10}) commit=[0-9a-f]{7,64} id=[a-z0-9-]{1,64} -->\n`)

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

// comment brings the comment to GitHub. It looks at the comment that is there
// before every write, so that nothing of a newer run is lost and none is made twice.
func (s *sender) comment(ctx context.Context, it item) error {
	err := s.putComment(ctx, &it)
	if errors.Is(err, errSuperseded) {
		_ = s.box.append(line{Kind: "drop", Key: it.key, Version: it.version, Why: errSuperseded.Error()}) // told at the end
		return nil
	}
	if err != nil {
		return fmt.Errorf("reporting on change %d: %w", s.box.address.Change, err)
	}
	s.arrived(it)
	return nil
}

func (s *sender) putComment(ctx context.Context, it *item) error {
	if err := s.current(ctx, it); err != nil {
		return err
	}
	owner, repo := s.box.address.names()
	body := &github.IssueComment{Body: new(s.box.address.stamp() + it.body + s.box.address.end())}
	s.wrote = s.clock.Now()
	return s.hub.call(ctx, func(ctx context.Context, c *github.Client) error {
		if it.id != 0 {
			_, _, err := c.Issues.EditComment(ctx, owner, repo, it.id, body)
			return err //nolint:wrapcheck // wrapped by the caller
		}
		made, _, err := c.Issues.CreateComment(ctx, owner, repo, s.box.address.Change, body)
		if err == nil {
			_ = s.box.append(line{Kind: "made", Key: it.key, ID: made.GetID()}) // told at the end
		}
		return err //nolint:wrapcheck // wrapped by the caller
	})
}

// current finds the comment of this slot and checks that it is not of a newer run.
func (s *sender) current(ctx context.Context, it *item) error {
	if it.id != 0 {
		there, err := s.mine(ctx, it.id)
		if err != nil {
			return err
		}
		if there != nil {
			return s.older(there)
		}
		it.id = 0 // somebody has deleted it
	}
	all, err := s.ours(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	for _, c := range all {
		if err := s.older(c); err != nil {
			return err
		}
	}
	it.id = all[0].GetID()
	_ = s.box.append(line{Kind: "made", Key: it.key, ID: it.id}) // told at the end
	for _, c := range all[1:] {                                  // two runs at once have each made one
		owner, repo := s.box.address.names()
		err := s.hub.call(ctx, func(ctx context.Context, client *github.Client) error {
			_, err := client.Issues.DeleteComment(ctx, owner, repo, c.GetID())
			return err //nolint:wrapcheck // only told
		})
		if err != nil && answerOf(err).status != http.StatusNotFound { // the next run tries again
			s.notes = append(s.notes, "a second comment is still there: "+shortError(err))
		}
	}
	return nil
}

// older gives errSuperseded for a comment of a newer run.
func (s *sender) older(c *github.IssueComment) error {
	if newer, _ := s.box.address.mark(c.GetBody()); newer {
		return errSuperseded
	}
	return nil
}

// mine gets a comment; nil when it is gone.
func (s *sender) mine(ctx context.Context, id int64) (*github.IssueComment, error) {
	var there *github.IssueComment
	owner, repo := s.box.address.names()
	err := s.hub.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		there, _, err = c.Issues.GetComment(ctx, owner, repo, id)
		return err //nolint:wrapcheck // wrapped by the caller
	})
	if answerOf(err).status == http.StatusNotFound {
		return nil, nil
	}
	return there, err
}

// ours lists the comments of this slot and author, oldest first.
func (s *sender) ours(ctx context.Context) ([]*github.IssueComment, error) {
	var all []*github.IssueComment
	owner, repo := s.box.address.names()
	options := &github.IssueListCommentsOptions{ListOptions: github.ListOptions{PerPage: 100}}
	for range maxPages {
		next := 0
		err := s.hub.call(ctx, func(ctx context.Context, c *github.Client) error {
			page, answer, err := c.Issues.ListComments(ctx, owner, repo, s.box.address.Change, options)
			if err != nil {
				return err //nolint:wrapcheck // the caller says what it looked for
			}
			for _, one := range page {
				if _, ok := s.box.address.mark(one.GetBody()); ok && one.GetUser().GetLogin() == s.box.address.Login {
					all = append(all, one)
				}
			}
			next = answer.NextPage
			return nil
		})
		if err != nil {
			return nil, err
		}
		if options.Page = next; next == 0 {
			break
		}
	}
	return all, nil
}
