/** What a command of the program may touch. Everything it says goes through here, so that it can be run in a test without a process. */
export interface Terminal {
  /** Standard output; a line break is added. */
  out(text: string): void;
  /** Standard output as it is; resolves when there is room for more, so that a slow reader never makes us keep what is to come. */
  write(text: string): Promise<void>;
  /** Standard error; a line break is added. */
  err(text: string): void;
  readonly signal: AbortSignal;
  readonly workingFolder: string;
}

/** A command of `flink-savepoints`. */
export interface Command {
  /** What follows the name in the usage line. */
  readonly usage: string;
  /** One sentence for the list of commands. */
  readonly about: string;
  /**
   * Resolves to the exit code. Throws `UsageError` for arguments that make no sense, which ends with exit code 2, and so does a
   * `FlinkError`, which is told by its code and sentence.
   */
  run(args: readonly string[], terminal: Terminal): Promise<number>;
}

/** Arguments that make no sense; the message is a sentence that says which. */
export class UsageError extends Error {}
