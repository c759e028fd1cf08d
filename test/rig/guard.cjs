// guard.cjs FOLDER COMMAND ARG...  runs a program in a process group of its own and ends that whole group as soon as our standard input
// closes; then removes the folder, "-" for none. Whoever starts the guard holds the other end of that pipe, so nothing outlives it, however it dies.
"use strict";
const { spawn } = require("node:child_process");
const { rmSync } = require("node:fs");

const [folder, command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { detached: true, stdio: ["ignore", "inherit", "inherit"] });
/** One that guards a guard leaves it the time to finish. */
const patienceMs = folder === "-" ? 6000 : 2000;
let ending = false;

function end() {
  if (ending) return;
  ending = true;
  signalGroup("SIGTERM");
  const started = Date.now();
  const timer = setInterval(() => {
    if (Date.now() - started > patienceMs) signalGroup("SIGKILL");
    else if (signalGroup(0)) return;
    clearInterval(timer);
    leave(0);
  }, 30);
}

function leave(code) {
  if (folder !== "-") rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code);
}

/** Whether the group was still there. */
function signalGroup(signal) {
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch {
    return false;
  }
}

child.once("error", (error) => {
  console.error(error.message);
  leave(127);
});
child.once("exit", (code) => {
  if (ending) return;
  signalGroup("SIGKILL");
  leave(code ?? 1);
});
process.stdin.on("end", end).on("error", end).resume();
process.on("SIGINT", () => undefined); // Ctrl-C reaches us too; whoever started us decides.
process.on("SIGTERM", end);
process.on("SIGHUP", end);
