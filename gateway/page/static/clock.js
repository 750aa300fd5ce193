// The gateway's time as this browser may believe it.
//
// Two clocks run here: the wall clock, which may be set, and the monotonic one, which may
// stand still while the machine sleeps. The present is the later of the two, so that an age is never
// too young. When they part, or when the timers of this page stood still, nothing is believed
// until the gateway was asked again.

const JUMP = 2500; // ms by which the two clocks may part
const STANDSTILL = 5000; // ms between two ticks that should be one second apart
const LATE = 3000; // ms that a heartbeat may be on its way
const CREEP = 5; // ms by which a heartbeat may set the time back

export function moment() {
  return { wall: Date.now(), mono: performance.now() };
}

export class GatewayClock {
  constructor() {
    this.reference = null; // {server, wall, mono}
    this.slack = 0;
    this.tick = moment();
  }

  // anchor takes the gateway's time from an answer to a request that was sent at asked. The answer was
  // written after that, so counting from asked is never too young.
  anchor(serverMs, asked) {
    this.slack = moment().mono - asked.mono;
    this.reference = { server: serverMs, wall: asked.wall, mono: asked.mono };
  }

  forget() {
    this.reference = null;
  }

  get trusted() {
    return this.reference !== null;
  }

  now() {
    const r = this.reference;
    if (!r) return Date.now();
    const m = moment();
    return r.server + Math.max(m.wall - r.wall, m.mono - r.mono);
  }

  // beat says whether a heartbeat agrees with this clock. One that comes late was written long ago (a
  // buffer that was read after a sleep) or the gateway's clock was set back: ask again.
  beat(serverMs) {
    const predicted = this.now();
    if (predicted - serverMs > LATE + this.slack) return false;
    this.reference = { server: Math.max(serverMs, predicted - CREEP), ...moment() };
    return true;
  }

  // ticked is called about every second and says whether this page slept or a clock was set.
  ticked() {
    const m = moment();
    const wall = m.wall - this.tick.wall;
    const mono = m.mono - this.tick.mono;
    this.tick = m;
    if (Math.max(wall, mono) > STANDSTILL || wall < -JUMP) return true;
    const r = this.reference;
    return r !== null && Math.abs(m.wall - r.wall - (m.mono - r.mono)) > JUMP;
  }
}
