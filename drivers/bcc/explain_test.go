package bcc

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"infusiond/drivers"
	"infusiond/drivers/bcc/wire"
)

func explain(t *testing.T, stuffing string, direction drivers.Direction, b []byte) []drivers.Explained {
	t.Helper()
	e, can := driver(t, map[string]string{"stuffing": stuffing}).(drivers.Explainer)
	if !can {
		t.Fatal("the driver explains nothing")
	}
	return e.Explain(direction, b)
}

// Covers GW-25.
func TestExplainCoversEveryByteOnce(t *testing.T) {
	s := newStation(t)
	stream := slices.Concat([]byte("xy"), s.frame(s.blocks[1], true), []byte{wire.ACK}, s.frame("300,50100,GNACK,0", true)[:20])
	at := 0
	all := explain(t, "on", drivers.FromPump, stream)
	for _, e := range all {
		if e.Offset != at || len(e.Bytes) == 0 {
			t.Errorf("%q at %d, want %d", e.Name, e.Offset, at)
		}
		at += len(e.Bytes)
	}
	if at != len(stream) || len(all) != 4 || all[1].Err != nil || len(all[1].Fields) < 20 {
		t.Fatalf("%d of %d bytes; %+v", at, len(stream), all)
	}
	if text := fmt.Sprintf("%+v %q", all[1].Fields, all[1].Bytes); strings.Contains(text, "4711") || !strings.Contains(text, "****") {
		t.Errorf("an identifier of a person: %s", text)
	}
	damaged := bytes.Replace(s.frame(s.blocks[1], true), []byte("INRT"), []byte("INRX"), 1)
	if e := explain(t, "on", drivers.FromPump, damaged)[0]; !errors.Is(e.Err, drivers.ErrChecksum) || bytes.Contains(e.Bytes, []byte("4711")) {
		t.Errorf("damaged: %v, %q", e.Err, e.Bytes)
	}
}

// A field's place is that on the wire, where stuffing makes it longer.
func TestExplainABlock(t *testing.T) {
	frame := "\x0100075\x02Bed1/1/1>300,50111,RUNSTATE,37\x1e300,50111,INAx,_NV\x0300000\x04"
	info := strings.TrimSuffix(strings.SplitN(frame, ">", 2)[1], "\x0300000\x04")
	b := wire.Block{Address: []byte("Bed1/1/1"), Information: []byte(info), Last: true}
	on := b.Append(nil, true)
	got := explain(t, "on", drivers.FromPump, on)
	want := []drivers.Explained{{
		Bytes: on, Name: "last block",
		Fields: []drivers.ExplainedField{
			{Offset: 1, Length: 5, Name: "length", Value: string(on[1:6]), Note: "whole frame, before stuffing"},
			{Offset: 7, Length: 10, Name: "address", Value: "Bed1/1/1", Note: "bed id and /1/1"},
			{Offset: 18, Length: 22, Name: "run_state", Value: "37", Note: "RUNSTATE of 50111 at 300 s: stop, alarm, pre-alarm"},
			{Offset: 41, Length: 18, Name: "inax", Note: `INAx of 50111 at 300 s: "_NV" is no value`},
			{Offset: 60, Length: 5, Name: "check", Value: string(on[60:65]), Note: "sum of the bytes before it, modulo 256"},
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExplainStreams(t *testing.T) {
	s := newStation(t)
	s.stuffed = false
	for _, row := range []struct {
		name      string
		direction drivers.Direction
		b         []byte
		want      string // of the first stretch
		err       error
		field     string // somewhere in its fields
	}{
		{"request", drivers.ToPump, wire.AppendRequest(nil, "Bed1/1/1", "MEM:GETSLOT#2A", false), "request MEM:GETSLOT#2A", nil, "MEM:GETSLOT#2A"},
		{"no request", drivers.ToPump, wire.AppendRequest(nil, "Bed1/1/1", "MEM:GETSLOT#4A", false), "request MEM:GETSLOT#4A", drivers.ErrForbidden, ""},
		{"ACK", drivers.ToPump, []byte{wire.ACK}, "ACK: send the next block", nil, ""},
		{"NAK", drivers.ToPump, []byte{wire.NAK}, "NAK: repeat the last block", nil, ""},
		{"error", drivers.FromPump, s.frame("300,50112,GNERR,39", true), "last block", nil, "removed"},
		{"version", drivers.FromPump, s.frame("300,50100,V3.30", true), "last block", nil, "V3.30"},
		{"more", drivers.FromPump, s.frame("300,50100,FMNOR,1", false), "block, more follow", nil, "pillars"},
		{"word", drivers.FromPump, s.frame("300,50111,ALARM1,0x00000400h", true), "last block", nil, "pressure too high"},
		{"status", drivers.FromPump, s.frame("300,50111,STATUS1,0x00040082h", true), "last block", nil, "mains, running, bit 18"},
		{"flag", drivers.FromPump, s.frame("300,50111,INA15,1", true), "last block", nil, "air"},
		{"flag of a later firmware", drivers.FromPump, s.frame("300,50111,INA17,1", true), "last block", nil, "does not name"},
		{"unit", drivers.FromPump, s.frame("300,50111,DORTU,71", true), "last block", nil, "ug/kg/min"},
		{"two records in one", drivers.FromPump, s.frame("300,50111", true), "last block", drivers.ErrMalformed, ""},
		{"cut off", drivers.FromPump, s.frame("300,50111,INRT,5.00", true)[:20], "bytes outside frames", drivers.ErrMalformed, ""},
		{"stuffed on a plain line", drivers.FromPump, newStation(t).frame("300,50111,GNMODEL,1", true), "damaged frame", drivers.ErrMalformed, ""},
	} {
		got := explain(t, "off", row.direction, row.b)
		if len(got) != 1 || got[0].Name != row.want || !errors.Is(got[0].Err, row.err) || !strings.Contains(fmt.Sprintf("%+v", got[0].Fields), row.field) {
			t.Errorf("%s: %+v", row.name, got)
		}
	}
}
