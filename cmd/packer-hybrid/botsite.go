// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

package main

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// sites reads the project anew, at most every other second, so that a changed
// policy counts at once.
func sites(root string) func() (bot.Site, error) {
	var mu sync.Mutex
	var last bot.Site
	var failed error
	var at time.Time
	return func() (bot.Site, error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(at) > siteFresh {
			last, failed = siteOf(root)
			at = time.Now()
		}
		return last, failed
	}
}

func siteOf(root string) (bot.Site, error) {
	project, err := config.Load(root)
	if err != nil {
		return bot.Site{}, err
	}
	dir, err := os.OpenRoot(root)
	if err != nil {
		return bot.Site{}, fmt.Errorf("opening the project: %w", err)
	}
	defer dir.Close() //nolint:errcheck // only read
	images, err := templates.Catalogue(dir)
	if err != nil {
		return bot.Site{}, err
	}
	return bot.Site{
		Bot: project.Bot, Environments: project.Environments, DefaultEnv: project.DefaultEnv,
		Images: images,
	}, nil
}

// unknownImages are names of the policy that the catalogue has not.
func unknownImages(s bot.Site) []string {
	known := []string{config.Any}
	for _, image := range s.Images {
		known = append(known, image.Name)
	}
	var problems []string
	for _, scope := range s.Bot.Scopes() {
		for _, name := range scope.Images {
			if !slices.Contains(known, name) {
				problems = append(problems,
					fmt.Sprintf("%s:%d: unknown image %q%s", config.FileName, scope.Line, name, text.DidYouMean(name, known)))
			}
		}
	}
	return problems
}
