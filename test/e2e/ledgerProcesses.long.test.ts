import { test } from "node:test";
import { storm } from "./ledgerStorm";

test("three processes that write four thousand records each lose and double nothing in two hundred kills", async (t) => {
  t.diagnostic(await storm({ recordsEach: 4000, shared: 5, kills: 200, everyMs: 250 }));
});

test("three processes that fight over a single record lose and double nothing in a hundred kills", async (t) => {
  t.diagnostic(await storm({ recordsEach: 1000, shared: 1, kills: 100, everyMs: 250 }));
});
