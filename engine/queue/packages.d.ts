// SPDX-License-Identifier: MIT
/** What we use of bullmq and ioredis, so that the suite typechecks where they are not installed: only workers and their coordinator need them. */

declare module 'ioredis' {
  export interface RedisOptions {
    readonly host?: string;
    readonly port?: number;
    readonly path?: string;
    readonly db?: number;
    readonly username?: string;
    readonly password?: string;
    readonly tls?: object;
    readonly lazyConnect?: boolean;
    /** Milliseconds. */
    readonly connectTimeout?: number;
    /** Of one command; null: for ever. */
    readonly maxRetriesPerRequest?: number | null;
    /** Milliseconds until the next try; null: none. */
    readonly retryStrategy?: (times: number) => number | null;
  }
  export class Redis {
    readonly status: string;
    constructor(options: RedisOptions | string);
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close' | 'ready', listener: () => void): this;
    removeAllListeners(event: string): this;
    connect(): Promise<void>;
    disconnect(): void;
    ping(): Promise<string>;
    scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', n: number): Promise<[string, string[]]>;
    keys(pattern: string): Promise<string[]>;
    strlen(key: string): Promise<number>;
    get(key: string): Promise<string | null>;
    getBuffer(key: string): Promise<Buffer | null>;
    set(key: string, value: string | Buffer): Promise<unknown>;
    set(key: string, value: string | Buffer, unit: 'EX' | 'PX', time: number): Promise<unknown>;
    unlink(key: string): Promise<number>;
  }
}

declare module 'bullmq' {
  interface Connected {
    readonly connection: object;
    readonly prefix: string;
  }
  interface Kept {
    /** Seconds. */
    readonly age: number;
  }
  export class WaitingError extends Error {}
  export class Job {
    readonly id?: string;
    readonly data: unknown;
    readonly returnvalue: unknown;
    readonly failedReason?: string;
    remove(): Promise<void>;
    moveToWait(token: string | undefined): Promise<unknown>;
  }
  export class Queue {
    constructor(name: string, options: Connected & { readonly streams: { readonly events: { readonly maxLen: number } } });
    on(event: 'error', listener: (error: Error) => void): this;
    add(name: string, data: unknown, options: {
      readonly jobId: string; readonly attempts: number; readonly backoff: { readonly type: 'exponential'; readonly delay: number };
      readonly removeOnComplete: Kept; readonly removeOnFail: Kept; readonly stackTraceLimit: number;
    }): Promise<Job>;
    getJob(id: string): Promise<Job | undefined>;
    getJobState(id: string): Promise<string>;
    getJobs(types: readonly string[]): Promise<(Job | undefined)[]>;
    getWorkersCount(): Promise<number>;
    close(): Promise<void>;
  }
  export class QueueEvents {
    constructor(name: string, options: Connected);
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'completed' | 'failed', listener: (args: { readonly jobId: string }) => void): this;
    close(): Promise<void>;
  }
  export class Worker {
    constructor(queue: string, process: (job: Job, token?: string) => Promise<unknown>, options: Connected & {
      readonly name: string; readonly concurrency: number; readonly lockDuration: number; readonly stalledInterval: number; readonly maxStalledCount: number;
      readonly runRetryDelay: number; readonly removeOnComplete: Kept; readonly removeOnFail: Kept;
    });
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'failed', listener: (job: Job | undefined, error: Error) => void): this;
    close(): Promise<void>;
  }
}
