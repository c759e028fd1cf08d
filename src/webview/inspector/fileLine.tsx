import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { FilesSeen, SnapshotHead } from "../../core/inspector/protocol";
import { countText } from "../../core/wording";
import type { Host } from "./inspector";

/** So many are looked for without being asked; more take a while and a click. */
const unaskedFiles = 5_000;

/** Whether the files that the metadata names are there. */
export function FileLine({ host, snapshot, reading }: { readonly host: Host; readonly snapshot: SnapshotHead; readonly reading: number }): JSX.Element {
  const [seen, setSeen] = useState<FilesSeen>();
  const [failure, setFailure] = useState<string>();
  const [running, setRunning] = useState(false);
  const [open, setOpen] = useState(false);
  const abort = useRef<AbortController>(undefined);

  const look = (): void => {
    abort.current?.abort();
    const mine = new AbortController();
    abort.current = mine;
    setRunning(true);
    setFailure(undefined);
    void (async () => {
      try {
        for (let restart = true; ; restart = false) {
          const now = await host.call("files", { restart }, mine.signal);
          if (mine.signal.aborted) return;
          setSeen(now);
          if (now.done) break;
        }
      } catch (error) {
        if (!mine.signal.aborted) setFailure(error instanceof Error ? error.message : String(error));
      }
      if (!mine.signal.aborted) setRunning(false);
    })();
  };
  const stop = (): void => {
    abort.current?.abort();
    setRunning(false);
  };
  useEffect(() => {
    setSeen(undefined);
    if (snapshot.files > 0 && snapshot.files <= unaskedFiles) look();
    return () => abort.current?.abort();
  }, [reading]);

  const files = countText(snapshot.files, "file");
  if (snapshot.files === 0) return <span> · no files beside it</span>;
  if (failure !== undefined) return <span> · {files}, not checked: {failure} <button type="button" class="link" onClick={look}>Try again</button></span>;
  if (running) return <span> · {seen === undefined ? `${files}, checking` : `${seen.looked.toLocaleString("en")} of ${seen.total.toLocaleString("en")} files checked`}{snapshot.files > unaskedFiles ? <> <button type="button" class="link" onClick={stop}>Stop</button></> : null}</span>;
  if (seen?.done !== true) return <span> · {files} <button type="button" class="link" onClick={look}>Check</button></span>;
  const wrong = seen.missing + seen.short + seen.unsafe;
  return (
    <>
      <span> · {wrong === 0 ? null : <span class="bad" aria-hidden="true">✖ </span>}{fileText(seen, files)}{wrong === 0 ? null : <> <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>{open ? "Hide" : "Show"}</button></>}</span>
      {open ? <span class="missing">{seen.examples.map(({ path, what }) => <span key={path}>{what} <code>{path}</code></span>)}</span> : null}
    </>
  );
}

function fileText({ total, missing, short, elsewhere, unsafe, complete }: FilesSeen, files: string): string {
  const parts = [
    missing > 0 ? `${missing.toLocaleString("en")} of ${files} missing` : null, short > 0 ? `${short.toLocaleString("en")} too short` : null,
    unsafe > 0 ? `${unsafe.toLocaleString("en")} with paths that lead out of the folder` : null,
    elsewhere > 0 ? `${elsewhere === total ? files : elsewhere.toLocaleString("en")} not reachable from here` : null, complete ? null : "not all could be looked for",
  ].filter((part) => part !== null);
  return parts.length === 0 ? `${files}, all present` : parts.join(", ");
}
