import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, test } from "node:test";
import { localStorageLook as look } from "../../src/clients/localStorageLook";

const root = await mkdtemp(path.join(tmpdir(), "storage-"));
after(() => rm(root, { recursive: true, force: true }));

let targets = 0;
async function newTarget(name = `target${++targets}`): Promise<string> {
  await mkdir(path.join(root, name));
  return path.join(root, name);
}

async function savepoint(target: string, name: string, files: Record<string, string>): Promise<string> {
  const folder = path.join(target, name);
  await mkdir(folder, { recursive: true });
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  return folder;
}

describe("a savepoint's location", () => {
  test("shows its metadata, however the location is spelled", async () => {
    const folder = await savepoint(await newTarget(), "savepoint-ab12cd-0123456789ab", { _metadata: "x", "state/1": "yy" });
    for (const location of [`file:${folder}`, `file://${folder}`, `${folder}/`, `file:${folder}/_metadata`]) assert.equal(await look.savepoint(location), "metadata", location);
  });

  test("is one place under all its paths once links are followed, also when nothing is there any more", async () => {
    const target = await newTarget();
    const folder = await savepoint(target, "savepoint-ab12cd-0123456789ab", { _metadata: "x" });
    await symlink(target, path.join(root, "linked"));
    await symlink(folder, path.join(root, "link-itself"));
    for (const location of [folder, `file:${root}/linked/savepoint-ab12cd-0123456789ab/_metadata`, `file://${root}/link-itself`]) assert.equal(await look.real(location), `file:${folder}`);
    assert.equal(await look.real(`file:${root}/linked/gone/savepoint-ab12cd-0123456789ac`), `file:${target}/gone/savepoint-ab12cd-0123456789ac`);
    assert.equal(await look.real("s3a://bucket/sp/"), "s3a://bucket/sp/");
    await symlink("ring", path.join(root, "ring"));
    assert.equal(await look.real(`${root}/ring/x`), `file:${root}/ring/x`, "a ring of links leads nowhere");
  });

  test("with a space or a percent sign in its path is found as Flink writes it", async () => {
    const spaced = await savepoint(await newTarget("a b"), "savepoint-ab12cd-0123456789ab", { _metadata: "x" });
    assert.equal(await look.savepoint(`file:${spaced}`), "metadata");
    assert.equal(await look.savepoint(`file:${spaced.replace(" ", "%20")}`), "unreachable", "Flink takes %20 for three characters, so this is another folder");
    const percent = await savepoint(await newTarget("c%20d"), "savepoint-ab12cd-0123456789ab", { _metadata: "x" });
    assert.equal(await look.savepoint(`file:${percent}`), "metadata");
  });

  test("is partly there with files but without metadata, or with metadata that is empty", async () => {
    const target = await newTarget();
    assert.equal(await look.savepoint(`file:${await savepoint(target, "one", { "deep/er/state": "x" })}`), "partly");
    assert.equal(await look.savepoint(`file:${await savepoint(target, "two", { _metadata: "" })}`), "partly");
  });

  test("is missing when its target directory is there and it is not, or is empty", async () => {
    const target = await newTarget();
    assert.equal(await look.savepoint(`file:${target}/savepoint-ab12cd-0123456789ab`), "missing");
    assert.equal(await look.savepoint(`file:${await savepoint(target, "empty", {})}`), "missing");
  });

  test("is unreachable, never missing, when its target directory is not there or cannot be followed", async () => {
    const target = await newTarget();
    assert.equal(await look.savepoint(`file:${target}/not/mounted`), "unreachable");
    await writeFile(path.join(target, "file"), "x");
    assert.equal(await look.savepoint(`file:${target}/file/savepoint-ab12cd-0123456789ab`), "unreachable");
    await symlink(path.join(target, "loop"), path.join(target, "loop"));
    assert.equal(await look.savepoint(`file:${target}/loop/savepoint-ab12cd-0123456789ab`), "unreachable");
    await symlink(path.join(target, "nowhere"), path.join(target, "savepoint-ab12cd-0123456789ab"));
    assert.equal(await look.savepoint(`file:${target}/savepoint-ab12cd-0123456789ab`), "unreachable");
  });

  test("on any other storage or machine is unreachable", async () => {
    for (const location of ["s3://bucket/savepoint-ab12cd-0123456789ab", "hdfs:///x", `file://otherhost${root}/gone`, "relative/path", ""]) {
      assert.equal(await look.savepoint(location), "unreachable", location);
    }
    assert.equal(await look.list("s3://bucket/savepoints"), undefined);
  });
});

describe("a target directory", () => {
  test("lists the savepoint folders directly in it, with what they hold", async () => {
    const target = await newTarget();
    const whole = await savepoint(target, "savepoint-ab12cd-0123456789ab", { _metadata: "12345", "state/1": "1234567890" });
    await utimes(path.join(whole, "_metadata"), 1_700_000_000, 1_700_000_000);
    const orphan = await savepoint(target, "savepoint-ab12cd-ffffffffffff", { state: "123" });
    await utimes(orphan, 1_700_000_001, 1_700_000_001);
    await savepoint(target, "savepoint-notflinks", { _metadata: "x" });
    await savepoint(target, "deeper/savepoint-ab12cd-0123456789ac", { _metadata: "x" });
    await writeFile(path.join(target, "savepoint-ab12cd-0123456789ad"), "a file");
    const found = [...((await look.list(`file:${target}/`)) ?? [])].sort((a, b) => a.modifiedAtMs - b.modifiedAtMs);
    assert.deepEqual(found, [
      { location: `file:${whole}`, hasMetadata: true, modifiedAtMs: 1_700_000_000_000, sizeBytes: 15 },
      { location: `file:${orphan}`, hasMetadata: false, modifiedAtMs: 1_700_000_001_000, sizeBytes: 3 },
    ]);
  });

  test("is not left through links", async () => {
    const [target, outside] = [await newTarget(), await newTarget()];
    await savepoint(outside, "savepoint-ab12cd-0123456789ab", { _metadata: "x", big: "x".repeat(1000) });
    await symlink(path.join(outside, "savepoint-ab12cd-0123456789ab"), path.join(target, "savepoint-ab12cd-0123456789ab"));
    const inside = await savepoint(target, "savepoint-ab12cd-0123456789ac", { state: "123" });
    await symlink(path.join(outside, "savepoint-ab12cd-0123456789ab", "_metadata"), path.join(inside, "_metadata"));
    await symlink(outside, path.join(inside, "elsewhere"));
    assert.deepEqual((await look.list(target))?.map(({ location, hasMetadata, sizeBytes }) => ({ location, hasMetadata, sizeBytes })), [{ location: inside, hasMetadata: false, sizeBytes: 3 }]);
  });

  test("that is empty lists nothing, and one that cannot be seen is told apart from that", async () => {
    const target = await newTarget();
    assert.deepEqual(await look.list(`file:${target}`), []);
    assert.equal(await look.list(`file:${target}/none`), undefined);
  });
});
