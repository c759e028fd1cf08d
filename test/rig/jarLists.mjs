#!/usr/bin/env node
/**
 * Writes `media/flink/<version>.json`: the exact jars a local Flink of that version consists of. Run by hand when Flink releases:
 *
 *   node test/rig/jarLists.mjs                 the newest release of every minor below
 *   node test/rig/jarLists.mjs 2.3             only of that minor
 *   node test/rig/jarLists.mjs backends        `test/rig/backends/<version>.json`: what tests add to run every state backend
 *   node test/rig/jarLists.mjs paimon [1.20.5] `test/rig/paimon/<version>.json`: what tests add to run SQL, a SQL Gateway and Paimon;
 *                                              `test/rig/paimon/bundles/paimon-<version>.json`: other Paimons, in place of that bundle; and
 *                                              `media/paimon/actions.json`: what Paimon's action command consists of
 *   node test/rig/jarLists.mjs sql             `test/rig/sql/<version>.json`: what the benchmark of the inspector adds to ask SQL's `savepoint_metadata`
 *
 * Maven resolves into an empty scratch repository, so that every jar is freshly downloaded and checked by Maven before it is listed.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../..");
const minors = ["1.15", "1.16", "1.17", "1.18", "1.19", "1.20", "2.0", "2.1", "2.2", "2.3"];
/** Flink 1.15 to 2.3 use slf4j 1.7, hence the binding `log4j-slf4j-impl`. */
const log4j = "2.24.3";
/** Releases that tests run with every state backend. flink-avro of the last 1.20 release does not resolve; what it writes did not change. */
const backends = [{ version: "1.20.5", avro: "1.20.3", more: [] }, { version: "2.3.0", avro: "2.3.0", more: ["flink-statebackend-forst"] }];
/** Flink releases that tests run with Paimon. Not every jar of SQL resolves for every patch release: `table` and `gateway` are the newest of the minor that do. */
const paimon = [
  // The only Flink with CALL and without named arguments, and the oldest Paimon that it runs with.
  { version: "1.18.1", table: "1.18.1", gateway: "1.18.1", files: "1.18.1", paimon: ["paimon-flink-1.18", "0.8.2"] },
  { version: "1.20.5", table: "1.20.3", gateway: "1.20.1", files: "1.20.5", paimon: ["paimon-flink-1.20", "1.3.1"] },
  { version: "2.0.2", table: "2.0.0", gateway: "2.0.0", paimon: ["paimon-flink-2.0", "1.4.2"] },
];
/** Paimons between the oldest and the newest, which long tests run on the last 1.x in place of its own. */
const bundles = [["paimon-flink-1.20", "0.9.0"], ["paimon-flink-1.20", "1.0.1"], ["paimon-flink-1.20", "1.2.0"]];

/** Paimon's action command makes a table environment before it looks at what it is to do, so it needs Flink's planner as well. */
const actionJars = [
  "paimon-flink-2.0", "flink-shaded-hadoop-2-uber", "flink-core", "flink-core-api", "flink-annotations", "flink-streaming-java", "flink-clients", "flink-connector-datagen", "flink-runtime",
  "flink-table-api-java", "flink-table-api-java-bridge", "flink-table-common", "flink-table-api-bridge-base", "flink-table-runtime", "flink-table-planner-loader",
  "flink-shaded-guava", "flink-shaded-jackson", "flink-shaded-asm-9", "commons-cli", "commons-lang3", "commons-math3", "commons-text", "snakeyaml-engine", "kryo", "javassist", "objenesis", "slf4j-api", "log4j-1.2-api", "log4j-api",
];

const scratch = mkdtempSync(path.join(tmpdir(), "jar-lists-"));
try {
  const wanted = process.argv.slice(2);
  if (wanted[0] === "backends") for (const release of backends) writeBackends(release);
  else if (wanted[0] === "paimon") {
    const only = wanted.slice(1);
    for (const release of paimon) if (only.length === 0 || only.includes(release.version)) writePaimon(release);
    for (const bundle of bundles) if (only.length === 0 || only.includes(bundle[1])) writeBundle(bundle);
    if (only.length === 0) writeActions();
  }
  else if (wanted[0] === "sql") writeSql(backends.at(-1).version);
  else for (const minor of wanted.length > 0 ? wanted : minors) writeList(newestOf(minor));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** The newest release of a minor version, through a Maven version range. */
function newestOf(minor) {
  const [major, number] = minor.split(".").map(Number);
  const range = `[${minor},${major}.${number + 1}-alpha)`;
  const found = path.join(scratch, "range.txt");
  mvn([["org.apache.flink", "flink-runtime-web", range]], "dependency:resolve", "-DexcludeTransitive=true", `-DoutputFile=${found}`);
  const version = /flink-runtime-web:jar:([^:\s]+)/.exec(readFileSync(found, "utf8"))?.[1];
  if (version === undefined) throw new Error(`no release of ${minor}`);
  return version;
}

/** `flink-clients` brings the runtime and the client, `flink-runtime-web` the web UI and the `/jars` routes. */
function writeList(version) {
  write(path.join("media/flink", `${version}.json`), version, resolve(version, [
    ["org.apache.flink", "flink-clients", version],
    ["org.apache.flink", "flink-runtime-web", version],
    ["org.apache.logging.log4j", "log4j-slf4j-impl", log4j],
    ["org.apache.logging.log4j", "log4j-core", log4j],
  ]));
}

/** State backends, the changelog's storage and Avro, without what a local Flink has anyway. */
function writeBackends({ version, avro, more }) {
  const known = new Set(JSON.parse(readFileSync(path.join(root, "media/flink", `${version}.json`), "utf8")).jars.map((jar) => jar.path.split("/").at(-3)));
  const names = ["flink-statebackend-rocksdb", "flink-statebackend-changelog", "flink-dstl-dfs", ...more];
  const jars = resolve(version, [...names.map((name) => ["org.apache.flink", name, version]), ["org.apache.flink", "flink-avro", avro]]);
  write(path.join("test/rig/backends", `${version}.json`), version, jars.filter((jar) => !known.has(jar.path.split("/").at(-3))));
}

/** Paimon's bundle needs Hadoop's classes, whatever it stores on. */
function writePaimon({ version, table, gateway, files, paimon: [bundle, release] }) {
  const known = new Set(JSON.parse(readFileSync(path.join(root, "media/flink", `${version}.json`), "utf8")).jars.map((jar) => jar.path.split("/").at(-3)));
  const tables = ["flink-table-api-java-bridge", "flink-table-api-java", "flink-table-api-bridge-base", "flink-table-common", "flink-table-runtime", "flink-table-planner-loader", "flink-cep", "flink-json", "flink-connector-base"];
  const jars = resolve(`${version}-paimon`, [
    ...tables.map((name) => ["org.apache.flink", name, table]), ["org.apache.flink", "flink-sql-gateway", gateway],
    // Paimon's own tables, such as `t$tags`, are read with it.
    ...(files === undefined ? [] : [["org.apache.flink", "flink-connector-files", files]]),
    ["org.apache.paimon", bundle, release], ["org.apache.flink", "flink-shaded-hadoop-2-uber", "2.8.3-10.0"],
    // Hadoop logs with the first log4j.
    ["org.apache.logging.log4j", "log4j-1.2-api", log4j],
  ], "-DexcludeTransitive=true");
  write(path.join("test/rig/paimon", `${version}.json`), version, jars.filter((jar) => !known.has(jar.path.split("/").at(-3))));
}

function writeBundle([bundle, release]) {
  write(path.join("test/rig/paimon/bundles", `paimon-${release}.json`), `paimon-${release}`, resolve(`paimon-${release}`, [["org.apache.paimon", bundle, release]], "-DexcludeTransitive=true"));
}

/** SQL in one process, and the module of functions on savepoints. */
function writeSql(version) {
  const known = new Set(JSON.parse(readFileSync(path.join(root, "media/flink", `${version}.json`), "utf8")).jars.map((jar) => jar.path.split("/").at(-3)));
  const names = ["flink-table-api-java-bridge", "flink-table-api-java", "flink-table-api-bridge-base", "flink-table-common", "flink-table-runtime", "flink-table-planner-loader", "flink-cep", "flink-state-processor-api", "flink-statebackend-common"];
  const jars = resolve(`${version}-sql`, names.map((name) => ["org.apache.flink", name, version]), "-DexcludeTransitive=true");
  write(path.join("test/rig/sql", `${version}.json`), version, jars.filter((jar) => !known.has(jar.path.split("/").at(-3))));
}

/** The newest Paimon that resolves, with what of Flink it needs to act on a table without a cluster. */
function writeActions() {
  const [{ version, paimon: [, release] }] = paimon.slice(-1);
  const all = ["media/flink", "test/rig/paimon"].flatMap((folder) => JSON.parse(readFileSync(path.join(root, folder, `${version}.json`), "utf8")).jars);
  write("media/paimon/actions.json", `paimon-${release}`, all.filter((jar) => actionJars.includes(jar.path.split("/").at(-3))).sort((a, b) => (a.path < b.path ? -1 : 1)));
}

function resolve(version, artifacts, ...more) {
  const folder = path.join(scratch, `${version}-${artifacts.length}`);
  mvn(artifacts, "dependency:copy-dependencies", "-Dmdep.useRepositoryLayout=true", "-DincludeScope=runtime", `-DoutputDirectory=${folder}`, ...more);
  const files = readdirSync(folder, { recursive: true }).map((file) => String(file).split(path.sep).join("/")).filter((file) => file.endsWith(".jar")).sort();
  const names = new Set(files.map((file) => path.posix.basename(file)));
  if (names.size !== files.length) throw new Error(`two jars of ${version} have the same file name`);
  return files.map((file) => {
    const content = readFileSync(path.join(folder, file));
    return { path: file, sizeBytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
  });
}

function write(file, version, jars) {
  const target = path.join(root, file);
  mkdirSync(path.dirname(target), { recursive: true });
  const lines = jars.map((jar) => `    { "path": ${JSON.stringify(jar.path)}, "sizeBytes": ${jar.sizeBytes}, "sha256": "${jar.sha256}" }`);
  writeFileSync(target, `{\n  "version": "${version}",\n  "jars": [\n${lines.join(",\n")}\n  ]\n}\n`);
  console.log(`${version}: ${jars.length} jars, ${(jars.reduce((sum, jar) => sum + jar.sizeBytes, 0) / 1048576).toFixed(1)} MB`);
}

function mvn(dependencies, ...goal) {
  const xml = dependencies.map(([group, artifact, version]) =>
    `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`);
  const pom = path.join(scratch, "pom.xml");
  writeFileSync(pom, `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>jar-list</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${xml.join("")}</dependencies></project>\n`);
  execFileSync("mvn", ["-B", "-q", "-f", pom, `-Dmaven.repo.local=${path.join(scratch, "repository")}`, ...goal], { stdio: ["ignore", "ignore", "inherit"] });
}
