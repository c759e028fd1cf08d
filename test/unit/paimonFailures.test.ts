import assert from "node:assert/strict";
import { test } from "node:test";
import { actionFault, catalogFault, gatewayFault } from "../../src/core/paimon/failures";

const factory = (name: string, kind: string, known: string): string => `Could not find any factory for identifier '${name}' that implements '${kind}' in the classpath. Available factory identifiers are: ${known}.`;

test("what real gateways of Flink 1.18 to 2.0 said of a catalog becomes who must change what", () => {
  const said: readonly (readonly [message: string, why: RegExp])[] = [
    [factory("paimon", "org.apache.flink.table.factories.CatalogFactory", "generic_in_memory"), /^it has no Paimon\. Put the jar paimon-flink of/],
    [factory("paimn", "org.apache.flink.table.factories.CatalogFactory", "generic_in_memory paimon"), /^it knows no catalog of the type paimn\./],
    [factory("glue", "org.apache.paimon.catalog.CatalogFactory", "filesystem jdbc rest hive"), /^its Paimon knows no metastore glue \(it knows filesystem, jdbc, rest, hive\)\./],
    ["Could not find a file io implementation for scheme 's3' in the classpath. FlinkFileIOLoader also cannot access this path.", /^it can't read s3: addresses\. Put Paimon's jar for that storage \(paimon-s3\)/],
    ["ClassNotFoundException: org.apache.hadoop.conf.Configuration", /^it lacks Hadoop's jars/],
    ["NoClassDefFoundError: org/apache/hadoop/conf/Configuration", /^it lacks Hadoop's jars/],
    ["ClassNotFoundException: org.apache.hadoop.hive.metastore.api.NoSuchObjectException", /^it lacks the jars of Hive's metastore/],
    ["NoSuchMethodError: 'void x.Y.z()'", /^its Paimon is not made for its Flink \(NoSuchMethodError/],
    ["No suitable driver found for jdbc:mysql://localhost:1/x", /^No suitable driver found for jdbc:mysql:\/\/localhost:1\/x\. Put the database's JDBC driver/],
    ["The url cannot be null", /^catalogOptions lacks uri/],
    ["uri is empty which must be defined.", /^catalogOptions lacks uri/],
    ["Connect to http://localhost:1 failed: Connection refused", /^its metastore or storage does not answer \(Connect to http:\/\/localhost:1 failed: Connection refused\)\./],
    // What says so itself stays.
    ["Wrong user name or password [28000-224]", /^Wrong user name or password \[28000-224\]$/],
    ["The path '/data/file' should be a directory.", /^The path '\/data\/file' should be a directory\.$/],
  ];
  for (const [message, why] of said) assert.match(catalogFault(message), why);
});

test("P-25: a verb that a Paimon does not know yet is told with since when there is one, and what to do instead", () => {
  const at = { gateway: "http://gw:8083", warehouse: "/lake" };
  for (const [message, where] of [["No match found for function signature rename_tag(<CHARACTER>, <CHARACTER>, <CHARACTER>)", at], ["No match found for function signature rename_tag(table => <CHARACTER>, tagName => <CHARACTER>, targetTagName => <CHARACTER>)", at], ["Unknown action \"rename_tag\".", undefined]] as const) {
    assert.match(actionFault(message, where), new RegExp(`^the Paimon ${where === undefined ? "among the warehouse's jars" : "of the SQL Gateway at http://gw:8083"} has no rename_tag, which came with 1\\.0\\. Create a tag of the same snapshot under the new name, then delete this one$`));
  }
  assert.match(actionFault("Unknown action \"create_branch\"."), /has no create_branch, which came with 0\.9\. Go on without a safety copy/);
  assert.equal(actionFault("Tag 'a' doesn't exist.", at), "Tag 'a' doesn't exist.");
  assert.equal(actionFault("Cannot create tag because given snapshot \\#9 doesn't exist."), "Cannot create tag because given snapshot #9 doesn't exist.");
  assert.equal(actionFault("Table d.t does not exist."), "Table d.t does not exist.");
  assert.match(actionFault("Table d.t does not exist.", at), /^Table d\.t does not exist in \/lake, as the SQL Gateway at http:\/\/gw:8083 sees it\./);
});

test("a JobManager's address and a gateway whose sessions are in use are told from a statement that was refused", () => {
  assert.match(gatewayFault("http://jm:8081", "Not found: /v1/info") ?? "", /^http:\/\/jm:8081 is Flink, and no SQL Gateway\./);
  assert.match(gatewayFault("http://gw:8083", "Failed to create session, the count of active sessions exceeds the max count: 2") ?? "", /^All 2 sessions of the SQL Gateway at http:\/\/gw:8083 are in use/);
  assert.equal(gatewayFault("http://gw:8083", "Tag 'a' doesn't exist."), undefined);
});
