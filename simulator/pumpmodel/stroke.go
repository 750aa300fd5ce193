package pumpmodel

import (
	"math"
	"math/rand/v2"
	"time"
)

// setError holds the errors of one administration set.
type setError struct {
	rng       *rand.Rand
	fixed     float64 // relative
	noise     float64 // Gauss-Markov state
	noiseAt   time.Duration
	mountedAt time.Duration
	strokes   float64 // since the set was mounted, for the cam
	sinceML   float64 // commanded since the set was mounted, for the start-up
}

func newSetError(rng *rand.Rand, c *Config, now time.Duration, startUp bool) setError {
	e := setError{rng: rng, mountedAt: now, noiseAt: now}
	e.fixed = math.Max(-c.SetCut, math.Min(c.SetCut, rng.NormFloat64()*c.SetSigma))
	e.noise = rng.NormFloat64() * c.NoiseSigma
	e.strokes = math.Floor(rng.Float64() * c.CamStrokes)
	if !startUp {
		e.sinceML = math.Inf(1)
	}
	return e
}

// factor returns real over commanded volume of the next stroke, upstream filling not included.
func (e *setError) factor(c *Config, now time.Duration, strokeML float64) float64 {
	keep := math.Exp(-float64(now-e.noiseAt) / float64(c.NoiseTau))
	e.noise = e.noise*keep + e.random(c.NoiseSigma)*math.Sqrt(1-keep*keep)
	e.noiseAt = now
	fatigue := c.Fatigue * math.Expm1(-float64(now-e.mountedAt)/float64(c.FatigueTau)) // negative
	cam := c.CamAmplitude * math.Sin(2*math.Pi*e.strokes/c.CamStrokes)
	f := (1 + e.fixed) * (1 + fatigue) * (1 + e.noise) * (1 + cam)
	if c.StartUpML > 0 && !math.IsInf(e.sinceML, 1) {
		f *= -math.Expm1(-(e.sinceML + strokeML) / c.StartUpML)
		e.sinceML += strokeML
	}
	e.strokes++
	return math.Max(0, f)
}

// random draws nothing when there is nothing to draw.
func (e *setError) random(sigma float64) float64 {
	if sigma == 0 {
		return 0
	}
	return e.rng.NormFloat64() * sigma
}

// expect returns what the next n strokes will give, noise left out, and the last of them.
func (e *setError) expect(c *Config, now time.Duration, strokeML float64, n int) (sum, last float64) {
	quiet, calm := *e, *c
	quiet.noise, calm.NoiseSigma = 0, 0
	for range n {
		last = strokeML * quiet.factor(&calm, now, strokeML)
		sum += last
	}
	return sum, last
}
