// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:00:12Z
// Spec: openspec/specs/state/spec.md#requirement-objects
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"context"
	"fmt"
	"iter"
	"net"
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// MaxObject bounds an object, in bytes, so that a damaged or hostile one cannot
// exhaust the memory. A target takes about 4 KiB in the snapshot.
const MaxObject = 64 << 20

// Reader reads objects.
type Reader interface {
	// Get returns an object. A missing one is fs.ErrNotExist; what is there and
	// is no object of at most MaxObject bytes is a FormError.
	Get(ctx context.Context, name string) ([]byte, error)
	// List yields in order the names of the objects below a folder, which ends
	// with '/', as they are at one moment; below no folder, "", those of all. An
	// error is the last that it yields.
	List(ctx context.Context, folder string) iter.Seq2[string, error]
}

// Writer writes objects. A call that fails has changed nothing.
type Writer interface {
	// Put stores an object, durably and as a whole. When there is one of that
	// name it stays, and the error is fs.ErrExist.
	Put(ctx context.Context, name string, data []byte) error
	// Delete removes an object. A missing one is no error.
	Delete(ctx context.Context, name string) error
}

// Backend holds the objects of a state. Its methods may be called by several
// goroutines, and several processes may use the same objects. Names and sizes
// are those that CheckObject allows.
type Backend interface {
	Reader
	Writer
}

// Many is a backend for which many objects at once cost about as much as one.
type Many interface {
	// Ahead brings objects near that are about to be read.
	Ahead(ctx context.Context, names []string) error
	// PutAll stores objects by name, all of them or none. When there is one of
	// the names, the error is fs.ErrExist.
	PutAll(ctx context.Context, objects map[string][]byte) error
}

// Capabilities are what a backend can do besides holding objects.
type Capabilities struct {
	// Liveness tells whether the holders of leases live. Without it a holder is
	// believed until its lease has expired.
	Liveness Liveness
	// Guide names objects for people. Without it they are named as they are.
	Guide Guide
}

// Life is what is known of the process that took a lease.
type Life int

// What may be known.
const (
	Unknown Life = iota // nothing
	Living              // it lives
	Ended               // it has ended
	Taken               // another process shows to live for its key
)

// Liveness lets processes show that they live, in a way that ends with them. A
// mark tells one acquisition of a key from all others.
type Liveness interface {
	// Hold shows that this process lives for a key, until Unlock. Before it
	// changes anything it calls allow with what is known of the former holder,
	// whose mark is empty for none, and gives up with the error that allow
	// returns; allow accepts neither Living nor Taken.
	Hold(ctx context.Context, key, mine, former string, allow func(Life) error) (Hold, error)
	// Probe says what is known of a holder. Nobody takes it for one.
	Probe(ctx context.Context, key, mark string) (Life, error)
	// Who is the command that shows who lives for a key.
	Who(key string) string
}

// Hold is what a process shows of itself.
type Hold interface {
	// Again shows it once more, when somebody has removed it.
	Again(ctx context.Context) error
	// Unlock ends it. The second and later calls do nothing.
	Unlock() error
}

// Guide is a backend that people can reach by tools of their own.
type Guide interface {
	// Where is where people find an object; of an empty name, the whole state.
	Where(name string) string
	// Copy is the command that copies an object to another name.
	Copy(from, to string) string
}

// FormError says what is wrong with the form of an object, for people.
type FormError string

// Error is the cause.
func (e FormError) Error() string { return string(e) }

var partRule = regexp.MustCompile(`^[a-z0-9][a-z0-9@+._-]{0,254}$`)

// CheckObject refuses a name that is not made of two to four parts of a-z, 0-9,
// '@', '+', '.', '_' and '-', which begin with a letter or digit, with '/' between them.
func CheckObject(name string) error {
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if !partRule.MatchString(part) {
			return hybridcore.Usagef("%.300q is not the name of an object", name)
		}
	}
	if len(parts) < 2 || len(parts) > 4 {
		return hybridcore.Usagef("%.300q is not the name of an object", name)
	}
	return nil
}

// Loopback says whether a host is this machine, on the way to which nobody listens.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// CheckPut refuses what no backend stores.
func CheckPut(name string, data []byte) error {
	if err := CheckObject(name); err != nil {
		return err
	}
	if len(data) > MaxObject {
		return hybridcore.Usagef("%s has %d bytes; at most %d are stored", name, len(data), int64(MaxObject))
	}
	return nil
}

// TooLarge is the FormError of what has more bytes than an object.
func TooLarge(size int64) error {
	return FormError(fmt.Sprintf("it has %d bytes; at most %d (64 MiB) are read", size, int64(MaxObject)))
}

// plain is the guide of a backend that has none.
type plain struct{}

func (plain) Where(name string) string { return name }

func (plain) Copy(from, to string) string { return "copy " + from + " to " + to }

// trusting is the liveness of a backend that has none: nothing is known.
type trusting struct{}

func (trusting) Hold(_ context.Context, _, _, _ string, allow func(Life) error) (Hold, error) {
	if err := allow(Unknown); err != nil {
		return nil, err
	}
	return noHold{}, nil
}

func (trusting) Probe(context.Context, string, string) (Life, error) { return Unknown, nil }

func (trusting) Who(string) string { return "" }

type noHold struct{}

func (noHold) Again(context.Context) error { return nil }

func (noHold) Unlock() error { return nil }
