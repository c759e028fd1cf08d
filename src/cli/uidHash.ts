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
    for (const uid of uids) terminal.out(`${operatorIdOf(uid)}  ${uid}`);
    return Promise.resolve(0);
  },
};
