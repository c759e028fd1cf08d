import type { Liveness } from "../core/ports";

/** How long a process of another machine must have been silent before what it left open is taken over: it can't be seen, and may still be at work. */
const otherHostPatienceMs = 10 * 60_000;

/** Whether another process may still be at work on what it last wrote down `silentMs` ago. */
export function mayBeAtWork(liveness: Liveness, silentMs: number, patienceMs = otherHostPatienceMs): boolean {
  return liveness === "alive" || (liveness === "other-host" && silentMs < patienceMs);
}
