import { paimonAdvice } from "./paimon/failures";

/**
 * The next step after a start that failed, from Flink's own words; null when they match nothing we know. `message` is the
 * deepest cause, `exception` its class.
 */
export function restoreAdvice(message: string, exception: string): string | null {
  const text = `${exception}: ${message}`;
  return paimonAdvice(text) ?? advice.find(({ when }) => when.test(text))?.say ?? null;
}

const advice: readonly { readonly when: RegExp; readonly say: string }[] = [
  { when: /Cannot map checkpoint\/savepoint state for operator/, say: "The program has no operator for part of the state. Start the jar that has it; only if it was removed on purpose, restore again and drop that state in the last step." },
  { when: /[Mm]ax(imum)? parallelism/, say: "Choose a parallelism, and in the program a maximum parallelism, that the savepoint was taken with." },
  { when: /Cannot find meta data file/, say: "The path is the folder above a savepoint, or the savepoint is damaged." },
  { when: /Cannot find checkpoint or savepoint file/, say: "Check the path, and that this cluster reaches that storage." },
  { when: /Could not find a file system implementation|UnsupportedFileSystemScheme/, say: "This cluster lacks the file system plugin for that scheme." },
  { when: /Unrecognized checkpoint version number/, say: "A newer Flink wrote it, and savepoints only move forward: start it on that version or a newer one." },
  { when: /Unexpected magic number|java\.io\.EOFException/, say: "Its _metadata is damaged; choose another savepoint." },
  { when: /StateMigrationException|must not be incompatible|serializer .*incompatible/i, say: "A type of the state changed in a way that Flink can't migrate. Start the program that wrote it." },
  { when: /No jobs included in application/, say: "The program ended without calling execute()." },
  { when: /ClassNotFoundException|Neither a 'Main-Class'|has no main method/, say: "Name the main class, or choose the jar that has it." },
  { when: /Duplicate(Job|Application)Submission/, say: "Flink already has this job; look for it in the list." },
  { when: /NoResourceAvailable|Could not acquire the minimum required resources/, say: "The cluster has too few free slots: choose a lower parallelism or add TaskManagers." },
];
