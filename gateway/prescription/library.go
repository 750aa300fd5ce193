package prescription

import (
	"fmt"
	"math/big"

	"infusiond/gateway/document"
)

// Library is a versioned list of drug limits.
type Library struct {
	Name    string
	Version int
	Example bool // shipped as an example; a clinic must replace it
	Drugs   map[string]*Drug
}

// Title names the library wherever its limits are shown.
func (l *Library) Title() string {
	if l == nil {
		return ""
	}
	if l.Example {
		return fmt.Sprintf("%s version %d (example, not signed by a clinic)", l.Name, l.Version)
	}
	return fmt.Sprintf("%s version %d", l.Name, l.Version)
}

// StopClass says how soon a stop of this drug matters (domain facts 4.4).
type StopClass string

// The classes of stop timers.
const (
	Fast     StopClass = "fast"     // half-life up to 10 minutes: dobutamine
	Slow     StopClass = "slow"     // milrinone
	Episodic StopClass = "episodic" // levosimendan
)

// Drug holds the limits of one drug. Nil limits are not set.
type Drug struct {
	Name          string
	Aliases       []string
	Stop          StopClass
	Dose          Limits // mcg/kg/min
	Concentration Limits // mcg/mL, hard limits only
}

// Limits are bounds in ascending order; nil ones do not exist.
type Limits struct {
	HardLow, SoftLow, SoftHigh, HardHigh *big.Rat
}

// Beyond says on which side of the limits a value lies: "hard low", "soft low", "soft high",
// "hard high", or "" inside.
func (l Limits) Beyond(v *big.Rat) string {
	switch {
	case l.HardLow != nil && v.Cmp(l.HardLow) < 0:
		return "hard low"
	case l.HardHigh != nil && v.Cmp(l.HardHigh) > 0:
		return "hard high"
	case l.SoftLow != nil && v.Cmp(l.SoftLow) < 0:
		return "soft low"
	case l.SoftHigh != nil && v.Cmp(l.SoftHigh) > 0:
		return "soft high"
	}
	return ""
}

// Find returns the drug of a generic name or alias.
func (l *Library) Find(name string) (*Drug, bool) {
	if l == nil {
		return nil, false
	}
	d, ok := l.Drugs[name]
	return d, ok
}

// LoadLibrary reads a library file. The error is document.Problems.
func LoadLibrary(path string) (*Library, error) { return readLibrary(document.Open(path)) }

// ParseLibrary reads the content of a library file. The error is document.Problems.
func ParseLibrary(path string, data []byte) (*Library, error) {
	return readLibrary(document.Parse(path, data))
}

func readLibrary(d *document.Document) (*Library, error) {
	root := d.Root("library", "version", "example", "drugs")
	l := &Library{
		Name:    root.Get("library").Need("name the library").Text(),
		Version: root.Get("version").Need("number the version, from 1").Int(1, 1<<30, 1),
		Example: root.Get("example").Bool(false),
		Drugs:   map[string]*Drug{},
	}
	for _, n := range root.Get("drugs").Need("list at least one drug").List() {
		m := n.Mapping("name", "aliases", "stop_class", "dose_mcg_per_kg_per_min", "concentration_mcg_per_ml")
		drug := &Drug{
			Name: m.Get("name").Need("write the generic name").Name(),
			Stop: StopClass(m.Get("stop_class").Need("write fast, slow or episodic").OneOf(string(Fast), string(Slow), string(Episodic))),
			Dose: readLimits(m.Get("dose_mcg_per_kg_per_min").Need("give hard and soft limits")),
		}
		drug.Concentration = readLimits(m.Get("concentration_mcg_per_ml").Need("give hard limits"))
		names := []document.Node{m.Get("name")}
		names = append(names, m.Get("aliases").List()...)
		for _, alias := range names {
			name := alias.Name()
			if other, twice := l.Drugs[name]; twice && name != "" {
				alias.Fail("already names the drug "+other.Name, "remove one")
			}
			l.Drugs[name] = drug
		}
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return l, nil
}

func readLimits(n document.Node) Limits {
	m := n.Mapping("hard_low", "soft_low", "soft_high", "hard_high")
	l := Limits{
		HardLow: m.Get("hard_low").Decimal(), SoftLow: m.Get("soft_low").Decimal(),
		SoftHigh: m.Get("soft_high").Decimal(), HardHigh: m.Get("hard_high").Decimal(),
	}
	last := big.NewRat(0, 1)
	for _, v := range []*big.Rat{l.HardLow, l.SoftLow, l.SoftHigh, l.HardHigh} {
		if v == nil {
			continue
		}
		if v.Cmp(last) < 0 {
			n.Fail("limits are not in ascending order", "order them hard_low ≤ soft_low ≤ soft_high ≤ hard_high")
			break
		}
		last = v
	}
	return l
}
