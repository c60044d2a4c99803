// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:44:01Z
// Spec: openspec/specs/packer/spec.md#requirement-starters-in-validations
// Diagram: openspec/specs/packer/diagram.md#plugins-of-a-validation

package packer

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// fakeAddress is that of fakePlugin.
const fakeAddress = "github.com/x/y"

// fakePlugin installs a plugin that is a script of the shell. It is asked with
// the HOME that is returned, where it counts that in the file asked.
func fakePlugin(t *testing.T, memory Memory, body string) (Plugin, Job) {
	t.Helper()
	dir := shortDir(t)
	path := filepath.Join(dir, "tree", fakeAddress, fmt.Sprintf("packer-plugin-y_v1.0.0_x5.0_%s_%s", runtime.GOOS, runtime.GOARCH))
	if err := writeProgram(path, "#!/bin/sh\n"+body+"\n"); err != nil {
		t.Fatal(err)
	}
	sum, err := digestFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path+checksumSuffix, sum)
	p := lookAgain(t, memory, path)
	return p, Job{Env: []string{"HOME=" + dir, "PATH=" + os.Getenv("PATH")}, Plugins: []Plugin{p}}
}

// lookAgain finds the plugin as a run does.
func lookAgain(t *testing.T, memory Memory, path string) Plugin {
	t.Helper()
	tree, _, _ := strings.Cut(path, "/"+fakeAddress)
	plugins, err := Tool{PluginDirs: []string{tree}, Memory: memory}.Plugins([]Requirement{{Addresses: []string{fakeAddress}}})
	if err != nil {
		t.Fatal(err)
	}
	return plugins[0]
}

// starterOf is the only plugin of a job as a validation gets it.
func starterOf(t *testing.T, s *Starters, job Job) Plugin {
	t.Helper()
	plugins, err := s.Of(t.Context(), job)
	if err != nil || len(plugins) != 1 {
		t.Fatalf("%v, %v", plugins, err)
	}
	return plugins[0]
}

// counts says how often the plugin was asked.
func counts(t *testing.T, job Job) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(value(job.Env, "HOME"), "asked"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return len(data)
}

const describing = `[ "$*" = describe ] && printf x >> "$HOME/asked" && exec cat "$HOME/answer"` + "\n"

// Whatever the texts are, a starter answers as the plugin, and is the plugin
// for everything else: process, arguments, streams, environment, exit code.
func TestStarter(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ dir, answer string }{
		"plain":         {"run", `{"version":"1.0.0"}` + "\n"},
		"quotes":        {`it's "$(touch pwned)" \`, `'"$(touch pwned)"` + "`touch pwned`\\\\n%s%d"},
		"lines":         {"a\nb ; exit 9 #", "\n\n a\r\n\n"},
		"no text":       {"\x81\x82\x88\xff\x01\x7f", "\x81\x82\x88\xff\x01\x1b[31m\x7f"},
		"leading dash":  {"-n", "-n"},
		"as long as it": {"run", strings.Repeat("x'", maxAnswered/2)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, job := fakePlugin(t, "", describing+`printf '%s\n' "$$" "$#" "$@" "$ODD"; cat; echo oops >&2; exit 7`)
			home := value(job.Env, "HOME")
			write(t, filepath.Join(home, "answer"), tt.answer)
			s := Tool{}.Starters(filepath.Join(home, tt.dir))
			starter := starterOf(t, s, job)
			if sum, err := digestFile(starter.Path); err != nil || sum != starter.SHA256 || sum == p.SHA256 || filepath.Base(starter.Path) != filepath.Base(p.Path) {
				t.Fatalf("%+v: its digest is %s, %v", starter, sum, err)
			}
			said, err := exec.CommandContext(t.Context(), starter.Path, "describe").Output()
			if err != nil || string(said) != tt.answer {
				t.Errorf("it says %q, want %q: %v", said, tt.answer, err)
			}
			for _, args := range [][]string{{"start", "builder", "a b'$(exit 3)\n"}, {"describe", "--all"}, {""}, {}} {
				cmd := exec.CommandContext(t.Context(), starter.Path, args...)
				var errs bytes.Buffer
				cmd.Stdin, cmd.Stderr, cmd.Env = strings.NewReader("in\x00put"), &errs, append(slices.Clone(job.Env), "ODD=o'd\nd \x81", "HOME=/nowhere")
				out, err := cmd.Output()
				want := fmt.Sprintf("%d\n%d\n%s\no'd\nd \x81\nin\x00put", cmd.Process.Pid, len(args), strings.Join(args, "\n"))
				if len(args) == 0 {
					want = fmt.Sprintf("%d\n0\no'd\nd \x81\nin\x00put", cmd.Process.Pid)
				}
				if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 7 || string(out) != want || errs.String() != "oops\n" {
					t.Errorf("%q: %v, %q, %q", args, err, out, errs.String())
				}
			}
			if n := counts(t, job); n != 1 {
				t.Errorf("the plugin was asked %d times", n)
			}
			if found, _ := filepath.Glob(filepath.Join(home, "pwned")); found != nil {
				t.Error("an answer was run")
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(filepath.Join(home, tt.dir)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the directory is still there: %v", err)
			}
		})
	}
}

// A signal reaches the plugin itself.
func TestStarterIsSignalled(t *testing.T) {
	t.Parallel()
	_, job := fakePlugin(t, "", describing+`trap 'echo stopped; exit 5' TERM; echo 'ready'; read line`)
	home := value(job.Env, "HOME")
	write(t, filepath.Join(home, "answer"), "{}")
	starter := starterOf(t, Tool{}.Starters(filepath.Join(home, "run")), job)
	cmd := exec.CommandContext(t.Context(), starter.Path, "start", "builder", "z")
	hold, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, len("ready\n"))
	if _, err := out.Read(line); err != nil || string(line) != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	_ = hold.Close()
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 5 {
		t.Errorf("it ended with %v", err)
	}
}

// A plugin describes itself once for each binary; its digest is computed in
// each run.
func TestStarterRemembers(t *testing.T) {
	t.Parallel()
	memory := Memory(filepath.Join(shortDir(t), "memory"))
	p, job := fakePlugin(t, memory, describing)
	home := value(job.Env, "HOME")
	write(t, filepath.Join(home, "answer"), "{\"a\":1}\n")
	for i := range 3 {
		s := Tool{Memory: memory}.Starters(filepath.Join(home, fmt.Sprint("run", i)))
		first := starterOf(t, s, job)
		if again := starterOf(t, s, job); again != first || first.Path == p.Path {
			t.Errorf("%+v, then %+v", first, again)
		}
		if said, err := exec.CommandContext(t.Context(), first.Path, "describe").Output(); err != nil || string(said) != "{\"a\":1}\n" {
			t.Errorf("%q, %v", said, err)
		}
	}
	if n := counts(t, job); n != 1 {
		t.Errorf("asked %d times", n)
	}
	// Other bytes of the same size and time: the memory has the old digest.
	info, err := os.Stat(p.Path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.Path, strings.Replace(read(t, p.Path), "printf x", "printf y", 1))
	if err := os.Chtimes(p.Path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	job.Plugins = []Plugin{lookAgain(t, memory, p.Path)}
	if job.Plugins[0] != p {
		t.Fatal("the memory has noticed it, so this tests nothing")
	}
	s := Tool{Memory: memory}.Starters(filepath.Join(home, "last"))
	for range 2 {
		_, err = s.Of(t.Context(), job)
		now, _ := digestFile(p.Path)
		for _, want := range []string{fakeAddress, p.Path, p.SHA256, now, "packer plugins install --force " + fakeAddress} {
			if err == nil || !strings.Contains(err.Error(), want) || hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("error %v: want %q, blocked", err, want)
			}
		}
	}
	if n := counts(t, job); n != 1 {
		t.Errorf("the changed plugin was started: %d", n)
	}
}

// What is put in a plugin's place during a run is not started.
func TestStarterHolds(t *testing.T) {
	t.Parallel()
	for name, linked := range map[string]bool{"file": false, "symbolic link": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, job := fakePlugin(t, "", describing+"echo verified")
			home := value(job.Env, "HOME")
			write(t, filepath.Join(home, "answer"), "{}")
			if linked {
				target := filepath.Join(home, "elsewhere")
				if err := errors.Join(os.Rename(p.Path, target), os.Symlink(target, p.Path)); err != nil {
					t.Fatal(err)
				}
			}
			starter := starterOf(t, Tool{}.Starters(filepath.Join(home, "run")), job)
			if starter.Path == p.Path {
				t.Fatal("it has no starter")
			}
			other := filepath.Join(home, "other")
			if err := writeProgram(other, "#!/bin/sh\necho other\n"); err != nil {
				t.Fatal(err)
			}
			if linked {
				p.Path = filepath.Join(home, "elsewhere")
			}
			if err := os.Rename(other, p.Path); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.CommandContext(t.Context(), starter.Path, "start").Output(); err != nil || string(out) != "verified\n" {
				t.Errorf("%q, %v", out, err)
			}
		})
	}
}

// A plugin that cannot have a starter is given as it is.
func TestNoStarter(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"fails": "echo '{}'; exit 3", "silent": "true", "zero byte": `printf 'a\0b'`, "no program": "#", "directory of another": "echo '{}'",
		"too long": fmt.Sprintf("head -c %d /dev/zero | tr '\\0' x", maxAnswered+1), "ends itself": "echo '{}'; kill -9 $$",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, job := fakePlugin(t, Memory(filepath.Join(shortDir(t), "memory")), body)
			dir := filepath.Join(value(job.Env, "HOME"), "run")
			other := name == "directory of another"
			if other {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			s := Tool{}.Starters(dir)
			if got := starterOf(t, s, job); got != p {
				t.Errorf("got %+v", got)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if _, err := os.Lstat(dir); (err == nil) != other {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}
