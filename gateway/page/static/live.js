// The connection to the gateway: server-sent events, opened anew whenever they fail, fall silent or
// are not to be believed.

import { moment } from "./clock.js";

const SILENT = 7000; // ms without a heartbeat, of one every two seconds
const PATIENCE = 4000; // ms for a new connection before the next one is tried

export class Live {
  // handlers: snapshot(data, asked), message(data), beat(data), failed().
  constructor(handlers) {
    this.handlers = handlers;
    this.heard = moment();
    this.uptime = -1;
    this.failures = 0;
    this.busy = false;
    this.source = null;
    this.retry = 0;
  }

  open() {
    this.close();
    const asked = (this.asked = moment());
    const source = (this.source = new EventSource("/api/live"));
    const on = (name, handle) =>
      source.addEventListener(name, (event) => {
        if (source === this.source) handle(JSON.parse(event.data));
      });
    on("snapshot", (data) => {
      this.failures = 0;
      this.busy = false;
      this.hear(data, true);
      this.handlers.snapshot(data, asked);
    });
    on("message", (data) => this.handlers.message(data));
    on("beat", (data) => {
      if (this.hear(data, false)) this.handlers.beat(data);
    });
    source.onerror = () => {
      if (source === this.source) this.fail();
    };
  }

  close() {
    clearTimeout(this.retry);
    if (this.source) this.source.close();
    this.source = null;
  }

  // hear counts a heartbeat only when the gateway's counter went on.
  hear(data, first) {
    if (!first && data.uptime_ms <= this.uptime) return false;
    this.uptime = data.uptime_ms;
    this.heard = moment();
    return true;
  }

  fail() {
    this.close();
    this.failures += 1;
    this.retry = setTimeout(() => this.open(), Math.min(1000 * this.failures, 3000));
    this.ask();
    this.handlers.failed();
  }

  // ask finds out whether the gateway answers at all, only to choose the right words.
  async ask() {
    try {
      const answer = await fetch("/api/time", { signal: AbortSignal.timeout(3000) });
      this.busy = answer.ok && this.failures > 0;
    } catch {
      this.busy = false;
    }
  }

  // begin gives a new connection its time before the gateway counts as silent.
  begin() {
    this.heard = moment();
    this.failures = 0;
    this.open();
  }

  silence() {
    const m = moment();
    return Math.max(m.wall - this.heard.wall, m.mono - this.heard.mono);
  }

  // lost says that the gateway does not answer, at the latest 10 s after it fell silent.
  get lost() {
    return this.failures > 1 || this.silence() > SILENT;
  }

  // tick tries anew when the connection is open but nothing comes.
  tick() {
    if (this.source && this.silence() > SILENT && moment().mono - this.asked.mono > PATIENCE) this.open();
  }
}
