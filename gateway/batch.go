package gateway

import (
	"infusiond/gateway/alert"
	"infusiond/gateway/check"
	"infusiond/gateway/infusion"
	"infusiond/gateway/message"
	"infusiond/gateway/spool"
)

// batch collects the records of one moment of one stream.
type batch struct {
	sender sender
	pump   string // empty: the gateway's own stream
	serial string
	at     infusion.Instant
	drafts []spool.Draft
}

func (b *batch) draft(kind spool.Kind, schema string, build func(message.Envelope) any) spool.Draft {
	at, serial, s := b.at, b.serial, b.sender
	return spool.Draft{
		Stream: b.pump, Kind: kind, At: at.UTC,
		Encode: func(k spool.Key) ([]byte, error) { return encode(build(s.stream(schema, k, at, serial))) },
	}
}

func (b *batch) event(e message.Event) {
	b.drafts = append(b.drafts, b.draft(spool.Event, message.SchemaEvent, func(env message.Envelope) any {
		e.Envelope = env
		return e
	}))
}

func (b *batch) observation(o infusion.Observation, r check.Result) {
	m := message.Observation{Reading: reading(o), Verdict: verdict(r), Link: linkOf(o.Link), CycleMS: o.Took.Milliseconds()}
	b.drafts = append(b.drafts, b.draft(spool.Observation, message.SchemaObservation, func(env message.Envelope) any {
		m.Envelope = env
		return m
	}))
}

func (b *batch) transition(t alert.Transition) spool.Draft {
	return b.draft(spool.Alert, message.SchemaAlert, func(env message.Envelope) any {
		return message.AlertTransition{Envelope: env, Transition: t.Kind, Alert: t.Alert}
	})
}
