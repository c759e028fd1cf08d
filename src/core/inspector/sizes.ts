import type { SizeKind } from "../metadata/scanIndex";
import type { OperatorRow } from "./protocol";

/** The parts of an operator's state as pages call them; the text form has shorter words, since it says "size" before them. */
export const kindNames: Readonly<Record<SizeKind, string>> = {
  coordinator: "coordinator", managedOperator: "operator state", rawOperator: "raw operator state", managedKeyed: "keyed state", rawKeyed: "raw keyed state",
  inputChannel: "input channels", outputChannel: "output channels", legacy: "legacy state",
};

/** Raw keyed and raw operator state, with that of the `Checkpointed` interface. */
export function rawBytes({ sizes }: Pick<OperatorRow, "sizes">): number {
  return sizes.rawKeyed + sizes.rawOperator + sizes.legacy;
}

/** Buffers in flight, of inputs and outputs. */
export function channelBytes({ sizes }: Pick<OperatorRow, "sizes">): number {
  return sizes.inputChannel + sizes.outputChannel;
}
