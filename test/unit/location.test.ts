import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { folderName, liesIn, localPath, locationFault, normaliseLocation, parentLocation, placeKey, shortJobId } from "../../src/core/model/location";

describe("one place has one spelling", () => {
  const same = (...spellings: string[]): void => {
    for (const spelling of spellings) assert.equal(normaliseLocation(spelling), spellings[0], spelling);
  };

  test("with any number of slashes after file:, without the scheme, and with a slash or _metadata at the end", () => {
    same("file:/sp/savepoint-1", "file:///sp/savepoint-1", "file:////sp/savepoint-1", "/sp/savepoint-1", "/sp/savepoint-1/", "/sp/savepoint-1//", "FILE:/sp/savepoint-1",
      "file:///sp/savepoint-1/_metadata", "/sp/savepoint-1/_metadata/", "/sp/savepoint-1//_metadata", " /sp/savepoint-1 ", "/sp//savepoint-1", "file:/sp//savepoint-1");
  });

  test("on other storages too, where Flink drops slashes that mean nothing", () => {
    same("s3://bucket/sp/savepoint-1", "s3://bucket/sp/savepoint-1/", "s3://bucket/sp//savepoint-1", "s3://bucket/sp/savepoint-1/_metadata");
    same("hdfs:/sp/savepoint-1", "hdfs:///sp/savepoint-1");
    same("hdfs://name:8020/sp");
  });

  test("without the detours that Flink leaves out, so that no guard is walked around", () => {
    same("file:/sp/savepoint-1", "/sp/./savepoint-1", "/sp/savepoint-0/../savepoint-1", "file:///../sp/x/y/../../savepoint-1/.", "/sp/savepoint-1/_metadata/.");
    assert.equal(folderName("/sp/savepoint-1/.."), "sp");
  });

  test("in no time, however long a stranger makes it", () => {
    const startMs = Date.now();
    for (const long of ["/_metadata".repeat(50_000), "/".repeat(500_000), "/..".repeat(100_000)]) normaliseLocation(`s3://bucket${long}/x`);
    assert.ok(Date.now() - startMs < 20_000);
  });

  test("and different places stay different", () => {
    const places = ["file:/a", "file:/b", "file:/a/b", "file:/A", "s3://a/b", "s3a://a/b", "hdfs://a/b", "file:/a/_metadatas", "file:/a b", "file:/a%20b", "file:/ä", "file:/a#b", "file:/a?b"];
    assert.equal(new Set(places.map(normaliseLocation)).size, places.length);
  });

  test("and one key, whatever name its S3 file system is asked for by; the spelling stays", () => {
    assert.deepEqual(new Set(["s3://b/sp/savepoint-1", "s3a://b/sp/savepoint-1/", "s3n://b/sp//savepoint-1", "S3P://b/sp/savepoint-1/_metadata"].map(placeKey)), new Set(["s3://b/sp/savepoint-1"]));
    assert.equal(normaliseLocation("s3a://b/sp/savepoint-1/"), "s3a://b/sp/savepoint-1");
    for (const other of ["s3x://b/sp", "s3://B/sp", "s3://b/SP", "file:/b/sp", "oss://b/sp"]) assert.notEqual(placeKey(other), placeKey("s3a://b/sp"), other);
  });

  test("and normalising twice changes nothing", () => {
    for (const text of ["/", "", "file:///", "s3://b", "//a/b", "/a/_metadata/_metadata", "C:\\a", "file:/C:/a", "hdfs:///"]) assert.equal(normaliseLocation(normaliseLocation(text)), normaliseLocation(text), text);
  });
});

describe("a location that is sent to Flink", () => {
  test("is an absolute path or a URI", () => {
    for (const good of ["/sp", "/a b/ü", "file:/sp", "file:///sp", "hdfs:///sp", "hdfs://name:8020/sp", "s3://bucket", "s3://bucket/a%20b", "s3a://b/x", "abfss://c@a.dfs.core.windows.net/x", "file:///C:/sp", "gs://b/日本", "/sp/_metadata", "/sp/", " /sp "]) {
      assert.equal(locationFault(good), undefined, good);
    }
  });

  test("C-37: is never blank, since Flink takes a blank one for no state, or for its working directory", () => {
    for (const blank of ["", " ", "\t", "\u00a0", "  \n "]) assert.equal(locationFault(blank), "empty", JSON.stringify(blank));
  });

  test("is never relative: Flink would look below the JobManager's working directory", () => {
    for (const relative of ["sp", "rel/dir", "./sp", "../sp", "~/sp", "file:sp", "file:", "file:///", "/", "s3:bucket/x", "savepoints:1", "s3:", "s3://", "://x", "1s://x", "\\\\server\\share"]) {
      assert.equal(locationFault(relative), "relative", relative);
    }
  });

  test("is no drive letter, which a JobManager on Linux makes a folder of, and does not begin with a host", () => {
    for (const odd of ["C:\\sp", "C:/sp", "c:/sp", "//data/sp"]) assert.equal(locationFault(odd), "relative", odd);
  });

  test("has no control characters", () => {
    for (const control of ["/sp\u0000", "/sp\n", "file:/a\tb", "s3://b/\u001b[0m", "/a\u007fb"]) assert.equal(locationFault(control), "unreadable", JSON.stringify(control));
  });
});

test("C-15: a savepoint's folder names its job, and nothing else does", () => {
  assert.equal(shortJobId("s3://b/savepoint-ab12cd-0123456789ab/_metadata"), "ab12cd");
  for (const no of ["s3://b/savepoint-ab12cd", "/sp/chk-12", "/sp/savepoint-AB12CD-01", "/sp/xsavepoint-ab12cd-01", "/savepoint-ab12cd-01/x"]) assert.equal(shortJobId(no), undefined, no);
});

test("a folder has a name, and lies in its parent", () => {
  assert.equal(folderName("file:///sp/savepoint-1/"), "savepoint-1");
  assert.equal(parentLocation("file:///sp/savepoint-1/_metadata"), "file:/sp");
  assert.equal(parentLocation("s3://bucket/savepoint-1"), "s3://bucket");
});

describe("whether a savepoint lies in the directory that Flink was given", () => {
  test("follows from its parent, however the directory is spelled", () => {
    for (const directory of ["/sp", "/sp/", "file:/sp", "file:///sp/"]) assert.ok(liesIn(directory, "file:/sp/savepoint-ab12cd-01"), directory);
    assert.ok(liesIn("s3://b", "s3://b/savepoint-ab12cd-01"));
    for (const other of ["/s", "/sp/x", "file:/SP", "s3://sp"]) assert.equal(liesIn(other, "file:/sp/savepoint-ab12cd-01"), false, other);
  });

  test("does not hang on the host that Flink puts into a URI without one", () => {
    assert.ok(liesIn("hdfs:///sp", "hdfs://name:8020/sp/savepoint-ab12cd-01"));
    assert.ok(liesIn("/sp", "hdfs://name:8020/sp/savepoint-ab12cd-01"), "a path without a scheme belongs to the cluster's default storage");
    assert.equal(liesIn("hdfs://other/sp", "hdfs://name:8020/sp/savepoint-ab12cd-01"), false);
    assert.equal(liesIn("hdfs:///sp", "s3://name/sp/savepoint-ab12cd-01"), false);
    assert.ok(liesIn("s3a://b/sp", "s3://b/sp/savepoint-ab12cd-01"));
  });

  test("does not hang on the entropy that S3 puts into the path (C-17)", () => {
    assert.ok(liesIn("s3://b/_entropy_/sp", "s3://b/sp/savepoint-ab12cd-01"));
  });
});

test("a path on this machine is known by its scheme, and percent signs stand for themselves as in Flink", () => {
  assert.equal(localPath("file:///tmp/a%20b/"), "/tmp/a%20b");
  assert.equal(localPath("/tmp/100%"), "/tmp/100%");
  assert.equal(localPath("file:/C:/sp"), "/C:/sp");
  for (const remote of ["s3://b/x", "hdfs:///x", "relative"]) assert.equal(localPath(remote), undefined);
});
