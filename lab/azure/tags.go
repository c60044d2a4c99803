// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:25:00Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"maps"
	"net/http"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// tagsPath follows the path of a resource whose tags are meant.
const tagsPath = "/providers/microsoft.resources/tags/default"

// maxTags is how many tags Azure keeps of one resource.
const maxTags = 50

// tagsOf answers a call on the tags of a resource; nil when the path is another.
func (s *store) tagsOf(c *call) (*reply, error) {
	if !strings.HasSuffix(strings.ToLower(c.path), tagsPath) {
		return nil, nil //nolint:nilnil // neither an answer nor an error: not ours
	}
	of, ok := arm.ParseID(c.path[:len(c.path)-len(tagsPath)])
	if !ok || of.Group == "" || !of.Complete() || !strings.EqualFold(of.Subscription, s.subscription) {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidRequestUri", "The lab has tags of resources only.")
	}
	if err := arm.CheckVersion(c.version, "tags", arm.ResourcesVersions); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, err := s.find(of)
	if err != nil {
		return nil, err
	}
	if c.method == http.MethodPatch {
		err = c.patchTags(r)
	} else if c.method != http.MethodGet {
		err = arm.Refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "The lab has no %s for tags.", c.method)
	}
	if err != nil {
		return nil, err
	}
	return &reply{status: http.StatusOK, body: map[string]any{
		"id": r.target.String() + "/providers/Microsoft.Resources/tags/default", "name": "default",
		"type":       "Microsoft.Resources/tags",
		"properties": map[string]any{"tags": r.tags()},
	}}, nil
}

// patchTags merges, replaces or deletes tags. The caller holds the lock.
func (c *call) patchTags(r *resource) error {
	var request struct {
		Operation  string `json:"operation"`
		Properties struct {
			Tags map[string]string `json:"tags"`
		} `json:"properties"`
	}
	if err := c.decode(&request); err != nil {
		return err
	}
	tags := r.tags()
	switch strings.ToLower(request.Operation) {
	case "merge":
		maps.Copy(tags, request.Properties.Tags)
	case "replace":
		tags = request.Properties.Tags
	case "delete":
		maps.DeleteFunc(tags, func(name, value string) bool {
			given, ok := request.Properties.Tags[name]
			return ok && given == value
		})
	default:
		return arm.Refuse(http.StatusBadRequest, "InvalidTagPatchOperation", "The operation '%s' is not valid.",
			arm.Clip(request.Operation))
	}
	if len(tags) > maxTags {
		return arm.Refuse(http.StatusBadRequest, "TooManyTags", "The resource can have at most %d tags.", maxTags)
	}
	stored := make(map[string]any, len(tags))
	for name, value := range tags {
		if len(name) > 512 || len(value) > 256 || strings.ContainsAny(name, `<>%&\?/`) {
			return arm.Refuse(http.StatusBadRequest, "InvalidTagNameCharacters", "The tag '%s' is not valid.", arm.Clip(name))
		}
		stored[name] = value
	}
	r.body["tags"] = stored
	return nil
}
