import * as z from "zod";
import { Backoff, isAbort, unlessAborted } from "../../core/base/async";
import { FlinkError, isFlinkError } from "../../core/errors";
import { actionText, callStatement, createCatalogStatement, hideSecrets, oldestCall, tableName, type PaimonActions, type SentStatement, type StatementStanding } from "../../core/paimon/actions";
import { explain } from "../../core/explain";
import { shortReason } from "../../core/rowText";
import { parseLossless } from "../../core/paimon/snapshot";
import { parseFlinkVersion, type FlinkVersion } from "../../core/model/version";
import type { WarehouseProfile } from "../../core/model/warehouse";
import type { Clock, Log } from "../../core/ports";
import { pageTitle } from "../flink/answers";
import { failureOfErrors } from "../flink/failures";
import { spanText } from "../../core/wording";
import type { Http, HttpRequest } from "../http";

/** The result of a statement. Whole numbers of 16 digits and more are texts, since they may not fit a double. */
export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly unknown[])[];
  /** Set for a statement that Flink runs as a job. */
  readonly jobId: string | null;
}

/** What a gateway client needs of the world. */
export interface SqlGatewayWorld {
  /** Base address. */
  readonly url: string;
  /** PEM file with the authorities to trust for it. */
  readonly caFile?: string | undefined;
  /** The name of the warehouse whose catalog `opening` makes known. */
  readonly warehouse?: string;
  /** Statements that a new session begins with; failures that say that a thing is there already are none. What it throws a statement throws. */
  opening(): Promise<readonly string[]>;
  /** What must not be in a message. */
  hideSecrets?(text: string): string;
  readonly http: Pick<Http, "send">;
  readonly clock: Clock;
  readonly log: Log;
  /** Milliseconds after which an unused session is closed; below the ten minutes after which the gateway forgets it (`sql-gateway.session.idle-timeout`). */
  readonly idleMs?: number;
}

const defaultIdleMs = 5 * 60_000;
/** A session in use, such as one that waits for an answer of a person, is touched so often. */
const heartbeatMs = 60_000;
/** Within this a session must be open, its catalog made. */
const openingMs = 2 * 60_000;
/** A statement that has not ended after this time is said to take long. */
const slowMs = 10_000;
/** A statement that may be given up is, when nothing came of it for so long, milliseconds. */
const mostSilentMs = 10 * 60_000;
/** A gateway that can't be asked for so long while it has a statement is given up, milliseconds. */
const mostBlindMs = 30_000;
/** How long a gateway is asked whether a statement that was given up has ended. */
const endingMs = 15_000;

/** Rows that are kept of a result; more than any statement of ours gives. */
const mostRows = 100_000;

/**
 * A SQL Gateway (FLIP-91), through version 1 of its REST API, which every release from 1.16 on has. One session is opened with the first statement,
 * touched while it is used, opened again when the gateway has forgotten it, and closed when it was idle for some minutes.
 */
export class SqlGateway {
  readonly #world: SqlGatewayWorld;
  #session: Promise<string> | undefined;
  #running = 0;
  #usedMs = 0;
  /** True when it is to be closed after the last statement that runs. */
  #isLeft = false;
  #watch: AbortController | undefined;
  /** Operations that are being closed: they go before their session. */
  readonly #closing = new Set<Promise<void>>();

  constructor(world: SqlGatewayWorld) {
    this.#world = world;
  }

  /** The gateway's Flink. Throws the connection's errors, `not-flink` for what is no gateway. */
  async version(signal: AbortSignal): Promise<FlinkVersion> {
    const { version } = await this.#ask({ method: "GET", route: "/v1/info" }, signal, infoSchema);
    const parsed = parseFlinkVersion(version);
    if (parsed === undefined) throw new FlinkError("unexpected-reply", { url: this.#world.url, detail: `its version is ${version}` });
    return parsed;
  }

  /**
   * Runs one statement to its end. Throws `statement-failed` with the deepest cause, and the connection's errors; `answer-lost` when it may run all
   * the same. The signal ends the waiting, once the gateway was asked to give the statement up and says that it has, or does not say so for some time.
   * `silent` is told how long nothing came of it, milliseconds, from some seconds on. `sent` is told the handles: before it is sent, which waits for it, and
   * once the gateway has answered. `unended` is told when it was to be given up and may be at work all the same. `config` holds for this statement only.
   */
  async run(statement: string, signal: AbortSignal, { silent, sent, unended, config }: Watch & { readonly config?: Readonly<Record<string, string>> } = {}): Promise<StatementResult> {
    this.#running++;
    this.#isLeft = false;
    this.#keepAlive();
    try {
      for (let attempt = 1; ; attempt++) {
        const opened = (this.#session ??= this.#open());
        let taken = false;
        try {
          return await this.#execute(await unlessAborted(opened, signal), statement, signal, {
            ...(silent && { silent }), ...(unended && { unended }),
            ...(config && { config }),
            sent: async (at) => {
              taken = at.operation !== null;
              await sent?.(at);
            },
          });
        } catch (error) {
          const forgotten = isForgotten(error);
          if (this.#session === opened && (forgotten || (await opened.then(() => false, () => true)))) this.#session = undefined;
          // A session that was forgotten before it took the statement has run nothing; one that is forgotten later may be at it.
          if (!forgotten || taken || attempt > 1) throw error;
        }
      }
    } finally {
      this.#running--;
      this.#usedMs = this.#world.clock.now();
      if (this.#isLeft && this.#running === 0) void this.close();
    }
  }

  /** How a statement stands, also one of an earlier window. Needs no session; rejects only when it is aborted. */
  async standingOf({ session, operation }: SentStatement, signal: AbortSignal): Promise<StatementStanding> {
    const route = `/v1/sessions/${session}`;
    try {
      if (operation === null) {
        await this.#ask({ method: "GET", route }, signal, z.unknown());
        return { state: "unknown", reason: "handle-lost" };
      }
      const { status } = await this.#ask({ method: "GET", route: `${route}/operations/${operation}/status` }, signal, statusSchema);
      if (atWork.test(status)) return { state: "running" };
      return /^(FINISHED|ERROR|CANCELED|CLOSED|TIMEOUT)$/.test(status) ? { state: "ended", how: status } : { state: "unknown", reason: { message: `it calls it ${status}` } };
    } catch (error) {
      signal.throwIfAborted();
      if (isForgotten(error)) return { state: "unknown", reason: "session-gone" };
      // An operation is forgotten when it is closed, which comes after its end.
      if (isFlinkError(error, "statement-failed") && /^Can not find the submitted operation/.test(error.facts.message)) return { state: "ended", how: "CLOSED" };
      // In few words where it did not answer: a sentence about this request could be read as one about the statement.
      const silent = isFlinkError(error, "no-answer", "cluster-unreachable", "answer-lost");
      return { state: "unknown", reason: { message: silent ? shortReason(error) : isFlinkError(error) ? explain(error).message : String(error) } };
    }
  }

  /**
   * Closes the session. Jobs that it started go on. While a statement runs the session is left to it, since the gateway ends the statements of a session that is
   * closed: then it is closed after the last.
   */
  async close(): Promise<void> {
    this.#isLeft = this.#running > 0;
    if (this.#isLeft) return;
    this.#watch?.abort();
    this.#watch = undefined;
    const session = this.#session;
    this.#session = undefined;
    const handle = await session?.catch(() => undefined);
    await Promise.all(this.#closing);
    if (handle !== undefined) await this.#closeSession(handle);
  }

  async #closeSession(handle: string): Promise<void> {
    try {
      await this.#ask({ method: "DELETE", route: `/v1/sessions/${handle}` }, AbortSignal.timeout(10_000), z.unknown());
    } catch (error) {
      this.#world.log.debug("closing a session of the SQL Gateway", error);
    }
  }

  /** Not ended by whoever asked first: others may wait for the same session. */
  async #open(): Promise<string> {
    const opening = await this.#world.opening();
    const signal = AbortSignal.timeout(openingMs);
    const { sessionHandle } = await this.#ask({ method: "POST", route: "/v1/sessions", json: { sessionName: "flink-savepoints", properties: {} } }, signal, sessionSchema).catch(beforeStatement(null));
    try {
      for (const statement of opening) {
        await this.#execute(sessionHandle, statement, signal).catch((error: unknown) => {
          if (!isFlinkError(error, "statement-failed") || !/already exist/i.test(error.facts.message)) beforeStatement(this.#world.warehouse ?? null)(error);
        });
      }
    } catch (error) {
      await this.#closeSession(sessionHandle);
      if (signal.aborted) throw new FlinkError("no-answer", { url: this.#world.url, afterMs: openingMs }, { cause: error });
      throw error;
    }
    return sessionHandle;
  }

  async #execute(session: string, statement: string, signal: AbortSignal, { silent, sent, unended, config }: Watch & { readonly config?: Readonly<Record<string, string>> } = {}): Promise<StatementResult> {
    await sent?.({ session, operation: null });
    const { operationHandle } = await this.#ask({ method: "POST", route: `/v1/sessions/${session}/statements`, json: { statement, ...(config && { executionConfig: config }) } }, signal, operationSchema);
    const operation = `/v1/sessions/${session}/operations/${operationHandle}`;
    const rows: (readonly unknown[])[] = [];
    let columns: readonly string[] = [];
    let jobId: string | null = null;
    // Not only NOT_READY says "not yet": a running query answers at once with hundreds of empty pages.
    const pause = new Backoff(50, 1_000);
    let heardMs = this.#world.clock.now();
    try {
      // It is at work: a handle that can't be written down is no reason to leave it alone.
      await sent?.({ session, operation: operationHandle }).catch((error: unknown) => this.#world.log.warn("the handle of a statement could not be kept", error));
      for (let token = 0; ;) {
        const page = await this.#page(`${operation}/result/${token}`, signal);
        if (columns.length === 0) columns = (page.results?.columns ?? []).map(({ name }) => name);
        jobId ??= page.jobID ?? null;
        const data = page.results?.data ?? [];
        for (const { fields } of data) if (rows.length < mostRows) rows.push(fields);
        if (page.resultType === "EOS") return { columns, rows, jobId };
        // Its path may lack the prefix of a proxy, so only the token is taken from it.
        const next = /\/result\/(\d+)/.exec(page.nextResultUri ?? "")?.[1];
        if (page.resultType === "PAYLOAD") {
          if (next === undefined) return { columns, rows, jobId };
          token = Number(next);
        }
        if (data.length > 0) {
          pause.reset();
          heardMs = this.#world.clock.now();
        } else {
          const silentMs = this.#world.clock.now() - heardMs;
          if (silentMs >= slowMs) silent?.(silentMs);
          await this.#world.clock.sleep(pause.next(), signal);
        }
      }
    } catch (error) {
      if (signal.aborted && !(await this.#giveUp(operation))) unended?.();
      throw error;
    } finally {
      const closing = this.#ask({ method: "DELETE", route: `${operation}/close` }, AbortSignal.timeout(10_000), z.unknown()).then(() => undefined, () => undefined).finally(() => this.#closing.delete(closing));
      this.#closing.add(closing);
    }
  }

  /** A page of a result, asked for again while the way to the gateway is broken for a moment: asking changes nothing, and giving up leaves open what was done. */
  async #page(route: string, signal: AbortSignal): Promise<z.infer<typeof pageSchema>> {
    const { clock } = this.#world;
    const sinceMs = clock.now();
    for (const pause = new Backoff(250, 2_000); ; await clock.sleep(pause.next(), signal)) {
      try {
        return await this.#ask({ method: "GET", route }, signal, pageSchema);
      } catch (error) {
        const isMomentary = isFlinkError(error, "cluster-unreachable", "no-answer", "answer-lost") || (isFlinkError(error, "not-flink") && error.facts.status >= 500);
        if (!isMomentary || clock.now() - sinceMs > mostBlindMs) throw error;
        this.#world.log.info(`the SQL Gateway is asked again: ${shortReason(error)}`);
      }
    }
  }

  /** Has the gateway give a statement up, and waits until it says that it has ended. Resolves to false when it does not say so: it may be at it. */
  async #giveUp(operation: string): Promise<boolean> {
    const signal = AbortSignal.timeout(endingMs);
    try {
      await this.#ask({ method: "POST", route: `${operation}/cancel` }, signal, z.unknown());
      for (const pause = new Backoff(50, 1_000); ; await this.#world.clock.sleep(pause.next(), signal)) {
        const { status } = await this.#ask({ method: "GET", route: `${operation}/status` }, signal, statusSchema);
        if (!atWork.test(status)) return true;
      }
    } catch (error) {
      // Also the gateway's own word that the statement does not react: its status is CANCELED all the same.
      this.#world.log.info(`Whether the SQL Gateway gave a statement up is not known: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  /** Touches the session while it is used, and closes it when it was not for long. */
  #keepAlive(): void {
    this.#usedMs = this.#world.clock.now();
    if (this.#watch !== undefined) return;
    const watch = (this.#watch = new AbortController());
    const { clock, idleMs = defaultIdleMs } = this.#world;
    void (async () => {
      for (;;) {
        await clock.sleep(Math.min(heartbeatMs, idleMs), watch.signal);
        if (this.#running === 0 && clock.now() - this.#usedMs >= idleMs) return this.close();
        const session = await this.#session?.catch(() => undefined);
        if (session !== undefined) await this.#ask({ method: "POST", route: `/v1/sessions/${session}/heartbeat` }, watch.signal, z.unknown()).catch(() => undefined);
      }
    })().catch(() => undefined);
  }

  async #ask<T>(request: { readonly method: HttpRequest["method"]; readonly route: string; readonly json?: object }, signal: AbortSignal, schema: z.ZodType<T>): Promise<T> {
    const { url, http, caFile } = this.#world;
    const answer = await http.send({ method: request.method, url: `${url.replace(/\/+$/, "")}${request.route}`, ...(caFile === undefined ? {} : { caFile }), ...(request.json === undefined ? {} : { json: request.json }) }, signal).catch((error: unknown) => {
      throw ofGateway(error, url);
    });
    const body = parseLossless(answer.body.toString("utf8"));
    const strange = (): FlinkError => new FlinkError("not-flink", { url, status: answer.status, contentType: answer.contentType, title: pageTitle(answer.body), server: "sql-gateway" });
    if (answer.status >= 400) {
      const errors = failureSchema.safeParse(body);
      if (!errors.success) throw strange();
      const { message, exception } = failureOfErrors(errors.data.errors.map((error) => this.#world.hideSecrets?.(error) ?? error));
      throw new FlinkError("statement-failed", { url, message, exception });
    }
    const parsed = schema.safeParse(body);
    if (!parsed.success) throw strange();
    return parsed.data;
  }
}

/** States of an operation before its end (`OperationStatus`). */
const atWork = /^(INITIALIZED|PENDING|RUNNING)$/;

/** Says of a failure that it came before the statement: see `statement-failed`. A session that is forgotten already stays that. */
const beforeStatement = (catalogOf: string | null) => (error: unknown): never => {
  throw isFlinkError(error, "statement-failed") && !isForgotten(error) ? new FlinkError("statement-failed", { ...error.facts, catalogOf }, { cause: error }) : error;
};

/** An error of the connection as one of the gateway's. */
function ofGateway(error: unknown, url: string): unknown {
  if (!isFlinkError(error, "cluster-unreachable", "tls-failed", "tls-expected", "unauthorized", "not-flink", "redirected", "no-answer", "answer-lost")) return error;
  const moved = isFlinkError(error, "redirected") ? { target: error.facts.target?.replace(/\/v1\/.*$/, "") ?? null } : {};
  return new FlinkError(error.code, { ...error.facts, ...moved, url, server: "sql-gateway" } as never, { cause: error });
}

function isForgotten(error: unknown): boolean {
  return isFlinkError(error, "statement-failed") && /^Session '[^']*' does not exist/.test(error.facts.message);
}

/** Who is told of a statement while it runs. */
interface Watch {
  silent?(ms: number): void;
  sent?(statement: SentStatement): Promise<void>;
  /** It was to be given up, and the gateway does not say that it has ended. */
  unended?(): void;
}

/** Acts through a gateway, with `CALL` statements. */
export function gatewayActions(gateway: SqlGateway, { catalog, url, path: warehouse }: { readonly catalog: string; readonly url: string; readonly path: string }): PaimonActions {
  return {
    way: "gateway",
    async act(table, action, run, started) {
      const version = await gateway.version(run.signal);
      const statement = callStatement(catalog, table, action, version);
      if (statement === undefined) throw new FlinkError("gateway-too-old", { url, version: version.text, since: oldestCall });
      const facts = { table: tableName(table), what: actionText(action) };
      let sent: SentStatement | undefined;
      let isOpen = false;
      try {
        run.signal.throwIfAborted();
        // What deletes is not taken back once it was sent: one that is given up may have done a part. It is waited for, and said that it is.
        const isKept = action.kind === "roll-back";
        const life = new AbortController();
        const silent = (silentMs: number): void => {
          run.report({ message: `${tableName(table)}: the SQL Gateway has been at it for ${spanText(silentMs)}` });
          if (!isKept && silentMs >= mostSilentMs) life.abort(new FlinkError("paimon-action-lost", { ...facts, reason: `the SQL Gateway gave no answer for ${spanText(silentMs)} and was told to give it up` }));
        };
        await gateway.run(statement, isKept ? life.signal : AbortSignal.any([run.signal, life.signal]), {
          silent,
          unended: () => void (isOpen = true),
          sent: async (at) => {
            await started?.({ host: url, pid: 0, instance: "gateway" }, at);
            sent = at;
          },
        });
      } catch (error) {
        // Paimon's own words come for a statement that was taken, and end it. Everything else tells of the way to it.
        if (isFlinkError(error, "statement-failed") && error.facts.catalogOf === undefined && !isForgotten(error)) throw new FlinkError("paimon-action-failed", { ...facts, message: error.facts.message, exception: error.facts.exception, at: { gateway: url, warehouse } }, { cause: error });
        // Given up while its handle was on the way, or without a word that it has ended: nobody takes it for that.
        if (isAbort(error) && sent !== undefined && (isOpen || sent.operation === null)) throw new FlinkError("paimon-action-lost", { ...facts, reason: "the SQL Gateway was told to give it up, and does not say that it has ended" }, { cause: error });
        if (!isFlinkError(error)) throw error;
        const isTaken = (sent?.operation ?? null) !== null;
        if (isTaken && isForgotten(error)) throw new FlinkError("paimon-action-lost", { ...facts, reason: "the SQL Gateway no longer knows the session in which it ran" }, { cause: error });
        const isLost = isTaken ? error.code !== "paimon-action-lost" : sent !== undefined && isFlinkError(error, "answer-lost", "no-answer", "not-flink");
        if (isLost) throw new FlinkError("paimon-action-lost", { ...facts, reason: `the SQL Gateway's answer was lost (${shortReason(error)})` }, { cause: error });
        throw error;
      }
    },
  };
}

/** A gateway client for a warehouse: each of its sessions knows the warehouse's catalog. `read` gives it with all secrets among its options. */
export function gatewayOf(warehouse: WarehouseProfile & { readonly sqlGateway: string }, world: Pick<SqlGatewayWorld, "http" | "clock" | "log" | "idleMs">, read: () => Promise<WarehouseProfile> = () => Promise.resolve(warehouse)): SqlGateway {
  let { catalogOptions } = warehouse;
  const opening = async (): Promise<readonly string[]> => {
    const whole = await read();
    ({ catalogOptions } = whole);
    return [createCatalogStatement(whole)];
  };
  return new SqlGateway({ ...world, url: warehouse.sqlGateway, caFile: warehouse.caFile, warehouse: warehouse.name, opening, hideSecrets: (text) => hideSecrets(text, catalogOptions) });
}

const infoSchema = z.lazy(() => z.object({ version: z.string() }));
const sessionSchema = z.lazy(() => z.object({ sessionHandle: z.string() }));
const operationSchema = z.lazy(() => z.object({ operationHandle: z.string() }));
const failureSchema = z.lazy(() => z.object({ errors: z.array(z.string()) }));
const statusSchema = z.lazy(() => z.object({ status: z.string() }));
const pageSchema = z.lazy(() => z.object({
  resultType: z.enum(["NOT_READY", "PAYLOAD", "EOS"]),
  jobID: z.string().nullish(),
  nextResultUri: z.string().nullish(),
  results: z.object({ columns: z.array(z.object({ name: z.string() })).nullish(), data: z.array(z.object({ fields: z.array(z.unknown()) })).nullish() }).nullish(),
}));
