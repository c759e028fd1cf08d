// npm run package: builds what ships and packs it. Prints every file in the package with its size.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { run, step } from "./processes.mjs";
import { buildJobs, fail, repository, setUp } from "./setup.mjs";

/** Packs the extension into the folder and returns the file and the packing tool's list of contents. */
export async function packageExtension(folder) {
  const { name, version } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8"));
  const file = path.join(folder, `${name}-${version}.vsix`);
  mkdirSync(folder, { recursive: true });
  rmSync(file, { force: true });
  const vsce = path.join(repository, "node_modules", ".bin", "vsce");
  const output = await run(vsce, ["package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", file], { cwd: repository });
  return { file, contents: output.slice(output.indexOf("Files included")) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { java } = await setUp({ java: true });
    await step("sample job", () => buildJobs(java));
    const { file, contents } = await step("package", () => packageExtension(repository));
    console.log(`${contents.trim()}\n${path.relative(process.cwd(), file)}`);
  } catch (error) {
    fail(error);
  }
}
