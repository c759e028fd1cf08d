import { UsageError, type Command, type Terminal } from "./command";
import { cron } from "./cron";
import { lint } from "./lint";
import { uidHash } from "./uidHash";

/** Every command of the program by its name. */
const commands: Readonly<Record<string, Command>> = { "uid-hash": uidHash, cron, lint };

/** Runs `flink-savepoints` with its arguments; resolves to the exit code. Nothing is thrown. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "" || name === "--help" || name === "-h" || name === "help") {
    (name === "" ? terminal.err : terminal.out)(usage());
    return name === "" ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    terminal.err(`usage: There is no command ${name}.\n\n${usage()}`);
    return 2;
  }
  if (rest.includes("--help") || rest.includes("-h")) {
    terminal.out(`flink-savepoints ${name} ${command.usage}\n${command.about}`);
    return 0;
  }
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (terminal.signal.aborted) return 130;
    if (error instanceof UsageError) terminal.err(`usage: ${error.message}\nflink-savepoints ${name} ${command.usage}`);
    else terminal.err(`failed: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}

function usage(): string {
  return ["flink-savepoints COMMAND", "", ...Object.entries(commands).map(([name, { usage, about }]) => `  ${name} ${usage}\n      ${about}`)].join("\n");
}
