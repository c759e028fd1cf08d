import { execFile } from "node:child_process";
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { rigFromEnvironment, startServer } from "./server";

/** What to open. */
export interface WorkbenchOptions {
  /** A `.vsix`, installed as a user would install it; or a folder that holds a built extension, used in place. */
  readonly extensionsFrom: string;
  /** Folder to open, used in place: what the extension writes there stays. */
  readonly workspace: string;
  /** User settings over the calm ones of the rig. The theme is one of them: `lightTheme`, `darkTheme`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Any free one when left out. */
  readonly port?: number;
  /** A folder that survives `stop`: started again with it, user settings, extensions and the extension's storage are as they were. */
  readonly keepUserData?: string;
}

/** A running VS Code with the extension installed, without a window: see `openPage` in `page.ts`. */
export interface Workbench {
  /** Address that opens the workspace; whoever has it may use the workbench. */
  readonly url: string;
  /** Holds `User/settings.json` and `User/globalStorage/<extension id>`. */
  readonly userDataDir: string;
  extensionHostPids(): number[];
  /** Kills every extension host with SIGKILL and resolves to their ids once they are gone. The workbench starts a new one when asked to. */
  killExtensionHost(): Promise<number[]>;
  /** What the server printed. */
  output(): string;
  stop(): Promise<void>;
}

export const lightTheme = { "workbench.colorTheme": "Default Light Modern" } as const;
export const darkTheme = { "workbench.colorTheme": "Default Dark Modern" } as const;

/** Nothing on the screen but the extension, nothing that moves, no file written that nobody asked for, no call to the outside. */
const calm: Readonly<Record<string, unknown>> = {
  ...darkTheme,
  "window.autoDetectColorScheme": false,
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.reduceMotion": "on",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.welcomePage.walkthroughs.openOnInstall": false,
  "chat.disableAIFeatures": true,
  "files.autoSave": "off",
  "files.simpleDialog.enable": true,
  "git.autofetch": false,
  "git.openRepositoryInParentFolders": "never",
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "extensions.ignoreRecommendations": true,
  "remote.autoForwardPorts": false,
  "security.workspace.trust.enabled": false,
  "telemetry.telemetryLevel": "off",
  "update.mode": "none",
};

/** Starts a VS Code server with the extension installed. It ends with this process at the latest. */
export async function startWorkbench(options: WorkbenchOptions): Promise<Workbench> {
  const rig = rigFromEnvironment();
  const home = options.keepUserData ?? await fs.mkdtemp(path.join(tmpdir(), "flink-savepoints-workbench-"));
  const folders = { userDataDir: path.join(home, "user"), extensionsDir: path.join(home, "extensions"), serverDataDir: path.join(home, "server") };
  try {
    await fs.mkdir(path.join(folders.userDataDir, "User"), { recursive: true });
    await fs.writeFile(path.join(folders.userDataDir, "User", "settings.json"), JSON.stringify({ ...calm, ...options.settings }, null, 2));
    await install(options.extensionsFrom, folders, rig);
    const server = await startServer(rig, { ...folders, ...(options.port === undefined ? {} : { port: options.port }), ...(options.keepUserData === undefined ? { removeAfter: home } : {}) });
    return {
      url: server.url({ folder: path.resolve(options.workspace) }),
      userDataDir: folders.userDataDir,
      extensionHostPids: server.extensionHostPids,
      killExtensionHost: () => killAll(server.extensionHostPids),
      output: server.output,
      stop: server.stop,
    };
  } catch (error) {
    if (options.keepUserData === undefined) await fs.rm(home, { recursive: true, force: true, maxRetries: 3 });
    throw error;
  }
}

async function install(from: string, folders: { readonly userDataDir: string; readonly extensionsDir: string; readonly serverDataDir: string }, rig: { readonly node: string; readonly server: string }): Promise<void> {
  await fs.mkdir(folders.extensionsDir, { recursive: true });
  if (from.endsWith(".vsix")) {
    await promisify(execFile)(rig.node, [
      rig.server, "--install-extension", path.resolve(from), "--force", "--accept-server-license-terms",
      "--user-data-dir", folders.userDataDir, "--extensions-dir", folders.extensionsDir, "--server-data-dir", folders.serverDataDir,
    ], { timeout: 60_000 });
    return;
  }
  const { publisher, name, version } = JSON.parse(await fs.readFile(path.join(from, "package.json"), "utf8")) as { publisher: string; name: string; version: string };
  const link = path.join(folders.extensionsDir, `${publisher}.${name}-${version}`);
  await fs.rm(link, { force: true });
  await fs.symlink(path.resolve(from), link);
}

async function killAll(list: () => number[]): Promise<number[]> {
  const pids = list();
  for (const pid of pids) process.kill(pid, "SIGKILL");
  const limitMs = 5000;
  for (const start = Date.now(); list().some((pid) => pids.includes(pid));) {
    if (Date.now() - start > limitMs) throw new Error(`extension hosts ${pids.join(", ")} are still there ${limitMs / 1000} s after SIGKILL`);
    await sleep(20);
  }
  return pids;
}
