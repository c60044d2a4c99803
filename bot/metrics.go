// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:18:07Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

package bot

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Metrics are what the bot counts, under the prefix packer_hybrid_bot_.
type Metrics struct {
	Registry  *prometheus.Registry
	Commands  *prometheus.CounterVec   // door, outcome
	Seconds   *prometheus.HistogramVec // door; to the acknowledgement
	Decisions *prometheus.CounterVec   // result
	Failures  *prometheus.CounterVec   // queue; steps that are tried again
}

// NewMetrics makes the metrics of one bot. Depths of queues are read when they
// are asked for.
func NewMetrics(s *store.Store) *Metrics {
	const space, part = "packer_hybrid", "bot"
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: space, Subsystem: part, Name: name, Help: help},
			labels)
	}
	m := &Metrics{
		Registry:  prometheus.NewRegistry(),
		Commands:  counter("commands_total", "Requests at the doors, by what became of them.", "door", "outcome"),
		Decisions: counter("decisions_total", "Decisions of the policy.", "result"),
		Failures:  counter("failures_total", "Steps that failed and are tried again.", "queue"),
		Seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: space, Subsystem: part, Name: "acknowledge_seconds",
			Help:    "Time to the acknowledgement; Slack gives up after 3 s.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}, []string{"door"}),
	}
	m.Registry.MustRegister(m.Commands, m.Seconds, m.Decisions, m.Failures,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, queue := range []string{store.Intake, jobs.QueueDispatch, jobs.QueueFollow, jobs.QueueTell, QueueEphemeral} {
		m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: space, Subsystem: part, Name: "queue_length", Help: "Tasks that wait.",
			ConstLabels: prometheus.Labels{"queue": queue},
		}, func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			n := 0
			err := hybridcore.Contain(func() (err error) { n, err = s.Waiting(ctx, queue); return err })
			if err != nil {
				return -1
			}
			return float64(n)
		}))
	}
	return m
}

// Observe counts a request at a door.
func (m *Metrics) Observe(door, outcome string, took time.Duration) {
	m.Commands.WithLabelValues(door, outcome).Inc()
	m.Seconds.WithLabelValues(door).Observe(took.Seconds())
}

// QueueEphemeral is the queue of answers for one user.
const QueueEphemeral = "whisper"
