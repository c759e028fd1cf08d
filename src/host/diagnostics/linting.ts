import type * as vscode from "vscode";
import { DisposableStore, type Disposable } from "../../core/base/disposable";
import type { Ledger } from "../../core/ledger/store";
import type { Clock, Log } from "../../core/ports";
import type { InspectionService } from "../../services/inspection";
import { LintService } from "../../services/linting";
import { SavepointContents } from "../../services/savepointContents";
import type { SettingsReader } from "../platform/settings";
import { Linter } from "./linter";
import { registerQuickFixes } from "./quickFixes";
import { registerUids } from "./uids";

/** What the lint in the editor needs. */
export interface LintingWorld {
  /** Starts the thread that lints. */
  readonly start: ConstructorParameters<typeof LintService>[0];
  readonly settings: SettingsReader;
  /** See `LinterWorld`. */
  readonly pages: vscode.Uri;
  readonly ledger: Ledger;
  readonly inspection: InspectionService;
  readonly clock: Clock;
  readonly log: Log;
}

/** The lint in the editor: findings, quick fixes, and what uids stand for. */
export class Linting implements Disposable {
  readonly #held = new DisposableStore();
  readonly linter: Linter;
  /** What the ledger's savepoints hold. */
  readonly savepoints: SavepointContents;

  constructor({ start, settings, pages, ledger, inspection, clock, log }: LintingWorld) {
    const service = this.#held.add(new LintService(start, clock, log));
    this.linter = this.#held.add(new Linter({ service, settings, pages, clock, log }));
    this.savepoints = new SavepointContents(ledger, inspection);
    this.#held.add(registerQuickFixes(this.linter, this.savepoints));
    this.#held.add(registerUids(settings, this.savepoints));
  }

  dispose(): void {
    this.#held.dispose();
  }
}
