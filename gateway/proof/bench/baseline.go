package main

import (
	"database/sql"
	"path/filepath"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
	_ "modernc.org/sqlite" // the driver that the spool uses

	"infusiond/gateway/proof/parts"
)

// arrival is a message as a subscriber's callback saw it.
type arrival struct {
	topic   string
	payload string
	at      time.Time
}

// connect connects a plain client with the defaults of its library.
func connect(t parts.TB, url, id string) mqtt.Client {
	t.Helper()
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(url).SetClientID(id).SetProtocolVersion(4).SetAutoReconnect(false))
	await(t, "connect", client.Connect())
	t.Cleanup(func() { client.Disconnect(100) })
	return client
}

// subscribe sends what arrives on the topics to the returned channel, stamped as the first thing.
func subscribe(t parts.TB, url string, topics ...string) <-chan arrival {
	t.Helper()
	arrivals := make(chan arrival, 100) // far more than ever wait
	client := connect(t, url, "bench-subscriber")
	for _, topic := range topics {
		await(t, "subscribe", client.Subscribe(topic, 1, func(_ mqtt.Client, m mqtt.Message) {
			a := arrival{at: time.Now(), topic: m.Topic(), payload: string(m.Payload())}
			select {
			case arrivals <- a:
			case <-t.Context().Done():
			}
		}))
	}
	return arrivals
}

func await(t parts.TB, what string, token mqtt.Token) {
	t.Helper()
	if !token.WaitTimeout(parts.Patience) {
		t.Fatalf("%s: the broker does not answer", what)
	}
	if err := token.Error(); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// baseline is the least that a gateway of this kind must do: one commit with the spool's
// pragmas, one publish.
type baseline struct {
	db       *sql.DB
	client   mqtt.Client
	arrivals <-chan arrival
}

const baselineTopic = "bench/baseline"

func newBaseline(t parts.TB, dir, url string, arrivals <-chan arrival) *baseline {
	t.Helper()
	file := "file:" + filepath.Join(dir, "baseline.db") + "?_pragma=auto_vacuum(incremental)&_pragma=journal_mode(wal)&_pragma=synchronous(full)"
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatalf("open the baseline's database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the baseline's database: %v", err)
		}
	})
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE record (pos INTEGER PRIMARY KEY, payload BLOB NOT NULL) STRICT"); err != nil {
		t.Fatalf("make the baseline's table: %v", err)
	}
	return &baseline{db: db, client: connect(t, url, "bench-publisher"), arrivals: arrivals}
}

// record commits the payload and publishes it, and returns how long that took to the callback.
func (b *baseline) record(t parts.TB, payload string) time.Duration {
	t.Helper()
	begin := time.Now()
	if _, err := b.db.ExecContext(t.Context(), "INSERT INTO record (payload) VALUES (?)", []byte(payload)); err != nil {
		t.Fatalf("commit the baseline's record: %v", err)
	}
	b.client.Publish(baselineTopic, 1, false, payload)
	return b.wait(t).Sub(begin)
}

// bare publishes the payload without a disk.
func (b *baseline) bare(t parts.TB, payload string) time.Duration {
	t.Helper()
	begin := time.Now()
	b.client.Publish(baselineTopic, 1, false, payload)
	return b.wait(t).Sub(begin)
}

func (b *baseline) wait(t parts.TB) time.Time {
	t.Helper()
	return next(t, b.arrivals, "the baseline's message", func(a arrival) bool { return a.topic == baselineTopic }).at
}

// next is the next message that is wanted.
func next(t parts.TB, arrivals <-chan arrival, what string, wanted func(arrival) bool) arrival {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	for {
		select {
		case a := <-arrivals:
			if wanted(a) {
				return a
			}
		case <-limit.C:
			t.Fatalf("%s did not arrive within 30 s", what)
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		}
	}
}
