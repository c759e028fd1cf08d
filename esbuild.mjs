import { build, context, transform } from "esbuild";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const { resolve } = require;
const { version } = require("./package.json");
const production = process.argv.includes("--production");
const out = process.argv.find((arg) => arg.startsWith("--out="))?.slice("--out=".length) ?? "dist";
const watch = process.argv.includes("--watch");
/** The parser and its grammars lie beside the bundles, as their packages ship them. */
const wasm = ["web-tree-sitter/web-tree-sitter.wasm", ...["tree-sitter-java", "tree-sitter-scala", "@tree-sitter-grammars/tree-sitter-kotlin", "tree-sitter-python"].map((name) => `${name}/${path.basename(name)}.wasm`)];
const shared = { bundle: true, platform: "node", target: "node20", mainFields: ["module", "main"], sourcemap: production ? false : "linked", minify: production, logLevel: "warning", define: { programVersion: JSON.stringify(version) } };

/**
 * esbuild shares modules between chunks in its ES format only, and VS Code gives `vscode` to CommonJS without a detour; so each file it made is
 * turned into CommonJS, `import()` becoming a late `require`. `vscode` is taken as it is: esbuild would copy the API's hundreds of names in each file.
 */
const commonJsChunks = {
  name: "commonjs-chunks",
  setup({ initialOptions, onEnd }) {
    Object.assign(initialOptions, { format: "esm", splitting: true, chunkNames: "chunks/[name]-[hash]", write: false, metafile: true, sourcemap: initialOptions.sourcemap ? "inline" : false });
    onEnd(async ({ outputFiles, metafile }) => {
      const files = await Promise.all(outputFiles.map(async ({ path: file, text }) => {
        const { code, map } = await transform(text, { format: "cjs", platform: "node", target: shared.target, minify: production, sourcemap: initialOptions.sourcemap && "external", sourcefile: path.basename(file), supported: { "dynamic-import": false } });
        return { file, code: code.replaceAll(/\b[\w$]+\(require\("vscode"\)(, ?1)?\)/g, 'require("vscode")'), map };
      }));
      if (production) files.splice(0, files.length, ...together(files, metafile));
      const chunks = path.resolve(out, "chunks");
      mkdirSync(chunks, { recursive: true });
      for (const { file, code, map } of files) {
        writeFileSync(file, map === "" ? code : `${code}//# sourceMappingURL=${path.basename(file)}.map\n`);
        if (map !== "") writeFileSync(`${file}.map`, map);
      }
      const made = new Set(files.flatMap(({ file }) => [file, `${file}.map`]));
      // A host that runs an earlier build goes on with its chunks.
      for (const name of watch ? [] : readdirSync(chunks)) if (!made.has(path.join(chunks, name))) rmSync(path.join(chunks, name));
    });
  },
};

/**
 * What `window.ts` loads is some fifty files, each of which takes Node a third of a millisecond to find and open; they become one, and their own
 * files a line that asks it. Its parts keep their scopes. The parentheses have V8 compile each part as it reads it.
 */
function together(files, { outputs }) {
  const [main, window] = ["extension", "window"].map((entry) => Object.keys(outputs).find((name) => outputs[name].entryPoint === `src/${entry}.ts`));
  const loadedWith = (first) => {
    const loaded = new Set();
    const load = (name) => {
      if (loaded.has(name)) return;
      loaded.add(name);
      for (const { path: next, kind, external } of outputs[name].imports) if (kind === "import-statement" && !external) load(next);
    };
    load(first);
    return loaded;
  };
  const early = loadedWith(main);
  const late = new Set([...loadedWith(window)].filter((name) => !early.has(name)).map((name) => path.resolve(name)));
  const parts = files.filter(({ file }) => late.has(file)).map(({ file, code }) => `${JSON.stringify(`./${path.basename(file)}`)}:(function(module,exports,require){${code}\n})`);
  const code = `const parts={${parts.join(",\n")}},made={},part=(name)=>{if(!(name in parts))return require(name);let one=made[name];if(one===undefined){made[name]=one={exports:{}};parts[name](one,one.exports,part)}return one.exports};module.exports=part;\n`;
  const name = `together-${createHash("sha256").update(code).digest("hex").slice(0, 8).toUpperCase()}.js`;
  const asks = files.map((each) => (late.has(each.file) ? { ...each, code: `module.exports=require("./${name}")("./${path.basename(each.file)}");\n` } : each));
  return [...asks, { file: path.resolve(out, "chunks", name), code, map: "" }];
}

/** zod asks `navigator` for Cloudflare, and VS Code notes each extension that touches that name as one to be mended. */
const withoutNavigator = { navigator: "undefined" };

/** The build of yaml for browsers is the one that is a module; the other asks for Node's modules in a way a bundle does not know. */
const alias = { yaml: path.resolve("node_modules/yaml/browser/index.js") };

/** What the extension host loads: at activation the main file, later the chunks that `import()` names. */
const extension = { ...shared, entryPoints: ["src/extension.ts"], outdir: out, external: ["vscode"], plugins: [commonJsChunks], define: withoutNavigator };

/** The program for terminals: one file, run by Node. */
const program = { ...shared, minify: true, entryPoints: ["src/cli/program.ts"], outfile: path.join(out, "flink-savepoints.mjs"), format: "esm", alias, banner: { js: "#!/usr/bin/env node" } };

/** Each file of src/worker is the main file of a worker thread; each src/webview/NAME/main.tsx with its style.css is a page. Found by name, never listed. */
const entries = (folder, is) => (existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String).filter(is).map((file) => path.join(folder, file)) : []);
const workers = { ...shared, entryPoints: entries("src/worker", (file) => !file.includes(path.sep) && file.endsWith(".ts")), outdir: path.join(out, "worker"), format: "cjs", alias: { ...alias, "web-tree-sitter": resolve("web-tree-sitter") } };

/** Tells builds of the lint apart, by its code and its grammars: what one has kept, no other takes. */
const lintBuild = {
  name: "lint-build",
  setup({ onEnd }) {
    onEnd(() => {
      const hash = createHash("sha256");
      for (const file of [path.join(out, "worker", "lint.js"), path.join(out, "worker", "lintShare.js"), ...wasm.map((name) => resolve(name))]) hash.update(readFileSync(file));
      writeFileSync(path.join(out, "worker", "lint.build"), `${hash.digest("hex")}\n`);
    });
  },
};
workers.plugins = [lintBuild];

const pages = {
  ...shared, platform: "browser", target: "chrome128", entryPoints: entries("src/webview", (file) => /^[^\\/]+[\\/](main\.tsx|style\.css)$/.test(file)), outdir: path.join(out, "webview"), outbase: "src/webview",
  format: "iife", jsx: "automatic", jsxImportSource: "preact",
};
const ships = [extension, program, workers, pages].filter((options) => options.entryPoints.length > 0);

/** Every test and every tool of the rig is a bundle of its own, found by name, never listed. In the host the harness stays one file, since all tests register with it. */
const sources = readdirSync("test", { recursive: true }).map(String).filter((file) => file.endsWith(".ts"));
const rest = (folder, entry) => sources.filter((file) => file.startsWith(folder + path.sep) && entry(file)).map((file) => path.join("test", file));
const isTest = (file) => /\.(test|bench|fuzz)\.ts$/.test(file);
const outside = [...rest("unit", isTest), ...rest("e2e", isTest), ...rest("ui", isTest), ...rest("rig", () => true), ...rest("e2e", (file) => file.endsWith(".process.ts"))];
const inHost = [...rest("integration", (file) => isTest(file) || /(index|harness)\.ts$/.test(file))];
const tests = [
  { ...shared, minify: false, entryPoints: outside, outdir: "dist/test", outbase: "test", format: "esm", outExtension: { ".js": ".mjs" }, packages: "external" },
  { ...shared, minify: false, entryPoints: inHost, outdir: "dist/test", outbase: "test", format: "cjs", external: ["vscode", "*/harness"] },
].filter((options) => options.entryPoints.length > 0);

for (const options of production ? ships : [...ships, ...tests]) {
  if (watch) await (await context(options)).watch();
  else await build(options).catch(() => process.exit(1));
}

mkdirSync(out, { recursive: true });
for (const file of wasm) copyFileSync(resolve(file), path.join(out, path.basename(file)));

/** A bundle whose source is gone would go on being tested. */
const made = new Set([...outside.map((file) => file.replace(/\.ts$/, ".mjs")), ...inHost.map((file) => file.replace(/\.ts$/, ".js"))].map((file) => path.join("dist", file)));
for (const file of existsSync("dist/test") ? readdirSync("dist/test", { recursive: true }).map((name) => path.join("dist", "test", String(name))) : []) {
  if (/\.m?js(\.map)?$/.test(file) && !made.has(file.replace(/\.map$/, ""))) rmSync(file);
}
