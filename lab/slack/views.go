// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:15:40Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-strict-as-slack
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// View is a form that was opened.
type View struct {
	Trigger string
	JSON    string
}

// Filled is what somebody chose in the form.
type Filled struct {
	Image, Env string
	Platforms  []string
}

// views are the forms.
type views struct {
	space    *workspace
	all      []View
	triggers map[string]time.Time // when they were given; zero: used
}

// open opens a form for a trigger that is fresh.
func (v *views) open(c call) (map[string]any, string) {
	trigger := c.fields["trigger_id"]
	since, known := v.triggers[trigger]
	switch {
	case !known:
		return nil, "invalid_trigger_id"
	case since.IsZero():
		return nil, "exchanged_trigger_id"
	case v.space.config.Now().Sub(since) > triggerLife:
		return nil, "expired_trigger_id"
	}
	var view struct {
		Type, CallbackID, PrivateMetadata string
		Title, Submit, Close              *object
		Blocks                            json.RawMessage
	}
	raw := map[string]json.RawMessage{}
	if json.Unmarshal([]byte(c.fields["view"]), &raw) != nil {
		return nil, "invalid_arguments: the view is no JSON"
	}
	for key, into := range map[string]any{
		"type": &view.Type, "callback_id": &view.CallbackID, "private_metadata": &view.PrivateMetadata,
		"title": &view.Title, "submit": &view.Submit, "close": &view.Close, "blocks": &view.Blocks,
	} {
		if value, given := raw[key]; given && json.Unmarshal(value, into) != nil {
			return nil, "invalid_arguments: " + key
		}
	}
	problem := ""
	switch {
	case view.Type != "modal":
		problem = "type " + view.Type
	case view.Title.wrong(maxTitle) || view.Submit != nil && view.Submit.wrong(maxTitle) || view.Close != nil &&
		view.Close.wrong(maxTitle):
		problem = "title, submit or close"
	case len(view.CallbackID) > 255 || len(view.PrivateMetadata) > maxMetadata:
		problem = "callback_id or private_metadata"
	}
	if problem == "" {
		_, problem = blocks(string(view.Blocks), maxViewBlocks)
	}
	if problem != "" {
		return nil, "invalid_arguments: " + problem
	}
	v.triggers[trigger] = time.Time{} // used
	v.all = append(v.all, View{trigger, c.fields["view"]})
	return map[string]any{"view": map[string]any{"id": "V" + v.space.next()}}, ""
}

// submit is the payload of the form that was opened last, filled in.
func (v *views) submit(f From, in Filled) (map[string]any, error) {
	v.space.mu.Lock()
	defer v.space.mu.Unlock()
	if len(v.all) == 0 {
		return nil, errors.New("no form was opened")
	}
	var view map[string]any
	if err := json.Unmarshal([]byte(v.all[len(v.all)-1].JSON), &view); err != nil {
		return nil, fmt.Errorf("reading the form: %w", err)
	}
	option := func(value string) map[string]any { return map[string]any{"value": value} }
	var chosen []any
	for _, p := range in.Platforms {
		chosen = append(chosen, option(p))
	}
	view["state"] = map[string]any{"values": map[string]any{
		"image":     map[string]any{"image": map[string]any{"type": "static_select", "selected_option": option(in.Image)}},
		"env":       map[string]any{"env": map[string]any{"type": "static_select", "selected_option": option(in.Env)}},
		"platforms": map[string]any{"platforms": map[string]any{"type": "checkboxes", "selected_options": chosen}},
	}}
	return map[string]any{
		"type": "view_submission", "team": map[string]any{"id": v.space.team(f)}, "user": map[string]any{"id": f.User},
		"trigger_id": v.space.next(), "view": view, "api_app_id": appID,
	}, nil
}
