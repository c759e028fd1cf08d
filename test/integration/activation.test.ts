import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import * as vscode from "vscode";
import { test } from "./harness";
import { api, eventually, extensionUnderTest, set } from "./underTest";

interface Manifest {
  readonly contributes: { readonly commands: readonly { readonly command: string }[]; readonly menus: Record<string, readonly { readonly command?: string; readonly when?: string }[]> };
}

test("activation asks no cluster; showing the view does", async () => {
  let requests = 0;
  const server = createServer((_request, response) => {
    requests++;
    response.writeHead(200, { "content-type": "text/html" }).end("<title>Sign in</title>");
  }).listen(0, "127.0.0.1");
  try {
    await eventually("the server", () => (server.listening ? true : undefined));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await set("clusters", [{ name: "login page", url }]);
    const extension = extensionUnderTest();
    await extension.activate();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    assert.equal(requests, 0);

    await vscode.commands.executeCommand("flinkSavepoints.explorer.focus");
    await eventually("a request", () => (requests > 0 ? true : undefined));
    await eventually("its answer", async () => (/^not a Flink REST API/.test((await (await api()).rows())[0]?.description ?? "") ? true : undefined));
    const [failure] = await (await api()).rows(url);
    assert.match(failure?.label ?? "", /answered with the page “Sign in”/);
    assert.equal(failure?.command, "flinkSavepoints.editClusters");
  } finally {
    server.close();
    server.closeAllConnections();
    await set("clusters", undefined);
  }
}, 40_000);

test("every command of the manifest has its handler", async () => {
  await api();
  const registered = new Set(await vscode.commands.getCommands(true));
  const { contributes } = extensionUnderTest().packageJSON as Manifest;
  assert.deepEqual(contributes.commands.map(({ command }) => command).filter((command) => !registered.has(command)), []);
});

test("a wrong entry of the cluster list does not keep the others away, and the same address is one row", async () => {
  await set("clusters", [{ name: "a", url: "http://localhost:1" }, { name: "broken", url: "localhost:2" }, 7, { name: "again", url: "http://LOCALHOST:1/" }, { name: "c", url: "http://localhost:3/path/" }]);
  try {
    const rows = await eventually("two rows", async () => {
      const found = await (await api()).rows();
      return found.length === 2 ? found : undefined;
    });
    assert.deepEqual(rows.map(({ id, label }) => [id, label]), [["http://localhost:1", "a"], ["http://localhost:3/path", "c"]]);
  } finally {
    await set("clusters", undefined);
  }
});

test("a command that is called with anything at all does not reject", async () => {
  await set("clusters", undefined);
  for (const argument of [undefined, null, 7, "x", { cluster: 1 }, { ref: { cluster: "http://nowhere" } }, [{}]]) {
    await vscode.commands.executeCommand("flinkSavepoints.refresh", argument);
    await vscode.commands.executeCommand("flinkSavepoints.showMore", argument);
    await vscode.commands.executeCommand("flinkSavepoints.reconnect", argument);
    await vscode.commands.executeCommand("flinkSavepoints.pin", argument === undefined ? { recordId: "none" } : argument === null ? { recordId: "none" } : { recordId: String(argument) });
  }
});
