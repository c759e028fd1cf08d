import type { Port } from "../../core/rpc";

/** What VS Code gives a page, once. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

const vscode = acquireVsCodeApi();

/** The port to the editor that shows this page. */
export const hostPort: Port = {
  post: (message) => vscode.postMessage(message),
  onMessage(listener) {
    const heard = (event: MessageEvent): void => listener(event.data);
    window.addEventListener("message", heard);
    return { dispose: () => window.removeEventListener("message", heard) };
  },
};

/** What this page kept when it was hidden; anything, since another version may have written it. */
export function savedState(): unknown {
  return vscode.getState();
}

/** Keeps a state over hiding and reloading: what was looked at, nothing that was fetched. */
export function saveState(state: unknown): void {
  vscode.setState(state);
}
