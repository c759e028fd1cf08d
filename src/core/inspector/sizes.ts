import type { OperatorRow } from "./protocol";

/** Raw keyed and raw operator state, with that of the `Checkpointed` interface. */
export function rawBytes({ sizes }: Pick<OperatorRow, "sizes">): number {
  return sizes.rawKeyed + sizes.rawOperator + sizes.legacy;
}

/** Buffers in flight, of inputs and outputs. */
export function channelBytes({ sizes }: Pick<OperatorRow, "sizes">): number {
  return sizes.inputChannel + sizes.outputChannel;
}
