import type { Client, Handlers } from "../rpc";
import type { PairingTables } from "./tableSource";
import type { PaimonTable, WarehouseProblem } from "./warehouse";

/** Names of what the thread that pairs asks back of a catalog that it can't reach by itself. */
type Question = "all" | "mayBeOf" | "contents" | "options" | "changedFiles" | "holds" | "madeMs";

/** A question about the tables of a warehouse, by its key; what can't be read comes with the answer. */
export type AskedBack = {
  readonly [K in Question]: (params: { readonly warehouse: string; readonly args: readonly unknown[] }) => { readonly value: Awaited<ReturnType<PairingTables[K]>>; readonly problems: readonly WarehouseProblem[] };
};

/** The tables of a catalog whose questions are answered at the other end of a port. */
export function tablesAskedBack(client: Client<AskedBack, Record<never, never>>, warehouse: string): PairingTables {
  const ask = async <K extends Question>(method: K, args: readonly unknown[], problems: WarehouseProblem[], signal: AbortSignal | undefined): Promise<Awaited<ReturnType<PairingTables[K]>>> => {
    const answer = await client.call(method, { warehouse, args }, signal);
    problems.push(...answer.problems);
    return answer.value;
  };
  return {
    way: "gateway",
    all: (problems, signal) => ask("all", [], problems, signal),
    mayBeOf: (table, users, tag, signal) => ask("mayBeOf", [table, users, tag], [], signal),
    contents: (table, problems, signal) => ask("contents", [table], problems, signal),
    options: (table, problems, signal) => ask("options", [table], problems, signal),
    changedFiles: (table, snapshot, signal) => ask("changedFiles", [table, snapshot], [], signal),
    holds: (table, files, signal) => ask("holds", [table, files], [], signal),
    isRolledBack: () => Promise.resolve(false),
    madeMs: (table, tag) => ask("madeMs", [table, tag], [], undefined),
  };
}

/** Answers what is asked back. */
export function answersBack(tablesOf: (warehouse: string) => Promise<PairingTables>): Handlers<AskedBack> {
  type Args = readonly [PaimonTable, never];
  return {
    all: ({ warehouse }, signal) => answered(async (problems) => (await tablesOf(warehouse)).all(problems, signal)),
    mayBeOf: ({ warehouse, args }, signal) => answered(async () => (await tablesOf(warehouse)).mayBeOf(...(args as readonly [PaimonTable, ReadonlySet<string>, string]), signal)),
    contents: ({ warehouse, args: [table] }, signal) => answered(async (problems) => (await tablesOf(warehouse)).contents(table as PaimonTable, problems, signal)),
    options: ({ warehouse, args: [table] }, signal) => answered(async (problems) => (await tablesOf(warehouse)).options(table as PaimonTable, problems, signal)),
    changedFiles: ({ warehouse, args }, signal) => answered(async () => (await tablesOf(warehouse)).changedFiles(...(args as Args), signal)),
    holds: ({ warehouse, args }, signal) => answered(async () => (await tablesOf(warehouse)).holds(...(args as Args), signal)),
    madeMs: ({ warehouse, args }) => answered(async () => (await tablesOf(warehouse)).madeMs(...(args as Args))),
  };
}

async function answered<T>(ask: (problems: WarehouseProblem[]) => Promise<T>): Promise<{ value: T; problems: readonly WarehouseProblem[] }> {
  const problems: WarehouseProblem[] = [];
  return { value: await ask(problems), problems };
}
