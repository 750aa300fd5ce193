// Package whole proves the whole program: it builds the real infusiond, starts it as a process beside
// simulated pumps on real ptys, a real Mosquitto and a real InfluxDB, and compares what
// arrives with what the pumps sent. There is nothing but tests in it; `make test-program` runs them.
//
// What every test does besides its own subject:
//   - each message that a subscriber receives is checked against the schema of its topic;
//   - each byte string that infusiond wrote to a pump is held against the read queries of the
//     protocol document, and the simulators' counters of control commands must be zero;
//   - the numbering of the streams is audited: no hole, no second content under one key.
//
// Nothing waits for a time: tests wait for messages, for conditions on the home page or for the end of
// a process, each with parts.Patience as the limit. The simulators run with a fixed seed, which is printed.
package whole
