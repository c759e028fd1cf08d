import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findJava } from "../../../src/clients/localFlink/java";
import { actionCommand } from "../../../src/clients/paimon/actionCommand";
import { GatewayTables } from "../../../src/clients/paimon/gatewayTables";
import { localWarehouse } from "../../../src/clients/paimon/localWarehouse";
import { gatewayActions, gatewayOf } from "../../../src/clients/paimon/sqlGateway";
import { systemClock } from "../../../src/core/base/async";
import { isFlinkError } from "../../../src/core/errors";
import { explain } from "../../../src/core/explain";
import type { PaimonAction, PaimonActions } from "../../../src/core/paimon/actions";
import { FileTables } from "../../../src/core/paimon/fileTables";
import type { TableSource } from "../../../src/core/paimon/tableSource";
import { paimonJars, plainHttp } from "../../rig/flink";
import { gatewayAlone } from "../../rig/paimon";
import { paimonSet, type PaimonSet } from "../../unit/paimonSets";
import { logInto, patience } from "./testApp";

/** What a Paimon can't do yet, by the verb, in the words that a person reads. */
export type Lacking = Partial<Readonly<Record<PaimonAction["kind"], RegExp>>>;

const table = { database: "chain", table: "t" };

const log = logInto(() => undefined);

/** By statements, at a SQL Gateway of a Flink with its own Paimon, or with another. `long`: also of a table that the newest Paimon wrote; and then what it tells of the tables is what their files tell. */
export async function gatewayDoesWhatIsAsked(flink: string, bundle: string | undefined, lacking: Lacking, long = false): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "gateway-"));
  const jars = await paimonJars(flink, bundle);
  const server = await gatewayAlone(flink, path.join(folder, "gateway"), {}, jars);
  const http = plainHttp(log);
  try {
    for (const written of long ? (["paimon-0.8", "paimon-1.4"] as const) : (["paimon-0.8"] as const)) await actionsDoWhatIsAsked(written, async (set, use) => {
      const gateway = gatewayOf({ name: "lake", path: set.warehouse, catalog: "paimon", catalogOptions: {}, jars: [], sqlGateway: server.url }, { http, clock: systemClock, log });
      try {
        await use(gatewayActions(gateway, { catalog: "paimon", url: server.url, path: set.warehouse }));
        if (!long) return;
        const [told, read] = await Promise.all([factsOf(new GatewayTables({ gateway, catalog: "paimon", url: server.url, warehouse: "lake", clock: systemClock })), factsOf(new FileTables(localWarehouse, set.warehouse))]);
        assert.deepEqual(told, read);
      } finally {
        await gateway.close();
      }
    }, lacking);
  } finally {
    await server.kill();
    http.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

/** What of the table both ways tell. */
async function factsOf(tables: TableSource): Promise<unknown> {
  const { items } = await tables.databases();
  const found = (await tables.table("chain.t")) ?? assert.fail("the table is not listed");
  const { tags, snapshots, branches, schemaId, problems } = await tables.facts(found);
  return {
    databases: items, branches, schemaId, problems,
    tags: tags.map(({ name, retainedMs, snapshot }) => [name, retainedMs, snapshot.id, snapshot.timeMs]).sort(),
    snapshots: snapshots.map(({ id, commitUser, commitIdentifier, commitKind, schemaId: schema, timeMs, totalRecordCount }) => [id, commitUser, commitIdentifier, commitKind, schema, timeMs, totalRecordCount]),
  };
}

/** By Paimon's action command, with the jars of a Flink and its own Paimon, or another. */
export async function commandDoesWhatIsAsked(flink: string, bundle: string | undefined, lacking: Lacking): Promise<void> {
  const jars = await paimonJars(flink, bundle);
  const java = async (signal: AbortSignal): Promise<string> => (await findJava("", process.env, signal)).executable;
  await actionsDoWhatIsAsked("paimon-0.8", (set, use) => use(actionCommand({ warehouse: () => Promise.resolve({ path: set.warehouse, catalogOptions: {} }), java, jars: () => Promise.resolve(jars), env: process.env, log })), lacking);
}

/**
 * Everything that the product has Paimon do to a table, on one that this Paimon wrote, compared with what was asked for. `open` lends what acts on the
 * warehouse. What `lacking` names has to fail with these words, and change nothing.
 */
async function actionsDoWhatIsAsked(written: "paimon-0.8" | "paimon-1.4", open: (set: PaimonSet, use: (acts: PaimonActions) => Promise<void>) => Promise<void>, lacking: Lacking): Promise<void> {
  const set = paimonSet(written);
  try {
    await open(set, (acts) => allActions(set, acts, lacking));
  } finally {
    set.remove();
  }
}

async function allActions(set: PaimonSet, acts: PaimonActions, lacking: Lacking): Promise<void> {
  const home = path.join(set.warehouse, "chain.db", "t");
  const namesIn = (folder: string): string[] => (existsSync(path.join(home, folder)) ? readdirSync(path.join(home, folder)).sort() : []);
  const tags = (): Record<string, string> => Object.fromEntries(namesIn("tag").map((name) => {
    const text = readFileSync(path.join(home, "tag", name), "utf8");
    return [name.slice(4), `${/"id"\s*:\s*(\d+)/.exec(text)?.[1] ?? ""}${/"tagTimeRetained"\s*:\s*([\d.]+)/.exec(text)?.[1]?.replace(/^/, " for ").replace(/\.0+$/, " s") ?? ""}`];
  }));
  const snapshots = (): number[] => namesIn("snapshot").flatMap((name) => (/^snapshot-\d+$/.test(name) ? [Number(name.slice(9))] : [])).sort((a, b) => a - b);
  /** Does it, and tells whether it could. */
  const act = async (action: PaimonAction): Promise<boolean> => {
    const words = lacking[action.kind];
    if (words === undefined) {
      await acts.act(table, action, patience());
      return true;
    }
    const before = [tags(), snapshots(), namesIn("branch")];
    await assert.rejects(acts.act(table, action, patience()), (error) => isFlinkError(error, "paimon-action-failed") && (assert.match(explain(error).message, words), true));
    assert.deepEqual([tags(), snapshots(), namesIn("branch")], before);
    return false;
  };
  const [first = 0, second = 0] = snapshots();
  const newest = snapshots().at(-1) ?? 0;
  const given = tags();
  await act({ kind: "create-tag", tag: "ever", snapshotId: first, retainedMs: null });
  await act({ kind: "create-tag", tag: "week", snapshotId: second, retainedMs: 7 * 86_400_000 });
  await act({ kind: "create-tag", tag: "odd", snapshotId: newest, retainedMs: 90 * 60_000 });
  assert.deepEqual(tags(), { ...given, ever: String(first), week: `${second} for 604800 s`, odd: `${newest} for 5400 s` });
  const name = (await act({ kind: "rename-tag", tag: "ever", newName: "always" })) ? "always" : "ever";
  await act({ kind: "delete-tag", tag: "odd" });
  assert.deepEqual(tags(), { ...given, [name]: String(first), week: `${second} for 604800 s` });
  const isSafe = await act({ kind: "create-branch", branch: "before", tag: "week" });
  assert.deepEqual(namesIn("branch").includes("branch-before"), isSafe);
  await act({ kind: "create-tag", tag: "late", snapshotId: newest, retainedMs: null });
  await act({ kind: "roll-back", tag: "week" });
  assert.deepEqual(snapshots(), [first, second]);
  const kept = Object.entries({ ...given, [name]: String(first), week: `${second} for 604800 s` }).filter(([, of]) => Number.parseInt(of) <= second);
  assert.deepEqual(tags(), Object.fromEntries(kept));
}
