package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"infusiond/drivers"
	"infusiond/gateway/config"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/message/schema"
	"infusiond/gateway/normalize"
	"infusiond/gateway/prescription"
	"infusiond/gateway/retain"
	"infusiond/gateway/spool"
	"infusiond/gateway/units"
)

var noon = infusion.Instant{UTC: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Boot: time.Hour, Synced: true}

// memory records in memory like a spool.
type memory struct {
	mu      sync.Mutex
	fail    error
	seq     uint64
	topics  map[spool.Kind]uint64
	notes   map[string][]byte
	records []spool.Record
}

func (m *memory) Append(_ context.Context, b spool.Batch) ([]spool.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return nil, m.fail
	}
	var out []spool.Record
	for _, d := range b.Drafts {
		m.seq++
		m.topics[d.Kind]++
		key := spool.Key{Epoch: "epoch-1", Stream: d.Stream, Seq: m.seq, TopicSeq: m.topics[d.Kind], Durable: true}
		payload, err := d.Encode(key)
		if err != nil {
			return nil, err
		}
		out = append(out, spool.Record{Key: key, Pos: int64(m.seq), Kind: d.Kind, At: d.At, Payload: payload})
	}
	maps.Copy(m.notes, b.Notes)
	m.records = append(m.records, out...)
	return out, nil
}

func (m *memory) Note(_ context.Context, key string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.notes[key]
	return v, ok, nil
}

// bench is a channel without its goroutine.
type bench struct {
	t *testing.T
	*channel
	store *memory
	now   infusion.Instant
	seen  int
}

func newBench(t *testing.T, store *memory) *bench {
	b := &bench{t: t, store: store, now: noon, seen: len(store.records)}
	ids := len(store.records)
	b.channel = newChannel(channelOptions{
		Pump:   config.Pump{Name: "blue", Label: "Blue pump", Colour: "blue", Serial: "SIM00001"},
		Sender: sender{gateway: "home-1", source: message.SourceSim, session: "s1", version: "test", topics: message.TopicsOf("home-1", true)},
		Book:   book, Spool: store, Set: retain.New(), Clock: func() infusion.Instant { return b.now },
		NewID: func() string { ids++; return fmt.Sprintf("alert-%d", ids) }, Log: slog.New(slog.DiscardHandler),
	})
	if err := b.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func newMemory() *memory {
	return &memory{topics: map[spool.Kind]uint64{}, notes: map[string][]byte{}}
}

func book() *prescription.Book {
	rate := 111 * units.MilliliterPerHour / 100
	return &prescription.Book{Prescriptions: []*prescription.Prescription{{
		Patient: "child-1", Version: 3, EffectiveFrom: noon.UTC.Add(-time.Hour), WeightKg: big.NewRat(74, 10),
		Infusions: []prescription.Infusion{{
			Name: "milrinone", Pump: "blue", Drug: "milrinone", DoseMcgPerKgPerMin: big.NewRat(1, 2), ConcentrationMcgPerMl: big.NewRat(200, 1),
			Start: noon.UTC.Add(-time.Hour), Step: units.MilliliterPerHour / 100, Rate: rate, Rounded: rate,
			Bag:    &prescription.Bag{Drug: "milrinone", ConcentrationMcgPerMl: big.NewRat(200, 1), ConfirmedBy: "two", ConfirmedAt: noon.UTC},
			Limits: &prescription.Drug{Name: "milrinone", Stop: prescription.Slow},
		}},
	}}}
}

// play runs one cycle and returns the new messages after validating them and the retained ones.
func (b *bench) play(alter func(*normalize.Input)) []spool.Record {
	b.t.Helper()
	b.now = b.now.Add(5 * time.Second)
	in := normalize.Input{
		Pump: "blue", At: b.now, Took: 600 * time.Millisecond, Link: infusion.Link{State: infusion.LinkOnline, Since: noon},
		Report: &drivers.Report{
			Identity: drivers.Identity{Serial: "SIM00001", Model: "MIVA", Firmware: "1.0"}, State: drivers.RunInfusing, AlarmsKnown: true, LogSeen: true, Anchor: "a1",
			ProgrammedRate: drivers.Number(111, -2, drivers.MilliliterPerHour), PumpReportedRate: drivers.Number(111, -2, drivers.MilliliterPerHour),
			VolumeInfused: drivers.Number(1234, -2, drivers.Milliliter), VTBI: drivers.Number(100, 0, drivers.Milliliter),
			BatteryVolts: drivers.Number(285, -2, drivers.Volt), PumpClock: "F0012400", PumpClockS: drivers.Number(74752, 0, drivers.Second),
		},
	}
	if alter != nil {
		alter(&in)
	}
	if err := b.cycle(b.t.Context(), in); err != nil {
		b.t.Fatal(err)
	}
	return b.fresh()
}

func (b *bench) fresh() []spool.Record {
	b.t.Helper()
	topics := b.Sender.topics
	news := b.store.records[b.seen:]
	b.seen = len(b.store.records)
	for _, r := range news {
		topic := map[spool.Kind]string{spool.Observation: topics.Observation("blue"), spool.Event: topics.Event("blue"), spool.Alert: topics.Alert("blue")}[r.Kind]
		if err := schema.ValidateTopic(topic, r.Payload); err != nil {
			b.t.Fatalf("%s: %v\n%s", topic, err, r.Payload)
		}
	}
	all, _ := b.Set.Since(0)
	for _, m := range all {
		if err := schema.ValidateTopic(m.Topic, m.Payload); err != nil {
			b.t.Fatalf("%s: %v\n%s", m.Topic, err, m.Payload)
		}
	}
	return news
}

func (b *bench) state() message.State {
	b.t.Helper()
	m, _ := b.Set.Get(b.Sender.topics.State("blue"))
	var s message.State
	if err := json.Unmarshal(m.Payload, &s); err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) alerts() message.Alerts {
	b.t.Helper()
	m, _ := b.Set.Get(b.Sender.topics.Alerts("blue"))
	var a message.Alerts
	if err := json.Unmarshal(m.Payload, &a); err != nil {
		b.t.Fatal(err)
	}
	return a
}

func gap(reason infusion.GapReason) func(*normalize.Input) {
	return func(in *normalize.Input) {
		in.Report, in.Gap = nil, &infusion.Gap{Reason: reason, Detail: "because"}
		in.Link = infusion.Link{State: infusion.LinkSilent, Since: in.At}
	}
}

func kinds(records []spool.Record) string {
	names := map[spool.Kind]string{spool.Observation: "observation", spool.Event: "event", spool.Alert: "alert"}
	text := ""
	for _, r := range records {
		text += names[r.Kind] + " "
	}
	return text
}

func TestACycleIsOneObservationAndOneTransaction(t *testing.T) {
	b := newBench(t, newMemory())
	if got := kinds(b.play(nil)); got != "event event event observation " { // link, identified, prescription
		t.Errorf("first cycle: %s", got)
	}
	if got := kinds(b.play(nil)); got != "observation " {
		t.Errorf("second cycle: %s", got)
	}
	s := b.state()
	if s.Verdict.Verdict != message.VerdictOK || s.ProgrammedRateMlPerH.String() != "1.11" || s.VolumeInfusedMl.String() != "12.34" ||
		s.ObservationSeq != 5 || s.Verdict.Prescription.Version != 3 || s.Verdict.Inputs.RateToleranceMlPerH.String() != "0.0111" {
		t.Errorf("%+v", s)
	}
	if s.ValidUntil.Time().Sub(s.TS.Time()) != validFor || s.Sentence != "Blue pump – milrinone: running as prescribed (pump-reported)." {
		t.Errorf("valid until %v of %v: %s", s.ValidUntil, s.TS, s.Sentence)
	}
	if note, found, _ := b.store.Note(t.Context(), "anchor/SIM00001"); !found || string(note) != "a1" {
		t.Errorf("anchor %q", note)
	}
}

func TestWithoutAReadingNoNumberIsTheOldOne(t *testing.T) {
	b := newBench(t, newMemory())
	b.play(nil)
	good := b.state()
	b.play(gap(infusion.GapNoReply))
	s := b.state()
	if s.Verdict.Verdict != message.VerdictUnknown || s.DeliveryStatus != "unknown" || s.UnknownReason != "no_reply" || !s.ProgrammedRateMlPerH.IsZero() ||
		!s.VolumeInfusedMl.IsZero() || s.Battery != nil || s.Serial != "" {
		t.Errorf("%+v", s)
	}
	old := s.LastKnown
	if old == nil || old.Reading == nil || old.Reading.TS != good.TS || s.LastReading != good.TS || old.Battery.TS != good.TS || !s.TS.Time().After(good.TS.Time()) {
		t.Errorf("last known %+v", old)
	}
	if a := b.alerts(); a.PumpAlarmsKnown != message.No || len(a.Alerts) != 0 {
		t.Errorf("%+v", a)
	}
}

func TestSilenceBecomesAnAlertThatLastsUntilDataReturns(t *testing.T) {
	b := newBench(t, newMemory())
	b.play(nil)
	for range 5 {
		b.play(gap(infusion.GapNoReply))
	}
	if a := b.alerts(); len(a.Alerts) != 0 {
		t.Errorf("after 25 s: %+v", a.Alerts)
	}
	// The polling hangs as well: only time passes.
	b.now = b.now.Add(10 * time.Second)
	if err := b.tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.fresh()
	if a := b.alerts(); len(a.Alerts) != 1 || a.Alerts[0].Code != message.CodeDataDelayed {
		t.Errorf("after 35 s: %+v", a.Alerts)
	}
	b.now = b.now.Add(20 * time.Minute)
	if err := b.tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.fresh()
	if a := b.alerts(); len(a.Alerts) != 1 || a.Alerts[0].Code != message.CodeDataStale || a.Alerts[0].Priority != message.PriorityHigh {
		t.Errorf("after 20 min: %+v", a.Alerts)
	}
	b.play(nil)
	if a := b.alerts(); len(a.Alerts) != 0 {
		t.Errorf("data returned: %+v", a.Alerts)
	}
}

func TestAnotherPumpIsAnAlertAndNothingOfItIsKept(t *testing.T) {
	b := newBench(t, newMemory())
	b.play(nil)
	for range 2 {
		b.play(gap(infusion.GapWrongIdentity))
	}
	if a := b.alerts(); len(a.Alerts) != 1 || a.Alerts[0].Code != message.CodeIdentityMismatch || a.Alerts[0].Priority != message.PriorityHigh {
		t.Errorf("%+v", a.Alerts)
	}
	b.play(gap(infusion.GapNoReply)) // silence does not say that the pump is right again
	if a := b.alerts(); len(a.Alerts) != 1 {
		t.Errorf("%+v", a.Alerts)
	}
	b.play(nil)
	if a := b.alerts(); len(a.Alerts) != 0 {
		t.Errorf("%+v", a.Alerts)
	}
}

func occlusion(in *normalize.Input) {
	in.Report.State = drivers.RunStoppedByAlarm
	in.Report.Alarms = []drivers.Alarm{{
		Code: drivers.AlarmOcclusionDownstream, RawCode: "9/2", Text: "occlusion downstream", Derived: true, AgeS: drivers.Number(3, 0, drivers.Second),
	}}
}

func TestAPumpAlarmIsOneAlertAlsoOverARestart(t *testing.T) {
	store := newMemory()
	b := newBench(t, store)
	b.play(nil)
	record := drivers.LogRecord{ID: "10-abc", RawCode: "9/2", Name: "occlusion", Text: "occlusion alarm", Alarm: drivers.AlarmOcclusionDownstream, Raw: []byte{9}, AgeS: drivers.Number(3, 0, drivers.Second)}
	got := b.play(func(in *normalize.Input) {
		occlusion(in)
		in.Report.Log = []drivers.LogRecord{record}
	})
	if kinds(got) != "alert event observation " {
		t.Errorf("%s", kinds(got))
	}
	a := b.alerts().Alerts
	if len(a) != 1 || a[0].Origin != message.OriginPump || !a[0].Derived || a[0].Onset.Time() != b.now.UTC.Add(-3*time.Second) {
		t.Fatalf("%+v", a)
	}
	again := newBench(t, store)
	again.now = b.now.Add(time.Minute)
	again.play(occlusion)
	// Beside it, the stop that the alarm caused has now lasted two readings.
	after := again.alerts().Alerts
	if len(after) != 2 || after[0].ID != a[0].ID || after[0].RaisedTS != a[0].RaisedTS || after[1].Code != message.CodeStopped {
		t.Errorf("after the restart %+v, before %+v", after, a)
	}
	again.play(nil)
	if after := again.alerts().Alerts; len(after) != 0 {
		t.Errorf("ended: %+v", after)
	}
}

// The end of an alarm in a piece of a long log is remembered over a restart, although nothing was told of it yet.
// Covers GW-95, GW-97.
func TestAnEndInAPieceOfTheLogSurvivesARestart(t *testing.T) {
	store := newMemory()
	b := newBench(t, store)
	b.play(nil)
	begin := drivers.LogRecord{ID: "10-a", RawCode: "9/2", Name: "occlusion", Text: "occlusion alarm", Alarm: drivers.AlarmOcclusionDownstream, Raw: []byte{9}, AgeS: drivers.Number(600, 0, drivers.Second)}
	end := drivers.LogRecord{ID: "11-b", RawCode: "1", Name: "run", Text: "run infusion", Ends: true, Raw: []byte{1}, AgeS: drivers.Number(500, 0, drivers.Second)}
	piece := func(records ...drivers.LogRecord) func(*normalize.Input) {
		return func(in *normalize.Input) {
			in.Report.Log, in.Report.AlarmsKnown, in.Report.AlarmsReason = records, false, "the log is still being read"
		}
	}
	b.play(piece(begin))
	b.play(piece(end))
	ended := b.now.UTC.Add(-500 * time.Second)
	again := newBench(t, store)
	again.now = b.now
	again.restart(t)
	for _, r := range again.play(nil) {
		if r.Kind != spool.Alert {
			continue
		}
		var a message.AlertTransition
		if err := json.Unmarshal(r.Payload, &a); err != nil {
			t.Fatal(err)
		}
		if a.Transition != message.Ended || !a.Alert.EndedTS.Time().Equal(ended) {
			t.Errorf("%s at %v, want the end at %v", a.Transition, a.Alert.EndedTS, ended)
		}
		return
	}
	t.Error("the alarm did not end")
}

// A stop that was seen before a restart is the same stop after it: one alert whose timer goes on.
// Covers GW-97.
func TestAStopIsTheSameStopAfterARestart(t *testing.T) {
	store := newMemory()
	b := newBench(t, store)
	b.play(nil)
	stopped := func(in *normalize.Input) { in.Report.State = drivers.RunPaused }
	b.play(stopped)
	b.play(stopped)
	before := b.alerts().Alerts
	if len(before) != 1 || before[0].Code != message.CodeStopped || before[0].Priority != message.PriorityMedium {
		t.Fatalf("%+v", before)
	}
	again := newBench(t, store)
	again.now = b.now.Add(4 * time.Minute)
	again.restart(t)
	if err := again.tick(t.Context()); err != nil { // milrinone's timer, not that of a fast drug
		t.Fatal(err)
	}
	again.play(stopped)
	if after := again.alerts().Alerts; len(after) != 1 || after[0].ID != before[0].ID || after[0].Onset != before[0].Onset || after[0].Priority != message.PriorityMedium {
		t.Errorf("after the restart %+v, before %+v", after, before)
	}
	again.now = again.now.Add(time.Minute)
	again.play(stopped)
	if after := again.alerts().Alerts; len(after) != 1 || after[0].ID != before[0].ID || after[0].Priority != message.PriorityHigh {
		t.Errorf("five minutes after the stop: %+v", after)
	}
	again.play(nil)
	if after := again.alerts().Alerts; len(after) != 0 {
		t.Errorf("running again: %+v", after)
	}
}

// A silence that was seen before a restart is the same silence after it.
// Covers GW-97.
func TestASilenceIsTheSameSilenceAfterARestart(t *testing.T) {
	store := newMemory()
	b := newBench(t, store)
	b.play(nil)
	b.now = b.now.Add(3 * time.Minute)
	b.play(gap(infusion.GapNoReply))
	before := b.alerts().Alerts
	if len(before) != 1 || before[0].Code != message.CodeDataStale || before[0].Priority != message.PriorityLow {
		t.Fatalf("%+v", before)
	}
	again := newBench(t, store)
	again.now = b.now.Add(13 * time.Minute)
	again.restart(t)
	again.play(gap(infusion.GapPortAbsent))
	if after := again.alerts().Alerts; len(after) != 1 || after[0].ID != before[0].ID || after[0].Priority != message.PriorityHigh {
		t.Errorf("after the restart %+v, before %+v", after, before)
	}
	again.play(nil)
	if after := again.alerts().Alerts; len(after) != 0 {
		t.Errorf("data returned: %+v", after)
	}
}

// restart restores at the bench's present time.
func (b *bench) restart(t *testing.T) {
	t.Helper()
	if err := b.restore(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestACycleThatCannotBeRecordedIsAnErrorToItsPoller(t *testing.T) {
	b := newBench(t, newMemory())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.store.mu.Lock()
	b.store.fail = spool.ErrClosed
	b.store.mu.Unlock()
	in := normalize.Input{Pump: "blue", At: noon, Gap: &infusion.Gap{Reason: infusion.GapNoReply}, Link: infusion.Link{State: infusion.LinkSilent, Since: noon}}
	if err := b.take(ctx, in); err == nil {
		t.Error("the poller believes that the cycle is recorded")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestRandomLives plays random cycles: every message follows the contract, no failed cycle is ok or
// holds a number, and the open alerts are those that were raised and not ended.
func TestRandomLives(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 9))
	b := newBench(t, newMemory())
	open := map[string]bool{}
	reasons := []infusion.GapReason{
		infusion.GapPortAbsent, infusion.GapPortLost, infusion.GapNoReply, infusion.GapCorruptReply, infusion.GapWrongIdentity, infusion.GapInternal,
	}
	for range 400 {
		records := b.play(func(in *normalize.Input) {
			switch r.IntN(4) {
			case 0:
				gap(reasons[r.IntN(len(reasons))])(in)
			case 1:
				in.Report.State = drivers.RunState(r.IntN(int(drivers.RunPoweredOff) + 1))
				in.Report.ProgrammedRate.Mantissa = r.Int64N(3000)
				in.Report.AlarmsKnown = r.IntN(2) == 0
				in.Report.AlarmsReason = "the log is still being read"
			case 2:
				occlusion(in)
			}
		})
		for _, rec := range records {
			switch rec.Kind {
			case spool.Observation:
				var o message.Observation
				if err := json.Unmarshal(rec.Payload, &o); err != nil {
					t.Fatal(err)
				}
				if o.UnknownReason != "" && (o.Verdict.Verdict != message.VerdictUnknown || !o.ProgrammedRateMlPerH.IsZero() || !o.VolumeInfusedMl.IsZero()) {
					t.Fatalf("seed %d: failed cycle with %s", seed, rec.Payload)
				}
			case spool.Alert:
				var a message.AlertTransition
				if err := json.Unmarshal(rec.Payload, &a); err != nil {
					t.Fatal(err)
				}
				switch a.Transition {
				case message.Raised:
					open[a.Alert.ID] = true
				case message.Ended:
					delete(open, a.Alert.ID)
				}
			case spool.Event:
			}
		}
		if got := b.alerts().Alerts; len(got) != len(open) {
			t.Fatalf("seed %d: %d alerts in the set, %d lives open", seed, len(got), len(open))
		}
	}
}
