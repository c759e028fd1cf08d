import { createHash, randomBytes } from "node:crypto";
import type { ProcessIdentity } from "../core/ports";
import { isAlive } from "./processIdentity";

/** Ids come from Flink's side too, so only what is safe in a file name on every system is taken. */
export function isSafeId(id: string): boolean {
  return /^[A-Za-z0-9-]{1,120}$/.test(id);
}

/** The file of one version of a record: `<id>.<revision>.json`; revisions count from 1. */
export function revisionName(id: string, revision: number): string {
  return `${id}.${String(revision).padStart(6, "0")}.json`;
}

/** Reads a name made by `revisionName`; undefined for any other file. */
export function parseRevisionName(name: string): { readonly id: string; readonly revision: number } | undefined {
  const [, id, digits] = /^([A-Za-z0-9-]{1,120})\.(\d{6,15})\.json$/.exec(name) ?? [];
  return id === undefined || digits === undefined ? undefined : { id, revision: Number(digits) };
}

/** A name for a draft of a record. It tells which record its writer is about to change, and who the writer is. */
export function draftName(id: string, writer: ProcessIdentity): string {
  return `${id}.${hashOf(writer.host)}.${writer.pid}.${writer.instance}.${randomBytes(4).toString("hex")}.draft`;
}

/** Reads a name made by `draftName`. `writer` is `dead` only when that is certain; undefined for any other file. */
export function parseDraftName(name: string, self: ProcessIdentity): { readonly id: string; readonly writer: "alive" | "dead" | "unknown" } | undefined {
  const [, id, host, pid, instance] = /^([A-Za-z0-9-]+)\.([0-9a-f]{8})\.(\d+)\.([a-z0-9-]+)\.[0-9a-f]{8}\.draft$/.exec(name) ?? [];
  if (id === undefined || pid === undefined || instance === undefined) return undefined;
  if (host !== hashOf(self.host)) return { id, writer: "unknown" };
  const liveness = isAlive({ host: self.host, pid: Number(pid), instance }, self);
  return { id, writer: liveness === "other-host" ? "unknown" : liveness === "self" ? "alive" : liveness };
}

/** Host names may hold what a file name may not. */
function hashOf(host: string): string {
  return createHash("sha256").update(host).digest("hex").slice(0, 8);
}
