// An extension for measuring, installed beside ours by the benchmarks. It runs first in the extension host, times how ours is loaded and
// activated, or counts the files, connections and processes that ours touches (never both: counting takes time), and notes each second how
// long the host's event loop was blocked.
// It writes lines of JSON into files in its own folder: `activation.jsonl`, `loop.jsonl`.
const { monitorEventLoopDelay, performance } = require("node:perf_hooks");
const childProcess = require("node:child_process");
const dns = require("node:dns");
const fs = require("node:fs");
const Module = require("node:module");
const net = require("node:net");
const path = require("node:path");
const vscode = require("vscode");

const measured = "flink-savepoints.flink-savepoints";
const append = fs.appendFileSync;
/** Where ours is: `idle`, `load` (its file is read and run), `activate` (its function runs), `after`. */
let phase = "idle";
let activatedAtMs = 0;
/** Gaps of the event loop from the moment at which our `activate` returned. */
const afterwards = monitorEventLoopDelay({ resolution: 1 });
const found = { kind: "", loadMs: 0, activateMs: 0, processorMs: 0, filesAtActivation: [], filesAfter: [], window: undefined, longestBlockAfterMs: 0, calls: [] };

exports.activate = function activate(context) {
  const write = (name, line) => append(path.join(context.extensionPath, name), `${JSON.stringify(line)}\n`);
  noteTheLoop((line) => write("loop.jsonl", line));
  const extension = vscode.extensions.getExtension(measured);
  if (extension === undefined) return write("activation.jsonl", { error: `${measured} is not installed` });
  const { main } = extension.packageJSON;
  const file = fs.realpathSync(path.resolve(extension.extensionPath, main));
  const order = path.join(context.extensionPath, "activate");
  if (!fs.existsSync(order)) return;
  found.kind = fs.readFileSync(order, "utf8");
  timeTheModule(file);
  if (found.kind === "count") countCalls(file);
  // Once the start of the window is over, so that nothing else takes the time.
  setTimeout(async () => {
    await extension.activate();
    setTimeout(() => {
      found.filesAfter = filesOf(path.dirname(file));
      found.longestBlockAfterMs = Math.max(0, afterwards.max / 1e6 - 1);
      write("activation.jsonl", found);
    }, 1500);
  }, 1500);
};

function timeTheModule(file) {
  const load = Module._load;
  Module._load = function (request, ...rest) {
    if (phase === "after" && found.window === undefined && /chunks\/window-/.test(request)) {
      const end = stopwatch();
      found.window = { clockMs: 0, processorMs: 0 };
      const exported = load.call(this, request, ...rest);
      found.window = end();
      return exported;
    }
    if (phase !== "idle" || !samePlace(request, file)) return load.call(this, request, ...rest);
    phase = "load";
    const end = stopwatch();
    const exported = load.call(this, request, ...rest);
    const { clockMs, processorMs } = end();
    found.loadMs = clockMs;
    found.processorMs += processorMs;
    return { ...exported, activate: timed(exported.activate, path.dirname(file)), deactivate: exported.deactivate };
  };
}

function timed(activate, folder) {
  return (context) => {
    phase = "activate";
    const end = stopwatch();
    const api = activate(context);
    const { clockMs, processorMs } = end();
    found.activateMs = clockMs;
    found.processorMs += processorMs;
    found.filesAtActivation = filesOf(folder);
    afterwards.enable();
    activatedAtMs = performance.now();
    phase = "after";
    return api;
  };
}

/** Time on the clock, and what of it this thread had the processor: the rest went to other programs of the machine. */
function stopwatch() {
  const start = performance.now();
  const before = process.threadCpuUsage();
  return () => {
    const { user, system } = process.threadCpuUsage(before);
    return { clockMs: performance.now() - start, processorMs: (user + system) / 1000 };
  };
}

/** The files of code in a folder that have been loaded. */
function filesOf(folder) {
  return Object.keys(require.cache).filter((name) => name.startsWith(folder + path.sep));
}

/** Wraps what reaches files, networks and processes; a call counts when a frame of ours is below it, and Node's loading of our own code is none. */
function countCalls(file) {
  const wrap = (object, name, label) => {
    const real = object[name];
    if (typeof real !== "function" || /^[A-Z_]/.test(name)) return;
    object[name] = function (...args) {
      if (phase !== "idle" && found.calls.length < 1000 && isOurs(new Error().stack ?? "", path.dirname(file))) {
        found.calls.push({ phase, what: `${label}.${name}`, about: typeof args[0] === "string" ? args[0] : "", afterMs: phase === "after" ? performance.now() - activatedAtMs : 0 });
      }
      return real.apply(this, args);
    };
    Object.assign(object[name], real);
  };
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(depth, 50);
  for (const name of Object.keys(fs)) wrap(fs, name, "fs");
  for (const name of Object.keys(fs.promises)) wrap(fs.promises, name, "fs.promises");
  for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) wrap(childProcess, name, "child_process");
  for (const name of ["lookup", "resolve", "resolve4", "resolve6"]) wrap(dns, name, "dns");
  wrap(net.Socket.prototype, "connect", "net.Socket");
}

function isOurs(stack, folder) {
  return stack.includes(folder) && !/\bModule\.(require|_load)\b/.test(stack.slice(0, stack.indexOf(folder)));
}

/** The host's event loop, looked at every ten milliseconds: the longest gap of each second, above those ten. */
function noteTheLoop(write) {
  const resolution = 10;
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  setInterval(() => {
    write({ atMs: Date.now(), longestMs: Math.max(0, delay.max / 1e6 - resolution) });
    delay.reset();
  }, 1000);
}

function samePlace(request, file) {
  try {
    return path.isAbsolute(request) && fs.realpathSync(request) === file;
  } catch {
    return false;
  }
}
