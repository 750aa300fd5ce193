package asena

import (
	"strings"
	"time"
)

// The anchor of this driver is the list of alarm codes that were shown since the flag was last clear,
// so that an alarm which another one hides is not forgotten at a restart.
const emptyAnchor = "-"

func anchorOf(shown []string) string {
	if len(shown) == 0 {
		return emptyAnchor
	}
	return strings.Join(shown, ",")
}

// shownOf reads an anchor; codes that could not stand in a frame are left out.
func shownOf(anchor string) []string {
	var shown []string
	for code := range strings.SplitSeq(anchor, ",") {
		if code != "" && code != emptyAnchor && !strings.ContainsAny(code, "!|^\r\n") && len(shown) < len(table) {
			shown = append(shown, code)
		}
	}
	return shown
}

func milliseconds(n int64) time.Duration { return time.Duration(min(n, 60_000)) * time.Millisecond }
