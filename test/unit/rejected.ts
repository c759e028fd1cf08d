import assert from "node:assert/strict";
import { type ErrorCode, type ErrorFacts, type FlinkError, isFlinkError, type Refusal } from "../../src/core/errors";

/** The error, of one of these codes, that the work must end with. Any other error is thrown on; success fails. */
export async function rejected<C extends ErrorCode>(work: Promise<unknown> | undefined, ...codes: readonly C[]): Promise<FlinkError<C> & { readonly facts: ErrorFacts[C] }> {
  let value: unknown;
  try {
    value = await work;
  } catch (error) {
    if (isFlinkError(error, ...codes)) return error as unknown as FlinkError<C> & { readonly facts: ErrorFacts[C] };
    throw error;
  }
  return assert.fail(`not rejected with ${codes.join(" or ")}, but resolved to ${JSON.stringify(value)}`);
}

/** The rules that the work must be refused by. */
export async function refusals(work: Promise<unknown>): Promise<Refusal["rule"][]> {
  return (await rejected(work, "refused")).facts.refusals.map(({ rule }) => rule);
}
