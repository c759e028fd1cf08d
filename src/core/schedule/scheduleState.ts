import * as z from "zod";

const epochMs = z.number();

/** How a tick ended. `tickAtMs` is when it was due, `atMs` when it was over; several that were missed in a row are one. */
const tickOutcome = z.discriminatedUnion("what", [
  z.object({ what: z.literal("taken"), tickAtMs: epochMs, atMs: epochMs, recordId: z.string() }),
  z.object({ what: z.literal("skipped"), tickAtMs: epochMs, atMs: epochMs, why: z.string() }),
  z.object({ what: z.literal("failed"), tickAtMs: epochMs, atMs: epochMs, why: z.string(), attempts: z.number() }),
  z.object({ what: z.literal("missed"), tickAtMs: epochMs, atMs: epochMs, count: z.number(), lastTickAtMs: epochMs }),
]);

/** How a tick ended. */
export type TickOutcome = z.infer<typeof tickOutcome>;

/**
 * What is remembered of a schedule from one process to the next. The savepoints themselves are in the ledger; this knows what the ledger does
 * not: how far the clock was followed, and which ticks took none.
 */
export const scheduleStateSchema = z.object({
  version: z.literal(1),
  key: z.string(),
  /** Cron expression and zone that `decidedUpToMs` is about. */
  timing: z.string(),
  paused: z.boolean(),
  /** Every tick up to then has been begun, skipped or missed. */
  decidedUpToMs: epochMs,
  /** The last of them, from which ten minutes are counted. */
  lastTickAtMs: epochMs.nullable(),
  /** Ticks begun whose end is not known yet. */
  open: z.array(epochMs),
  /** Oldest first. */
  outcomes: z.array(tickOutcome),
  /** True once a failure was told, until a savepoint succeeds. */
  failureTold: z.boolean(),
});

/** The memory of one schedule; times are milliseconds since the epoch. */
export type ScheduleState = z.infer<typeof scheduleStateSchema>;

/** How many outcomes are kept. */
const keptOutcomes = 50;

/** The state with one more outcome; what was said of the same tick before is replaced. */
export function withOutcome(state: ScheduleState, outcome: TickOutcome): ScheduleState {
  const others = state.outcomes.filter(({ what, tickAtMs }) => tickAtMs !== outcome.tickAtMs || what === "missed");
  return { ...state, open: state.open.filter((tickAtMs) => tickAtMs !== outcome.tickAtMs), outcomes: [...others, outcome].slice(-keptOutcomes) };
}
