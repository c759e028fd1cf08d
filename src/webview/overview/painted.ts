import { useEffect, useState } from "preact/hooks";
import { systemClock } from "../../core/base/async";

/** False until what is drawn now is on the screen: what can wait is drawn after that. */
export function usePainted(): boolean {
  const [isPainted, setPainted] = useState(false);
  useEffect(() => {
    const gone = new AbortController();
    // A frame's callback runs before its paint, a task after it.
    const frame = requestAnimationFrame(() => void systemClock.sleep(0, gone.signal).then(() => setPainted(true), () => undefined));
    return () => {
      cancelAnimationFrame(frame);
      gone.abort();
    };
  }, []);
  return isPainted;
}
