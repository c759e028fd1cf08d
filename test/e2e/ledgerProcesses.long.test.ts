import { test } from "node:test";
import { storm } from "./support/ledgerStorm";

test("three processes that write three thousand records each lose and double nothing in two hundred kills", async (t) => {
  t.diagnostic(await storm({ recordsEach: 3000, shared: 5, publish: "link", kills: 200, everyMs: 200 }));
});

test("three processes that fight over a single record lose and double nothing in sixty kills", async (t) => {
  t.diagnostic(await storm({ recordsEach: 1000, shared: 1, publish: "link", kills: 60, everyMs: 200 }));
});

test("three processes lose and double nothing in sixty kills where there are no hard links", async (t) => {
  t.diagnostic(await storm({ recordsEach: 1000, shared: 1, publish: "folder", kills: 60, everyMs: 200 }));
});
