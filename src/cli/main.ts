import { UsageError, type Command, type Terminal } from "./command";
import { printable } from "./printable";

/** Version of the extension, which the bundler puts in. */
declare const programVersion: string;

/** Every command of the program by its name. One is loaded when it is run, so that none waits for what another needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  "inspect": async () => (await import("./inspect")).inspect,
  "diff": async () => (await import("./diff")).diff,
  "uid-hash": async () => (await import("./uidHash")).uidHash,
  "cron": async () => (await import("./cron")).cron,
  "schedule": async () => (await import("./schedule")).schedule,
  "cleanup": async () => (await import("./cleanup")).cleanup,
  "tags": async () => (await import("./tags")).tags,
  "rollback": async () => (await import("./rollback")).rollback,
  "lint": async () => (await import("./lint")).lint,
};

/** Runs `flink-savepoints` with its arguments; resolves to the exit code. Nothing is thrown. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "" || name === "--help" || name === "-h" || name === "help") {
    (name === "" ? terminal.err : terminal.out)(await usage());
    return name === "" ? 2 : 0;
  }
  if (name === "--version") {
    terminal.out(`flink-savepoints ${programVersion}`);
    return 0;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) {
    terminal.err(`usage: There is no command ${printable(name, 80)}. There are ${Object.keys(commands).join(", ")}; --help tells what they do.`);
    return 2;
  }
  const command = await load();
  const options = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
  if (options.includes("--help") || options.includes("-h")) {
    terminal.out(`flink-savepoints ${name} ${command.usage}\n${command.about}`);
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (terminal.signal.aborted) return 130;
    terminal.err(error instanceof UsageError ? `usage: ${printable(error.message)}\nflink-savepoints ${name} ${command.usage}` : await errorLine(error));
    return 2;
  }
}

/** An error as `code: sentence`. */
async function errorLine(error: unknown): Promise<string> {
  const [{ FlinkError }, { explain }] = await Promise.all([import("../core/errors"), import("../core/explain")]);
  if (error instanceof FlinkError) return `${error.code}: ${printable(explain(error).message)}`;
  return `failed: ${printable(error instanceof Error ? error.message : String(error))}`;
}

async function usage(): Promise<string> {
  const all = await Promise.all(Object.entries(commands).map(async ([name, load]) => ({ name, ...(await load()) })));
  return ["flink-savepoints COMMAND", "", ...all.map(({ name, usage: follows, about }) => `  ${name} ${follows}\n      ${about}`)].join("\n");
}
