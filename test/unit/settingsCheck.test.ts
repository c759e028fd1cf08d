import assert from "node:assert/strict";
import { test } from "node:test";
import { warehouseKey } from "../../src/core/model/warehouse";
import { openSecretsRemarks, problemsText, readClusters, readWarehouses, secretKeysOf, validateSetting } from "../../src/host/platform/settingsCheck";

test("a setting that is wrong has its default, and the others keep their values", () => {
  assert.deepEqual(validateSetting("refresh.intervalSeconds", 10), { value: 10, problem: null });
  const wrong = validateSetting("refresh.intervalSeconds", 0);
  assert.equal(wrong.value, 3);
  assert.equal(wrong.problem, "must be at least 1");
  assert.equal(validateSetting("refresh.intervalSeconds", "often").problem, "must be a number");
  assert.equal(validateSetting("localFlink.port", 8081.5).problem, "must be a whole number");
  assert.match(validateSetting("localFlink.version", "0.9").problem ?? "", /^must be one of .*2\.2\.1/);
  assert.equal(validateSetting("localFlink.keepRunning", "yes").value, false);
});

test("a cluster entry that is wrong is named, and the others work", () => {
  const { profiles, problems } = readClusters("flinkSavepoints.clusters", [{ level: "user", entries: [
    { name: "prod", url: "https://flink.example.com/gw/" }, { name: "staging", url: "flink:8081" }, { url: "http://a" }, 7, { name: "leaky", url: "http://user:secret@host" }, { name: "again", url: "HTTPS://flink.example.com/gw" },
  ] }]);
  assert.deepEqual(profiles, [{ name: "prod", url: "https://flink.example.com/gw" }]);
  assert.deepEqual(problems.map(({ setting }) => setting.slice("flinkSavepoints.clusters, ".length)), ["“staging”", "entry 3", "entry 4", "“leaky”", "“again”"]);
  const text = problemsText(problems);
  assert.match(text, /“staging”: url: must be an http:\/\/ or https:\/\/ address without user name and password\./);
  assert.match(text, /“again”: has the same address as “prod” and is not shown\./);
  assert.match(text, /entry 3: name: is missing\./);
  assert.ok(!text.includes("secret"));
});

test("a workspace adds clusters and names those it knows, and takes none away", () => {
  const { profiles, problems } = readClusters("flinkSavepoints.clusters", [
    { level: "user", entries: [{ name: "mine", url: "http://a" }, { name: "ours?", url: "http://b" }] },
    { level: "workspace", entries: [{ name: "ours", url: "http://b", caFile: "/ca.pem" }] },
    { level: "folder", entries: "nonsense" },
  ]);
  assert.deepEqual(profiles, [{ name: "mine", url: "http://a" }, { name: "ours", url: "http://b", caFile: "/ca.pem" }]);
  assert.deepEqual(problems, [{ setting: "flinkSavepoints.clusters (folder)", problem: "is no list" }]);
});

test("a warehouse entry that is wrong is named, and the others work; one path is one warehouse, however it is spelled", () => {
  const { profiles, problems } = readWarehouses("flinkSavepoints.warehouses", [
    { level: "user", entries: [{ path: "/data/lake/" }, { name: "x", path: "data/lake" }, { path: "file:///data/lake" }, { path: "s3://bucket/lake", sqlGateway: "HTTP://gateway:8083/", catalogOptions: { metastore: "hive" } }, { path: "/b", catalog: "a b" }, { path: "/c", jars: "lib" }] },
    { level: "workspace", entries: [{ name: "lake", path: "file:/data/lake" }] },
  ]);
  assert.deepEqual(profiles, [
    { name: "lake", path: "file:/data/lake", catalog: "paimon", catalogOptions: {}, jars: [] },
    { name: "s3://bucket/lake", path: "s3://bucket/lake", catalog: "paimon", catalogOptions: { metastore: "hive" }, jars: [], sqlGateway: "http://gateway:8083" },
  ]);
  assert.deepEqual(problems.map(({ setting, problem }) => `${setting.slice("flinkSavepoints.warehouses, ".length)} ${problem}`), [
    "“x” path: must be an absolute path or a URI such as file:/data/warehouse", "entry 3 has the same path as “file:/data/lake” and is not shown", "entry 5 catalog: must be letters, digits and underscores", "entry 6 jars: must be an array",
  ]);
});

test("rule 10: a warehouse with secrets in the settings is told of once, with all of them and none of their values", () => {
  const { profiles } = readWarehouses("flinkSavepoints.warehouses", [{ level: "user", entries: [
    { name: "lake", path: "s3://lake/w", catalogOptions: { "s3.endpoint": "https://minio", "s3.access-key": "AKIA7391", "s3.secret-key": "wJalr7391" } },
    { name: "kept", path: "s3://kept/w", catalogOptions: { "s3.secret-key": "${secret}" } },
    { name: "hive", path: "hdfs:///w", catalogOptions: { uri: "jdbc:mysql://h/db?user=u&password=p7391" } },
  ] }]);
  const remarks = openSecretsRemarks(profiles);
  assert.deepEqual(remarks.map(({ warehouse, explanation: { message } }) => [warehouse, /hold (.*) in plain text\./.exec(message)?.[1]]), [
    ["s3://lake/w", "s3.access-key and s3.secret-key of the warehouse lake"], [profiles[2]?.path, "uri of the warehouse hive"],
  ]);
  assert.ok(!JSON.stringify(remarks).includes("7391"));
});

test("rule 10: the secrets of a warehouse are found by what each level says of it, and no other warehouse's are", () => {
  const entry = (path: string, options: Record<string, string>) => ({ path, catalogOptions: options });
  const user = { level: "user", entries: [entry("/lake", { "s3.endpoint": "https://a", "s3.secret-key": "${secret}" }), entry("/pond", { "s3.secret-key": "${secret}" })] };
  const workspace = { level: "workspace", entries: [entry("file:/lake/", { "s3.endpoint": "https://b", "s3.secret-key": "${secret}", "s3.access-key": "${secret}" })] };
  const both = secretKeysOf(warehouseKey("/lake") ?? "", [user, workspace]);
  assert.deepEqual([...both.values()].sort(), ["s3.access-key", "s3.secret-key", "s3.secret-key"]);
  assert.ok(![...both.keys()].some((key) => key.includes("pond")));
  // What one level stores is not what the other uses.
  const left = secretKeysOf(warehouseKey("/lake") ?? "", [workspace]);
  assert.equal([...both.keys()].filter((key) => !left.has(key)).length, 1);
  assert.equal(secretKeysOf(warehouseKey("/lake") ?? "", [{ level: "user", entries: "nonsense" }]).size, 0);
});
