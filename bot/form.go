// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:15:42Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxElements bounds the options of a menu, as Slack documents.
const maxElements = 100

// form is what opens for a command without words.
func form(site Site, channel string) slack.ModalViewRequest {
	plain := chat.PlainText
	option := func(value, label string) *slack.OptionBlockObject {
		return slack.NewOptionBlockObject(value, plain(label, 75), nil)
	}
	var images, envs, platforms []*slack.OptionBlockObject
	var initial *slack.OptionBlockObject
	for _, image := range site.Images[:min(len(site.Images), maxElements)] {
		images = append(images, option(image.Name, image.Name+": "+image.Title))
	}
	for _, name := range site.envs()[:min(len(site.Environments), maxElements)] {
		one := option(name, name)
		if name == site.DefaultEnv {
			initial = one
		}
		envs = append(envs, one)
	}
	for _, name := range hybridcore.PlatformNames() {
		platforms = append(platforms, option(name, name))
	}
	env := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Environment", 75), door.FormEnv, envs...)
	env.InitialOption = initial
	image := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Image", 75), door.FormImage, images...)
	chosen := slack.NewInputBlock(door.FormPlatforms, plain("Platforms", 75),
		plain("None chosen: all that the environment has", 75),
		slack.NewCheckboxGroupsBlockElement(door.FormPlatforms, platforms...)).WithOptional(true)
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: door.FormID, PrivateMetadata: channel,
		Title: plain("Build an image", 24), Submit: plain("Build", 24), Close: plain("Cancel", 24),
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock(door.FormImage, plain("Image", 75), nil, image),
			slack.NewInputBlock(door.FormEnv, plain("Environment", 75), nil, env), chosen,
		}},
	}
}
