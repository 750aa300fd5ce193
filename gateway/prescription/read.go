package prescription

import (
	"fmt"
	"math/big"
	"time"

	"infusiond/gateway/document"
	"infusiond/gateway/units"
)

// Load reads a prescription file. Pumps names the pumps of the configuration; library may be nil.
// The error is document.Problems.
func Load(path string, pumps []string, library *Library) (*Prescription, error) {
	return read(document.Open(path), pumps, library)
}

// Parse reads the content of a prescription file, as Load does.
func Parse(path string, data []byte, pumps []string, library *Library) (*Prescription, error) {
	return read(document.Parse(path, data), pumps, library)
}

func read(d *document.Document, pumps []string, library *Library) (*Prescription, error) {
	root := d.Root("patient", "version", "effective_from", "author", "reason", "review_by", "weight", "infusions")
	author := root.Get("author").Need("say who ordered this: name and role").Mapping("name", "role")
	weight := root.Get("weight").Need("give the dosing weight: kg and date").Mapping("kg", "date")
	p := &Prescription{
		File:          d.File(),
		Patient:       root.Get("patient").Need("write the patient's pseudonym, never a name").Name(),
		Version:       root.Get("version").Need("number the version, from 1").Int(1, 1<<30, 1),
		EffectiveFrom: root.Get("effective_from").Need("say from when this version applies").Time(),
		Author:        author.Get("name").Need("name the author").Text(),
		Role:          author.Get("role").Need("write the author's role").Text(),
		Reason:        root.Get("reason").Need("say why this version was made").Text(),
		ReviewBy:      root.Get("review_by").Date(),
		WeightKg:      weight.Get("kg").Need("write the dosing weight in kg").Within("2", "200", "kg"),
		WeightDate:    weight.Get("date").Need("write the day on which the weight was taken").Date(),
		Library:       library,
	}
	if !p.ReviewBy.IsZero() {
		p.ReviewBy = p.ReviewBy.Add(24 * time.Hour)
	}
	if w := p.WeightKg; w != nil && !new(big.Rat).Mul(w, big.NewRat(100, 1)).IsInt() {
		weight.Get("kg").Fail("is finer than 0.01 kg", "write at most two decimals")
	}
	list := root.Get("infusions").Need("list at least one infusion").List()
	line := map[string]int{}
	for _, n := range list {
		inf := p.readInfusion(n, pumps)
		for _, key := range []string{"pump " + inf.Pump, "name " + inf.Name} {
			if first, twice := line[key]; twice {
				n.Fail(fmt.Sprintf("has the %s of the infusion in line %d, too", key, first), "give each infusion its own")
			}
			line[key] = n.Line()
		}
		p.Infusions = append(p.Infusions, inf)
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Prescription) readInfusion(n document.Node, pumps []string) Infusion {
	m := n.Mapping("name", "pump", "drug", "dose_mcg_per_kg_per_min", "concentration_mcg_per_ml",
		"schedule", "pump_step_ml_per_h", "soft_limit_reason", "bag")
	schedule := m.Get("schedule").Need("write type: continuous and from").Mapping("type", "from", "until")
	schedule.Get("type").Need("write continuous").OneOf("continuous")
	inf := Infusion{
		Name:                  m.Get("name").Need("name the infusion").Name(),
		Pump:                  m.Get("pump").Need("name the pump").OneOf(pumps...),
		Drug:                  m.Get("drug").Need("write the generic name").Name(),
		DoseMcgPerKgPerMin:    m.Get("dose_mcg_per_kg_per_min").Need("write the dose").Within("0.001", "100", "mcg/kg/min"),
		ConcentrationMcgPerMl: m.Get("concentration_mcg_per_ml").Need("write the ordered concentration").Within("1", "20000", "mcg/mL"),
		Start:                 schedule.Get("from").Need("say when the infusion begins").Time(),
		End:                   schedule.Get("until").Time(),
	}
	if !inf.End.IsZero() && !inf.End.After(inf.Start) {
		schedule.Get("until").Fail("is not after its beginning", "mend from or until")
	}
	inf.readRate(m, p.WeightKg)
	if m.Get("bag").Present() {
		inf.Bag = readBag(m.Get("bag"))
	}
	p.checkLimits(&inf, m)
	return inf
}

func (i *Infusion) readRate(m document.Mapping, weight *big.Rat) {
	step := m.Get("pump_step_ml_per_h").Need("write the step in which the pump's rate can be set, in mL/h").Within("0.0001", "10", "mL/h")
	if step == nil || weight == nil || i.DoseMcgPerKgPerMin == nil || i.ConcentrationMcgPerMl == nil {
		return
	}
	i.Step, _, _ = units.RateOf(step)
	exact := RateOf(i.DoseMcgPerKgPerMin, weight, i.ConcentrationMcgPerMl)
	if exact.Cmp(big.NewRat(1000, 1)) > 0 {
		m.Get("dose_mcg_per_kg_per_min").Fail("needs "+units.FormatDecimal(exact)+" mL/h, more than 1000", "check dose, weight and concentration")
		return
	}
	i.Rate, _, _ = units.RateOf(exact)
	i.Rounded = Round(i.Rate, i.Step)
	// Rounding to the pump's step may not change the dose by more than 5 % (requirement SEED1-01).
	if twenty := 20 * (i.Rounded - i.Rate); twenty > i.Rate || -twenty > i.Rate {
		m.Get("pump_step_ml_per_h").Fail(
			fmt.Sprintf("%s mL/h becomes %s at this step, which changes the dose by more than 5 %%", i.Rate.MlPerH(), i.Rounded.MlPerH()),
			"use another concentration or a pump with a finer step")
	}
}

func readBag(n document.Node) *Bag {
	m := n.Mapping("drug", "concentration_mcg_per_ml", "volume_ml", "prepared_at", "use_by", "confirmed_by", "confirmed_at")
	b := &Bag{
		Drug:                  m.Get("drug").Need("write the drug on the bag's label").Name(),
		ConcentrationMcgPerMl: m.Get("concentration_mcg_per_ml").Need("write the concentration on the bag's label").Within("1", "20000", "mcg/mL"),
		PreparedAt:            m.Get("prepared_at").Time(),
		UseBy:                 m.Get("use_by").Time(),
		ConfirmedBy:           m.Get("confirmed_by").Text(),
		ConfirmedAt:           m.Get("confirmed_at").Time(),
	}
	if v := m.Get("volume_ml").Within("1", "5000", "mL"); v != nil {
		pl := new(big.Rat).Mul(v, big.NewRat(int64(units.Milliliter), 1))
		if !pl.IsInt() {
			m.Get("volume_ml").Fail("has more than nine decimals", "round it")
		}
		b.Volume = units.Volume(pl.Num().Int64())
	}
	if (b.ConfirmedBy == "") != b.ConfirmedAt.IsZero() {
		n.Fail("is confirmed only by half", "write both confirmed_by and confirmed_at, or neither")
	}
	return b
}

func (p *Prescription) checkLimits(i *Infusion, m document.Mapping) {
	drug, known := p.Library.Find(i.Drug)
	if !known {
		if p.Library != nil && i.Drug != "" {
			m.Get("drug").Fail("is not in the drug library "+p.Library.Title(), "mend the name or add the drug to the library")
		}
		return
	}
	i.Limits = drug
	i.Drug = drug.Name
	if i.Bag != nil {
		if hanging, found := p.Library.Find(i.Bag.Drug); found {
			i.Bag.Drug = hanging.Name // brand names are aliases
		}
	}
	if c := i.ConcentrationMcgPerMl; c != nil {
		if side := drug.Concentration.Beyond(c); side != "" {
			m.Get("concentration_mcg_per_ml").Fail("is beyond the "+side+" limit of "+p.Library.Title(), "check the number and its unit (mcg/mL)")
		}
	}
	reason := m.Get("soft_limit_reason").Text()
	if i.DoseMcgPerKgPerMin == nil {
		return
	}
	switch side := drug.Dose.Beyond(i.DoseMcgPerKgPerMin); side {
	case "":
	case "soft low", "soft high":
		i.Soft = true
		if reason == "" {
			m.Get("dose_mcg_per_kg_per_min").Fail("is beyond the "+side+" limit of "+p.Library.Title(), "check the dose; if it is meant, say why in soft_limit_reason")
		}
	default:
		m.Get("dose_mcg_per_kg_per_min").Fail("is beyond the "+side+" limit of "+p.Library.Title(), "check the dose; a dose beyond a hard limit cannot be used")
	}
}
