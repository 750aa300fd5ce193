package drivers

// The event terms of ISO/IEEE 11073-10101 that pumps' alarms and events are mapped to, with
// the even code. For what the standard does not name there is TermUnknown, never a guess.
var (
	TermPumpDelivStart            = Term{"MDC_EVT_PUMP_DELIV_START", 197288}              // delivery segment starts
	TermPumpDelivStop             = Term{"MDC_EVT_PUMP_DELIV_STOP", 197290}               // delivery segment stops
	TermPumpDelivComp             = Term{"MDC_EVT_PUMP_DELIV_COMP", 197292}               // programmed volume reached
	TermCommStatusChange          = Term{"MDC_EVT_COMM_STATUS_CHANGE", 197294}            // pump link lost or restored; carries `MDC_COMM_STATUS`
	TermPumpProgCleared           = Term{"MDC_EVT_PUMP_PROG_CLEARED", 197296}             // program cleared
	TermPumpAutoProgCleared       = Term{"MDC_EVT_PUMP_AUTO_PROG_CLEARED", 197298}        // auto-program cleared before start
	TermPatientChange             = Term{"MDC_EVT_PATIENT_CHANGE", 197300}                // patient changed
	TermPatientIdChange           = Term{"MDC_EVT_PATIENT_ID_CHANGE", 197302}             // patient id changed
	TermPatientParameterChange    = Term{"MDC_EVT_PATIENT_PARAMETER_CHANGE", 197356}      // weight/height/BSA changed
	TermPumpVolCountersCleared    = Term{"MDC_EVT_PUMP_VOL_COUNTERS_CLEARED", 197306}     // volume counters reset
	TermDeviceTimeChanged         = Term{"MDC_EVT_DEVICE_TIME_CHANGED", 197308}           // device clock stepped
	TermFluidLineOccl             = Term{"MDC_EVT_FLUID_LINE_OCCL", 196940}               // occlusion, side unknown
	TermFluidLineOcclUpstream     = Term{"MDC_EVT_FLUID_LINE_OCCL_UPSTREAM", 197358}      // occlusion between container and pump
	TermFluidLineOcclDownstream   = Term{"MDC_EVT_FLUID_LINE_OCCL_DOWNSTREAM", 197360}    // occlusion between pump and patient
	TermFluidLineAir              = Term{"MDC_EVT_FLUID_LINE_AIR", 197200}                // air in line, side unknown
	TermFluidLineAirUpstream      = Term{"MDC_EVT_FLUID_LINE_AIR_UPSTREAM", 197362}       // air, upstream
	TermFluidLineAirDownstream    = Term{"MDC_EVT_FLUID_LINE_AIR_DOWNSTREAM", 197364}     // air, downstream
	TermPressFluidLineIncreasing  = Term{"MDC_EVT_PRESS_FLUID_LINE_INCREASING", 197368}   // line pressure rising
	TermPressFluidLineDecreasing  = Term{"MDC_EVT_PRESS_FLUID_LINE_DECREASING", 197366}   // line pressure falling
	TermFluidLineHiGtLimPressure  = Term{"MDC_EVT_FLUID_LINE_HI_GT_LIM_PRESSURE", 197188} // pressure above limit
	TermDoorPosnErr               = Term{"MDC_EVT_DOOR_POSN_ERR", 197084}                 // door / cassette latch open
	TermPosnProb                  = Term{"MDC_EVT_POSN_PROB", 196768}                     // set or cassette mis-loaded
	TermCheckIvSet                = Term{"MDC_EVT_CHECK_IV_SET", 197346}                  // check set / cassette
	TermPumpFlowFree              = Term{"MDC_EVT_PUMP_FLOW_FREE", 197206}                // free flow
	TermFlowStopOpen              = Term{"MDC_EVT_FLOW_STOP_OPEN", 197344}                // flow stop open
	TermBattLo                    = Term{"MDC_EVT_BATT_LO", 196802}                       // battery low
	TermBattDepl                  = Term{"MDC_EVT_BATT_DEPL", 197336}                     // battery depleted
	TermBattEmpty                 = Term{"MDC_EVT_BATT_EMPTY", 197498}                    // battery empty
	TermBattServ                  = Term{"MDC_EVT_BATT_SERV", 197338}                     // service battery
	TermBattFail                  = Term{"MDC_EVT_BATT_FAIL", 196800}                     // battery failed
	TermPwrLoss                   = Term{"MDC_EVT_PWR_LOSS", 197342}                      // power loss
	TermMainsDisconnected         = Term{"MDC_EVT_MAINS_DISCONNECTED", 198218}            // mains unplugged
	TermOnBattery                 = Term{"MDC_EVT_ON_BATTERY", 198222}                    // running on battery
	TermPumpVolTbiNearComp        = Term{"MDC_EVT_PUMP_VOL_TBI_NEAR_COMP", 198348}        // near end of infusion (current term)
	TermVolInfusNearComp          = Term{"MDC_EVT_VOL_INFUS_NEAR_COMP", 197334}           // near end of infusion (older, still sent by vendors)
	TermTimePdDelivNearComp       = Term{"MDC_EVT_TIME_PD_DELIV_NEAR_COMP", 197248}       // near end by time
	TermPumpVolTbiComp            = Term{"MDC_EVT_PUMP_VOL_TBI_COMP", 197194}             // VTBI complete
	TermVolInfusComp              = Term{"MDC_EVT_VOL_INFUS_COMP", 197332}                // VTBI complete (older)
	TermKvo                       = Term{"MDC_EVT_KVO", 197244}                           // pump in KVO
	TermKvoInfusComp              = Term{"MDC_EVT_KVO_INFUS_COMP", 198354}                // KVO finished
	TermContainerNearEmpty        = Term{"MDC_EVT_CONTAINER_NEAR_EMPTY", 197242}          // reservoir/bag low
	TermContainerEmpty            = Term{"MDC_EVT_CONTAINER_EMPTY", 197240}               // reservoir/bag empty
	TermEmpty                     = Term{"MDC_EVT_EMPTY", 196634}                         // empty, unspecified
	TermSyringeNearEmpty          = Term{"MDC_EVT_SYRINGE_NEAR_EMPTY", 197370}            // syringe near empty
	TermSyringeEmpty              = Term{"MDC_EVT_SYRINGE_EMPTY", 197226}                 // syringe empty
	TermSyringeEndOfTravel        = Term{"MDC_EVT_SYRINGE_END_OF_TRAVEL", 197224}         // end of travel
	TermSyringeDisengaged         = Term{"MDC_EVT_SYRINGE_DISENGAGED", 197256}            // syringe disengaged
	TermSyringeBarrelCaptureFault = Term{"MDC_EVT_SYRINGE_BARREL_CAPTURE_FAULT", 197218}  // syringe holder open
	TermMalf                      = Term{"MDC_EVT_MALF", 196678}                          // pump malfunction
	TermDeviceFail                = Term{"MDC_EVT_DEVICE_FAIL", 197618}                   // device failure
	TermSelftestFailure           = Term{"MDC_EVT_SELFTEST_FAILURE", 198216}              // self-test failure
	TermEmerStop                  = Term{"MDC_EVT_EMER_STOP", 197340}                     // emergency stop
	TermCallback                  = Term{"MDC_EVT_CALLBACK", 197330}                      // call back / unattended
	TermIdle                      = Term{"MDC_EVT_IDLE", 197328}                          // idle, no action
	TermDeviceStandby             = Term{"MDC_EVT_DEVICE_STANDBY", 197624}                // standby
	TermCommLost                  = Term{"MDC_EVT_COMM_LOST", 196748}                     // communication lost (gateway raises it)
	TermCommStatusOffline         = Term{"MDC_EVT_COMM_STATUS_OFFLINE", 198226}           // comm status offline
	TermCommStatusOnline          = Term{"MDC_EVT_COMM_STATUS_ONLINE", 198228}            // comm status online
	TermDataInvalid               = Term{"MDC_EVT_DATA_INVALID", 197376}                  // data invalid
	TermDataMissing               = Term{"MDC_EVT_DATA_MISSING", 197378}                  // data missing
	TermWatchdog                  = Term{"MDC_EVT_WATCHDOG", 198200}                      // watchdog / keep-alive message
	TermAdvisSettingsChk          = Term{"MDC_EVT_ADVIS_SETTINGS_CHK", 203276}            // advisory: check settings
	TermAdvisSvcReqd              = Term{"MDC_EVT_ADVIS_SVC_REQD", 203460}                // advisory: service required
	TermAdvisTimeChk              = Term{"MDC_EVT_ADVIS_TIME_CHK", 203316}                // advisory: check time
	TermUnknown                   = Term{"MDC_EVT_UNKNOWN", 197348}                       // device is alarming, reason unknown
	TermAlarm                     = Term{"MDC_EVT_ALARM", 196616}                         // container term for OBR-4 and facet 1
)

// Terms lists every term of this file.
func Terms() []Term {
	return []Term{
		TermPumpDelivStart, TermPumpDelivStop, TermPumpDelivComp, TermCommStatusChange, TermPumpProgCleared, TermPumpAutoProgCleared,
		TermPatientChange, TermPatientIdChange, TermPatientParameterChange, TermPumpVolCountersCleared, TermDeviceTimeChanged,
		TermFluidLineOccl, TermFluidLineOcclUpstream, TermFluidLineOcclDownstream, TermFluidLineAir, TermFluidLineAirUpstream,
		TermFluidLineAirDownstream, TermPressFluidLineIncreasing, TermPressFluidLineDecreasing, TermFluidLineHiGtLimPressure,
		TermDoorPosnErr, TermPosnProb, TermCheckIvSet, TermPumpFlowFree, TermFlowStopOpen, TermBattLo, TermBattDepl, TermBattEmpty,
		TermBattServ, TermBattFail, TermPwrLoss, TermMainsDisconnected, TermOnBattery, TermPumpVolTbiNearComp, TermVolInfusNearComp,
		TermTimePdDelivNearComp, TermPumpVolTbiComp, TermVolInfusComp, TermKvo, TermKvoInfusComp, TermContainerNearEmpty,
		TermContainerEmpty, TermEmpty, TermSyringeNearEmpty, TermSyringeEmpty, TermSyringeEndOfTravel, TermSyringeDisengaged,
		TermSyringeBarrelCaptureFault, TermMalf, TermDeviceFail, TermSelftestFailure, TermEmerStop, TermCallback, TermIdle,
		TermDeviceStandby, TermCommLost, TermCommStatusOffline, TermCommStatusOnline, TermDataInvalid, TermDataMissing, TermWatchdog,
		TermAdvisSettingsChk, TermAdvisSvcReqd, TermAdvisTimeChk, TermUnknown, TermAlarm,
	}
}
