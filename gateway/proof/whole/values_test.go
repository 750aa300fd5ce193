package whole

import (
	"encoding/json"
	"fmt"
	"math/big"
	"testing"

	"infusiond/drivers/miva/wire"
	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
)

// TestValuesAreWhatThePumpSent holds the bytes that the pump sent against what the subscriber got and what
// stands in the database, cycle by cycle and decimal by decimal. Each pump has a gateway of its own,
// because ports that share a capture cannot be told apart.
// Covers GW-01, GW-21, GW-27, GW-48, GW-56, GW-74, GW-120.
func TestValuesAreWhatThePumpSent(t *testing.T) {
	t.Parallel()
	for _, p := range []pump{blue(), red()} {
		t.Run(p.drug, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, plan{gateway: "values-" + p.name, pumps: []pump{p}, speed: 60, influx: true})
			w := r.watch()
			d := r.start()
			readings := 0
			await(w, 0, "twelve readings", r.topics.Observation(p.name), func(o message.Observation) bool {
				if isReading(o) {
					readings++
				}
				return readings == 12
			})
			d.stop()
			await(w, 0, "the end", r.topics.GatewayEvent(), func(e message.Event) bool { return e.Event == message.EventStopped })
			records(t, w.Messages())
			published := all[message.Observation](w, r.topics.Observation(p.name))
			compareWithCapture(t, published, cycles(t, readCapture(t, r.capture)))
			compareInputs(t, p, published)
			compareWithDatabase(t, r.influx, r.gateway, published)
		})
	}
}

// values are the numbers of one cycle as exact decimals.
type values struct{ programmed, reported, infused, vtbi *big.Rat }

func (v values) equal(o values) bool {
	return v.programmed.Cmp(o.programmed) == 0 && v.reported.Cmp(o.reported) == 0 && v.infused.Cmp(o.infused) == 0 && v.vtbi.Cmp(o.vtbi) == 0
}

func (v values) String() string {
	return fmt.Sprintf("programmed %s, reported %s, infused %s, VTBI %s", text(v.programmed), text(v.reported), text(v.infused), text(v.vtbi))
}

func text(r *big.Rat) string {
	if r == nil {
		return "nothing"
	}
	return r.RatString()
}

func (v values) complete() bool {
	return v.programmed != nil && v.reported != nil && v.infused != nil && v.vtbi != nil
}

func rational(t *testing.T, decimal string) *big.Rat {
	t.Helper()
	r, ok := new(big.Rat).SetString(decimal)
	if !ok {
		t.Fatalf("%q is no number", decimal)
	}
	return r
}

// cycles decodes what the pump sent with the codec alone. A cycle counts when it came as far as the log,
// which is asked after the values.
func cycles(t *testing.T, capture []chunk) []values {
	t.Helper()
	scanner := wire.NewScanner(wire.Sum)
	var asked wire.Query
	var now values
	var out []values
	for _, c := range capture {
		if c.direction == '>' {
			payload, err := wire.DecodeFrame(c.bytes, wire.Sum)
			if err != nil {
				t.Fatalf("infusiond wrote % X: %v", c.bytes, err)
			}
			asked = wire.ParseRequest(payload).Query
			continue
		}
		for in := c.bytes; len(in) > 0 && c.direction == '<'; {
			payload, used := scanner.Next(in)
			in = in[used:]
			var reply wire.Reply
			if payload == nil || wire.Decode(payload, asked, &reply) != nil {
				continue
			}
			switch asked { //nolint:exhaustive // the other answers hold none of these values
			case wire.TextProgrammedRate:
				now.programmed = rational(t, string(reply.Text))
			case wire.TextRate:
				now.reported = rational(t, string(reply.Text))
			case wire.VolumeInfused:
				now.infused = big.NewRat(int64(reply.N[0]), 100)
			case wire.VTBI:
				now.vtbi = big.NewRat(int64(reply.N[0]), 100)
			case wire.LogIndices:
				if !now.complete() {
					t.Fatalf("the cycle %d of the capture holds %v", len(out), now)
				}
				out = append(out, now)
			}
		}
	}
	return out
}

// compareWithCapture demands that the readings are the captured cycles in their order. A captured cycle without
// a reading needs a published cycle that says so; the last may have been cut off by the end.
func compareWithCapture(t *testing.T, published []message.Observation, captured []values) {
	t.Helper()
	spare, last := 1, values{}
	changes := 0
	for _, o := range published {
		if !isReading(o) {
			spare++
			continue
		}
		got := values{
			rational(t, o.ProgrammedRateMlPerH.String()), rational(t, o.PumpReportedRateMlPerH.String()),
			rational(t, o.VolumeInfusedMl.String()), rational(t, o.VTBIMl.String()),
		}
		for len(captured) > 0 && !captured[0].equal(got) {
			t.Logf("captured and not published: %v", captured[0])
			captured = captured[1:]
			spare--
		}
		if len(captured) == 0 || spare < 0 {
			t.Fatalf("observation %d says %v, which the pump did not send there", o.Seq, got)
		}
		captured = captured[1:]
		if last.infused != nil && last.infused.Cmp(got.infused) != 0 {
			changes++
		}
		last = got
	}
	if len(captured) > spare {
		t.Errorf("%d cycles of the pump were not published, the first: %v", len(captured), captured[0])
	}
	if changes < 3 {
		t.Errorf("the volume changed %d times: that proves nothing", changes)
	}
}

// compareInputs looks at what the verdict was made of.
func compareInputs(t *testing.T, p pump, published []message.Observation) {
	t.Helper()
	for _, o := range published {
		if !isReading(o) {
			continue
		}
		in := o.Verdict.Inputs
		if !isOK(o) || o.Verdict.Prescription == nil || in == nil {
			t.Fatalf("observation %d: verdict %+v", o.Seq, o.Verdict)
		}
		if ref := *o.Verdict.Prescription; ref != (message.PrescriptionRef{Patient: "child-0001", Infusion: p.drug, Version: 3}) {
			t.Errorf("observation %d: judged by %+v", o.Seq, ref)
		}
		for _, row := range []struct{ name, got, want string }{
			{"prescribed rate", in.PrescribedRateMlPerH.String(), fmt.Sprint(p.rate)},
			{"rounded prescribed rate", in.RoundedPrescribedRateMlPerH.String(), fmt.Sprint(p.rate)},
			{"prescribed dose", in.PrescribedDose.String(), p.dose},
			{"programmed dose", in.ProgrammedDose.String(), p.dose},
			{"weight", in.WeightKg.String(), "7.4"},
			{"concentration", in.ConcentrationMcgPerMl.String(), p.concentration},
			{"programmed rate", o.ProgrammedRateMlPerH.String(), fmt.Sprint(p.rate)},
		} {
			if rational(t, row.got).Cmp(rational(t, row.want)) != 0 {
				t.Errorf("observation %d: %s %s, want %s", o.Seq, row.name, row.got, row.want)
			}
		}
		if in.Drug != p.drug || in.BagConfirmed != message.Yes || o.DeliveryStatus != "infusing" {
			t.Errorf("observation %d: drug %q, bag confirmed %q, %s", o.Seq, in.Drug, in.BagConfirmed, o.DeliveryStatus)
		}
	}
}

// compareWithDatabase queries every observation back.
func compareWithDatabase(t *testing.T, db *parts.InfluxServer, gateway string, published []message.Observation) {
	t.Helper()
	rows := rowsByKey(t, db, "infusion", gateway)
	if len(rows) != len(published) {
		t.Errorf("%d observations in the database, %d were published", len(rows), len(published))
	}
	for _, o := range published {
		row, found := rows[key{o.Epoch, o.Pump, o.Seq}]
		if !found {
			t.Errorf("observation %d of %s is not in the database", o.Seq, o.Pump)
			continue
		}
		for column, want := range map[string]message.Decimal{
			"pump_reported_volume_infused_ml": o.VolumeInfusedMl, "programmed_rate_ml_per_h": o.ProgrammedRateMlPerH,
			"pump_reported_rate_ml_per_h": o.PumpReportedRateMlPerH, "vtbi_ml": o.VTBIMl,
		} {
			got, there := row[column].(json.Number)
			if there == want.IsZero() || there && rational(t, got.String()).Cmp(rational(t, want.String())) != 0 {
				t.Errorf("observation %d of %s: %s is %q in the database, published was %q", o.Seq, o.Pump, column, got, want)
			}
		}
		if row["source"] != o.Source || row["verdict"] != o.Verdict.Verdict || row["delivery_status"] != o.DeliveryStatus {
			t.Errorf("observation %d of %s: in the database %v", o.Seq, o.Pump, row)
		}
	}
}
