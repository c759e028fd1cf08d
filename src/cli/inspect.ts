import { openLocalFile } from "../clients/localFiles";
import type { SelfContainment } from "../core/metadata/selfContained";
import { selfContainment } from "../core/metadata/selfContained";
import { savepointStates, type StateReading } from "../core/metadata/states/savepointStates";
import { readArguments, wholeNumber } from "./arguments";
import { UsageError, type Command, type Terminal } from "./command";
import { readSnapshot, type Snapshot } from "./snapshot";

/** What is written of a snapshot. */
export interface Inspection {
  readonly snapshot: Snapshot;
  readonly selfContained: SelfContainment;
  /** Undefined when states were not asked for; else what their streams tell, by operator in the file's order, read as it is taken. */
  readonly readings: AsyncGenerator<StateReading> | undefined;
}

/** How it is written; resolves to whether a state could not be read. */
export type WriteInspection = (inspection: Inspection, terminal: Terminal) => Promise<{ readonly stateProblems: boolean }>;

/** `inspect`: what is in a savepoint or checkpoint (C-2…5, C-16…20). Exit code 0: read whole, 1: read with problems, 2: not readable. */
export const inspect: Command = {
  usage: "PATH [--json] [--states] [--entries] [--limit-bytes N]",
  about: "Shows what is in a savepoint or checkpoint: PATH is its folder or its _metadata. --states also reads the headers of its state files, --entries the whole files, to count. --limit-bytes ends the reading after N bytes.",
  async run(args, terminal) {
    const { flags, values, rest } = readArguments(args, { flags: ["json", "states", "entries"], values: ["limit-bytes"] });
    const limitBytes = wholeNumber("limit-bytes", values["limit-bytes"]);
    const [place] = rest;
    if (place === undefined || rest.length > 1) throw new UsageError("Name one savepoint.");
    const snapshot = await readSnapshot(place, terminal, limitBytes === undefined ? {} : { readBytes: limitBytes });
    if (snapshot === undefined) return 2;
    const { input, metadata, problems, folder } = snapshot;
    try {
      const { signal } = terminal;
      const selfContained = await selfContainment(input, { metadata, problems }, folder, { signal, ...(limitBytes === undefined ? {} : { examineBytes: limitBytes }) });
      const readBytes = limitBytes === undefined ? Infinity : Math.max(0, limitBytes - metadata.sizeBytes);
      const readings = flags.states || flags.entries ? savepointStates(input, metadata, { folder, open: openLocalFile }, { signal, readBytes, ...(flags.entries ? { countUpToBytes: Infinity } : {}) }) : undefined;
      const write = flags.json ? (await import("./inspectJson")).writeInspectionJson : (await import("./inspectText")).writeInspectionText;
      const { stateProblems } = await write({ snapshot, selfContained, readings }, terminal);
      return problems.length > 0 || stateProblems ? 1 : 0;
    } finally {
      await input.close();
    }
  },
};
