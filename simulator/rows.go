package simulator

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"infusiond/drivers/miva/wire"
	"infusiond/simulator/asenafront"
	"infusiond/simulator/front"
	"infusiond/simulator/mivafront"
)

// protocols is the table of everything that a simulated pump can speak. The first row is what a pump speaks that names no model.
func protocols() []protocol {
	return []protocol{miva(), asena()}
}

func miva() protocol {
	o := []key[mivafront.Options]{
		{"checksum", "sum or xor", choose(map[string]func(*mivafront.Options){
			"sum": func(o *mivafront.Options) { o.Checksum = wire.Sum }, "xor": func(o *mivafront.Options) { o.Checksum = wire.XOR },
		})},
		{"firmware", "new or old (Q1, Q2 and dates instead of texts and seconds)", choose(map[string]func(*mivafront.Options){
			"new": func(o *mivafront.Options) { o.OldFirmware = false }, "old": func(o *mivafront.Options) { o.OldFirmware = true },
		})},
		{"form", "short or long: records of a logged program, 2 or 16; long tells the drug", choose(map[string]func(*mivafront.Options){
			"short": func(o *mivafront.Options) { o.LongProgram = false }, "long": func(o *mivafront.Options) { o.LongProgram = true },
		})},
		{"platform", "answer to RM: 00 or 01; without it the pump gives none", func(o *mivafront.Options, value string) error {
			o.Platform = value
			return nil
		}},
		{"logstart", "ring index of the first log record, 0 to 43263", upTo(wire.RingSize, func(o *mivafront.Options, n int) { o.LogStart = uint32(n) })},
		{"logfill", "older log records, 0 to 43264", upTo(wire.RingSize, func(o *mivafront.Options, n int) { o.LogFill = n })},
	}
	return protocol{Info: mivafront.Describe(), serials: regexp.MustCompile(`^SIM[0-9]{5}$`), serial: numbered("SIM00000")}.settled(
		with(o, func(o mivafront.Options, m []front.Member, _ func() time.Duration) (front.Front, error) {
			o.Serial, o.Drug = m[0].Serial, m[0].Drug
			return made(mivafront.New(m[0].Pump, o))
		}))
}

func asena() protocol {
	o := []key[asenafront.Options]{
		{"syringe", "size of the syringe, mL", func(o *asenafront.Options, value string) error {
			v, err := strconv.ParseFloat(value, 64)
			if err != nil || !(v > 0 && v <= 100) {
				return fmt.Errorf("%q: known above 0 to 100", value)
			}
			o.SyringeML = v
			return nil
		}},
	}
	return protocol{Info: asenafront.Describe(), serials: regexp.MustCompile(`^SIM[0-9]-[0-9]{5}$`), serial: numbered("SIM0-00000")}.settled(
		with(o, func(o asenafront.Options, m []front.Member, _ func() time.Duration) (front.Front, error) {
			return made(asenafront.New(o, m))
		}))
}

// made keeps a nil front of a constructor that failed from becoming an interface that is not nil.
func made[F front.Front](f F, err error) (front.Front, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

// upTo makes a setter for a whole number from 0 to most.
func upTo[O any](most int, set func(*O, int)) func(*O, string) error {
	return func(o *O, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 || n > most {
			return fmt.Errorf("%q: known 0 to %d", value, most)
		}
		set(o, n)
		return nil
	}
}
