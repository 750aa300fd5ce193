package miva

import (
	"fmt"

	"infusiond/drivers"
	"infusiond/drivers/miva/wire"
)

// export hands over the records of one cycle, oldest first, and moves the anchor.
func (s *session) export(r *drivers.Report, b *batch, age clockAge) {
	for _, u := range b.units {
		if u.data {
			s.exportBlock(r, u, age)
			continue
		}
		r.Log = append(r.Log, s.exportRecord(u.records[0], age))
	}
	if n := len(b.units); n > 0 {
		records := b.units[n-1].records
		s.log.anchor = newAnchor(records[len(records)-1], b.head).String()
	} else if b.gap != nil {
		s.log.anchor = "" // nothing is left of what was read, and nothing new is there
	}
	if b.gap != nil {
		if len(r.Log) > 0 {
			b.gap.To = r.Log[0].ID
		}
		r.LogGaps = append(r.LogGaps, *b.gap)
	}
	if s.log.phase != phaseOpen {
		r.Anchor = s.log.anchor
	}
}

// exportBlock hands over a block of program data: its markers as events, what
// stands between them as raw records.
func (s *session) exportBlock(r *drivers.Report, u unit, age clockAge) {
	begin := s.exportRecord(u.records[0], age)
	last := len(u.records) - 1
	dataText := "program data"
	switch {
	case u.broken:
		begin.Text = "program data begins, and its end is missing"
		dataText = "follows program data without an end: may be an event"
		last = len(u.records)
	case len(u.records) == shortBlock:
		begin.Text, begin.Values = describeProgram([2]wire.Record{u.records[1].record, u.records[2].record})
	case len(u.records) == longBlock:
		var data [16]wire.Record
		for i := range data {
			data[i] = u.records[i+1].record
		}
		var drug string
		begin.Text, drug, begin.Values = describeLong(data)
		if drug != "" {
			r.DrugName = drug
		}
	}
	r.Log = append(r.Log, begin)
	for _, l := range u.records[1:last] {
		r.Log = append(r.Log, exportData(l, dataText))
	}
	if last < len(u.records) {
		r.Log = append(r.Log, s.exportRecord(u.records[last], age))
	}
}

// programNames are the programs of MIVA pumps by number.
var programNames = map[uint32]string{2: "Daily 1", 3: "Nightly", 4: "Daily 2"}

func describeProgram(data [2]wire.Record) (string, map[string]drivers.Quantity) {
	p := wire.DecodeProgram(data)
	name, ok := programNames[p.Number]
	if !ok {
		name = fmt.Sprintf("number %d", p.Number)
	}
	got := make(map[string]drivers.Quantity)
	putFloat(got, "rate_ml_per_h", p.Rate, drivers.MilliliterPerHour)
	putFloat(got, "vtbi_ml", p.VTBI, drivers.Milliliter)
	putFloat(got, "starting_dose_ml", p.StartingDose, drivers.Milliliter)
	putFloat(got, "extra_dose_ml", p.ExtraDose, drivers.Milliliter)
	got["extra_dose_lockout"] = drivers.Number(int64(p.Lockout), 0, drivers.UnitNone)
	return "program data: " + name, got
}

// longRateNames names the rate of a long program by its unit.
var longRateNames = []string{"rate_ml_per_h", "rate_mg_per_min", "rate_mg_per_kg_per_min", "rate_mcg_per_min", "rate_mcg_per_kg_per_min"}

func describeLong(data [16]wire.Record) (text, drug string, got map[string]drivers.Quantity) {
	p := wire.DecodeLongProgram(data)
	got = make(map[string]drivers.Quantity)
	if rate, ok := p.Value(wire.SwitchRate); ok && int(p.RateUnit()) < len(longRateNames) {
		unit := drivers.UnitNone
		if p.RateUnit() == 0 {
			unit = drivers.MilliliterPerHour
		}
		putFloat(got, longRateNames[p.RateUnit()], rate, unit)
	}
	if vtbi, ok := p.Value(wire.SwitchVTBI); ok {
		putFloat(got, "vtbi_ml", vtbi, drivers.Milliliter)
	}
	if concentration, ok := p.Value(wire.SwitchConcentration); ok {
		putFloat(got, "concentration", concentration, drivers.UnitNone)
	}
	if weight, ok := p.Value(wire.SwitchWeight); ok {
		putFloat(got, "weight", weight, drivers.UnitNone)
	}
	if len(got) == 0 {
		got = nil
	}
	return fmt.Sprintf("program data: %q, drug %q", p.Name(), p.Drug()), p.Drug(), got
}

func putFloat(got map[string]drivers.Quantity, name string, f float32, unit drivers.Unit) {
	if q, err := drivers.FromFloat32(f, unit); err == nil {
		got[name] = q
	}
}
