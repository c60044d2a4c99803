// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:52:00Z
// Spec: openspec/specs/bot/spec.md#requirement-runs-on-this-machine
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// Files of a run on this machine, in its folder.
const (
	fileOrder    = "order.json"
	fileStarted  = "started" // the process that has the run; locked while it lives
	fileProgress = "progress.json"
	fileExit     = "exit.json" // written last
	fileLog      = "log"
	dirTree      = "tree" // the commit
)

// Times of runs on this machine.
const (
	startWait = 10 * time.Second // for a process to take its run
	youth     = 5 * time.Second  // of a run that need not be locked yet
	gitWait   = time.Minute
)

// LocalConfig says how runs are made on this machine.
type LocalConfig struct {
	Dir        string   // folder of runs, kept across restarts
	Repository string   // Git repository with the project at its top
	Program    []string // starts packer-hybrid; the arguments of a run follow
	Environ    []string // of runs; what is the bot's own is left out
	Forges     []string // prefixes of the variables of forges, which are the bot's own
}

// errEnded is the end of a process that says nothing.
var errEnded = errors.New("its process ended")

// Local starts runs as processes of their own, which go on when the bot ends.
type Local struct{ c LocalConfig }

// NewLocal checks a configuration.
func NewLocal(c LocalConfig) (*Local, error) {
	for _, path := range []string{c.Dir, c.Repository} {
		if !filepath.IsAbs(path) {
			return nil, hybridcore.Usagef("%q is not a whole path", path)
		}
	}
	if len(c.Program) == 0 {
		return nil, hybridcore.Usagef("no program is given that runs are made with")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of runs: %w", err)
	}
	own := append([]string{"SLACK_", "PACKER_HYBRID_BOT_", "DATABASE_URL="}, c.Forges...)
	c.Environ = slices.DeleteFunc(slices.Clone(c.Environ), func(entry string) bool {
		return slices.ContainsFunc(own, func(prefix string) bool { return strings.HasPrefix(entry, prefix) })
	})
	return &Local{c}, nil
}

// Head returns the commit of a branch of the repository.
func (l *Local) Head(ctx context.Context, ref string) (string, error) {
	out, err := git(ctx, l.c.Repository, "rev-parse", "--verify", "--end-of-options", "refs/heads/"+ref+"^{commit}")
	return strings.TrimSpace(out), err
}

// SystemLocal is what tickets for runs on this machine are for.
const SystemLocal = "local"

// Audience is whom tickets for runs on this machine are for.
func (l *Local) Audience() policy.Audience { return LocalAudience(l.c.Repository) }

// LocalAudience is that of a repository on this machine.
func LocalAudience(repository string) policy.Audience {
	return policy.Audience{System: SystemLocal, Repository: repository}
}

// Check says whether there is a commit to run.
func (l *Local) Check(ctx context.Context, ref string) []string {
	if _, err := l.Head(ctx, ref); err != nil {
		return []string{fmt.Sprintf(
			"%v; --ci local runs commits of a Git repository with the project at its top: check -C, and ref in the block bot",
			err)}
	}
	return nil
}

// git runs git in a repository.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gitWait)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s in %s: %w: %s", args[0], dir, err, bytes.TrimSpace(said.Bytes()))
	}
	return string(out), nil
}

// folder is a run's.
func (l *Local) folder(request string) (string, error) {
	if err := hybridcore.CheckName("request", request); err != nil {
		return "", err
	}
	return filepath.Join(l.c.Dir, request), nil
}

// Find says whether a process has taken the run.
func (l *Local) Find(_ context.Context, o cirun.Order) (cirun.Run, bool, error) {
	dir, err := l.folder(o.Request)
	if err != nil {
		return cirun.Run{}, false, err
	}
	_, err = os.Stat(filepath.Join(dir, fileStarted))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return cirun.Run{}, false, nil
	case err != nil:
		return cirun.Run{}, false, fmt.Errorf("looking for run %s: %w", o.Request, err)
	}
	return cirun.Run{ID: o.Request}, true, nil
}

// Dispatch starts the process of a run. However often it is called, one process
// does the run: the others find it taken.
func (l *Local) Dispatch(ctx context.Context, o cirun.Order) (cirun.Run, error) {
	dir, err := l.folder(o.Request)
	if err != nil {
		return cirun.Run{}, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cirun.Run{}, fmt.Errorf("making the folder of run %s: %w", o.Request, err)
	}
	if err := write(dir, fileOrder, o); err != nil {
		return cirun.Run{}, err
	}
	log, err := os.OpenFile(filepath.Join(dir, fileLog), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return cirun.Run{}, fmt.Errorf("opening the log of run %s: %w", o.Request, err)
	}
	defer log.Close() //nolint:errcheck // the process has its own
	cmd := l.command(dir)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return cirun.Run{}, fmt.Errorf("starting run %s: %w", o.Request, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for wait := time.After(startWait); ; {
		if run, found, err := l.Find(ctx, o); err != nil || found {
			return run, err
		}
		select {
		case <-tick.C:
		case err := <-ended:
			if run, found, _ := l.Find(ctx, o); found {
				return run, nil
			}
			return cirun.Run{}, fmt.Errorf("run %s ended before it began, see %s: %w", o.Request, filepath.Join(dir, fileLog),
				cmp.Or(err, errEnded))
		case <-wait:
			return cirun.Run{}, fmt.Errorf("run %s has not begun within %s", o.Request, startWait)
		}
	}
}

// command is the process of a run: in a session of its own, so that the end of
// the bot is not its end.
func (l *Local) command(dir string) *exec.Cmd {
	args := append(slices.Clone(l.c.Program[1:]), "job", dir, "--repository", l.c.Repository)
	cmd := exec.Command(l.c.Program[0], args...) //nolint:noctx // it outlives its caller
	cmd.Dir, cmd.Env = dir, l.c.Environ
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd
}

// Status says what a run has come to, by its files.
func (l *Local) Status(_ context.Context, o cirun.Order, _ cirun.Run) (cirun.Progress, error) {
	dir, err := l.folder(o.Request)
	if err != nil {
		return cirun.Progress{}, err
	}
	var p cirun.Progress
	alive, err := lives(dir)
	if err != nil {
		return p, err
	}
	found, err := read(dir, fileExit, &p) // after the look at its process, which may end meanwhile
	if err != nil || found {
		return p, err
	}
	if _, err := read(dir, fileProgress, &p); err != nil {
		return p, err
	}
	if !alive {
		p.Done, p.Outcome = true, cirun.Outcome{
			Status: hybridcore.Failed, Targets: p.Targets,
			Why: "the run ended without saying so; see " + filepath.Join(dir, fileLog),
		}
	}
	return p, nil
}

// lives says whether a process still has a run.
func lives(dir string) (bool, error) {
	path := filepath.Join(dir, fileStarted)
	info, err := os.Stat(path)
	if err != nil {
		return false, hybridcore.Blockedf("there is no run in %s", dir)
	}
	if time.Since(info.ModTime()) < youth {
		return true, nil
	}
	lock := flock.New(path)
	free, err := lock.TryRLock()
	if err = errors.Join(err, lock.Unlock()); err != nil {
		return false, fmt.Errorf("looking whether a run lives: %w", err)
	}
	return !free, nil
}

// Cancel asks the process of a run to end, as Ctrl-C does.
func (l *Local) Cancel(_ context.Context, run cirun.Run) error {
	dir, err := l.folder(run.ID)
	if err != nil {
		return err
	}
	if alive, err := lives(dir); err != nil || !alive {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, fileStarted))
	if err != nil {
		return fmt.Errorf("cancelling run %s: %w", run.ID, err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid < 2 {
		return fmt.Errorf("cancelling run %s: its process is not known yet", run.ID)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("cancelling run %s: %w", run.ID, err)
	}
	return nil
}

// write writes a file whole.
func write(dir, name string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return safefile.Replace(filepath.Join(dir, name), data, 0o600)
}

// read reads a file; false when it is not there.
func read(dir, name string, into any) (bool, error) {
	data, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		return false, fmt.Errorf("reading %s of a run: %w", name, err)
	}
	return true, nil
}
