// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:59:25Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

// Package bot is the team's door in Slack: it takes commands, decides on them,
// has the CI system run them, and shows each run in the channel until it ends.
package bot
