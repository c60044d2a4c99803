// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-azure-clouds-are-never-guessed
// Diagram: openspec/specs/platforms/diagram.md#azure

package azure

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// maxMessage bounds, in bytes, what is shown of a message from Azure.
const maxMessage = 400

// shortError is an error of Microsoft's libraries on one line.
type shortError struct {
	text  string
	cause error
}

func (e *shortError) Error() string { return e.text }

// Unwrap returns the whole error, whose text may hold what a server echoed.
func (e *shortError) Unwrap() error { return e.cause }

// explain shortens an error of Microsoft's libraries, which print whole
// answers, to what Azure said, and takes the secret out of it.
func (c *client) explain(err error) error {
	what := err.Error()
	var refused *azcore.ResponseError
	var denied *azidentity.AuthenticationFailedError
	switch {
	case errors.As(err, &refused) && refused.RawResponse != nil:
		what = c.said(refused.RawResponse)
	case errors.As(err, &denied) && denied.RawResponse != nil:
		what = c.said(denied.RawResponse)
	case denied != nil:
		what, _, _ = strings.Cut(what, "To troubleshoot")
	}
	what = strings.ReplaceAll(strings.Join(strings.Fields(what), " "), c.secret, "(secret)")
	return &shortError{text: what, cause: err}
}

// said is the status of an answer, and the code and message in it.
func (c *client) said(response *http.Response) string {
	body, err := runtime.Payload(response)
	if err != nil {
		return fmt.Sprintf("Azure answers %d", response.StatusCode)
	}
	code, message := parseError(body)
	if code == "" && message == "" {
		return fmt.Sprintf("Azure answers %d", response.StatusCode)
	}
	message = strings.ReplaceAll(message, c.secret, "(secret)") // before it is cut
	if len(message) > maxMessage {
		message = message[:maxMessage] + "..."
	}
	return fmt.Sprintf("Azure answers %d, %q: %q", response.StatusCode, code, message)
}

// parseError reads an error of the resource manager or of the sign-in.
func parseError(body []byte) (code, message string) {
	var outer struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"error_description"`
	}
	if json.Unmarshal(body, &outer) != nil {
		return "", ""
	}
	if json.Unmarshal(outer.Error, &code) == nil {
		return code, outer.Description
	}
	var inner struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(outer.Error, &inner) != nil {
		return "", ""
	}
	return inner.Code, inner.Message
}
