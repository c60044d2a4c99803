// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:51:34Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// drainQuiet is how long output may stay silent after its command has ended before the session closes: a
// daemon that keeps the descriptors open must not hold the client. Waiting restarts with every byte.
const drainQuiet = 300 * time.Millisecond

// sftpServer is the program behind the SFTP subsystem (Debian: openssh-sftp-server).
const sftpServer = "/usr/lib/openssh/sftp-server"

// maxEnv bounds the variables that a client may set for one session.
const maxEnv = 128

// signals are those that RFC 4254, section 6.10, names.
var signals = map[ssh.Signal]syscall.Signal{
	ssh.SIGABRT: syscall.SIGABRT, ssh.SIGALRM: syscall.SIGALRM, ssh.SIGFPE: syscall.SIGFPE, ssh.SIGHUP: syscall.SIGHUP,
	ssh.SIGILL: syscall.SIGILL, ssh.SIGINT: syscall.SIGINT, ssh.SIGKILL: syscall.SIGKILL, ssh.SIGPIPE: syscall.SIGPIPE,
	ssh.SIGQUIT: syscall.SIGQUIT, ssh.SIGSEGV: syscall.SIGSEGV, ssh.SIGTERM: syscall.SIGTERM,
	ssh.SIGUSR1: syscall.SIGUSR1, ssh.SIGUSR2: syscall.SIGUSR2,
}

// session is one SSH session channel: at most one command, on pipes or on a terminal.
type session struct {
	server        *server
	channel       ssh.Channel
	account       *account
	env           []string
	remote, local net.Addr

	terminal *terminal // nil without a terminal
	pid      int       // 0 until a command runs
	follow   func()    // follows the command to its end, once the client knows that it runs
}

// serve handles the requests of a session until the client closes it.
func (s *session) serve(requests <-chan *ssh.Request) {
	for r := range requests {
		err := s.request(r)
		if err != nil {
			fmt.Fprintf(os.Stderr, "guest: session request %s: %v\n", r.Type, err)
		}
		if r.WantReply {
			_ = r.Reply(err == nil, nil) // fails only when the connection is gone
		}
		if s.follow != nil { // not before the reply: a short command would close the channel first
			go s.follow()
			s.follow = nil
		}
	}
	if s.terminal != nil {
		s.terminal.hangUp()
	}
}

func (s *session) request(r *ssh.Request) error {
	switch r.Type {
	case "env":
		var v struct{ Name, Value string }
		if err := read(r, &v); err != nil {
			return err
		}
		return s.setenv(v.Name, v.Value)
	case "pty-req":
		return s.openTerminal(r.Payload)
	case "window-change":
		return s.resize(r.Payload)
	case "signal":
		var v struct{ Name string }
		if err := read(r, &v); err != nil {
			return err
		}
		return s.signal(ssh.Signal(v.Name))
	case "shell":
		return s.start("-"+filepath.Base(s.account.shell), nil)
	case "exec":
		var v struct{ Command string }
		if err := read(r, &v); err != nil {
			return err
		}
		return s.run(v.Command)
	case "subsystem":
		var v struct{ Name string }
		if err := read(r, &v); err != nil {
			return err
		}
		if v.Name != "sftp" {
			return fmt.Errorf("no subsystem %q", v.Name)
		}
		return s.run(sftpServer)
	}
	return errors.New("not served")
}

// read unpacks the payload of a request.
func read(r *ssh.Request, into any) error {
	if err := ssh.Unmarshal(r.Payload, into); err != nil {
		return fmt.Errorf("reading the request: %w", err)
	}
	return nil
}

// setenv sets a variable for the command. Those that decide which code runs, or as whom, stay as they are.
func (s *session) setenv(name, value string) error {
	if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
		return errors.New("not a variable")
	}
	for _, reserved := range []string{"LD_", "PATH", "HOME", "USER", "LOGNAME", "SHELL", "SSH_"} {
		if strings.HasPrefix(name, reserved) {
			return fmt.Errorf("variable %s is set by the guest", name)
		}
	}
	if len(s.env) >= maxEnv {
		return fmt.Errorf("more than %d variables", maxEnv)
	}
	s.env = append(s.env, name+"="+value)
	return nil
}

func (s *session) signal(name ssh.Signal) error {
	sig, known := signals[name]
	if !known || s.pid == 0 {
		return fmt.Errorf("signal %q cannot be sent", name)
	}
	if err := syscall.Kill(-s.pid, sig); err != nil {
		return fmt.Errorf("sending signal %q: %w", name, err)
	}
	return nil
}

// run runs a command line with the account's shell.
func (s *session) run(line string) error {
	return s.start(filepath.Base(s.account.shell), []string{"-c", line})
}

// start starts the account's shell as the session's command.
func (s *session) start(name string, args []string) error {
	if s.pid != 0 {
		return errors.New("the session has its command already")
	}
	c := command{
		argv0: s.account.shell, argv: append([]string{name}, args...), env: s.commandEnv(),
		dir: s.account.home, as: s.account, tty: s.terminal != nil,
	}
	if info, err := os.Stat(c.dir); err != nil || !info.IsDir() {
		c.dir = "/"
	}
	if s.terminal != nil {
		return s.startOnTerminal(c)
	}
	return s.startOnPipes(c)
}

func (s *session) commandEnv() []string {
	remoteHost, remotePort, _ := net.SplitHostPort(s.remote.String())
	_, localPort, _ := net.SplitHostPort(s.local.String())
	env := append([]string(nil), s.env...)
	env = append(env, "SSH_CLIENT="+strings.Join([]string{remoteHost, remotePort, localPort}, " "),
		"SSH_CONNECTION="+strings.Join([]string{remoteHost, remotePort, s.server.address, localPort}, " "))
	if s.terminal != nil {
		env = append(env, "TERM="+s.terminal.term, "SSH_TTY="+s.terminal.slave.Name())
	}
	return env
}

// startOnPipes runs the command with its standard streams on pipes.
func (s *session) startOnPipes(c command) error {
	var ours, theirs [3]*os.File
	for i := range ours {
		r, w, err := os.Pipe()
		if err != nil {
			closeAll(append(ours[:i], theirs[:i]...))
			return fmt.Errorf("making pipes: %w", err)
		}
		if i == 0 {
			ours[i], theirs[i] = w, r
		} else {
			ours[i], theirs[i] = r, w
		}
	}
	c.files = theirs[:]
	pid, done, err := s.server.processes.start(c)
	closeAll(theirs[:])
	if err != nil {
		closeAll(ours[:])
		return err
	}
	s.pid = pid
	go func() {
		_, _ = io.Copy(ours[0], s.channel) // ends with the client's input or the command's interest in it
		ours[0].Close()
	}()
	s.follow = func() { s.finish(done, ours[0], []stream{{ours[1], s.channel}, {ours[2], s.channel.Stderr()}}) }
	return nil
}

// startOnTerminal runs the command with its standard streams on the session's terminal.
func (s *session) startOnTerminal(c command) error {
	slave := s.terminal.slave
	c.files = []*os.File{slave, slave, slave}
	pid, done, err := s.server.processes.start(c)
	slave.Close()
	if err != nil {
		return err
	}
	s.pid = pid
	master := s.terminal.master
	go func() { _, _ = io.Copy(master, s.channel) }() // ends with the client or the terminal
	s.follow = func() { s.finish(done, master, []stream{{master, s.channel}}) }
	return nil
}

// stream is output of the command on its way to the client.
type stream struct {
	from *os.File
	to   io.Writer
}

// finish copies output until the command has ended and its output is drained, then tells the client how.
func (s *session) finish(done <-chan syscall.WaitStatus, input *os.File, outputs []stream) {
	var copies sync.WaitGroup
	ended := make(chan struct{})
	for _, o := range outputs {
		copies.Go(func() { copyOutput(o, ended) })
	}
	status := <-done
	close(ended)
	copies.Wait()
	input.Close()
	for _, o := range outputs {
		o.from.Close()
	}
	_ = s.channel.CloseWrite()
	if status.Signaled() {
		_, _ = s.channel.SendRequest("exit-signal", false, ssh.Marshal(struct {
			Name string
			Core bool
			Text string
			Lang string
		}{signalName(status.Signal()), status.CoreDump(), "", ""}))
	} else {
		_, _ = s.channel.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status.ExitStatus())}))
	}
	s.channel.Close()
}

// copyOutput copies to the end of file, or after the command's end until nothing came for drainQuiet.
func copyOutput(o stream, ended <-chan struct{}) {
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-ended:
			_ = o.from.SetReadDeadline(time.Now().Add(drainQuiet))
		case <-stop:
		}
	}()
	buffer := make([]byte, 32<<10)
	for {
		n, err := o.from.Read(buffer)
		if n > 0 {
			if _, err := o.to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return // end of file, EIO of a closed terminal, or silence
		}
		select {
		case <-ended:
			_ = o.from.SetReadDeadline(time.Now().Add(drainQuiet))
		default:
		}
	}
}

func signalName(sig syscall.Signal) string {
	for name, s := range signals {
		if s == sig {
			return string(name)
		}
	}
	return fmt.Sprintf("SIG%d@packer-hybrid", int(sig))
}

func closeAll(files []*os.File) {
	for _, f := range files {
		if f != nil {
			f.Close()
		}
	}
}
