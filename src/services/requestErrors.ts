import { FlinkError, isFlinkError, type ErrorFacts, type Refusal } from "../core/errors";
import { explain } from "../core/explain";
import type { Log } from "../core/ports";

/** Throws `refused` unless the list is empty. */
export function refuseIf(verb: string, subject: string, refusals: readonly Refusal[]): void {
  if (refusals.length > 0) throw new FlinkError("refused", { verb, subject, refusals });
}

/** Whether Flink may have got a request that ended in this error. A refusal in Flink's own words (4xx) or a connection never made says no. */
export function mayHaveArrived(error: unknown): boolean {
  if (!isFlinkError(error)) return true;
  switch (error.code) {
    case "cluster-unreachable": case "tls-failed": case "tls-expected": case "unauthorized": case "redirected": case "no-such-route": case "job-not-found": case "cluster-unknown": case "no-leader":
    case "location-invalid": case "setting-invalid": case "secrets-unavailable": case "file-unreadable": case "file-not-a-jar":
      return false;
    case "flink-failed":
      return (error.facts as ErrorFacts["flink-failed"]).status >= 500;
    case "not-flink":
      return (error.facts as ErrorFacts["not-flink"]).status >= 500;
    default:
      return true;
  }
}

/** What a record keeps of an error. */
export function failureOf(error: unknown): { message: string; exception: string } {
  if (isFlinkError(error, "flink-failed")) return { message: error.facts.message, exception: error.facts.exception };
  return { message: isFlinkError(error) ? explain(error).message : String(error), exception: "" };
}

/**
 * Waits for a write that only adds to what the record says of a request that is sent. When the disk is full or read-only Flink has acted all
 * the same: whoever follows finds out, and writes as soon as that can be.
 */
export async function unlessUnwritable(write: Promise<unknown>, log: Log): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!isFlinkError(error, "ledger-unwritable")) throw error;
    log.warn("what Flink answered could not be written down yet", error);
  }
}
