/** Folders that are never walked into: what tools make, and what others wrote. */
const skippedFolders = new Set(["build", "target", "node_modules", ".git", "dist", "out", ".gradle", ".idea", ".vscode", "venv", ".venv", "site-packages", "__pycache__", ".bloop", ".metals", "generated-sources", "generated"]);

/** Whether a folder of that name is left out when folders are walked. */
export function isSkippedFolder(name: string): boolean {
  return skippedFolders.has(name) || name.startsWith(".");
}

/**
 * Whether a path, relative to the workspace, is a test's or generated: its operators run for seconds, so nobody needs their state back. Tests are still read for what they declare.
 */
export function isTestPath(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return /(?:^|\/)src\/(?:test|it|\w*Test|testFixtures)\//.test(path)
    || /(?:^|[a-zA-Z0-9_])Tests?\.(?:java|kt|kts|scala|sc)$/.test(name)
    || /(?:^|[a-z0-9_])(?:TestCase|ITCase|IT|Spec|Suite)\.(?:java|kt|kts|scala|sc)$/.test(name)
    || /^(?:test_.*|.*_test|conftest)\.py$/.test(name);
}
