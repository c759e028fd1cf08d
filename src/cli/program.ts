import { main } from "./main";

const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that ended, such as `head`, is not an error.
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`output-failed: The output could not be written (${error.code ?? error.message}).\n`);
  process.exit(2);
});
// Where nobody can be told, the exit code still tells.
process.stderr.on("error", () => undefined);

process.exitCode = await main(process.argv.slice(2), {
  out: (text) => void process.stdout.write(`${text}\n`),
  write: (text) => new Promise((resolve) => {
    if (process.stdout.write(text)) resolve();
    else process.stdout.once("drain", resolve);
  }),
  err: (text) => void process.stderr.write(`${text}\n`),
  signal: abort.signal,
  workingFolder: process.cwd(),
});
