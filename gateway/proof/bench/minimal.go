package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	uart "go.bug.st/serial" //nolint:depguard // the baseline does without gateway/link
	"golang.org/x/sync/errgroup"
)

// plan is what the minimal program does: the same cycles on every port, one a second.
type plan struct {
	Ports    []string
	Cycles   [][]exchange
	Payload  string // of the size of an observation
	Broker   string
	Database string
}

// exchange is one query and the length of its answer.
type exchange struct {
	Query []byte
	Reply int
}

const minimalBaud = 9600

// play is the baseline of idle, a program of its own: it asks, waits, commits and publishes, and understands nothing.
func play(ctx context.Context, file string) (err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+p.Database+"?_pragma=auto_vacuum(incremental)&_pragma=journal_mode(wal)&_pragma=synchronous(full)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "CREATE TABLE record (pos INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT"); err != nil {
		return err
	}
	insert, err := db.PrepareContext(ctx, "INSERT INTO record (payload) VALUES (?)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(p.Broker).SetClientID("bench-minimal").SetProtocolVersion(4))
	if token := client.Connect(); token.Wait() && token.Error() != nil {
		return token.Error()
	}
	defer client.Disconnect(100)
	record := func() error {
		if _, err := insert.ExecContext(ctx, []byte(p.Payload)); err != nil {
			return err
		}
		client.Publish("bench/minimal", 1, false, p.Payload)
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	for _, port := range p.Ports {
		group.Go(func() error { return p.poll(ctx, port, record) })
	}
	if err := group.Wait(); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// poll plays the cycles on one port.
func (p *plan) poll(ctx context.Context, path string, record func() error) (err error) {
	port, err := uart.Open(path, &uart.Mode{BaudRate: minimalBaud})
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, port.Close()) }()
	if err := port.SetReadTimeout(time.Second); err != nil {
		return err
	}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for n := 0; ; n++ {
		for _, x := range p.Cycles[n%len(p.Cycles)] {
			if err := x.make(ctx, port); err != nil {
				return fmt.Errorf("ask on %s: %w", path, err)
			}
		}
		if err := record(); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-second.C:
		}
	}
}

// make asks, waits out the time that query and answer need on the wire, and reads the answer.
func (x exchange) make(ctx context.Context, port uart.Port) error {
	if _, err := port.Write(x.Query); err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(len(x.Query)+x.Reply+1) * 10 * time.Second / minimalBaud):
	case <-ctx.Done():
		return ctx.Err()
	}
	var b [256]byte
	for got := 0; got < x.Reply; {
		n, err := port.Read(b[:])
		if err != nil {
			return err
		}
		if n == 0 {
			return nil // the pump is quicker or slower than in the plan; the next query comes all the same
		}
		got += n
	}
	return nil
}
