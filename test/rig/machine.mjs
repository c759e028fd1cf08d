// What the machine itself must have: Node, a JDK, Maven, git, a browser, a compiler. On Debian root gets what is missing; others are told.
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, realpathSync } from "node:fs";
import path from "node:path";
import { run, step } from "./processes.mjs";

/** Something that only the person at the machine can provide; shown without a stack, exit code 2. */
export class Missing extends Error {}

const javaFloor = 11;
const nodeFloor = [20, 11];
const jdk17 = "openjdk-17-jdk-headless";

/** What can be needed: how to find it, what it is called for a person, and the Debian packages that bring it. */
const needs = {
  java: { find: findJdk, say: `a JDK ${javaFloor} or newer (17 is what the tests use): java and javac on the PATH, or JAVA_HOME`, debian: [jdk17], brew: "openjdk@17" },
  maven: { find: () => onPath("mvn"), say: "Maven (mvn)", debian: ["maven"], brew: "maven" },
  git: { find: () => onPath("git"), say: "git", debian: ["git"], brew: "git" },
  chrome: { find: findChrome, say: "Chromium or Google Chrome, on the PATH or named by CHROME", debian: ["chromium"], brew: "chromium" },
  compiler: { find: () => onPath("g++") && onPath("make"), say: "a C++ compiler and make (g++, make)", debian: ["build-essential"], brew: "gcc" },
  python: { find: () => onPath("python3"), say: "Python 3 (python3)", debian: ["python3"], brew: "python" },
  screen: { find: () => process.env.DISPLAY || process.platform !== "linux" ? "a screen" : onPath("Xvfb"), say: "a screen (DISPLAY), or Xvfb", debian: ["xvfb"] },
  desktopLibraries: { find: findGtk, say: "the libraries of a desktop VS Code (GTK 3, NSS, ALSA, GBM)", debian: ["libgtk-3-0", "libnss3", "libasound2", "libgbm1", "libsecret-1-0"] },
};

/** Refuses a Node that is too old for the rig itself. */
export function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > nodeFloor[0] || (major === nodeFloor[0] && minor >= nodeFloor[1])) return;
  throw new Missing(`Node ${nodeFloor.join(".")} or newer is needed, this is ${process.versions.node}: get it from https://nodejs.org, or with "nvm install" in this folder.`);
}

/** Refuses at once, before anything is downloaded, when something is missing that only a person can install. */
export function checkMachine(names) {
  const missing = names.filter((name) => !needs[name].find());
  if (missing.length > 0 && !mayInstall()) throw new Missing(explain(missing));
}

/** Finds the named needs, installs what is missing where that is possible, and returns a path for each. */
export async function provide(names) {
  let missing = names.filter((name) => !needs[name].find());
  if (missing.length > 0 && mayInstall()) {
    const packages = missing.flatMap((name) => needs[name].debian);
    await step(`Debian packages: ${packages.join(" ")}`, () => installDebian(packages));
    missing = names.filter((name) => !needs[name].find());
  }
  if (missing.length > 0) throw new Missing(explain(missing));
  return Object.fromEntries(names.map((name) => [name, needs[name].find()]));
}

function explain(missing) {
  const lines = ["Missing on this machine:", ...missing.map((name) => `  - ${needs[name].say}`)];
  if (isDebian()) lines.push("Get it with:", `  sudo apt-get update && sudo apt-get install --no-install-recommends ${available(missing.flatMap((name) => needs[name].debian)).join(" ")}`);
  else if (process.platform === "darwin") lines.push("Get it with:", `  brew install ${missing.map((name) => needs[name].brew).filter(Boolean).join(" ")}`);
  else lines.push("Get it from your system's packages, then run the same command again.");
  return lines.join("\n");
}

async function installDebian(packages) {
  const options = ["-qq", "-o", "DPkg::Lock::Timeout=600"];
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", [...options, "update"], { env });
  await run("apt-get", [...options, "install", "-y", "--no-install-recommends", ...available(packages)], { env });
}

/** Debian 12 has JDK 17; a later one has a newer default, which serves as well. */
function available(packages) {
  const has = (name) => {
    try {
      return /Candidate: \d/.test(execFileSync("apt-cache", ["policy", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
    } catch {
      return true;
    }
  };
  return packages.map((name) => name === jdk17 && !has(name) ? "default-jdk-headless" : name);
}

const mayInstall = () => isDebian() && process.getuid() === 0;

function isDebian() {
  try {
    return /^ID=debian$/m.test(readFileSync("/etc/os-release", "utf8"));
  } catch {
    return false;
  }
}

/** The JDK's home; its `release` file tells the version without starting it. */
function findJdk() {
  const candidates = [process.env.JAVA_HOME, onPath("javac") && path.dirname(path.dirname(realpathSync(onPath("javac"))))];
  return candidates.find((home) => home && existsSync(path.join(home, "bin", "javac")) && existsSync(path.join(home, "bin", "java")) && javaVersion(home) >= javaFloor);
}

function javaVersion(home) {
  try {
    return Number(/^JAVA_VERSION="(?:1\.)?(\d+)/m.exec(readFileSync(path.join(home, "release"), "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function findChrome() {
  if (process.env.CHROME) return existsSync(process.env.CHROME) ? process.env.CHROME : undefined;
  return ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].map(onPath).find(Boolean);
}

function findGtk() {
  if (process.platform !== "linux") return "/";
  const libraries = execFileSync("/sbin/ldconfig", ["-p"], { encoding: "utf8" });
  return ["libgtk-3.so.0", "libnss3.so", "libasound.so.2", "libgbm.so.1", "libsecret-1.so.0"].every((name) => libraries.includes(name)) && "/";
}

/** A program's file on the PATH, or undefined. */
export function onPath(program) {
  for (const folder of (process.env.PATH ?? "").split(path.delimiter)) {
    const file = path.join(folder, program);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not here.
    }
  }
  return undefined;
}
