import * as vscode from "vscode";
import type { Port } from "../../core/rpc";

/** Where the bundles of pages are: `<name>/main.js` and `<name>/style.css` each. */
export interface PageFolder {
  readonly uri: vscode.Uri;
}

/**
 * Puts a page of ours, a folder of `src/webview`, into a webview and resolves to the port to it. It may run its own script and nothing else, and
 * reads no file but its own.
 */
export function showPage(webview: vscode.Webview, pages: PageFolder, name: string, title: string): Port {
  webview.options = { enableScripts: true, enableForms: false, localResourceRoots: [vscode.Uri.joinPath(pages.uri, name)] };
  const file = (part: string): string => escaped(String(webview.asWebviewUri(vscode.Uri.joinPath(pages.uri, name, part))));
  const nonce = crypto.randomUUID();
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; font-src ${webview.cspSource}`;
  const port: Port = {
    post: (message) => void webview.postMessage(message),
    onMessage: (listener) => webview.onDidReceiveMessage(listener),
  };
  webview.html = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="stylesheet" href="${file("style.css")}">
</head>
<body><div id="page"></div><script nonce="${nonce}" src="${file("main.js")}"></script></body>
</html>`;
  return port;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
