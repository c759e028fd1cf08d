// Running other programs for the rig: quietly, with their last words when they fail. They and all that they start end with us at the latest,
// even when we are killed: an npm that went on would write into the folders of the next run.
import { spawn } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Another program failed; what it said is the message, and our own stack would tell nothing. */
export class Failed extends Error {}

const living = new Set();
const guard = path.join(path.dirname(fileURLToPath(import.meta.url)), "guard.cjs");
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Runs a program to its end and returns its exit code; its output goes where ours goes. */
export function show(command, args, { env = {}, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = guarded(command, args, { cwd, env, output: "inherit" });
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? `signal ${signal}`));
  });
}

/** Runs a program silently; when it fails, throws with the end of what it printed. Returns its standard output. */
export function run(command, args, { env = {}, cwd } = {}) {
  return new Promise((resolve, reject) => {
    const child = guarded(command, args, { cwd, env, output: "pipe" });
    let out = "", all = "";
    child.stdout.on("data", (data) => { out += data; all = (all + data).slice(-6000); });
    child.stderr.on("data", (data) => { all = (all + data).slice(-6000); });
    child.once("error", reject);
    child.once("close", (code, signal) => code === 0 ? resolve(out) : reject(new Failed(`${command} ${args.join(" ")} ended with ${code ?? signal}\n${all.trim()}`)));
  });
}

/** Does one step of work and prints it in one line with the seconds that it took. */
export async function step(name, work) {
  const start = Date.now();
  if (process.stdout.isTTY) process.stdout.write(`${name} …\r`);
  const result = await work();
  console.log(`${name.padEnd(48)} ${seconds(Date.now() - start)}`);
  return result;
}

export const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;

function guarded(command, args, { cwd, env, output }) {
  const child = spawn(process.execPath, [guard, "-", command, ...args], { cwd, env: { ...process.env, ...env }, stdio: ["pipe", output, output] });
  track(child);
  return child;
}

/** A signal ends what runs, then us. Only while something runs: afterwards whoever goes on has cleaning up of its own to do. */
function track(child) {
  if (living.size === 0) for (const signal of Object.keys(signals)) process.on(signal, end);
  living.add(child);
  child.once("exit", () => {
    living.delete(child);
    if (living.size === 0) for (const signal of Object.keys(signals)) process.removeListener(signal, end);
  });
}

function end(signal) {
  for (const child of living) child.kill("SIGTERM");
  process.exit(signals[signal]);
}
