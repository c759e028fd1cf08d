import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Browser, chromium } from "playwright-core";

/** The parts of the rig that the setup installed, from the environment that `npm test` and `npm start` provide. */
export interface Rig {
  readonly node: string;
  readonly server: string;
  readonly chrome: string;
  /** Scratch folder of the clone. */
  readonly scratch: string;
}

/** Reads where the installed parts are; throws with the command to use when this was not started by the rig. */
export function rigFromEnvironment(): Rig {
  const get = (name: string): string => {
    const value = process.env[name];
    if (value === undefined || value === "") throw new Error(`${name} is not set: start this through "npm test" or "npm start"`);
    return value;
  };
  return { node: get("RIG_WORKBENCH_NODE"), server: get("RIG_WORKBENCH_SERVER"), chrome: get("RIG_CHROME"), scratch: get("RIG_DIR") };
}

/** A running VS Code server. */
export interface Server {
  readonly port: number;
  /** Address of a workbench with the given query, connection token included. */
  url(query: Readonly<Record<string, string>>): string;
  /** Processes that run extensions, now. */
  extensionHostPids(): number[];
  /** What the server printed so far. */
  output(): string;
  /** Ends the server and everything that it started. */
  stop(): Promise<void>;
}

/** Starts a VS Code server on 127.0.0.1 with a connection token of its own; it ends with this process, however that dies. */
export async function startServer(rig: Rig, options: {
  readonly userDataDir: string;
  readonly extensionsDir: string;
  readonly serverDataDir: string;
  /** Any free one when left out. */
  readonly port?: number;
  /** A folder to remove when the server has ended. */
  readonly removeAfter?: string;
  /** Lets a test suite run inside; hides toasts. */
  readonly testDriver?: boolean;
}): Promise<Server> {
  const token = randomBytes(12).toString("hex");
  const rigFile = (name: string): string => path.join(repositoryOf(import.meta.dirname), "test", "rig", name);
  const child = spawn(process.execPath, [
    rigFile("guard.cjs"), options.removeAfter ?? "-", rig.node, "--require", rigFile("secretKey.cjs"), rig.server,
    "--host", "127.0.0.1", "--port", String(options.port ?? 0), "--connection-token", token, "--accept-server-license-terms", "--telemetry-level", "off",
    ...(options.testDriver === true ? ["--enable-smoke-test-driver", "--disable-workspace-trust"] : []),
    "--user-data-dir", options.userDataDir, "--extensions-dir", options.extensionsDir, "--server-data-dir", options.serverDataDir,
  ], { stdio: ["pipe", "pipe", "pipe"], env: cleanEnvironment() });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => { output = (output + data.toString()).slice(-100_000); });
  const port = await listening(child, () => output);
  return {
    port,
    url: (query) => `http://127.0.0.1:${port}/?${new URLSearchParams({ tkn: token, ...query }).toString()}`,
    extensionHostPids: () => descendants(child.pid ?? 0).filter((process) => process.command.includes("--type=extensionHost")).map((process) => process.pid),
    output: () => output,
    stop: async () => {
      child.stdin.end();
      await ended(child, 10_000);
    },
  };
}

/** Starts the browser; it ends with this process. The caller closes it. */
export async function startBrowser(rig: Rig): Promise<Browser> {
  return chromium.launch({
    executablePath: rig.chrome,
    handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false,
    // As a person sees it.
    ignoreDefaultArgs: ["--hide-scrollbars"],
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic"],
  });
}

/** The clone that a bundled file lies in. */
export function repositoryOf(folder: string): string {
  let at = folder;
  while (!existsSync(path.join(at, "package.json"))) {
    if (path.dirname(at) === at) throw new Error(`no package.json above ${folder}`);
    at = path.dirname(at);
  }
  return at;
}

function listening(child: ChildProcess, output: () => string): Promise<number> {
  const limitMs = 60_000;
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`did not listen within ${limitMs / 1000} s`), limitMs);
    const look = (): void => {
      const port = /listening on (\d+)/.exec(output())?.[1];
      if (port === undefined) return;
      finish();
      resolve(Number(port));
    };
    const exited = (code: number | null): void => fail(`ended with ${code ?? "a signal"}`);
    const fail = (what: string): void => {
      finish();
      child.stdin?.end();
      reject(new Error(`the VS Code server ${what}\n${output()}`));
    };
    const finish = (): void => {
      clearTimeout(timer);
      child.stdout?.off("data", look);
      child.off("exit", exited);
    };
    child.stdout?.on("data", look);
    child.once("exit", exited);
  });
}

async function ended(child: ChildProcess, limitMs: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
    child.once("exit", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Variables of a test runner or of an editor's terminal would change what the server and its extensions do; nor shall it ask a marketplace. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(NODE_OPTIONS|NODE_TEST_CONTEXT|ELECTRON_.*|VSCODE_.*)$/.test(name));
  return { ...Object.fromEntries(kept), EXTENSIONS_GALLERY: JSON.stringify({ serviceUrl: "" }) };
}

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** Every process below the given one. Linux keeps them in /proc. */
function descendants(root: number): Process[] {
  const children = new Map<number, Process[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1]);
      const command = readFileSync(`/proc/${name}/cmdline`, "utf8").replaceAll("\0", " ");
      children.set(parent, [...(children.get(parent) ?? []), { pid: Number(name), command }]);
    } catch {
      // It ended while we looked.
    }
  }
  const below = (pid: number): Process[] => (children.get(pid) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return below(root);
}
