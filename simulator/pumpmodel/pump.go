package pumpmodel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Program is what is programmed on the pump.
type Program struct {
	Name   string
	Rate   float64 // mL/h
	VTBIML float64 // volume to be infused
}

// Pump is one simulated pump. It belongs to one goroutine.
type Pump struct {
	cfg        Config
	noise, bag *rand.Rand

	elapsed   time.Duration
	remainder time.Duration // of Advance, shorter than a step
	state     State
	program   Program
	active    map[Alarm]bool // announced now
	injected  map[Alarm]bool // of these, without a cause
	log       eventLog

	// Motor. Commanded volumes are whole nanolitres, so that the counter is exact.
	phase       float64
	strokeNL    int64
	infusionNL  int64 // of this infusion
	counterNL   int64 // on the volume counter
	totalNL     int64 // ever
	motorFactor float64
	pendingML   float64 // of strokes that are not yet emptied
	emptyMLPerH float64

	begun      bool          // an infusion is going, perhaps paused
	moved      time.Duration // time in motion of this infusion
	powered    time.Duration // total time switched on
	pausedAt   time.Duration
	counted    bool    // the pump counts a reservoir down
	bagLabelML float64 // reservoir count at the last bag change
	bagNL      int64   // commanded since
	bolus      bolusRun

	set        setError
	setFactor  float64 // 0 to 1: blocked under the flow stop
	line       downstream
	up         upstream
	warmAt     time.Duration
	battery    battery
	mains      bool
	clockSteps time.Duration
	offsetMbar float64
	sensedMbar float64
	heightCM   float64
	celsius    float64 // at the pump
	heatC      float64 // sun, or cold
	heatUntil  time.Duration
	air        airRun
	hung       *View // what the pump said when its program hung

	attendAt, silentUntil time.Duration
	ran                   bool // since it was made
	door, detached        bool
	detachedAt            time.Duration
	levels, acknowledged  level
	acknowledgedAt        time.Duration
	over                  time.Duration // the sensed pressure has been above the limit so long
}

type bolusRun struct {
	volumeNL, doneNL int64
	rate             float64
	back             State
	load             bool
}

// Setup is what a person did before the simulation begins.
type Setup struct {
	Program Program
	BagML   float64 // label volume of the bag; 0: more than is programmed, and the pump counts no reservoir
}

// New returns a pump that is switched on and stopped, with a full bag and a set past its start-up.
// All its randomness is derived from rng, which the caller may use elsewhere afterwards.
func New(cfg Config, setup Setup, rng *rand.Rand) (*Pump, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("pump constants: %w", err)
	}
	source := func() *rand.Rand { return rand.New(rand.NewPCG(rng.Uint64(), rng.Uint64())) }
	p := &Pump{
		cfg: cfg, noise: source(), bag: source(), active: map[Alarm]bool{}, injected: map[Alarm]bool{}, state: Stopped,
		strokeNL: int64(math.Round(cfg.StrokeML * 1e6)), motorFactor: 1, setFactor: 1,
		line:    downstream{complianceMLPerMbar: cfg.ComplianceMLPerBar / 1000, resistance: cfg.CatheterResistance, venous: cfg.VenousMbar},
		up:      upstream{complianceMLPerMbar: cfg.UpstreamMLPerBar / 1000, deadML: cfg.DeadVolumeML, air: cfg.AirDetector},
		battery: battery{charge: cfg.StartupCharge, mark: markOf(cfg.StartupCharge), mA: cfg.IdleMA, low10: cfg.StartupCharge <= 0.1},
	}
	p.log.limit, p.mains = cfg.LogCapacity, cfg.Mains
	p.raiseTo(cfg.HeightCM)
	p.line.mbar = p.line.rest()
	p.celsius = cfg.TemperatureC + cfg.PouchC
	p.offsetMbar = (2*p.noise.Float64() - 1) * cfg.SensorOffsetMbar
	p.sensedMbar = p.line.mbar + p.offsetMbar
	p.set = newSetError(source(), &p.cfg, 0, false)
	p.air = airRun{rng: source(), newBagUntil: 0}
	p.air.wait = p.air.rng.ExpFloat64()
	if err := p.checkProgram(setup.Program); err != nil {
		return nil, err
	}
	p.program = setup.Program
	p.hang(setup.BagML)
	p.record(Event{Kind: KindPowerOn, Code: uint16(p.battery.mark), A: p.battery.volts()})
	return p, nil
}

func (p *Pump) checkProgram(pr Program) error {
	if !(pr.Rate >= 0 && pr.Rate <= p.cfg.MaxRate) {
		return fmt.Errorf("rate %v mL/h, known 0 to %v: %w", pr.Rate, p.cfg.MaxRate, ErrRange)
	}
	if steps := pr.Rate / p.cfg.RateStep; math.Abs(steps-math.Round(steps)) > 1e-6 {
		return fmt.Errorf("rate %v mL/h is not a multiple of the step %v: %w", pr.Rate, p.cfg.RateStep, ErrRange)
	}
	if !(pr.VTBIML >= 0 && pr.VTBIML <= p.cfg.RolloverML) {
		return fmt.Errorf("volume to be infused %v mL, known 0 to %v: %w", pr.VTBIML, p.cfg.RolloverML, ErrRange)
	}
	return nil
}

// hang fills the line and the bag with what the label says, about.
func (p *Pump) hang(labelML float64) {
	p.counted = labelML > 0
	p.bagLabelML, p.bagNL = labelML, 0
	fill := labelML
	if fill == 0 {
		fill = 1.2*p.program.VTBIML + p.cfg.DeadVolumeML
	}
	p.up.bagML = fill*(1+p.bag.NormFloat64()*p.cfg.BagSigma) + p.cfg.OverfillML
	p.up.missingML, p.up.unfilled, p.up.airML = 0, 0, 0
}

// Advance lets d of simulated time pass. It works in whole steps and keeps the remainder,
// so that dividing d differently changes nothing.
func (p *Pump) Advance(d time.Duration) {
	p.remainder += d
	for p.remainder >= p.cfg.Step {
		p.remainder -= p.cfg.Step
		p.step()
	}
}

// Elapsed returns the simulated time since the beginning, in whole steps.
func (p *Pump) Elapsed() time.Duration { return p.elapsed }

// Clock returns the pump's own clock: time since its own epoch, with drift and steps.
func (p *Pump) Clock() time.Duration {
	drift := time.Duration(float64(p.elapsed) * p.cfg.ClockDriftPPM * 1e-6)
	return max(0, p.cfg.ClockStart+p.elapsed+drift+p.clockSteps)
}

func (p *Pump) infusedML() float64 { return float64(p.counterNL) / 1e6 }

// counterML is the volume counter at its resolution.
func (p *Pump) counterML() float64 {
	q, modulus := int64(math.Round(p.cfg.CounterStepML*1e6)), int64(math.Round(p.cfg.RolloverML*1e6))
	nl := p.counterNL
	switch {
	case p.cfg.CounterSticks:
		nl = min(nl, modulus)
	default:
		nl %= modulus
	}
	return float64(nl/q*q) / 1e6
}

// rate is the rate of the motor now, in mL/h.
func (p *Pump) rate() float64 {
	switch p.state {
	case Running:
		return p.program.Rate
	case KVO:
		return p.kvoRate()
	case Bolus:
		return p.bolus.rate
	case Off, Stopped, Paused, AlarmStop, Complete:
	}
	return 0
}

func (p *Pump) step() {
	p.elapsed += p.cfg.Step
	dtH := p.cfg.Step.Hours()
	rate := p.rate()
	if p.state != Off {
		p.powered += p.cfg.Step
		p.drain(rate, dtH)
	}
	if p.state.Moving() && p.hung == nil { // the battery may just have stopped it
		p.moved += p.cfg.Step
		p.turn(rate, dtH)
		p.bubble(dtH)
	}
	p.line.step(p.inflow(dtH), dtH)
	if p.elapsed >= p.warmAt {
		p.warm()
	}
	p.sensedMbar = p.line.mbar + p.offsetMbar + p.noise.NormFloat64()*p.cfg.SensorNoiseMbar
	if p.state != Off && p.hung == nil {
		p.watch()
	}
}

// turn moves the motor and commands a stroke at every whole phase.
func (p *Pump) turn(rate, dtH float64) {
	p.phase += rate * p.motorFactor * dtH * 1e6 / float64(p.strokeNL)
	for p.phase >= 1 && p.state.Moving() {
		p.phase--
		p.stroke()
	}
}

// stroke commands one stroke, shorter when the infusion or the bolus ends within it.
func (p *Pump) stroke() {
	nl := p.strokeNL
	if p.state == Running {
		nl = min(nl, p.vtbiNL()-p.infusionNL)
	}
	if p.state == Bolus {
		nl = min(nl, p.bolus.volumeNL-p.bolus.doneNL)
		p.bolus.doneNL += nl
	}
	nl = max(nl, 0)
	p.infusionNL += nl
	p.counterNL += nl
	p.totalNL += nl
	p.bagNL += nl
	ml := float64(nl) / 1e6
	fluid := ml * p.set.factor(&p.cfg, p.elapsed, ml)
	if p.setFactor < 1 {
		fluid *= p.setFactor
	}
	p.pendingML += p.up.draw(p.air.displace(fluid))
	p.emptyMLPerH = p.pendingML * 7200 // a stroke is emptied over half a second
	if p.cfg.Rotary && nl > 0 {
		p.emptyMLPerH = p.rate() * p.motorFactor * p.pendingML / ml // over the time to the next
	}
	p.reached()
}

func (p *Pump) vtbiNL() int64 { return int64(math.Round(p.program.VTBIML * 1e6)) }

// reached ends what the last stroke completed.
func (p *Pump) reached() {
	if p.state == Bolus && p.bolus.doneNL >= p.bolus.volumeNL {
		p.state = p.bolus.back
		p.record(Event{Kind: KindBolusEnd})
	}
	if p.counted && p.reservoirML() <= 0 && !p.active[AlarmReservoirEmpty] {
		if p.cfg.RunsOnEmpty {
			p.active[AlarmReservoirEmpty], p.silentUntil = true, 0
			p.record(Event{Kind: KindReservoirEmpty, A: p.infusedML()})
		} else {
			p.end(AlarmReservoirEmpty, KindReservoirEmpty)
		}
	}
	if p.state == Running && p.infusionNL >= p.vtbiNL() {
		p.end(AlarmComplete, KindComplete)
	}
}

// end finishes the infusion: keep the vein open, or stop.
func (p *Pump) end(a Alarm, k Kind) {
	p.state, p.begun = Complete, false
	if p.kvoRate() > 0 {
		p.state = KVO
	}
	p.active[a], p.silentUntil = true, 0
	p.record(Event{Kind: k, A: p.infusedML()})
	p.attend()
}

func (p *Pump) reservoirML() float64 { return p.bagLabelML - float64(p.bagNL)/1e6 }
