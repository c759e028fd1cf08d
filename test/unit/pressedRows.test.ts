import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { PressedRows } from "../../src/host/views/pressedRows";

describe("the row that a key was pressed on", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => ({ id })) as [{ id: string }, { id: string }, { id: string }];
  let nowMs = 0;
  let rows = new PressedRows<{ id: string }>(() => nowMs);
  beforeEach(() => {
    nowMs = 0;
    rows = new PressedRows(() => nowMs);
  });
  const tells = (...selections: { id: string }[][]): void => selections.forEach((selection) => rows.selected(selection));

  test("is the one that is toggled in the selection and back, whatever is selected", () => {
    tells([a], []);
    assert.equal(rows.take(), a);
    tells([b], [b, a], [b]);
    assert.equal(rows.take(), a);
    tells([], [b]);
    assert.equal(rows.take(), b, "the one that is selected");
    tells([b, c], [c], [c, b]);
    assert.equal(rows.take(), b, "one of several that are");
  });

  test("is each press's own, also when they come while the extension is busy", () => {
    tells([a], []);
    const first = rows.take();
    tells([b], []);
    assert.deepEqual([first, rows.take()], [a, b]);
    tells([a], [], [a], []);
    assert.equal(rows.take(), undefined, "of two that wait either could be meant");
    assert.equal(rows.take(), undefined);
  });

  test("stays what it was when another is selected before the verb runs", () => {
    tells([a], [], [b]);
    assert.equal(rows.take(), a);
  });

  test("is asked for when no row had the focus, or something else happened to the selection", () => {
    assert.equal(rows.take(), undefined);
    tells([a]);
    assert.equal(rows.take(), undefined, "selected by a click");
    tells([b], [c]);
    assert.equal(rows.take(), undefined);
    tells([c, a], []);
    assert.equal(rows.take(), undefined);
  });

  test("is taken once, and not by a verb that comes later", () => {
    tells([a], []);
    assert.equal(rows.take(), a);
    assert.equal(rows.take(), undefined);
    tells([a], []);
    nowMs = 5_001;
    assert.equal(rows.take(), undefined);
  });

  test("is the same row when it was drawn anew in between", () => {
    tells([a]);
    const anew = { id: "a" };
    tells([anew], []);
    assert.equal(rows.take(), anew);
  });
});
