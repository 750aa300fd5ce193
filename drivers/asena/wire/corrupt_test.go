package wire

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// corruption is one way in which a line spoils a frame.
type corruption struct {
	name  string
	spoil func(frame, other []byte, rng *rand.Rand) []byte
}

var corruptions = []corruption{
	{"1 to 4 bits", func(frame, _ []byte, rng *rand.Rand) []byte {
		for range 1 + rng.IntN(4) {
			frame[rng.IntN(len(frame))] ^= 1 << rng.IntN(8)
		}
		return frame
	}},
	{"burst of up to 16 bits", func(frame, _ []byte, rng *rand.Rand) []byte {
		at := rng.IntN(len(frame)*8 - 16)
		for i := range 1 + rng.IntN(16) {
			if i == 0 || rng.IntN(2) == 0 {
				frame[(at+i)/8] ^= 1 << (7 - (at+i)%8)
			}
		}
		return frame
	}},
	{"fields' characters replaced", func(frame, _ []byte, rng *rand.Rand) []byte {
		for range 3 + rng.IntN(6) {
			if at := 1 + rng.IntN(len(frame)-7); frame[at] != '^' {
				frame[at] = "0123456789.-+:ABCDEFGHIJKLMNOPQRSTUVWXYZ_ abcdefghijklmnopqrstuvwxyz/"[rng.IntN(69)]
			}
		}
		return frame
	}},
	{"digits replaced by digits", func(frame, _ []byte, rng *rand.Rand) []byte {
		for range 6 + rng.IntN(20) {
			if at := 1 + rng.IntN(len(frame)-7); frame[at] >= '0' && frame[at] <= '9' {
				frame[at] = byte('0' + rng.IntN(10))
			}
		}
		return frame
	}},
	{"bytes lost or doubled", func(frame, _ []byte, rng *rand.Rand) []byte {
		for range 1 + rng.IntN(3) {
			at := 1 + rng.IntN(len(frame)-2)
			if rng.IntN(2) == 0 {
				frame = slices.Delete(frame, at, at+1)
			} else {
				frame = slices.Insert(frame, at, frame[at])
			}
		}
		return frame
	}},
	{"head of one, tail of another", func(frame, other []byte, rng *rand.Rand) []byte {
		cut := rng.IntN(len(frame))
		return append(frame[:cut:cut], other[min(len(other), max(1, cut+rng.IntN(9)-4)):]...)
	}},
}

// TestAMillionCorruptedReplies measures what gets through CRC-16/CCITT-FALSE and then through what Decode
// and Good demand. The figures stand in the driver's doc.go: change both together.
// Covers GW-10.
func TestAMillionCorruptedReplies(t *testing.T) {
	const seed, cases = 20260714, 1_000_000
	rng := rand.New(rand.NewPCG(seed, 1))
	var replies [][]byte
	for _, body := range []string{
		"INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^127904", "INF^8002-51733^A^HLD^0.00^ml/h^^0.969^ml^530.15^mmHg^00:04:09^EVENT^214725",
		"INF_RATE^5.00^ml/h", "ALARM^AL_NOALM^ ^ ", "ALARM^AL_OCCLU^ ^ ", "INF_VTBI^ACTIV^11.000^ml^STOP", "SYRINGE_STATUS^BD PLASTIPAK^ 50^CONF",
	} {
		replies = append(replies, AppendFrame(nil, []byte(body)))
	}
	var spoiled, passed, plausible int
	for i := range cases {
		original := replies[i%len(replies)]
		c := corruptions[rng.IntN(len(corruptions))]
		stream := c.spoil(bytes.Clone(original), replies[rng.IntN(len(replies))], rng)
		if isOriginal(stream, replies) {
			continue
		}
		spoiled++
		var s Scanner
		body, _ := s.Next(stream)
		if body == nil || isOriginal(AppendFrame(nil, body), replies) {
			continue
		}
		passed++
		var r Reply
		if err := Decode(body, Identify(original[1:len(original)-6]), &r); err != nil {
			continue
		}
		good := true
		for n := 1; n < r.Count; n++ {
			good = good && r.Good(n)
		}
		if good {
			plausible++
			t.Logf("%s: %q was %q", c.name, body, original)
		}
	}
	t.Logf("seed %d: %d spoiled frames, %d with a fitting checksum, %d of these plausible", seed, spoiled, passed, plausible)
	if passed > 30 || plausible > 15 { // chance alone, at one in 65536, gives 14
		t.Errorf("seed %d: %d of %d spoiled frames have a fitting checksum, %d are plausible", seed, passed, spoiled, plausible)
	}
}

func isOriginal(stream []byte, replies [][]byte) bool {
	return slices.ContainsFunc(replies, func(r []byte) bool { return bytes.Equal(r, stream) })
}

// CRC-16 with this polynomial finds every burst of up to 16 bits and every error of up to three bits in
// frames this short; so no one or two wrong digits next to each other ever pass.
// Covers GW-10.
func TestEveryShortBurstIsFound(t *testing.T) {
	frame := AppendFrame(nil, []byte("INF^8002-51740^-^SET^5.00^ml/h^^1.234^ml^17.91^mmHg^24+^EVENT^127904"))
	for at := range len(frame)*8 - 16 {
		for _, pattern := range []uint16{1, 3, 5, 0x81, 0x101, 0x8001, 0xFFFF, 0x1021, 0xA5A5} {
			spoiled := bytes.Clone(frame)
			for i := range 16 {
				if pattern>>i&1 == 1 {
					spoiled[(at+i)/8] ^= 1 << (7 - (at+i)%8)
				}
			}
			var s Scanner
			if body, _ := s.Next(spoiled); body != nil {
				t.Fatalf("burst %04X at bit %d gives %q", pattern, at, body)
			}
		}
	}
}
