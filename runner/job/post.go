// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"path/filepath"
	"strconv"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// poster reports to the system of the job: nil without a token. The outbox is
// where no checkout reaches it.
func (j *job) poster(slot string) *post.Poster {
	access := j.host.access()
	if access.Token == "" {
		return nil
	}
	address := j.address()
	address.Run, address.Slot = hybridcore.NewRunID(time.Now()), slot
	dir, err := j.host.Process.Places().MakeJobDir(j.project.Root)
	if err != nil {
		j.try(access.System.Title, err)
		return nil
	}
	options := append(j.host.Posting, post.WithRedaction(j.host.Process.Redactor.String), post.WithLog(j.host.faulty))
	p, err := post.New(filepath.Join(places.Outboxes(dir), address.Run), address, access, options...)
	if err != nil {
		j.try(access.System.Title, err)
		return nil
	}
	return p
}

// address is where the job's reports go.
func (j *job) address() post.Address {
	origin := j.Place.Origin
	a := j.host.forge.Reports.Address(j.host.Process.Getenv, j.Job)
	a.Repository, a.URL = j.Place.Repository, origin.URL
	a.Change, _ = strconv.Atoi(origin.Change) // 0 for no change
	return a
}
