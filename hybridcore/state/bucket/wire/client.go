// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package wire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

const (
	maxNames = 256 << 20 // bytes of the names of a folder
	// grace is what a change that is under way has to come to its end once its caller
	// has given up: until then nobody can say whether it is made.
	grace = 10 * time.Second
)

// Client is a backend at the other end of a stream.
type Client struct {
	conn   *http.ClientConn
	stream net.Conn
}

// Dial talks over a stream, which it closes when it fails.
func Dial(ctx context.Context, stream net.Conn) (*Client, error) {
	tr := &http.Transport{
		Protocols:          protocols(),
		DialContext:        func(context.Context, string, string) (net.Conn, error) { return stream, nil },
		DisableCompression: true,
	}
	conn, err := tr.NewClientConn(ctx, "http", Name+":80")
	if err != nil {
		return nil, errors.Join(err, stream.Close())
	}
	return &Client{conn, stream}, nil
}

// Close ends the stream, and with it the other end.
func (c *Client) Close() error {
	return errors.Join(c.conn.Close(), c.stream.Close())
}

// lost is an error of the stream, and not of the backend at its end.
type lost struct{ error }

// Unwrap is the stream's error.
func (l lost) Unwrap() error { return l.error }

// Lost says that the other end has not answered, so that it is not known what it did.
func Lost(err error) bool {
	_, is := errors.AsType[lost](err)
	return is
}

// Get implements state.Reader.
func (c *Client) Get(ctx context.Context, name string) ([]byte, error) {
	return c.ask(ctx, http.MethodGet, name, nil, state.MaxObject)
}

// List implements state.Reader.
func (c *Client) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		all, err := c.ask(ctx, http.MethodGet, folder, nil, maxNames)
		if err != nil {
			yield("", err)
			return
		}
		for name := range strings.Lines(string(all)) {
			if !yield(strings.TrimSuffix(name, "\n"), nil) {
				return
			}
		}
	}
}

// Put implements state.Writer.
func (c *Client) Put(ctx context.Context, name string, data []byte) error {
	return c.change(ctx, http.MethodPut, name, data)
}

// Delete implements state.Writer.
func (c *Client) Delete(ctx context.Context, name string) error {
	return c.change(ctx, http.MethodDelete, name, nil)
}

// Newest implements Dated.
func (c *Client) Newest(ctx context.Context) (at time.Time, err error) {
	text, err := c.ask(ctx, newest, "", nil, maxSaid)
	if err == nil {
		err = at.UnmarshalText(text)
	}
	return at, err //nolint:wrapcheck // by the caller
}

func (c *Client) change(ctx context.Context, method, name string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	under, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })()
	_, err := c.ask(under, method, name, data, 0)
	if err != nil && under.Err() != nil {
		return fmt.Errorf("%s: given up, so that it is not known whether it was done: %w", name, ctx.Err())
	}
	return err
}

// ask asks the other end, and returns at most so many bytes of its answer.
func (c *Client) ask(ctx context.Context, method, name string, data []byte, most int64) ([]byte, error) {
	at := url.URL{Scheme: "http", Host: Name, Path: "/", RawQuery: url.Values{"name": {name}}.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, at.String(), bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", name, err)
	}
	request.Header.Set(formHeader, form)
	answer, err := c.conn.RoundTrip(request)
	if err != nil {
		return nil, lostIn(ctx, name, err)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	if kind := answer.Header.Get(kindHeader); kind != "" {
		most = maxSaid
		body, err := io.ReadAll(io.LimitReader(answer.Body, most))
		if err != nil {
			return nil, lostIn(ctx, name, err)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", body, err)
		}
		return nil, called(kind, string(body))
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
	if err != nil {
		return nil, lostIn(ctx, name, err)
	}
	if int64(len(body)) > most {
		return nil, state.TooLarge(int64(len(body)))
	}
	return body, nil
}

// lostIn is an error of the stream, or that the caller has given up.
func lostIn(ctx context.Context, name string, err error) error {
	if given := ctx.Err(); given != nil {
		return fmt.Errorf("%s: %w", name, given)
	}
	return lost{fmt.Errorf("%s: no answer from %s, so that it is not known what it did: %w", name, Name, err)}
}
