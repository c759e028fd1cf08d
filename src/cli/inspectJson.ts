import { headReport, operatorReport, problemReport, stateFileReport, stateReport } from "../core/inspector/report";
import { StateTable } from "../core/metadata/states/stateTable";
import type { Terminal } from "./command";
import type { WriteInspection } from "./inspect";

/**
 * Writes `InspectReport` (docs/schema/inspect.schema.json) operator by operator, one on a line, so that what was written is never kept, and
 * with states one stream of state on a line.
 */
export const writeInspectionJson: WriteInspection = async ({ snapshot, selfContained, readings }, terminal) => {
  const { metadata, file, problems, problemCount } = snapshot;
  const { operators } = metadata;
  const out = new Chunks(terminal);
  const table = new StateTable();
  let statesReadBytes = 0;
  let stateProblems = false;
  await out.add(`${opened(headReport(file, metadata, selfContained))},\n"operators":[`);
  let next = await readings?.next();
  for (let row = 0; row < operators.count; row++) {
    await out.add(`${row === 0 ? "" : ","}\n${opened(operatorReport(operators, operators.get(row)))}`);
    if (readings !== undefined) {
      await out.add(`,"stateFiles":[`);
      for (let first = true; next?.done === false && next.value.row === row; first = false, next = await readings.next()) {
        const reading = next.value;
        table.add(reading);
        statesReadBytes += reading.readBytes;
        if (reading.problems.length > 0) stateProblems = true;
        await out.add(`${first ? "" : ","}\n  ${JSON.stringify(stateFileReport(reading))}`);
      }
      await out.add(`],"states":${JSON.stringify(table.of(row).map(stateReport))}`);
      table.forget(row);
    }
    await out.add("}");
  }
  const end = { ...(readings === undefined ? {} : { statesReadBytes }), problems: problems.map(problemReport), problemCount };
  await out.add(`\n],\n${JSON.stringify(end).slice(1)}\n`);
  await out.flush();
  return { stateProblems };
};

/** An object without its end. */
function opened(value: object): string {
  return JSON.stringify(value).slice(0, -1);
}

/** Gathers small pieces, so that each call of the system writes many. */
class Chunks {
  readonly #terminal: Terminal;
  #pieces: string[] = [];
  #length = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  async add(text: string): Promise<void> {
    this.#pieces.push(text);
    this.#length += text.length;
    if (this.#length >= 1 << 16) await this.flush();
  }

  async flush(): Promise<void> {
    this.#terminal.signal.throwIfAborted();
    const text = this.#pieces.join("");
    this.#pieces = [];
    this.#length = 0;
    if (text !== "") await this.#terminal.write(text);
  }
}
