package message

// The values of Verdict.Verdict and Finding.Verdict.
const (
	VerdictOK        = "ok" // never in a Finding
	VerdictDeviation = "deviation"
	VerdictUnknown   = "unknown" // it cannot be told; never to be shown as ok
)

// The values of Alert.Priority and Condition.Priority.
const (
	PriorityHigh   = "high"
	PriorityMedium = "medium"
	PriorityLow    = "low"
	PriorityInfo   = "info"
)

// The values of Alert.Origin.
const (
	OriginPump    = "pump"    // the pump announces it; the code is a drivers.AlarmCode
	OriginCheck   = "check"   // infusiond concludes it from readings and prescription
	OriginGateway = "gateway" // it concerns gateway, link or data; it may carry a Condition's code
)

// The values of fields that a pump may leave open.
const (
	Yes          = "yes"
	No           = "no"
	CannotBeTold = "unknown"
)

// The codes of what the checks C1 to C16 find, for Finding.Code and Alert.Code. A code that is
// added here goes into schema/common.json and README.md as well; tests compare them.
const (
	CodeRateMismatch         = "rate_mismatch"         // C1
	CodeStopped              = "stopped"               // C2
	CodeNotStarted           = "not_started"           // C2
	CodeUnplannedRun         = "unplanned_run"         // C2
	CodeKVO                  = "kvo"                   // C3
	CodeUnderDelivery        = "under_delivery"        // C4
	CodeOverDelivery         = "over_delivery"         // C5
	CodeBolusUnplanned       = "bolus_unplanned"       // C5
	CodeCatchUpSuspected     = "catch_up_suspected"    // C5
	CodeWindowDeviation      = "window_deviation"      // C6
	CodeDailyDose            = "daily_dose"            // C7
	CodeDoseLimit            = "dose_limit"            // C8
	CodeDoseMismatch         = "dose_mismatch"         // C8
	CodePressureRising       = "pressure_rising"       // C9
	CodeLineOpenSuspected    = "line_open_suspected"   // C9
	CodeCounterDiscontinuity = "counter_discontinuity" // C10
	CodeIdentityMismatch     = "identity_mismatch"     // C11
	CodeGapDeficit           = "gap_deficit"           // C12
	CodeGapExcess            = "gap_excess"            // C12
	CodeBagReconciliation    = "bag_reconciliation"    // C13
	CodePumpClock            = "pump_clock"            // C14
	CodeCounterStalled       = "counter_stalled"       // C15
	CodeDataFrozen           = "data_frozen"           // C15
	CodeDataDelayed          = "data_delayed"          // C16
	CodeDataStale            = "data_stale"            // C16
	CodeNeverSeen            = "never_seen"            // C16
)

// The codes of why a verdict cannot be ok, for Finding.Code with verdict unknown.
const (
	CodeNoReading        = "no_reading"        // this cycle yielded nothing; see unknown_reason
	CodeNoPrescription   = "no_prescription"   // none applies to this pump now
	CodePrescriptionEnd  = "prescription_end"  // the planned end has passed
	CodeBagUnconfirmed   = "bag_unconfirmed"   // drug and concentration of the bag have no second look
	CodeRunStateUnknown  = "run_state_unknown" // the pump does not tell whether it runs
	CodeRateUnknown      = "rate_unknown"      // the pump does not tell its rate
	CodeNoLibraryLimits  = "no_library_limits" // no drug library entry: the dose has no limits to be held against
	CodePumpAlarmsHidden = "pump_alarms_unknown"
)

// The codes of alerts that are no findings.
const (
	CodeReviewOverdue = "review_overdue" // the prescription's review date is past
)
