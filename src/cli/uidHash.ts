import { operatorIdOf } from "../core/metadata/operatorId";
import { readArguments } from "./arguments";
import { UsageError, type Command } from "./command";

/** `uid-hash UID…`: the operator id that Flink gives to each uid, one line each (`StreamGraphHasherV2`). */
export const uidHash: Command = {
  usage: "UID…",
  about: "Prints the operator id that Flink gives to each uid.",
  run(args, terminal) {
    const uids = readArguments(args, { flags: [] }).rest;
    if (uids.length === 0) throw new UsageError("Name at least one uid.");
    // Most likely an unset variable of a shell.
    if (uids.includes("")) throw new UsageError("A uid is empty. Flink 2 refuses that, and Flink 1 gives all operators with it one id.");
    for (const uid of uids) terminal.out(`${operatorIdOf(uid)}  ${uid}`);
    return Promise.resolve(0);
  },
};
