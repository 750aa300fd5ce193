//go:build linux

package clock

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"infusiond/gateway/infusion"
)

// Covers GW-29.
func TestNowFollowsTheBootClock(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	var clock infusion.Clock = s.Now
	before := uptime(t)
	first := clock()
	second := clock()
	after := uptime(t)
	// /proc/uptime is the boot clock cut to 10 ms.
	if first.Boot < before || second.Boot > after+10*time.Millisecond {
		t.Errorf("boot = %v, %v, want within %v..%v", first.Boot, second.Boot, before, after)
	}
	if second.Boot < first.Boot {
		t.Errorf("boot time ran backwards: %v then %v", first.Boot, second.Boot)
	}
	if first.UTC.Location() != time.UTC {
		t.Errorf("location = %v, want UTC", first.UTC.Location())
	}
	if strings.Contains(first.UTC.String(), "m=") {
		t.Errorf("the label carries a monotonic part: %v", first.UTC)
	}
}

func uptime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	seconds, err := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(seconds * float64(time.Second))
}

// Covers GW-30.
func TestSynced(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  int
		status int32
		err    error
		want   bool
	}{
		{name: "disciplined", state: unix.TIME_OK, status: unix.STA_PLL, want: true},
		{name: "leap second announced", state: unix.TIME_INS, status: unix.STA_PLL | unix.STA_INS, want: true},
		{name: "never set", state: unix.TIME_ERROR, status: unix.STA_UNSYNC},
		{name: "unsync flag alone", state: unix.TIME_OK, status: unix.STA_UNSYNC},
		{name: "error state alone", state: unix.TIME_ERROR},
		{name: "kernel refuses to tell", state: unix.TIME_OK, err: errors.New("not permitted")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &System{
				boot: func() (time.Duration, error) { return time.Hour, nil },
				adjtimex: func(x *unix.Timex) (int, error) {
					x.Status = tt.status
					return tt.state, tt.err
				},
			}
			if got := s.Now().Synced; got != tt.want {
				t.Errorf("synced = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestSyncedIsAskedOncePerSecond(t *testing.T) {
	boot, asked := 10*time.Second, 0
	s := &System{
		boot:     func() (time.Duration, error) { return boot, nil },
		adjtimex: func(*unix.Timex) (int, error) { asked++; return unix.TIME_OK, nil },
	}
	for range 20 { // 2 seconds in steps of 100 ms
		s.Now()
		boot += 100 * time.Millisecond
	}
	if asked != 2 {
		t.Errorf("adjtimex was asked %d times in 2 s, want 2", asked)
	}
}

// Covers GW-29.
func TestNowGoesOnWithoutABootClock(t *testing.T) {
	s := &System{
		boot:     func() (time.Duration, error) { return 0, errors.New("gone") },
		adjtimex: func(*unix.Timex) (int, error) { return unix.TIME_OK, nil },
		offset:   time.Hour,
		start:    time.Now(),
	}
	if got := s.Now().Boot; got < time.Hour {
		t.Errorf("boot = %v, want at least the offset", got)
	}
}
