// Package sapphirefront lets a pumpmodel.Pump speak the serial protocol of a Q Core Sapphire, as far as public facts go.
//
// The pump pushes status batches while it heard ThisIsPc within the last 30 s; a batch holds the six known fields, every other byte is zero
// or, with Noise, anything. It tells no alarm, no battery, no pressure, no drug and no run state.
//
// Choices where the protocol document leaves room: batches come every 200 ms unless Options says otherwise, because 180 bytes take
// 187 ms at 9600 baud; the flow rate is what the motor runs at; delivered and remaining count this infusion; unknown messages are not
// answered. Control messages of known clients (run, pause, bolus, end of treatment, power off, lock, EEPROM writes of rate and VTBI) act on the
// simulated pump, are not answered, and are counted. A pump that was locked by a client stops when that client's heartbeat ends,
// as the client's author saw.
package sapphirefront
