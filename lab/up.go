// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:34:30Z
// Spec: openspec/specs/lab/spec.md#requirement-lab-environment
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// ErrNotUp says that no lab is up.
var ErrNotUp = errors.New("no lab is up")

// downTimeout bounds the wait of Down for a lab to end; its guests get shutdownGrace at most.
const downTimeout = 60 * time.Second

// upState is what `lab up` leaves for other commands while it runs.
type upState struct {
	PID int `json:"pid"`
	// the process's start time in clock ticks since boot (proc(5)), which tells it from a later one of the same number
	Started string   `json:"started"`
	Dir     string   `json:"dir"`
	Env     []string `json:"env"`
}

// statePath is the state file of the lab that is up: one a cache.
func statePath(cache string) string { return filepath.Join(cache, "lab.json") }

// Up starts a lab, writes its environment to a state file (lab.json in the cache, readable by its owner
// alone), tells out how to use it, and serves until ctx ends. A second lab in the same cache is refused.
func Up(ctx context.Context, config Config, out io.Writer) error {
	if err := config.complete(); err != nil {
		return fmt.Errorf("starting the lab: %w", err)
	}
	lock, err := os.OpenFile(statePath(config.Cache)+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("starting the lab: %w", err)
	}
	defer lock.Close()
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("starting the lab: another one is up (%s); `packer-hybrid lab run` uses it, `packer-hybrid lab "+
				"down` ends it",
				statePath(config.Cache))
		}
		return fmt.Errorf("starting the lab: locking %s.lock: %w", statePath(config.Cache), err)
	}
	l, err := Start(ctx, config)
	if err != nil {
		return err
	}
	if err := writeState(config.Cache, l); err != nil {
		return errors.Join(err, l.Close())
	}
	fmt.Fprintf(out, "The lab is up: vCenter at https://%s, Proxmox VE at %s, Azure at %s, guests on port %d.\nIts "+
		"environment, with passwords, is in %s\n",
		l.vsphere.Endpoint(), l.proxmox.URL(), l.azure.URL(), l.machines.port, statePath(config.Cache))
	<-ctx.Done()
	return errors.Join(os.Remove(statePath(config.Cache)), l.Close())
}

func writeState(cache string, l *Lab) error {
	started, err := startTime(os.Getpid())
	if err != nil {
		return fmt.Errorf("writing the lab's state: %w", err)
	}
	text, err := json.MarshalIndent(upState{PID: os.Getpid(), Started: started, Dir: l.dir.path, Env: l.Env()}, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the lab's state: %w", err)
	}
	if err := safefile.Replace(statePath(cache), append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing the lab's state: %w", err)
	}
	return nil
}

// readState reads the state of the lab that is up, or returns ErrNotUp. The state of a killed lab counts as none, and
// that of another user is refused with a NotOursError: who may write it says where a command's credentials go.
func readState(cache string) (upState, error) {
	var s upState
	text, err := readOwn(statePath(cache))
	if errors.Is(err, os.ErrNotExist) {
		return s, ErrNotUp
	}
	if err != nil {
		return s, fmt.Errorf("reading the lab's state: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("reading the lab's state %s: %w", statePath(cache), err)
	}
	if started, err := startTime(s.PID); err != nil || started != s.Started {
		return s, fmt.Errorf("%w: process %d of %s is gone", ErrNotUp, s.PID, statePath(cache))
	}
	if err := checkOwnDir(s.Dir); err != nil {
		return s, fmt.Errorf("looking at the lab of %s: %w", statePath(cache), err)
	}
	if alive, err := locked(filepath.Join(s.Dir, "lock")); err != nil || !alive {
		return s, errors.Join(fmt.Errorf("%w: nobody serves the lab of %s", ErrNotUp, statePath(cache)), err)
	}
	return s, nil
}

// UpEnv is the environment of the lab that is up in the cache of config, or an error that wraps ErrNotUp.
func UpEnv(config Config) ([]string, error) {
	if err := config.complete(); err != nil {
		return nil, err
	}
	s, err := readState(config.Cache)
	return s.Env, err
}

// Down ends the lab that Up serves in the cache of config, and returns when it is gone.
func Down(ctx context.Context, config Config) error {
	if err := config.complete(); err != nil {
		return fmt.Errorf("ending the lab: %w", err)
	}
	s, err := readState(config.Cache)
	if err != nil {
		if errors.Is(err, ErrNotUp) {
			_ = os.Remove(statePath(config.Cache)) // of a killed lab; there may be none
		}
		return fmt.Errorf("ending the lab: %w", err)
	}
	if err := unix.Kill(s.PID, unix.SIGTERM); err != nil {
		return fmt.Errorf("ending the lab, process %d: %w", s.PID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, downTimeout)
	defer cancel()
	for {
		if started, err := startTime(s.PID); err != nil || started != s.Started {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("ending the lab: process %d is still there: %w", s.PID, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// startTime is field 22 of /proc/PID/stat. A process that has ended and waits for its parent has none.
func startTime(pid int) (string, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", fmt.Errorf("looking for process %d: %w", pid, err)
	}
	_, rest, found := bytes.Cut(text[bytes.LastIndexByte(text, ')'):], []byte(" "))
	fields := strings.Fields(string(rest))
	if !found || len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", fmt.Errorf("looking for process %d: it has ended", pid)
	}
	return fields[19], nil
}
