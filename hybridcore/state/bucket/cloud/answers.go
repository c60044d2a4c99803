// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:01Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// outcome is what an answer means.
type outcome int

const (
	isDone    outcome = iota
	isThere           // there is an object of that name
	isMissing         // there is none
	isPassing         // another attempt may help
	isFailed          // it does not
)

// is tells what an answer means. The codes of gocloud.dev are not enough: they take what
// Google refuses for missing, and so a bucket or a host that nobody has.
func is(err error) outcome {
	if err == nil {
		return isDone
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return isFailed // it was decided before
	}
	status, code := answered(err)
	switch {
	case status == http.StatusPreconditionFailed, code == "BlobAlreadyExists", code == "PreconditionFailed":
		return isThere
	case code == "NoSuchBucket", code == "ContainerNotFound":
		return isFailed
	case status == http.StatusNotFound, code == "NoSuchKey":
		return isMissing
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500 && status != 501,
		code == "ConditionalRequestConflict", code == "OperationAborted", code == "SlowDown":
		return isPassing
	case status != 0:
		return isFailed
	}
	if _, host := errors.AsType[*net.DNSError](err); !host {
		switch gcerrors.Code(err) { // of what has no status: objects in memory, and Google's library
		case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
			return isThere
		case gcerrors.NotFound:
			return isMissing
		}
	}
	if unsure(err) {
		return isPassing
	}
	return isFailed
}

// unsure says that a request may have been carried out although nobody has said so.
func unsure(err error) bool {
	if status, _ := answered(err); status >= 500 || status == http.StatusRequestTimeout {
		return true
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsTimeout || dns.IsTemporary
	}
	_, network := errors.AsType[net.Error](err)
	return network || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// answered is the status of a server's answer, and its own word for it.
func answered(err error) (status int, code string) {
	if amazon, ok := errors.AsType[interface {
		error
		HTTPStatusCode() int
	}](err); ok {
		status = amazon.HTTPStatusCode()
	}
	if amazon, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err); ok {
		code = amazon.ErrorCode()
	}
	if microsoft, ok := errors.AsType[*azcore.ResponseError](err); ok {
		return microsoft.StatusCode, microsoft.ErrorCode
	}
	if google, ok := errors.AsType[*googleapi.Error](err); ok {
		status = google.Code
		if len(google.Errors) > 0 {
			code = google.Errors[0].Reason
		}
	}
	return status, code
}

// said is what a library says of an answer, which a server wrote a part of.
type said struct {
	text string
	err  error
}

// Error implements error.
func (s *said) Error() string { return s.text }

// Unwrap is the library's error.
func (s *said) Unwrap() error { return s.err }

func shortened(err error) error {
	if status, code := answered(err); status != 0 {
		answer := strings.TrimSpace(fmt.Sprint(status, " ", code))
		return &said{fmt.Sprintf("the server answers %s: %s", answer, oneLine(err)), err}
	}
	return &said{oneLine(err), err}
}

// oneLine is what a library says, without what could steer a terminal.
func oneLine(err error) string {
	line := []rune(strings.Join(strings.Fields(text.Sanitize(err.Error())), " "))
	if len(line) > 400 {
		return string(line[:400]) + "…"
	}
	return string(line)
}
