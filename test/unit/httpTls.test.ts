import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { client, serve, steady, testIdentities } from "./httpServers";
import { rejected } from "./rejected";

test("an unknown authority is refused, and the cluster's own file makes it known", async (t) => {
  const { caFile, server: identity } = testIdentities();
  const server = await serve(t, (_, response) => response.end("{}"), identity);
  const url = `${server.origin}/config`;
  for (const method of ["GET", "POST"] as const) {
    const error = await rejected(client(t).send({ method, url }, steady), "tls-failed");
    assert.equal(error.facts.url, url);
    assert.match(error.facts.reason, /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|SELF_SIGNED_CERT_IN_CHAIN)$/);
  }
  assert.equal(server.seen.length, 0);
  assert.equal((await client(t).send({ method: "GET", url, caFile }, steady)).status, 200);
});

test("a certificate for another host is refused", async (t) => {
  const { caFile, server: identity } = testIdentities();
  const server = await serve(t, (_, response) => response.end("{}"), identity);
  const error = await rejected(client(t).send({ method: "GET", url: server.origin.replace("localhost", "127.0.0.1"), caFile }, steady), "tls-failed");
  assert.equal(error.facts.reason, "ERR_TLS_CERT_ALTNAME_INVALID");
});

test("https to a server that speaks plain http fails with OpenSSL's reason", async (t) => {
  const server = await serve(t, (_, response) => response.end("{}"));
  const error = await rejected(client(t).send({ method: "POST", url: server.origin.replace("http:", "https:"), json: {} }, steady), "tls-failed");
  assert.equal(error.facts.reason, "ERR_SSL_WRONG_VERSION_NUMBER");
});

test("a server that asks for a certificate gets ours, together with a token", async (t) => {
  const { caFile, caPem, server: identity, client: own } = testIdentities();
  const server = await serve(t, (_, response) => response.end("{}"), { ...identity, ca: caPem, requestCert: true, rejectUnauthorized: true });
  const http = client(t, { credentials: (origin) => (origin === server.origin ? [own, { kind: "bearer", token: "t" }] : []) });
  assert.equal((await http.send({ method: "GET", url: server.origin, caFile }, steady)).status, 200);
  assert.equal((await http.send({ method: "POST", url: server.origin, caFile, json: {} }, steady)).status, 200);
  assert.equal(server.seen[1]?.headers.authorization, "Bearer t");
});

test("a server that asks for a certificate and gets none was not reached by anything that acts", async (t) => {
  const { caFile, caPem, server: identity } = testIdentities();
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const server = await serve(t, (_, response) => response.end("{}"), { ...identity, ca: caPem, requestCert: true, rejectUnauthorized: true, maxVersion });
    for (const method of ["GET", "POST"] as const) {
      // With TLS 1.3 the refusal comes after the request was sent; no program has seen it all the same.
      const error = await rejected(client(t).send({ method, url: server.origin, caFile, ...(method === "POST" ? { json: {} } : {}) }, steady), "tls-failed");
      assert.match(error.facts.reason, /ALERT/);
    }
    assert.equal(server.seen.length, 0);
  }
});

test("a wrong passphrase, a key of another certificate and text that is no key fail without being shown", async (t) => {
  const { caFile, caPem, server: identity, client: own } = testIdentities();
  const server = await serve(t, (_, response) => response.end("{}"), { ...identity, ca: caPem, requestCert: true });
  for (const wrong of [{ ...own, passphrase: "hidden" }, { kind: own.kind, certPem: own.certPem, keyPem: identity.key }, { ...own, keyPem: "hidden" }]) {
    const http = client(t, { credentials: () => [wrong] });
    const error = await rejected(http.send({ method: "GET", url: server.origin, caFile }, steady), "tls-failed");
    assert.match(error.facts.reason, /^ERR_/);
    assert.doesNotMatch(JSON.stringify([error.facts, http.lines, String(error.cause)]), /hidden|BEGIN/);
  }
});

test("an authority file that is missing or holds no certificate is named", async (t) => {
  const { folder } = testIdentities();
  const empty = path.join(folder, "empty.pem");
  writeFileSync(empty, "not a certificate\n");
  const missing = path.join(folder, "missing.pem");
  assert.deepEqual((await rejected(client(t).send({ method: "GET", url: "https://localhost:9/", caFile: missing }, steady), "file-unreadable")).facts, { path: missing, reason: "ENOENT" });
  assert.deepEqual((await rejected(client(t).send({ method: "GET", url: "https://localhost:9/", caFile: empty }, steady), "file-unreadable")).facts, { path: empty, reason: "no PEM certificate in it" });
});

test("two identities at one address never share a connection", async (t) => {
  const { caFile, caPem, server: identity, client: own } = testIdentities();
  const server = await serve(t, (_, response) => response.end("{}"), { ...identity, ca: caPem, requestCert: true, rejectUnauthorized: false });
  let withIdentity = true;
  const http = client(t, { credentials: () => (withIdentity ? [own] : []) });
  await http.send({ method: "GET", url: server.origin, caFile }, steady);
  withIdentity = false;
  await http.send({ method: "GET", url: server.origin, caFile }, steady);
  assert.equal(server.connections(), 2);
});
