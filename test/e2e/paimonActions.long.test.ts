import { describe, test } from "node:test";
import { oldestPaimonFlink } from "../rig/flink";
import { olderPaimons, paimonFlinks } from "../rig/paimon";
import { commandDoesWhatIsAsked, gatewayDoesWhatIsAsked, type Lacking } from "./support/actionSuite";

const noRename = { "rename-tag": /has no rename_tag, which came with 1\.0\. Create a tag of the same snapshot under the new name, then delete this one\.$/ };
const noBranch = { "create-branch": /the Paimon among the warehouse's jars has no create_branch, which came with 0\.9\. Go on without a safety copy, or use a newer Paimon\.$/ };

/** Flinks with a Paimon, their own where none is named, and what each can't do yet: by a gateway, by the action command. */
const releases: readonly (readonly [flink: string, bundle: string | undefined, gateway: Lacking, command: Lacking])[] = [
  [oldestPaimonFlink, undefined, noRename, { ...noRename, ...noBranch }],
  ...olderPaimons.map((bundle) => [paimonFlinks[0], bundle, ...(bundle.startsWith("0.") ? [noRename, noRename] as const : [{}, {}] as const)] as const),
  ...paimonFlinks.map((flink) => [flink, undefined, {}, {}] as const),
];

describe("P-25: what Paimon is asked to do to a table is done, or told in words that it can't be", () => {
  for (const [flink, bundle, gateway, command] of releases) {
    const name = `Flink ${flink}${bundle === undefined ? "" : ` with Paimon ${bundle}`}`;
    test(`by a SQL Gateway of ${name}, which tells of tables what their files tell`, () => gatewayDoesWhatIsAsked(flink, bundle, gateway, true));
    test(`by the action command of ${name}`, () => commandDoesWhatIsAsked(flink, bundle, command));
  }
});
