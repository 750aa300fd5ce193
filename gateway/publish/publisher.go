package publish

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"infusiond/gateway/relay"
)

// subject is what the publisher's conditions concern.
const subject = "mqtt"

// timing holds every duration, so that tests need not wait.
type timing struct {
	backoffFirst time.Duration // bound of the first wait; it doubles
	backoffLast  time.Duration // and ends here
	stable       time.Duration // a connection of this age resets the backoff
	soon         time.Duration // closed within it: suspicious
	noAck        time.Duration // the longest wait for any acknowledgement
	reassert     time.Duration // how often the whole retained set is sent again
	patience     time.Duration // how long Deliver waits for a connection
	goodbye      time.Duration // how long an orderly end may take
}

func defaultTiming() timing {
	return timing{
		backoffFirst: time.Second, backoffLast: 30 * time.Second, stable: time.Minute, soon: 5 * time.Second,
		noAck: 20 * time.Second, reassert: 5 * time.Minute, patience: 5 * time.Second, goodbye: 3 * time.Second,
	}
}

// Publisher is the MQTT sink.
type Publisher struct {
	o        Options
	endpoint endpoint
	timing   timing
	random   *rand.Rand
	requests chan *delivery // unbuffered: a delivery is taken by a connection or not at all

	// Of Run's goroutine only:
	tries int    // failed connections since the last stable one
	kicks int    // connections that the broker closed soon, since the last stable one
	open  string // code of the reported connection failure

	mu     sync.Mutex
	status Status
	last   *relay.Failure // why there is no connection
}

// Status is the state of the connection.
type Status struct {
	Connected bool      // the broker acknowledged the birth of this connection
	Since     time.Time // of that state, by Options.Now; zero before the first attempt ended
	LastError string    // why it is not connected, or was not before; empty when it never failed
}

var _ relay.Sink = (*Publisher)(nil)

// New checks the options. It opens nothing: with valid options the broker may come later.
func New(o Options) (*Publisher, error) {
	e, err := o.endpoint()
	if err != nil {
		return nil, err
	}
	if o.ClientID == "" {
		return nil, errors.New("the MQTT client id is empty")
	}
	if o.Rand == nil {
		o.Rand = rand.NewPCG(rand.Uint64(), rand.Uint64())
	}
	return &Publisher{
		o: o, endpoint: e, timing: defaultTiming(), random: rand.New(o.Rand),
		requests: make(chan *delivery),
	}, nil
}

// Name implements relay.Sink.
func (*Publisher) Name() string { return subject }

// Status tells the state of the connection.
func (p *Publisher) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

// Run keeps a connection until ctx ends, and then says goodbye. It returns nil: a
// broker that is away is a condition, not an end.
func (p *Publisher) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		err := p.connection(ctx)
		if ctx.Err() != nil {
			break
		}
		p.failed(classify(err))
		pause := time.NewTimer(p.backoff())
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
	p.ended()
	return nil
}

// ended notes that nothing will be published any more.
func (p *Publisher) ended() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.Connected, p.status.Since = false, p.o.Now()
	p.last = classify(errEnding)
}

// connection lives through one connection, from dialling to its end.
func (p *Publisher) connection(ctx context.Context) error {
	lost := make(chan error, 1)
	client, c, err := p.connect(ctx, lost)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", p.endpoint.address, err)
	}
	began := time.Now()
	s := &session{p: p, client: client, conn: c, lost: lost, at: p.o.Now()}
	err = s.serve(ctx)
	s.abandon(err)
	if err != nil && errors.Is(err, errClosed) && time.Since(began) < p.timing.soon {
		p.kicked()
	}
	return err
}

// backoff is the wait before the next try: full jitter below a bound that doubles.
func (p *Publisher) backoff() time.Duration {
	bound := p.timing.backoffLast
	if p.tries < 16 {
		bound = min(bound, p.timing.backoffFirst<<p.tries)
	}
	p.tries++
	return time.Duration(p.random.Int64N(int64(bound))) + time.Millisecond
}

// failed makes the failure known; one code is open at a time.
func (p *Publisher) failed(f *relay.Failure) {
	if p.open != f.Code {
		p.clear()
		p.o.Log.Warn("broker connection failed", slog.String("code", f.Code), slog.String("reason", f.Error()))
	}
	p.open = f.Code
	p.o.Report(f.Code, subject, f.Error(), f.Hint)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Connected || p.status.Since.IsZero() {
		p.status.Since = p.o.Now()
	}
	p.status.Connected = false
	p.status.LastError = f.Error()
	p.last = f
}

// clear ends the reported connection failure.
func (p *Publisher) clear() {
	if p.open != "" {
		p.o.Report(p.open, subject, "", "")
		p.open = ""
	}
}

// confirmed notes that the broker acknowledged a birth: now it counts as connected.
func (p *Publisher) confirmed() {
	p.clear()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status.Connected {
		return
	}
	p.o.Log.Info("broker connected", slog.String("address", p.endpoint.address))
	p.status.Connected, p.status.Since, p.last = true, p.o.Now(), nil
}

// settled notes that a connection has become old enough to be trusted.
func (p *Publisher) settled() {
	p.tries = 0
	p.kicks = 0
	p.o.Report(CodeDuplicate, subject, "", "")
}

// kicked counts connections that the broker closed soon after it had accepted them. MQTT 3.1.1
// gives no reason; another client with the same id is the usual one.
func (p *Publisher) kicked() {
	const enough = 3
	if p.kicks++; p.kicks < enough {
		return
	}
	p.o.Report(CodeDuplicate, subject,
		fmt.Sprintf("the broker closed %d connections of client id %q soon after accepting them: suspected duplicate client id", p.kicks, p.o.ClientID),
		"stop the copy of this gateway, or give one of them another gateway name; if there is none, see the broker's log")
}

// failure is why records cannot be sent now.
func (p *Publisher) failure() *relay.Failure {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last != nil {
		return p.last
	}
	return classify(fmt.Errorf("no connection to %s yet", p.endpoint.address))
}
