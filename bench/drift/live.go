// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:32:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	runnerlive "github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

const (
	artifacts = 100
	mostShort = 20
	mostWhole = artifacts + 10
)

// live measures looks at platforms, and returns the worst share of what they may take.
func live(ctx context.Context) (worst float64, err error) {
	l, err := lab.Start(ctx, lab.Config{Log: os.Stderr})
	if err != nil {
		return 0, fmt.Errorf("starting the lab: %w", err)
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	settings := map[string]string{"vsphere_content_library": "", "azure_gallery": ""}
	for _, entry := range l.Env() {
		key, value, _ := strings.Cut(entry, "=")
		if key == "SSL_CERT_FILE" { // read once, by the first client
			if err := os.Setenv(key, value); err != nil {
				return 0, fmt.Errorf("trusting the lab: %w", err)
			}
		}
		if name, variable := strings.CutPrefix(key, "PKR_VAR_"); variable {
			settings[name] = value
		}
	}
	stock, err := plant(ctx, l, settings)
	if err != nil {
		return 0, err
	}
	for _, p := range []struct {
		on     hybridcore.Platform
		faults *fault.Injector
	}{
		{hybridcore.Proxmox, l.Proxmox().Faults()},
		{hybridcore.VSphere, l.VSphere().Faults()},
		{hybridcore.Azure, l.Azure().Faults()},
	} {
		targets, err := recorded(ctx, p.on, settings, stock[p.on])
		if err != nil {
			return 0, err
		}
		for _, look := range []struct {
			what  string
			most  int
			whole bool
		}{{"existence and name", mostShort, false}, {"all facts", mostWhole, true}} {
			start := time.Now()
			n, err := requests(ctx, p.faults, targets, look.whole)
			if err != nil {
				return 0, fmt.Errorf("%s: %w", p.on, err)
			}
			fmt.Printf("%-8s %-19s %3d requests, at most %3d, %4d ms\n", p.on, look.what, n, look.most,
				time.Since(start).Milliseconds())
			worst = max(worst, float64(n)/float64(look.most))
		}
	}
	return worst, nil
}

// recorded are targets with the fingerprints of what was planted for them.
func recorded(ctx context.Context, on hybridcore.Platform, settings map[string]string, stock [][]hybridcore.URI) (
	[]hybridcore.PlannedTarget, error,
) {
	var variables []hybridcore.Variable
	for name, value := range settings {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", name, err)
		}
		variables = append(variables, hybridcore.Variable{
			Name: name, JSON: string(text), Connection: on.IsConnection(name),
		})
	}
	var targets []hybridcore.PlannedTarget
	for i, uris := range stock {
		targets = append(targets, hybridcore.PlannedTarget{
			Target: hybridcore.Target{
				Env: "lab", Platform: on, Image: hybridcore.Image{Name: fmt.Sprintf("image-%03d", i)}, Variables: variables,
			},
			Decision: hybridcore.Unchanged,
			Current:  &hybridcore.Current{Artifact: &hybridcore.Artifact{ID: uris[0].Name, URIs: uris}},
		})
	}
	client, err := platforms.OpenInLab(ctx, targets[0].Target)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", on, err)
	}
	seen, err := client.Fingerprint(ctx, slices.Concat(stock...))
	if err := errors.Join(err, client.Close(ctx)); err != nil {
		return nil, fmt.Errorf("taking the fingerprints on %s: %w", on, err)
	}
	for i, n := 0, 0; i < len(targets); i++ {
		a := targets[i].Current.Artifact
		for range a.URIs {
			a.Fingerprints = append(a.Fingerprints, hybridcore.Fingerprint{Of: seen[n].Of, Facts: seen[n].Facts})
			n++
		}
	}
	return targets, nil
}

// requests counts those of one look at all targets, each of which has to be well.
func requests(ctx context.Context, faults *fault.Injector, targets []hybridcore.PlannedTarget, whole bool) (
	int, error,
) {
	targets = slices.Clone(targets)
	if !whole {
		for i, t := range targets {
			a := *t.Current.Artifact
			a.Fingerprints = nil // as of a record from before there were any
			targets[i].Current = &hybridcore.Current{Artifact: &a}
		}
	}
	redactor, _ := redact.New()
	stage := runnerlive.Stage{Project: &project.Project{
		Redactor: redactor, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Connect: func(ctx context.Context, t hybridcore.Target) (project.Client, error) {
			return platforms.OpenInLab(ctx, t)
		},
	}}
	faults.Clear()
	if err := faults.Load("* /** delay=1ns"); err != nil {
		return 0, fmt.Errorf("counting: %w", err)
	}
	defer faults.Clear()
	for key, look := range stage.Looks(ctx, hybridcore.Plan{Targets: targets}) {
		if look.Presence != hybridcore.There || whole && len(look.Findings) > 0 {
			return 0, fmt.Errorf("%s: %s: %s", key, look.Presence, look.Text)
		}
	}
	return faults.Hits()[0], nil
}
