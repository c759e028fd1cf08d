import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { cliLine, type CliVerb } from "../../src/core/cli";
import { flinkVersion, jobId } from "./samples";

// Each spelling was tried on the CliFrontend of 1.15.4, 1.20.5 and 2.3.0.
const versions = ["1.14.6", "1.15.4", "1.16.3", "1.17.2", "1.18.1", "1.19.3", "1.20.5", "2.0.2", "2.1.3", "2.2.1", "2.3.0"];
const line = (version: string, action: CliVerb, url = "http://localhost:8081"): string => cliLine({ url, version: flinkVersion(version) }, action);
const groups = (action: CliVerb): Record<string, string> => {
  const found: Record<string, string[]> = {};
  for (const version of versions) (found[line(version, action)] ??= []).push(version.split(".").slice(0, 2).join("."));
  return Object.fromEntries(Object.entries(found).map(([text, those]) => [those.join(" "), text]));
};

describe("a command line for every version", () => {
  test("C-6, C-7, C-8: triggers a savepoint, detached where the client can, else without its one-minute limit", () => {
    assert.deepEqual(groups({ verb: "trigger", jobId, directory: "s3://b/sp", format: "native" }), {
      "1.14": `flink savepoint -Dclient.timeout=7d -m localhost:8081 ${jobId} s3://b/sp`,
      "1.15 1.16 1.17 1.18": `flink savepoint -type native -Dclient.timeout=7d -m localhost:8081 ${jobId} s3://b/sp`,
      "1.19 1.20 2.0 2.1 2.2 2.3": `flink savepoint -type native -detached -m localhost:8081 ${jobId} s3://b/sp`,
    });
    assert.equal(line("2.3.0", { verb: "trigger", jobId, format: "canonical" }), `flink savepoint -type canonical -detached -m localhost:8081 ${jobId}`);
  });

  test("C-10, C-13: stops with a savepoint, and drains only when told to", () => {
    assert.deepEqual(groups({ verb: "stop", jobId, directory: "/sp", format: "canonical", drain: false }), {
      "1.14": `flink stop -p /sp -Dclient.timeout=7d -m localhost:8081 ${jobId}`,
      "1.15 1.16 1.17 1.18": `flink stop -type canonical -p /sp -Dclient.timeout=7d -m localhost:8081 ${jobId}`,
      "1.19 1.20 2.0 2.1 2.2 2.3": `flink stop -type canonical -p /sp -detached -m localhost:8081 ${jobId}`,
    });
    assert.equal(line("1.20.5", { verb: "stop", jobId, format: "native", drain: true }), `flink stop -type native -d -detached -m localhost:8081 ${jobId}`);
  });

  test("cancels without a savepoint, and never with the deprecated -s (C-14)", () => {
    assert.deepEqual(Object.values(groups({ verb: "cancel", jobId })), [`flink cancel -m localhost:8081 ${jobId}`]);
  });

  test("C-31: disposes of a savepoint", () => {
    assert.deepEqual(Object.values(groups({ verb: "dispose", path: "s3://b/sp/savepoint-ab12cd-01" })), ["flink savepoint -d s3://b/sp/savepoint-ab12cd-01 -m localhost:8081"]);
  });

  test("C-22, C-25, C-30: restores, with -restoreMode up to 1.19 and -claimMode from 1.20", () => {
    assert.deepEqual(groups({ verb: "restore", jar: "job.jar", savepointPath: "/sp/savepoint-1", claimMode: "CLAIM", parallelism: 8, entryClass: "a.Main", programArgs: ["--from", "x y"] }), {
      "1.14": "flink run -d -m localhost:8081 -s /sp/savepoint-1 -p 8 -c a.Main job.jar --from 'x y'",
      "1.15 1.16 1.17 1.18 1.19": "flink run -d -m localhost:8081 -s /sp/savepoint-1 -restoreMode CLAIM -p 8 -c a.Main job.jar --from 'x y'",
      "1.20 2.0 2.1 2.2 2.3": "flink run -d -m localhost:8081 -s /sp/savepoint-1 -claimMode CLAIM -p 8 -c a.Main job.jar --from 'x y'",
    });
  });

  test("rule 3: drops state only when told to, and starts without state when no savepoint is named", () => {
    assert.ok(!line("2.3.0", { verb: "restore", jar: "j.jar", savepointPath: "/s", claimMode: "NO_CLAIM" }).includes(" -n"));
    assert.equal(line("2.3.0", { verb: "restore", jar: "j.jar", savepointPath: "/s", claimMode: "NO_CLAIM", allowNonRestoredState: true }), "flink run -d -m localhost:8081 -s /s -claimMode NO_CLAIM -n j.jar");
    assert.equal(line("2.3.0", { verb: "restore", jar: "j.jar", claimMode: "CLAIM", allowNonRestoredState: true }), "flink run -d -m localhost:8081 j.jar");
  });
});

describe("the cluster's address in a command line", () => {
  const address = (url: string, version = "1.20.5"): string => /(?:-m .*?|#.*) ?(?=[0-9a-f]{32}|$)/.exec(line(version, { verb: "cancel", jobId }, url))?.[0].trim() ?? "";

  test("is host and port, the port always named", () => {
    assert.equal(address("http://flink"), "-m flink:80");
    assert.equal(address("http://10.0.0.1:8081/"), "-m 10.0.0.1:8081");
    assert.equal(address("http://[::1]:8081"), "-m '[::1]:8081'");
  });

  test("keeps https and a path from 1.19 on", () => {
    assert.equal(address("https://flink.example.com", "1.19.0"), "-m https://flink.example.com:443");
    assert.equal(address("https://flink.example.com:8443/gw/flink", "2.3.0"), "-m https://flink.example.com:8443/gw/flink");
    assert.equal(address("http://gw:8080/proxy/application_1", "1.20.5"), "-m http://gw:8080/proxy/application_1");
  });

  test("says https in the configuration before 1.19", () => {
    assert.equal(address("https://flink.example.com", "1.18.1"), "-m flink.example.com:443 -Dsecurity.ssl.rest.enabled=true");
  });

  test("with a path before 1.19 becomes a remark, and never a line that reaches another cluster", () => {
    for (const url of ["http://gw:8080/a", "https://gw/a"]) assert.match(line("1.18.1", { verb: "cancel", jobId }, url), /^# .*1\.18.*\/a/);
  });
});

test("every word reaches the program as it is, whatever the shell would make of it", () => {
  const awkward = ["", " ", "it's", "a\"b", "$HOME", "`id`", "a;rm -rf /", "*", "~", "\\", "ä b", "a\nb", "!x", "#x", "{a,b}", "<x>", "(y)", "&", "|", "--x=1", "a,b", "100%", "user@host"];
  const text = line("2.3.0", { verb: "restore", jar: "/my jars/o'brien.jar", programArgs: awkward });
  assert.ok(text.startsWith("flink run -d -m localhost:8081 '/my jars/o'\\''brien.jar' '' ' ' 'it'\\''s' 'a\"b' '$HOME' '`id`' 'a;rm -rf /' '*' '~' '\\' 'ä b' "), text);
  assert.ok(text.endsWith("--x=1 a,b 100% user@host"), text);
});
