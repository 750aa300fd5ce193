package bcc

// longNames are the names of section 5 in words, with the unit where a value has one.
var longNames = map[string]string{
	"FMNOR": "pillars", "FMSTAT": "station_state", "FMDONGLE": "dongle", "FMBANY": "barcode", "FMRT": "segments", "COMSERIALNO": "station_serial_number", "COMSWVERSION": "station_version",
	"GNACK": "acknowledged", "GNERR": "error", "GNMODEL": "software", "GNNEW": "software_of_a_new_pump", "INNR": "unique_id", "INSERNUM": "serial_number", "INDTNR": "device_type",
	"DSSTATUS": "power", "INRT": "rate_ml_per_h", "INAVRT": "mean_rate_since_last_request_ml_per_h", "INVI": "volume_infused_ml", "INVTB": "volume_to_be_infused_ml",
	"VOLREMAIN": "volume_remaining_ml", "INVOLACT": "volume_in_syringe_ml", "INSYR": "syringe_size_ml", "INRMT": "time_remaining_s", "INTIME": "infusion_time_min",
	"INAKKU": "battery_time_min", "INSTBY": "standby_remaining_min", "INBORT": "bolus_rate_ml_per_h", "INBOVAL": "bolus_volume_ml", "INBOCNT": "boluses_since_last_request",
	"BOCNT": "boluses_in_therapy", "BOVAL": "bolus_volume_internal_ml", "BOLTYPE": "bolus_type", "INSOL": "drug", "INSOLSN": "drug_short_name", "INSOLID": "drug_id",
	"INDOCAL": "dose_mode", "INDCON": "concentration", "INDCONU": "concentration_unit", "INDORT": "dose_rate_set", "INDORTU": "dose_rate_set_unit", "DORT": "dose_rate", "DORTU": "dose_rate_unit",
	"INP1": "pressure_limit_level", "INP2": "pressure_percent_of_limit", "INPSOLL": "pressure_level", "OPMODE": "mode", "RUNSTATE": "run_state", "ACTCHAN": "active_channel",
	"LASTDA": "last_device_alarm", "DATE": "date", "TIME": "time", "PATW": "weight_kg", "CAREUNIT": "care_unit", "DRUGCAT": "drug_category", "DLNAME": "drug_list",
	"INM1": "ready", "INM2": "bolus_active", "INM3": "pumping", "INM4": "cc_function", "INM5": "bolus_released", "INM6": "standby", "INM7": "data_lock", "INM8": "mains",
	"INM9": "disposable_changed", "INM10": "kvo", "INM11": "without_drop_control", "INM12": "below_soft_limit", "INM13": "above_soft_limit", "INM14": "priming",
	"ALARM1": "alarm_word_1", "ALARM2": "alarm_word_2", "PREALARM": "pre_alarm_word", "STATUS1": "status_word_1",
	"PATID": "patient_id", "PATIDBADGE": "patient_badge", "PATIDDRUG": "patient_id_of_drug", "NURSEID": "nurse_id",
}
