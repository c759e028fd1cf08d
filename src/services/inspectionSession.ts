import type { InspectionApi } from "../core/inspector/protocol";
import type { Clock, Log, StartInspection } from "../core/ports";
import { ThreadSession } from "./threadSession";

/** One savepoint under inspection. */
export class Inspection extends ThreadSession<InspectionApi> {
  constructor(location: string, start: StartInspection, clock: Clock, log: Log) {
    super(location, () => start(location), clock, log);
  }
}
