import * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import type { CommandArgs, CommandId } from "../../core/contributions";

/**
 * A handler for every command, given the world it works in. Loaded at activation, so each is an `import()` of its verb's file and nothing
 * more. Handlers never catch: the boundary logs and tells. `undefined` from a picker means: return.
 */
export type CommandTable<World> = { readonly [Id in CommandId]: (world: World, ...args: CommandArgs[Id]) => Promise<void> };

/** A command that was run, with whatever VS Code passes: mostly the row with the focus, and the rows that are selected. */
export interface Called<World> {
  readonly id: CommandId;
  /** Its handler; takes the target that the boundary makes of the argument. */
  readonly verb: (world: World, target?: unknown) => Promise<void>;
  readonly argument: unknown;
  readonly selection?: unknown;
}

/** Registers every command of the table. */
export function registerCommands<World>(table: CommandTable<World>, run: (called: Called<World>) => Promise<void>): Disposable {
  const store = new DisposableStore();
  for (const [id, verb] of Object.entries(table) as [CommandId, Called<World>["verb"]][]) {
    store.add(vscode.commands.registerCommand(id, (argument: unknown, selection: unknown) => run({ id, verb, argument, selection })));
  }
  return store;
}
