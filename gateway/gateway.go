package gateway

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"infusiond/gateway/config"
	"infusiond/gateway/health"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/prescription"
	"infusiond/gateway/relay"
	"infusiond/gateway/retain"
	"infusiond/gateway/spool"
)

// Options is what a gateway is made of.
type Options struct {
	Config  *config.Config
	Drivers config.Drivers
	Version string
	Clock   infusion.Clock
	Log     *slog.Logger
	// Capture, optional, gives the writer of every byte on the port of the named pump (the first of
	// several on one port). It is called once for each port.
	Capture func(pump string) (io.Writer, error)
}

// Gateway is one running infusiond. Make it with New.
type Gateway struct {
	options Options
	sender  sender
	set     *retain.Set
	tracker *health.Tracker
	spool   *spool.Spool
	book    atomic.Pointer[prescription.Book]
	status  statusMessages

	channels []*channel   // filled before the keeper starts, then only read
	watches  []*portWatch // the same
	ready    chan struct{}

	mu      sync.Mutex // guards what follows
	relays  []*relay.Relay
	mqtt    brokerStatus
	pageURL string
}

// brokerStatus is the publisher as health sees it.
type brokerStatus struct {
	url       string
	connected func() bool
}

// ErrDataDir says that the folder for the gateway's records cannot be used at all. Even then the
// gateway runs, from memory; the error is only for check-config.
var ErrDataDir = errors.New("data folder cannot be used")

// New builds a gateway. It opens nothing.
func New(o Options) *Gateway {
	c := o.Config
	source := message.SourcePump
	if c.Simulated {
		source = message.SourceSim
	}
	g := &Gateway{
		options: o,
		sender: sender{
			gateway: c.Gateway, source: source, session: newID(), version: o.Version, started: message.TimeOf(o.Clock().UTC),
			topics: message.TopicsOf(c.Gateway, c.Simulated),
		},
		set: retain.New(), tracker: health.New(o.Clock), ready: make(chan struct{}),
	}
	g.book.Store(&prescription.Book{})
	return g
}

// newID makes an identifier that never comes again: 16 lower-case characters.
func newID() string {
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	for i := range raw {
		raw[i] = letters[raw[i]&31]
	}
	return string(raw)
}

// Ready is closed once broker and page are up, or their failure is a reported condition, and every
// pump was asked once.
func (g *Gateway) Ready() <-chan struct{} { return g.ready }

// PageURL is where the page is, empty while it is not.
func (g *Gateway) PageURL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.pageURL
}

// MQTTURL is the broker that the gateway speaks to, empty while there is none.
func (g *Gateway) MQTTURL() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.mqtt.url
}

// TopicRoot is the beginning of all topics of this gateway, with a slash at the end.
func (g *Gateway) TopicRoot() string { return g.sender.topics.Root() }

// Run runs the gateway until ctx ends, and then stops it in the order of the data: ports, judging,
// a last event, delivery (for at most five seconds), page, broker, disk. What was
// not delivered by then is on disk and goes out at the next start.
func (g *Gateway) Run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	g.loadPrescriptions()
	if err := g.openSpool(ctx); err != nil {
		return err
	}
	base := context.WithoutCancel(ctx)
	disk := newStage(base, fail)
	disk.run("spool", g.spool.Run)
	shown := newStage(base, fail)
	embedded := g.startBroker(shown)
	pageUp := g.startPage(shown)
	delivery := newStage(base, fail)
	mqttUp := g.startDelivery(delivery, embedded)
	if err := g.begin(ctx); err != nil {
		fail(fmt.Errorf("begin: %w", err))
	}
	judging := newStage(base, fail)
	acquisition := newStage(base, fail)
	polled, err := g.startPorts(acquisition, judging)
	if err != nil {
		fail(err)
	}
	keeping := newStage(base, fail) // after the channels, which health lists, exist
	keeping.run("keeper", g.keep)
	var announcing sync.WaitGroup
	announcing.Go(func() { g.announce(ctx, embedded.done, pageUp, mqttUp, polled) })

	<-ctx.Done()
	announcing.Wait()
	acquisition.stop()
	judging.stop()
	keeping.stop()
	g.end(base)
	g.drain(base)
	delivery.stop()
	shown.stop()
	disk.stop()
	err = errors.Join(g.spool.Close(), causeOf(ctx))
	return err
}

// causeOf is nil when ctx was simply cancelled.
func causeOf(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// announce closes ready once everything that can be up is up.
func (g *Gateway) announce(ctx context.Context, parts ...<-chan struct{}) {
	for _, p := range parts {
		select {
		case <-p:
		case <-ctx.Done():
			return
		}
	}
	close(g.ready)
}

func (g *Gateway) openSpool(ctx context.Context) error {
	dir := g.options.Config.DataDir
	if err := os.MkdirAll(dir, 0o750); err != nil {
		g.tracker.Report("disk_failed", dir, err.Error(), "")
	}
	open := func(name string) (*spool.Spool, error) {
		return spool.Open(ctx, spool.Options{
			Path: filepath.Join(dir, name), Log: g.options.Log, NewEpoch: newID, Now: func() time.Time { return g.options.Clock().UTC },
		})
	}
	s, err := open(spoolFile)
	if errors.Is(err, spool.ErrNewer) {
		// A newer program's records stay as they are; a file of our own goes on beside them.
		g.tracker.Report("spool_newer", spoolFile, err.Error(), "")
		s, err = open("spool-older.db")
	}
	if errors.Is(err, spool.ErrInUse) {
		return fmt.Errorf("open spool: %w; stop the other infusiond, or give this one a data_dir of its own", err)
	}
	if err != nil {
		return fmt.Errorf("open spool: %w", err)
	}
	g.spool = s
	g.reportProblems()
	return nil
}

const spoolFile = "spool.db"

// reportProblems turns what happened to the record file into conditions.
func (g *Gateway) reportProblems() {
	for _, problem := range g.spool.Problems() {
		g.tracker.Report("spool_quarantined", spoolFile, problem, "")
	}
}

// loadPrescriptions reads library and prescriptions; what is not valid is a condition and not used.
func (g *Gateway) loadPrescriptions() {
	c := g.options.Config
	book, problems := LoadBook(c)
	for _, p := range problems {
		g.tracker.Report(p.Code, p.File, p.Err.Error(), "")
	}
	if len(c.Prescriptions) == 0 {
		g.tracker.Report("no_prescription_file", "", "every verdict is unknown", "")
	}
	for _, p := range book.Prescriptions {
		if p.Library != nil && p.Library.Example {
			g.tracker.Report("library_example", p.Library.Name, p.Library.Title(), "")
		}
	}
	g.book.Store(book)
}

// FileProblem is a file of the configuration that cannot be used.
type FileProblem struct {
	Code string // a health code
	File string
	Err  error
}

// LoadBook reads the drug library and the prescriptions that a configuration names. Files with
// problems are left out.
func LoadBook(c *config.Config) (*prescription.Book, []FileProblem) {
	var problems []FileProblem
	var library *prescription.Library
	if c.DrugLibrary != "" {
		l, err := prescription.LoadLibrary(c.DrugLibrary)
		if err != nil {
			problems = append(problems, FileProblem{Code: "library_invalid", File: c.DrugLibrary, Err: err})
		}
		library = l
	}
	pumps := make([]string, len(c.Pumps))
	for i, p := range c.Pumps {
		pumps[i] = p.Name
	}
	book := &prescription.Book{}
	for _, file := range c.Prescriptions {
		p, err := prescription.Load(file, pumps, library)
		if err != nil {
			problems = append(problems, FileProblem{Code: "prescription_invalid", File: file, Err: err})
			continue
		}
		book.Prescriptions = append(book.Prescriptions, p)
	}
	return book, problems
}
