import { isAbort } from "../../core/base/async";
import type { ClusterRef, WarehouseRef } from "../../core/contributions";
import { FlinkError, isFlinkError } from "../../core/errors";
import { explain } from "../../core/explain";
import type { Log } from "../../core/ports";
import type { Called } from "./commands";
import type { Notify } from "./notify";
import { isOfPressedRow, targetOf, targetOfSelection, tooManySelected } from "./target";

/** What the boundary needs. */
export interface CommandBoundary {
  readonly log: Log;
  readonly notify: Notify;
  /** The row of the explorer that the key of the command was pressed on, if that is certain. To be asked at once, and once. */
  pressed(): unknown;
}

/** The chain of causes below an error, for the log: one line each, then the innermost stack. Facts are data without secrets. */
function describeForLog(error: unknown): string {
  const lines: string[] = [];
  let innermost: unknown = error;
  for (let at: unknown = error; at !== undefined && at !== null && lines.length < 20; at = at instanceof Error ? at.cause : undefined) {
    innermost = at;
    lines.push(`${lines.length === 0 ? "" : "caused by "}${at instanceof FlinkError ? `${at.code} ${JSON.stringify(at.facts)}` : String(at)}`);
  }
  const stack = innermost instanceof Error ? (innermost.stack ?? "").split("\n").slice(1).join("\n") : "";
  return stack === "" ? lines.join("\n") : `${lines.join("\n")}\n${stack}`;
}

/** Runs a command inside the one error boundary; never rejects. */
export async function runCommand<World>(world: World, boundary: CommandBoundary, called: Called<World>): Promise<void> {
  const { log, notify } = boundary;
  const { id, verb, argument, selection } = called;
  const selected = tooManySelected(id, selection);
  if (selected !== undefined) return notify.refused(`${selected} rows are selected, and this is done to one at a time. Select that one alone.`);
  const target = isOfPressedRow(argument) ? targetOf(id, boundary.pressed()) : targetOfSelection(id, argument, selection);
  try {
    log.debug(`${id} ${target === undefined ? "" : JSON.stringify(target)}`.trimEnd());
    await verb(world, target);
  } catch (error) {
    if (isAbort(error)) {
      log.info(`${id}: stopped waiting`);
    } else if (error instanceof FlinkError) {
      log.error(`${id}: ${describeForLog(error)}`);
      const explanation = explain(error);
      if (error.code === "refused") notify.refused(explanation.message);
      else notify.failure(explanation, { retry: () => runCommand(world, boundary, { id, verb, argument: target }), target: aboutWhat(error, target) });
    } else {
      log.error(`${id}: unexpected: ${describeForLog(error)}`);
      notify.unexpected();
    }
  }
}

/** The server or warehouse that an error's next step is about, so that *Set Credentials* and *Store Warehouse Secrets* need not ask. */
function aboutWhat(error: FlinkError, target: unknown): ClusterRef | WarehouseRef | undefined {
  if ("warehouse" in error.facts && typeof error.facts.warehouse === "string") return { warehouse: error.facts.warehouse };
  if (isFlinkError(error, "unauthorized") && error.facts.server === "sql-gateway") return { cluster: error.facts.url };
  if (typeof target === "object" && target !== null && "cluster" in target && typeof target.cluster === "string") return { cluster: target.cluster };
  return "url" in error.facts && typeof error.facts.url === "string" ? { cluster: error.facts.url } : undefined;
}
