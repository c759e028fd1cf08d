// One process at a time: a lock is a folder that holds its owner's name; a lock whose owner is dead is taken over.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const limitMs = 20 * 60_000;

/** Runs `work` while holding the lock folder; waits for a living owner and says so once. */
export async function withLock(folder, work) {
  mkdirSync(path.dirname(folder), { recursive: true });
  const owner = JSON.stringify({ pid: process.pid, since: Date.now(), random: Math.random() });
  const deadline = Date.now() + limitMs;
  let told = false;
  while (!acquire(folder, owner)) {
    const other = ownerOf(folder);
    if (other !== undefined && !isAlive(other)) takeOver(folder, other);
    else if (Date.now() > deadline) throw new Error(`waited ${limitMs / 60_000} minutes for another process to finish; delete ${folder} if none runs`);
    else {
      if (!told) console.log(`waiting for process ${other === undefined ? "?" : JSON.parse(other).pid}, which sets up the same folder …`);
      told = true;
      await sleep(200);
    }
  }
  const release = () => ownerOf(folder) === owner && rmSync(folder, { recursive: true, force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.removeListener("exit", release);
    release();
  }
}

/** A folder prepared with its owner inside is renamed into place: a rename onto a filled folder fails, so there is no lock without an owner. */
function acquire(folder, owner) {
  const prepared = mkdtempSync(`${folder}-`);
  writeFileSync(path.join(prepared, "owner.json"), owner);
  try {
    renameSync(prepared, folder);
    return true;
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    if (!["EEXIST", "ENOTEMPTY", "EPERM", "ENOTDIR"].includes(error.code)) throw error;
    return false;
  }
}

/** Two processes may find the same dead owner; the second must not carry away the lock that the first has just made. */
function takeOver(folder, dead) {
  const aside = `${folder}-stale-${process.pid}-${Date.now()}`;
  try {
    renameSync(folder, aside);
    if (ownerOf(aside) === dead) rmSync(aside, { recursive: true, force: true });
    else renameSync(aside, folder);
  } catch (error) {
    if (!["ENOENT", "EEXIST", "ENOTEMPTY"].includes(error.code)) throw error;
  }
}

function ownerOf(folder) {
  try {
    return readFileSync(path.join(folder, "owner.json"), "utf8");
  } catch {
    return undefined;
  }
}

function isAlive(owner) {
  try {
    const { pid } = JSON.parse(owner);
    process.kill(pid, 0);
    // Where nobody waits for orphans, as in a container, a killed process keeps its id for ever.
    return process.platform !== "linux" || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch (error) {
    return error.code === "EPERM";
  }
}
