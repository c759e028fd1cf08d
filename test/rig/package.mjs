// npm run package: checks, builds what ships and packs it. Prints every file in the package with its size.
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { run, step } from "./processes.mjs";
import { buildJobs, fail, repository, scratch, setUp } from "./setup.mjs";

/**
 * Packs the extension into the folder and returns the file and the packing tool's list of contents. It is put together apart from the clone,
 * from what `.vscodeignore` lets through, so that neither a build nor another packing at the same time gets in between.
 */
export async function packageExtension(folder) {
  const { scripts: _scripts, devDependencies: _devDependencies, ...manifest } = JSON.parse(readFileSync(path.join(repository, "package.json"), "utf8"));
  const file = path.join(folder, `${manifest.name}-${manifest.version}.vsix`);
  mkdirSync(scratch, { recursive: true });
  const stage = mkdtempSync(path.join(scratch, "stage-"));
  try {
    for (const line of readFileSync(path.join(repository, ".vscodeignore"), "utf8").split("\n")) {
      const name = /^!([^*]+?)(\/\*\*)?$/.exec(line)?.[1];
      if (name !== undefined && name !== "package.json" && name !== "dist/extension.js") cpSync(path.join(repository, name), path.join(stage, name), { recursive: true });
    }
    cpSync(path.join(repository, ".vscodeignore"), path.join(stage, ".vscodeignore"));
    // Pictures of a readme must lie behind an address, and there is none yet: they are for the page of the repository.
    writeFileSync(path.join(stage, "README.md"), readFileSync(path.join(repository, "README.md"), "utf8").replaceAll(/<picture>.*?<\/picture>\n\n?/g, ""));
    writeFileSync(path.join(stage, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    await run(process.execPath, ["esbuild.mjs", "--production", `--out=${path.join(stage, "dist")}`], { cwd: repository });
    mkdirSync(folder, { recursive: true });
    rmSync(file, { force: true });
    const vsce = path.join(repository, "node_modules", ".bin", "vsce");
    const output = await run(vsce, ["package", "--no-dependencies", "--allow-missing-repository", "--no-rewrite-relative-links", "--out", file], { cwd: stage });
    return { file, contents: output.slice(output.indexOf("Files included")) };
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { java } = await setUp({ java: true });
    await step("sample job", () => buildJobs(java));
    await step("check", () => run("npm", ["run", "--silent", "check"], { cwd: repository }));
    const { file, contents } = await step("package", () => packageExtension(repository));
    console.log(`${contents.trim()}\n${path.relative(process.cwd(), file)}`);
  } catch (error) {
    fail(error);
  }
}
