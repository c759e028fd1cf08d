// Loaded before VS Code's server starts. Its web workbench seals secrets in the browser's storage with a key, half of which it asks of `/mint-key`: that
// code-server's own front answers, which does not run here. Without an answer secrets are kept until the window is loaded anew, and then are gone.
"use strict";
const { randomBytes } = require("node:crypto");
const { readFileSync, writeFileSync } = require("node:fs");
const { Server } = require("node:http");
const path = require("node:path");

const option = (name) => process.argv[process.argv.indexOf(name) + 1];

// Its extension hosts are started with the same options of Node.
if (path.basename(process.argv[1] ?? "") === "server-main.js") {
  const file = path.join(option("--user-data-dir"), "serve-web-key-half");
  const cookie = `vscode-tkn=${option("--connection-token")}`;
  const keyHalf = () => {
    try {
      return readFileSync(file);
    } catch {
      const made = randomBytes(32);
      writeFileSync(file, made, { mode: 0o600 });
      return made;
    }
  };
  const { emit } = Server.prototype;
  Server.prototype.emit = function emitUnlessAsked(event, ...args) {
    const [request, response] = args;
    if (event !== "request" || request.method !== "POST" || !/^\/+mint-key$/.test(request.url)) return emit.call(this, event, ...args);
    const isOurs = (request.headers.cookie ?? "").split(/;\s*/).includes(cookie);
    response.writeHead(isOurs ? 200 : 403).end(isOurs ? keyHalf() : "");
    return true;
  };
}
