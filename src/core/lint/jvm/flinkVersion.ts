/** The major version of Flink in the build file nearest to the path, or undefined when none tells. */
export function flinkMajorOf(path: string, buildFiles: ReadonlyMap<string, string>): "1" | "2" | undefined {
  let best: { readonly folder: string; readonly major: "1" | "2" } | undefined;
  for (const [file, text] of buildFiles) {
    const folder = file.slice(0, file.lastIndexOf("/") + 1);
    if (!path.startsWith(folder) || folder.length < (best?.folder.length ?? 0)) continue;
    const major = majorIn(text);
    if (major !== undefined) best = { folder, major };
  }
  return best?.major;
}

/** `<flink.version>1.20.5</flink.version>`, `flinkVersion = "2.0.0"`, `val flinkVersion = "1.18.1"`, `org.apache.flink:flink-core:2.1.0`. */
function majorIn(text: string): "1" | "2" | undefined {
  const match = /flink[._-]?version\s*(?:>|=|:=|\bto\b|")?\s*['"]?([12])\.\d+/i.exec(text)
    ?? /org\.apache\.flink["']?\s*(?::|%{1,3})\s*["']?flink-[\w.-]+["']?\s*(?::|%)\s*["']?([12])\.\d+/.exec(text)
    ?? /<artifactId>flink-[\w.-]+<\/artifactId>\s*<version>([12])\.\d+/.exec(text);
  return match?.[1] === "1" || match?.[1] === "2" ? match[1] : undefined;
}
