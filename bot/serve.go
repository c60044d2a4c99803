// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:19:11Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

package bot

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Limits of the servers.
const (
	headerWait = 5 * time.Second
	bodyWait   = 10 * time.Second
	idleWait   = 2 * time.Minute
	maxHeader  = 16 << 10

	// DoorPath is where Slack's requests come in: slash commands and interactions.
	DoorPath = "/slack"
	// EventsPath is where the events of the CI system come in, beside it.
	EventsPath = "/events"
)

// Service is a bot with its doors.
type Service struct {
	Bot    *Bot
	Secret string       // of Slack's signatures; empty: no HTTP door
	Door   net.Listener // of the HTTP door; nil: none
	Admin  net.Listener // of health checks and metrics
	Socket bool         // whether to open Socket Mode
	Events http.Handler // of the CI system, beside the HTTP door; nil: none
	Grace  time.Duration
}

// Serve takes commands and works them off until the context ends; then takes
// none any more, finishes what was begun, for at most the grace time, and
// leaves the rest in the queue.
func Serve(ctx context.Context, s Service) error {
	if s.Door == nil && !s.Socket {
		return errors.New("the bot has no door")
	}
	if s.Door != nil && s.Secret == "" {
		return errors.New("the HTTP door has no signing secret")
	}
	b := s.Bot
	doors := door.Door{Accept: b.Accept, Log: b.Log, Now: b.Now, Observe: b.Metrics.Observe}
	socket := &door.Socket{Door: doors, API: b.Chat.API}
	var stopping atomic.Bool
	ready := func(ctx context.Context) error {
		switch {
		case stopping.Load():
			return errors.New("stopping")
		case s.Socket && s.Door == nil && !socket.Connected():
			return errors.New("no connection to Slack")
		}
		return b.Store.Healthy(ctx)
	}
	admin := server(s.admin(ready))
	failed := make(chan error, 2)
	go serve(admin, s.Admin, failed)
	var open *http.Server
	if s.Door != nil {
		open = server(s.outside(&door.HTTP{Door: doors, Secret: s.Secret}))
		go serve(open, s.Door, failed)
	}
	inside, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	outside, shut := context.WithCancel(ctx)
	defer shut()
	var sockets, workers sync.WaitGroup
	if s.Socket {
		sockets.Go(func() { socket.Serve(outside) })
	}
	workers.Go(func() { b.Work(inside) })
	b.Log.Info("bot is up", "http", s.Door != nil, "socket", s.Socket)

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopping.Store(true)
	b.Log.Info("bot is stopping", "grace", s.Grace.String())
	grace, end := context.WithTimeout(context.WithoutCancel(ctx), s.Grace)
	defer end()
	if open != nil {
		err = errors.Join(err, open.Shutdown(grace))
	}
	shut()
	sockets.Wait()
	leave()
	err = errors.Join(err, wait(grace, &workers))
	return errors.Join(err, admin.Shutdown(grace))
}

// Accept stores a command; it is the doors' part of the store.
func (b *Bot) Accept(ctx context.Context, key [32]byte, c door.Command) error {
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("encoding a command: %w", err)
	}
	repeated, err := b.Store.Accept(ctx, key, body)
	if repeated {
		b.audit(c, "", nil, policy.Decision{Rule: "once", Why: "the same request was accepted before"})
	}
	return err
}

// Work works all queues off until the context ends, then finishes what was
// begun.
func (b *Bot) Work(ctx context.Context) {
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { b.Store.Work(ctx, store.Intake, b.intake, b.failed) })
		all.Go(func() { b.Store.Work(ctx, QueueEphemeral, b.ephemeral, b.failed) })
	}
	all.Go(func() { b.Worker.Run(ctx) })
	all.Go(func() { b.prune(ctx) })
	all.Wait()
}

// failed logs what goes wrong in a step, which is then tried again.
func (b *Bot) failed(task store.Task, err error) {
	b.Metrics.Failures.WithLabelValues(task.Queue).Inc()
	more := []any{"queue", task.Queue, "try", task.Try, "error", err}
	b.Log.Warn("trying again", append(more, hybridcore.Stack(err)...)...)
}

// prune forgets what is old, each hour.
func (b *Bot) prune(ctx context.Context) {
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		err := hybridcore.Contain(func() error { return jobs.Prune(context.WithoutCancel(ctx), b.Store) })
		if err != nil {
			b.Log.Warn("old entries not removed", append([]any{"error", err}, hybridcore.Stack(err)...)...)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// wait waits for workers, but no longer than the context.
func wait(ctx context.Context, workers *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() { workers.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.New("the grace time ended before all steps did; they are done again at the next start")
	}
}

func server(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: headerWait, ReadTimeout: bodyWait, WriteTimeout: bodyWait, IdleTimeout: idleWait,
		MaxHeaderBytes: maxHeader,
	}
}

// serve runs a server; an end that nobody asked for is told.
func serve(s *http.Server, l net.Listener, failed chan<- error) {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		failed <- fmt.Errorf("serving %s: %w", l.Addr(), err)
	}
}

// outside are the paths that Slack and the CI system call.
func (s Service) outside(slack http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(DoorPath, slack)
	if s.Events != nil {
		mux.Handle(EventsPath, s.Events)
	}
	return mux
}

// admin answers health checks and serves metrics.
func (s Service) admin(ready func(context.Context) error) http.Handler {
	mux := http.NewServeMux()
	check := func(healthy func(context.Context) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), time.Second)
			defer cancel()
			if err := healthy(ctx); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			_, _ = w.Write([]byte("ok\n"))
		}
	}
	mux.HandleFunc("GET /healthz", check(s.Bot.Store.Healthy))
	mux.HandleFunc("GET /readyz", check(ready))
	// A few kilobytes; to compress them would cost a megabyte for good.
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Bot.Metrics.Registry, promhttp.HandlerOpts{DisableCompression: true}))
	return mux
}
