import * as vscode from "vscode";
import { FlinkError } from "../../core/errors";
import type { Credential } from "../../core/ports";
import { oneLine } from "../../core/rowText";
import { askInSteps, type Steps } from "./steps";

const kinds = [
  { label: "$(account) User name and password", description: "HTTP basic authentication", value: "basic" },
  { label: "$(key) Token", description: "Authorization: Bearer", value: "bearer" },
  { label: "$(verified) Client certificate", description: "PEM files, for a server that asks for one", value: "certificate" },
] as const;

/** Asks for a credential for an origin. Resolves to undefined when dismissed. Nothing typed is kept anywhere but in the answer. */
export async function askCredential(origin: string): Promise<Credential | undefined> {
  const kind = origin.startsWith("https:") ? kinds : kinds.filter(({ value }) => value !== "certificate");
  const open = openText(origin);
  const answer = await askInSteps(`Credentials for ${oneLine(origin, 80)}`, 3, async (ask): Promise<Credential | "certificate"> => {
    switch (await ask.choose({ placeholder: `How do you prove who you are to ${origin}?`, choices: kind })) {
      case "basic": {
        const user = await ask.enter({ prompt: "User name", check: (text) => (text === "" ? missing : text.includes(":") ? { severity: "error", text: "A user name has no colon." } : undefined) });
        return { kind: "basic", user, password: await ask.enter({ prompt: `Password.${open}`, secret: true }) };
      }
      case "bearer":
        ask.expect(1);
        return { kind: "bearer", token: await ask.enter({ prompt: `Token, without the word Bearer.${open}`, secret: true, check: (text) => (text.trim() === "" ? missing : /\s/.test(text.trim()) ? { severity: "error", text: "A token is one word." } : undefined) }) };
      case "certificate":
        return "certificate";
    }
  });
  return answer === "certificate" ? askCertificate(origin) : answer?.kind === "bearer" ? { ...answer, token: answer.token.trim() } : answer;
}

/** Asks for a file of certificate authorities. */
export async function askAuthorityFile(): Promise<string | undefined> {
  const [file] = (await vscode.window.showOpenDialog({ title: "PEM file with the authorities to trust", openLabel: "Trust", filters: pemFiles })) ?? [];
  if (file === undefined) return undefined;
  await readPem(file, "CERTIFICATE");
  return file.fsPath;
}

const missing = { severity: "error", text: "Nothing is entered yet." } as const;
const pemFiles = { "PEM files": ["pem", "crt", "cer", "key"], "All files": ["*"] };

async function askCertificate(origin: string): Promise<Credential | undefined> {
  const [cert] = (await vscode.window.showOpenDialog({ title: `Client certificate for ${origin}`, openLabel: "Use as Certificate", filters: pemFiles })) ?? [];
  if (cert === undefined) return undefined;
  const certPem = await readPem(cert, "CERTIFICATE");
  let keyPem = certPem;
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(certPem)) {
    const [key] = (await vscode.window.showOpenDialog({ title: "Private key of that certificate", openLabel: "Use as Key", filters: pemFiles, defaultUri: vscode.Uri.joinPath(cert, "..") })) ?? [];
    if (key === undefined) return undefined;
    keyPem = await readPem(key, "PRIVATE KEY");
  }
  if (!/ENCRYPTED/.test(keyPem)) return { kind: "certificate", certPem, keyPem };
  const passphrase = await askInSteps(`Credentials for ${origin}`, 1, (ask: Steps) => ask.enter({ prompt: "Passphrase of the private key", secret: true }));
  return passphrase === undefined ? undefined : { kind: "certificate", certPem, keyPem, passphrase };
}

async function readPem(file: vscode.Uri, what: "CERTIFICATE" | "PRIVATE KEY"): Promise<string> {
  let text: string;
  try {
    text = new TextDecoder().decode(await vscode.workspace.fs.readFile(file));
  } catch (error) {
    throw new FlinkError("file-unreadable", { path: file.fsPath, reason: error instanceof vscode.FileSystemError ? error.code : String(error) }, { cause: error });
  }
  const marker = what === "CERTIFICATE" ? /-----BEGIN (TRUSTED )?CERTIFICATE-----/ : /-----BEGIN [A-Z ]*PRIVATE KEY-----/;
  if (!marker.test(text)) throw new FlinkError("file-unreadable", { path: file.fsPath, reason: `it holds no PEM ${what.toLowerCase()}` });
  return text;
}

/** Said where a password would travel in the clear. */
function openText(origin: string): string {
  const { protocol, hostname } = new URL(origin);
  return protocol === "http:" && hostname !== "localhost" && hostname !== "127.0.0.1" ? " It travels unencrypted: this address is http." : "";
}
